"""What a gauge is: its sensors in their places, the instants at which they are read, and what it may look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.machine_type import MachineType
from simulator.scenario.sensor import SensorType
from simulator.signals.drives import Drives
from simulator.signals.process import Cycles
from simulator.signals.supply import Network
from simulator.signals.surroundings import Surroundings
from simulator.signals.timeline import Timeline

__all__ = ["Gauge", "Placed", "Samples", "Works"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class Placed(NamedTuple):
    """A sensor in its place: what it is, and on which asset."""

    number: int
    asset: int
    spec: SensorType
    machine: MachineType


@dataclass(frozen=True)
class Samples:
    """Instants at which the sensors of a gauge are read: row of the gauge, time, segment in force, motor load."""

    row: Ints
    time_ns: Ints
    segment: Ints
    load: Floats
    """Share of rated shaft power, with its wander."""
    noise: Floats
    """Unit-variance AR noise of the sensor, 0 where it has none."""


class Gauge(Protocol):
    """All sensors of one model."""

    def advance(self, timeline: Timeline) -> None:
        """Take in the timeline of the next window."""

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        """Return float64[N]."""


@dataclass(frozen=True)
class Works:
    """What all gauges may look at: the drives and the cycles of every asset, and what stands around them."""

    drives: Drives
    books: Sequence[Cycles]
    surroundings: Surroundings
    network: Network
