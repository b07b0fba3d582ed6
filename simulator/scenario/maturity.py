"""Maturity bands: which sensors a factory has, how often they speak, how it maintains. They are data, in ``bands``.

Which sensors exist at a band is decided by their number and an order of priority, so that a higher band only adds.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.machine_type import MachineType, Repair
from simulator.scenario.quantities import Duration, Name
from simulator.scenario.reader import read_document
from simulator.scenario.sensor import SensorType, StateModel, Strict

__all__ = ["BANDS", "Band", "Bands", "Maintenance", "at_band", "band_of", "load_bands"]

BANDS = 6
FIRST_SENSORS = ("state", "count", "energy", "motor", "cycle_time", "vibration", "bearing_heat")
"""Models by priority: what a controller keeps comes first, then power, then condition; the rest as in the type."""


class Maintenance(Strict):
    """When a machine is maintained before it fails, and what is done about its bearing."""

    kind: Literal["run-to-failure", "calendar", "usage", "condition", "predictive"] = Field(
        description="what decides; the bearing is replaced at its rated life (usage), when its vibration comes to zone "
        "C (condition), or shortly before it fails (predictive)"
    )
    every: Duration | None = Field(default=None, gt=0, description="from job to job: calendar time, else running time")
    job: Repair | None = Field(default=None, description="how long a job takes the crew")
    patience: float = Field(
        default=0.25, ge=0, le=5, description="share of `every` that a job waits for a gap in the work of the machine"
    )

    @model_validator(mode="after")
    def has_jobs(self) -> Self:
        if (self.kind == "run-to-failure") != (self.every is None) or (self.every is None) != (self.job is None):
            message = "every, job: all maintenance but run-to-failure takes both"
            raise ValueError(message)
        return self


class Band(Strict):
    """One band."""

    band: int = Field(ge=0, lt=BANDS, description="0 to 5")
    title: str = Field(description="for people")
    coverage: float = Field(gt=0, le=1, description="share of the sensors of a machine type that exist")
    interval: Duration = Field(gt=0, description="no sensor speaks more often, but for changes of state")
    tells_changes: bool = Field(default=True, description="whether changes of state are told at once")
    failures: float = Field(gt=0, le=1, description="how many times as often as the type says it breaks down")
    unnoticed: Duration = Field(gt=0, description="how long a fault stays unnoticed on average with nobody there")
    maintenance: Maintenance


class Bands(Strict):
    """All bands, from 0 up."""

    name: Name = Field(description="what it is called")
    title: str = Field(description="for people")
    source: str = Field(description="where the numbers come from")
    bands: tuple[Band, ...] = Field(min_length=BANDS, max_length=BANDS)

    @model_validator(mode="after")
    def climb(self) -> Self:
        if [one.band for one in self.bands] != list(range(BANDS)):
            message = "bands: must be 0 to 5 in that order"
            raise ValueError(message)
        return self


@cache
def load_bands() -> Bands:
    """Load the bands that come with parksim."""
    path = Path(str(resources.files("simulator.scenario").joinpath("bands", "siri.yaml")))
    return Bands.model_validate_json(json.dumps(read_document(path).root.plain()), strict=True)


def band_of(number: int) -> Band:
    """Return a band by its number."""
    return load_bands().bands[number]


def at_band(spec: MachineType, number: int) -> MachineType:
    """Return a machine type with the sensors that it has in a factory of that band."""
    band = band_of(number)
    wanted = max(round(band.coverage * len(spec.sensors)), 1)
    order = sorted(range(len(spec.sensors)), key=lambda i: priority(spec.sensors[i]))
    sensors = tuple(slowed(spec.sensors[i], band, spec.cycle) for i in sorted(order[:wanted]))
    return spec.model_copy(update={"sensors": sensors})


def priority(sensor: SensorType) -> int:
    kind = sensor.model.kind
    return FIRST_SENSORS.index(kind) if kind in FIRST_SENSORS else len(FIRST_SENSORS)


def slowed(sensor: SensorType, band: Band, cycle_ns: int) -> SensorType:
    """Return a sensor that speaks no more often than a band has it."""
    if sensor.period is None:
        # Every so many cycles, as many as the interval takes.
        return sensor.model_copy(update={"every": max(sensor.every, -(-band.interval // cycle_ns))})
    changes: dict[str, object] = {"period": max(sensor.period, band.interval)}
    if isinstance(sensor.model, StateModel):
        changes["model"] = sensor.model.model_copy(update={"changes": sensor.model.changes and band.tells_changes})
    return sensor.model_copy(update=changes)
