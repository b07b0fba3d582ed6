"""The dispatcher of a fleet: boxes that factories make become missions of the vehicles that it serves."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from simulator.scenario.strict import Strict

__all__ = ["Dispatch"]


class Dispatch(Strict):
    """It serves vehicles, and factories: what their lines finish has to be carried on."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"queue", "missions", "waited_s", "waited_mean_s", "driving", "charging", "available"}
    )
    GIVES: ClassVar[str | None] = "transport"
    DRAWS: ClassVar[bool] = True

    kind: Literal["dispatch"] = Field(description="the dispatcher of a fleet, with its chargers")
    missions_h: float = Field(
        gt=0, le=1_000, description="missions per hour and vehicle while all lines of its factories run at full pace"
    )
    efficiency: float = Field(default=0.9, gt=0, le=1, description="of the chargers")
