"""How readings travel: what a user writes under ``messaging``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simulator.scenario.quantities import Duration
from simulator.scenario.strict import Strict

__all__ = ["Messaging"]

HOUR_NS = 3_600_000_000_000


class Messaging(Strict):
    """How readings travel."""

    format: Literal["json"] = Field(default="json", description="the form of a payload")
    qos: Literal[0, 1, 2] = Field(
        default=1, description="MQTT quality of service: at most once, at least once, exactly once"
    )
    connections: Literal["gateway", "device"] = Field(
        default="gateway",
        description="what has an MQTT connection of its own: gateways, or each machine and system (QoS 0 and 1, plain "
        "TCP)",
    )
    gateway_per: Literal["site", "factory", "line"] = Field(
        default="factory", description="what shares one MQTT connection, where gateways have them"
    )
    connect_within: Duration = Field(
        default=0,
        ge=0,
        le=HOUR_NS,
        description="time over which devices connect, at first and after a loss, each at random; a broker that is "
        "away is given up that much later",
    )
    window: int = Field(
        default=100, ge=1, le=65_535, description="messages sent and not yet acknowledged, per connection"
    )
    bridge_workers: int = Field(
        default=1,
        ge=1,
        le=16,
        description="connections that carry messages into the store side by side, each those of its own machines",
    )
