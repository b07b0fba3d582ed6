"""Climates: the normals of a place, and how its weather varies around them. They are data, in ``climates/*.yaml``."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from simulator.errors import ScenarioError
from simulator.scenario.quantities import Duration, Name
from simulator.scenario.reader import read_document
from simulator.scenario.sensor import Strict

__all__ = [
    "Climate",
    "CloudCover",
    "DayTemperature",
    "FineDust",
    "Normals",
    "RainDays",
    "Storm",
    "load_climate",
    "shipped_climates",
]

HOUR_NS = 3_600_000_000_000
MONTH_DAYS = (31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
Twelve = Field(min_length=12, max_length=12)
Hour = Annotated[float, Field(ge=0, le=24)]
Share = Annotated[float, Field(ge=0, le=1)]
Degrees = Annotated[tuple[Annotated[float, Field(ge=-60, le=60)], ...], Twelve]
Amounts = Annotated[tuple[Annotated[float, Field(ge=0, le=5_000)], ...], Twelve]
Shares = Annotated[tuple[Share, ...], Twelve]


class Normals(Strict):
    """Long-term means of each month, January first."""

    highest_c: Degrees = Field(description="mean of the highest temperature of a day")
    lowest_c: Degrees = Field(description="mean of the lowest temperature of a day")
    humidity_pct: Amounts = Field(description="mean relative humidity; what the model is compared with")
    rain_mm: Amounts = Field(description="rain in the month")
    wet_days: Amounts = Field(description="days with rain in the month")
    dew_point_c: Degrees = Field(description="mean dew point")
    sun: Shares = Field(description="share of the clear-sky energy that reaches the ground")

    @property
    def wet_share(self) -> tuple[float, ...]:
        """Share of the days of each month that are wet."""
        return tuple(wet / days for wet, days in zip(self.wet_days, MONTH_DAYS, strict=True))

    @model_validator(mode="after")
    def is_possible(self) -> Self:
        for i, (low, high, wet) in enumerate(zip(self.lowest_c, self.highest_c, self.wet_days, strict=True)):
            if not low < high:
                message = f"month {i + 1}: lowest_c(={low:g}) must be < highest_c(={high:g})"
                raise ValueError(message)
            if wet > MONTH_DAYS[i]:
                message = f"month {i + 1}: wet_days(={wet:g}) must be <= {MONTH_DAYS[i]:g}, the days it has"
                raise ValueError(message)
        return self


class DayTemperature(Strict):
    """The course of temperature over a day, and its wandering."""

    warmest_hour: Hour = Field(description="local time of the maximum")
    sigma_c: float = Field(ge=0, le=20, description="standard deviation around the normal course")
    tau: Duration = Field(gt=0, description="correlation time of the deviation")


class RainDays(Strict):
    """Which days are wet, and how wet."""

    least_mm: float = Field(gt=0, le=5, description="the least rain that makes a wet day")
    persistence: float = Field(ge=0, lt=1, description="correlation of a day being wet with the next")
    shape: float = Field(gt=0, le=20, description="of the gamma law of a wet day's rain")


class Storm(Strict):
    """The storm in which the rain of a wet day falls."""

    from_hour: Hour = Field(description="local time before which none begins")
    until_hour: Hour = Field(description="local time at which it is over")
    shortest: Duration = Field(gt=0, description="length of one with hardly any rain")
    longest: Duration = Field(gt=0, description="length that none exceeds")
    mm_per_hour: float = Field(gt=0, description="an hour longer for this much rain")
    drop_c: tuple[float, float] = Field(description="least and most by which the air cools")
    fall: Duration = Field(gt=0, description="time in which the air cools")
    recovery: Duration = Field(gt=0, description="time after the storm in which the air warms again")

    @model_validator(mode="after")
    def fits_a_day(self) -> Self:
        room = self.until_hour - self.from_hour
        if not self.shortest <= self.longest or self.longest >= room * HOUR_NS:
            message = f"longest must be >= shortest and shorter than the {room:g} h from from_hour to until_hour"
            raise ValueError(message)
        if self.fall > self.shortest:
            message = "fall must be <= shortest: the air has cooled before the storm ends"
            raise ValueError(message)
        if self.until_hour * HOUR_NS + self.recovery > 24 * HOUR_NS:
            message = "until_hour plus recovery must be <= 24 h: a storm's trace ends with its day"
            raise ValueError(message)
        if not 0 <= self.drop_c[0] <= self.drop_c[1]:
            message = f"drop_c(=[{self.drop_c[0]:g}, {self.drop_c[1]:g}]) must not fall, nor begin below 0"
            raise ValueError(message)
        return self


class CloudCover(Strict):
    """The two states of the sky."""

    clear: Share = Field(description="share of the clear-sky irradiance that passes between clouds")
    overcast: Share = Field(description="share that passes a cloud")
    tau: Duration = Field(gt=0, description="correlation time")


class FineDust(Strict):
    """Fine particles in the air, PM2.5."""

    mean_ug_m3: float = Field(gt=0, description="annual mean")
    source: str = Field(default="", description="where the numbers come from")
    sigma: float = Field(ge=0, le=2, description="standard deviation of the logarithm around its course")
    tau: Duration = Field(gt=0, description="correlation time of the deviation")
    dry_season: float = Field(gt=0, description="factor in dry months")
    wet_season: float = Field(gt=0, description="factor in the others")
    dry_month_mm: float = Field(ge=0, description="a month with less rain is dry")
    peak_hour: Hour = Field(description="local time of the highest concentration")
    swing: Share = Field(description="how far it rises above and falls below the day's mean")
    washout: Share = Field(description="factor that a storm leaves")


class Climate(Strict):
    """The climate of a place."""

    name: Name = Field(description="what a site refers to")
    title: str = Field(description="for people")
    source: str = Field(description="where the numbers come from")
    latitude: float = Field(ge=-90, le=90, description="degrees north")
    longitude: float = Field(ge=-180, le=180, description="degrees east")
    utc_offset_hours: float = Field(ge=-12, le=14, description="of local time; there is no daylight saving time")
    normals: Normals
    temperature: DayTemperature
    rain: RainDays
    storm: Storm
    cloud: CloudCover
    pm25: FineDust

    @property
    def utc_offset_ns(self) -> int:
        """Local time minus UTC."""
        return round(self.utc_offset_hours * 60) * (HOUR_NS // 60)

    @model_validator(mode="after")
    def can_be_drawn(self) -> Self:
        for i, (rain, wet, sun) in enumerate(
            zip(self.normals.rain_mm, self.normals.wet_days, self.normals.sun, strict=True)
        ):
            if (rain > 0) != (wet > 0) or rain < wet * self.rain.least_mm:
                message = f"normals: month {i + 1}: rain_mm(={rain:g}) does not fit wet_days(={wet:g})"
                raise ValueError(message)
            if not self.cloud.overcast <= sun <= self.cloud.clear:
                message = f"normals: month {i + 1}: sun(={sun:g}) must lie between cloud.overcast and cloud.clear"
                raise ValueError(message)
        return self


@cache
def shipped_climates() -> dict[str, Path]:
    """Return the climates that come with parksim: the file of each, by name."""
    folder = Path(str(resources.files("simulator.scenario").joinpath("climates")))
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


@cache
def load_climate(name: str) -> Climate:
    """Load a climate that comes with parksim.

    Raises ScenarioError for a name that is not known.
    """
    shipped = shipped_climates()
    if name not in shipped:
        message = f"climate {name!r} is not known, must be one of: {', '.join(shipped)}"
        raise ScenarioError(message)
    # No detour over the loader's explanations: a mistake in a shipped file is ours, and tests read them all.
    return Climate.model_validate_json(json.dumps(read_document(shipped[name]).root.plain()), strict=True)
