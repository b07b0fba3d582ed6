"""A rack of servers in a data centre."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from simulator.scenario.sensor import Strict

__all__ = ["Rack"]


class Rack(Strict):
    """Its share of the work of the data centre that serves it, and the air that goes through it."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"load", "work", "inlet", "outlet"})
    """kW, % of the rated power, and the temperatures of air in front of it and behind it."""
    GIVES: ClassVar[str | None] = None
    DRAWS: ClassVar[bool] = False
    """The data centre draws for all its racks."""

    kind: Literal["rack"] = Field(description="a rack of servers; a data centre serves it")
    rated_kw: float = Field(gt=0, le=200, description="power at which it works as hard as it can")
    uneven: float = Field(default=0.25, ge=0, le=1, description="standard deviation of the logarithm of its share")
    inlet_spread_c: float = Field(
        default=0.4, ge=0, le=10, description="standard deviation of the inlet among the racks of a hall"
    )
    rise_c: float = Field(default=12.0, ge=0, le=60, description="by how much it warms the air at rated power")
