"""The gate of a site: lorries queue for it, are checked, and are sent to the docks that it serves."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.hours import HourPoint, check_day
from simulator.scenario.quantities import Duration
from simulator.scenario.strict import Strict

__all__ = ["Gate"]


class Gate(Strict):
    """It serves factories, whose lorries pass it, and docks, where they are loaded and unloaded."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"queue", "waited_min", "passed", "left", "yard", "waited_mean_min"})
    GIVES: ClassVar[str | None] = "freight"
    DRAWS: ClassVar[bool] = False

    kind: Literal["gate"] = Field(description="lorries queue here")
    lanes: int = Field(default=1, ge=1, le=100, description="lorries that are checked at once")
    shortest: Duration = Field(gt=0, description="the quickest check of a lorry")
    longest: Duration = Field(gt=0, description="the slowest; between them any is as likely")
    visitors: tuple[HourPoint, ...] = Field(
        min_length=2,
        max_length=48,
        description="[hour, vehicles per hour] that come for other reasons, from hour 0 to hour 24; they see no dock",
    )
    saturday: float = Field(default=1.0, ge=0, le=10, description="times the day's visitors on Saturdays")
    sunday: float = Field(default=1.0, ge=0, le=10, description="the same on Sundays")
    called: Duration = Field(gt=0, description="mean time from a load being ready to its lorry being at the gate")
    called_cv: float = Field(default=0.5, ge=0, le=5, description="its coefficient of variation")

    @model_validator(mode="after")
    def can_be(self) -> Self:
        check_day(self.visitors)
        if self.longest < self.shortest:
            message = "longest: must not be shorter than `shortest`"
            raise ValueError(message)
        for hour, rate in self.visitors:
            if not 0 <= rate <= 10_000:
                message = f"visitors: {rate:g} per hour at hour {hour:g}, but must be 0 to 10,000"
                raise ValueError(message)
        return self
