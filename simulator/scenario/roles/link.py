"""Links: what readings travel through, from a fibre to a route over several submarine cables."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from simulator.scenario.sensor import Strict

__all__ = ["Carrier", "Link"]


class Carrier(Strict):
    """What all parts of a network state: how quick, how sure and how wide they are.

    Each may lead on ``via`` others of its site, of which the first that is open carries; what is measured at it is
    measured through to the end of that way.
    """

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"latency", "loss", "jitter", "throughput", "use", "capacity", "availability", "connected"}
    )
    GIVES: ClassVar[str | None] = None
    DRAWS: ClassVar[bool] = False

    latency_ms: float = Field(ge=0, le=10_000, description="of its own, there and back; what lies beyond is added")
    loss_pct: float = Field(default=0.0, ge=0, le=100, description="share of packets that it loses, %")
    jitter_ms: float = Field(default=0.0, ge=0, le=10_000, description="of its own")
    mbit_s: float = Field(gt=0, le=10_000_000, description="its capacity, Mbit/s")
    detour_ms: float = Field(
        default=0.0, ge=0, le=10_000, description="more latency while not the first of its ways carries"
    )
    detour_share: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="share of its capacity that is left while not the first of its ways carries",
    )
    timeout_ms: float = Field(
        default=1_000.0, gt=0, le=100_000, description="latency that is shown while nothing comes back"
    )


class Link(Carrier):
    """A link, a ring of links, a radio cell, a route abroad."""

    kind: Literal["link"] = Field(description="a part of the network that readings travel through")
