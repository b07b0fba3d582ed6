"""A cold store: a compressor holds it between two temperatures, doors and defrosting let warmth in."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.hours import HourPoint, check_day
from simulator.scenario.quantities import Duration
from simulator.scenario.strict import Strict

__all__ = ["Cold"]


class Cold(Strict):
    """Its temperature settles towards where it is driven: down by the compressor, up by the warmth outside."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"temperature", "compressor", "door", "doors", "defrosting", "excursions", "excursion_min"}
    )
    GIVES: ClassVar[str | None] = None
    DRAWS: ClassVar[bool] = True

    kind: Literal["cold"] = Field(description="a cold store")
    low: float = Field(description="degrees Celsius at which the compressor stops")
    high: float = Field(description="degrees Celsius at which it starts")
    limit: float = Field(description="degrees Celsius above which the goods suffer: an excursion")
    coldest: float = Field(description="what it would come to if the compressor never stopped")
    outside: float = Field(
        default=31.0, description="degrees Celsius around it, which it would come to without cooling"
    )
    cooling: Duration = Field(gt=0, description="time constant while the compressor runs")
    warming: Duration = Field(gt=0, description="time constant while it stands, doors closed")
    door: Duration = Field(gt=0, description="time constant while a door is open")
    open_for: Duration = Field(gt=0, description="mean time that a door stays open")
    openings: tuple[HourPoint, ...] = Field(
        min_length=2, max_length=48, description="[hour, doors opened per hour], from hour 0 to hour 24"
    )
    saturday: float = Field(default=1.0, ge=0, le=10, description="times the day's openings on Saturdays")
    sunday: float = Field(default=1.0, ge=0, le=10, description="the same on Sundays")
    defrost_every: Duration = Field(gt=0, description="time from one defrosting to the next")
    defrost: Duration = Field(gt=0, description="how long the compressor stands for it")
    compressor_kw: float = Field(gt=0, le=10_000, description="what it draws while it runs")
    base_kw: float = Field(ge=0, le=10_000, description="fans and lights, always")

    @model_validator(mode="after")
    def can_be(self) -> Self:
        check_day(self.openings)
        if not self.coldest < self.low < self.high < self.limit < self.outside:
            message = "coldest, low, high, limit and outside must rise in this order"
            raise ValueError(message)
        if self.defrost >= self.defrost_every:
            message = "defrost: must be shorter than `defrost_every`"
            raise ValueError(message)
        for hour, rate in self.openings:
            if not 0 <= rate <= 1_000:
                message = f"openings: {rate:g} per hour at hour {hour:g}, but must be 0 to 1,000"
                raise ValueError(message)
        return self
