"""An electric load that follows the hours of the day: offices, shops, street lights."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.sensor import Strict

__all__ = ["HourPoint", "Load", "check_day"]

HourPoint = tuple[Annotated[float, Field(ge=0, le=24)], Annotated[float, Field(ge=0)]]
"""Hour of the local day, and the value there."""


def check_day(points: tuple[HourPoint, ...]) -> None:
    """Refuse points that do not lead through a day. Raises ValueError."""
    hours = [hour for hour, _ in points]
    if hours[0] != 0 or hours[-1] != 24:
        message = f"day: runs from hour {hours[0]:g} to {hours[-1]:g}, but must run from 0 to 24, a whole day"
        raise ValueError(message)
    for one, other in pairwise(hours):
        if other < one:
            message = f"day: hour {other:g} comes after {one:g}, but hours must not fall"
            raise ValueError(message)


class Load(Strict):
    """Its power in shares of the rated one: a line through the hours, less on Sundays, more in the heat."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"share"})
    GIVES: ClassVar[str | None] = None
    DRAWS: ClassVar[bool] = True

    kind: Literal["load"] = Field(description="an electric load that follows the hours of the day")
    rated_kw: float = Field(gt=0, le=1_000_000, description="power at share 1")
    day: tuple[HourPoint, ...] = Field(
        min_length=2,
        max_length=48,
        description="[hour, share], from hour 0 to hour 24; two of the same hour make a jump",
    )
    saturday: float = Field(default=1.0, ge=0, le=10, description="times the day's share on Saturdays")
    sunday: float = Field(default=1.0, ge=0, le=10, description="the same on Sundays")
    per_degree: float = Field(
        default=0.0, ge=0, le=1, description="more for each degree of air temperature above 24: what cooling takes"
    )

    @model_validator(mode="after")
    def is_a_day(self) -> Self:
        check_day(self.day)
        return self
