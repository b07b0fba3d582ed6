"""A data centre: its servers follow the hours and the park's readings, its chillers the weather."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.hours import HourPoint, check_day
from simulator.scenario.quantities import Duration
from simulator.scenario.sensor import Strict

__all__ = ["Cooling", "DataCentre", "Storage"]


class Cooling(Strict):
    """The air that the servers breathe, and the water that cools it."""

    chillers: int = Field(default=4, ge=1, le=50, description="installed, as many of them run as the load needs")
    inlet_c: float = Field(default=24.0, ge=10, le=40, description="air temperature in front of the servers")
    rise_c: float = Field(
        default=14.0,
        ge=0,
        le=60,
        description="how much warmer it becomes if no unit cools; a share of them, that share",
    )
    tau: Duration = Field(default=1_200_000_000_000, gt=0, description="time constant of the air in the hall")
    supply_c: float = Field(default=7.0, ge=0, le=30, description="chilled water to the hall")
    return_c: float = Field(default=15.0, ge=0, le=40, description="chilled water from the hall at rated power")

    @model_validator(mode="after")
    def water_warms(self) -> Self:
        if self.return_c <= self.supply_c:
            message = f"return_c(={self.return_c:g}) must be more than supply_c(={self.supply_c:g})"
            raise ValueError(message)
        return self


class Storage(Strict):
    """What becomes of the readings that come in."""

    capacity_gb: float = Field(gt=0, description="room on its disks")
    stored_gb: float = Field(default=0.0, ge=0, description="what lies there when the park begins")
    bytes_per_reading: float = Field(default=20.0, gt=0, le=10_000, description="with time, name and copies")


class DataCentre(Strict):
    """Its IT power is a course of the day plus what the park's own readings take."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {
            "it",
            "ingest",
            "pue",
            "inlet",
            "supply_water",
            "return_water",
            "battery",
            "ride_through",
            "disk_used",
            "storage",
        }
    )
    """kW, readings/s, 1, Cel three times, %, min, % and GB."""
    GIVES: ClassVar[str | None] = "hosting"
    DRAWS: ClassVar[bool] = True

    kind: Literal["data-centre"] = Field(description="a data centre")
    rated_it_kw: float = Field(gt=0, le=500_000, description="IT power that it is built for")
    day: tuple[HourPoint, ...] = Field(
        min_length=2,
        max_length=48,
        description="[hour, share of the rated IT power] that takes other work than the park's readings, hour 0 to 24",
    )
    saturday: float = Field(default=1.0, ge=0, le=10, description="times the day's share on Saturdays")
    sunday: float = Field(default=1.0, ge=0, le=10, description="the same on Sundays")
    kw_per_1000_per_s: float = Field(
        ge=0, le=10_000, description="IT power for each thousand readings per second that the park sends"
    )
    cooling: Cooling = Field(default=Cooling(), description="how it is cooled")
    recharge: Duration = Field(gt=0, description="time that its battery takes from empty to full")
    storage: Storage = Field(description="where the readings go")

    @model_validator(mode="after")
    def is_a_day(self) -> Self:
        check_day(self.day)
        return self
