"""The hours: values that run through the day and the week, and bend with the weather."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.strict import Strict

__all__ = ["Bend", "HourPoint", "Hours", "WeatherName", "check_bends", "check_day"]

HourPoint = tuple[Annotated[float, Field(ge=0, le=24)], float]
"""Hour of the local day, and the value there."""
WeatherName = Literal["temperature", "humidity", "wet_bulb", "rain", "irradiance", "pm25"]
"""Cel, %, Cel, mm/h, W/m2, ug/m3."""
Bend = Annotated[tuple[tuple[float, float], ...], Field(min_length=2, max_length=24)]
"""[a quantity of the weather, what comes of it], in straight lines; beyond the first and the last as there."""
DAY_FIELD = Field(
    min_length=2,
    max_length=48,
    description="[hour, value], from hour 0 to hour 24; two of the same hour make a jump",
)


def check_day(points: Sequence[tuple[float, float]]) -> None:
    """Refuse points that do not lead through a day. Raises ValueError."""
    hours = [hour for hour, _ in points]
    if hours[0] != 0 or hours[-1] != 24:
        message = f"day: runs from hour {hours[0]:g} to {hours[-1]:g}, but must run from 0 to 24, a whole day"
        raise ValueError(message)
    for one, other in pairwise(hours):
        if other < one:
            message = f"day: hour {other:g} comes after {one:g}, but hours must not fall"
            raise ValueError(message)


def check_bends(key: str, bends: Mapping[WeatherName, Bend]) -> None:
    """Refuse points that do not rise along the weather. Raises ValueError."""
    for quantity, points in bends.items():
        for (one, _), (other, _) in pairwise(points):
            if other <= one:
                message = f"{key}: {quantity} {other:g} comes after {one:g}, but must rise from point to point"
                raise ValueError(message)


class Hours(Strict):
    """A value that runs in lines through the hours of the day, times what the day of the week and the weather say."""

    day: tuple[HourPoint, ...] = DAY_FIELD
    saturday: float = Field(default=1.0, ge=0, le=10, description="times the day's value on Saturdays")
    sunday: float = Field(default=1.0, ge=0, le=10, description="the same on Sundays")
    times: dict[WeatherName, Bend] = Field(
        default_factory=dict, description="factors by the weather: {rain: [[0, 1], [5, 0.6]]} is less in the rain"
    )

    @model_validator(mode="after")
    def is_a_day(self) -> Self:
        check_day(self.day)
        check_bends("times", self.times)
        return self
