"""Faults as a scenario writes them, and what a park with faults shows, for tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from parks import MONDAY_NS, readings, world
from pydantic import TypeAdapter

from simulator.batch import Batch
from simulator.park.world import World
from simulator.scenario.fault import Fault
from simulator.signals.timeline import Segment

MINUTE_NS = 60_000_000_000
HALL = "vsip2a/wiring-devices/moulding"
FAULTS: TypeAdapter[tuple[Fault, ...]] = TypeAdapter(tuple[Fault, ...])


def fault(kind: str, target: str, *, at: str, lasts: str, **parameters: float) -> dict[str, Any]:
    """Return a fault as it is written, below the moulding hall of the quickstart."""
    return {"kind": kind, "target": f"{HALL}/{target}", "at": at, "for": lasts} | parameters


def faults(*written: dict[str, Any]) -> tuple[Fault, ...]:
    """Return what a scenario file with these faults would hold."""
    return FAULTS.validate_json(json.dumps(written), strict=True)


class Label(NamedTuple):
    """One message of the truth."""

    time_ns: int
    topic: str
    fault: int
    active: int
    cause: int
    from_ms: int
    to_ms: int
    sensor: int
    stop: int
    parameter: float


class Lived:
    """The quickstart with some faults, for some minutes from its start."""

    def __init__(self, *written: dict[str, Any], minutes: int = 40, **changes: Any) -> None:
        self.world = world(faults=faults(*written), **changes)
        self.segments: list[Segment] = []
        self.world.watch(self.segments.append)
        self.batch: Batch = readings(self.world, until_ns=MONDAY_NS + minutes * MINUTE_NS)

    def of(self, machine: str, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return time and value of the readings of a sensor in the moulding hall."""
        rows = self.batch.sensor == sensor_number(self.world, machine, name)
        return self.batch.time_ns[rows], self.batch.value[rows]

    def changes(self, machine: str) -> list[tuple[int, int]]:
        """Return when a machine of the hall changed into which state."""
        asset = asset_number(self.world, machine)
        return [(s.start_ns, int(s.state)) for s in self.segments if s.asset == asset]

    def truth(self) -> Iterator[Label]:
        """Yield the truth in its order."""
        catalog = self.world.catalog
        for time_ns, asset, first, last in self.batch.messages(catalog):
            if catalog.assets[asset].kind == "truth":
                values: list[float] = self.batch.value[first:last].tolist()
                fault, active, cause, from_ms, to_ms, sensor, stop = (int(value) for value in values[:-1])
                topic = catalog.assets[asset].topic
                yield Label(time_ns, topic, fault, active, cause, from_ms, to_ms, sensor, stop, values[-1])


def asset_number(park: World, machine: str) -> int:
    return park.catalog.by_topic[f"binh-duong/{HALL}/{machine}"]


def sensor_number(park: World, machine: str, name: str) -> int:
    asset = park.catalog.assets[asset_number(park, machine)]
    return asset.first_sensor + [sensor.name for sensor in asset.sensors].index(name)
