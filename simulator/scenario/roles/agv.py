"""An automated guided vehicle, which a dispatcher sends."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.quantities import Duration
from simulator.scenario.strict import Strict

__all__ = ["Agv"]


class Agv(Strict):
    """Its battery empties while it drives and fills while it waits at a charger; charge is in % of the battery."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"soc", "battery", "activity", "missions", "speed"})
    GIVES: ClassVar[str | None] = None
    DRAWS: ClassVar[bool] = False

    kind: Literal["agv"] = Field(description="a vehicle that drives by itself; a dispatcher serves it")
    drain: float = Field(gt=0, le=100, description="% of the battery per hour of driving")
    charge: float = Field(gt=0, le=600, description="% of the battery per hour at a charger")
    low: float = Field(default=25.0, gt=0, lt=100, description="below so much it drives to no mission but to a charger")
    enough: float = Field(default=80.0, gt=0, le=100, description="and stays there until so much")
    shortest: Duration = Field(gt=0, description="the quickest mission")
    longest: Duration = Field(gt=0, description="the slowest; between them any is as likely")
    speed_m_s: float = Field(gt=0, le=10, description="on its way")
    battery_kwh: float = Field(gt=0, le=1_000, description="of a full battery")

    @model_validator(mode="after")
    def can_be(self) -> Self:
        if self.longest < self.shortest:
            message = "longest: must not be shorter than `shortest`"
            raise ValueError(message)
        if self.enough <= self.low:
            message = f"enough(={self.enough:g}) must be more than low(={self.low:g})"
            raise ValueError(message)
        return self
