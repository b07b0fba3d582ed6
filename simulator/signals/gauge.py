"""What a gauge is: its sensors in their places, the instants at which they are read, and what it may look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.machine_type import MachineType
from simulator.scenario.sensor import SensorType
from simulator.signals.drives import Drives
from simulator.signals.moments import Moments
from simulator.signals.process import Books
from simulator.signals.registers import Registers
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


class Samples:
    """Instants at which N sensors of a gauge are read, K for each.

    ``row``: int64[N, 1], rows of the gauge, so that parameters by row broadcast to all their instants. Everything else
    is [N, K]. ``noise`` is unit-variance AR noise of the sensor, 0 where it has none. ``place`` tells which asset of
    ``moments`` each sensor belongs to, int64[N].
    """

    def __init__(self, row: Ints, place: Ints, moments: Moments, noise: Floats) -> None:
        self.row = row
        self.noise = noise
        self._place = place
        self._moments = moments

    @cached_property
    def time_ns(self) -> Ints:
        """Nanoseconds since the Unix epoch, rising."""
        return self._moments.time_ns[self._place]

    @cached_property
    def segment(self) -> Ints:
        """The segment in force."""
        return self._moments.segment[self._place]

    @cached_property
    def state(self) -> Ints:
        """PackML state."""
        return self._moments.state[self._place]

    @cached_property
    def power(self) -> Ints:
        """Where the machine has its power from."""
        return self._moments.power[self._place]

    @cached_property
    def elapsed_ns(self) -> Ints:
        """Time since the segment began."""
        return self._moments.elapsed_ns[self._place]

    @cached_property
    def cycles(self) -> Ints:
        """Cycles that the machine has completed."""
        return self._moments.cycles[self._place]

    @cached_property
    def load(self) -> Floats:
        """Share of rated shaft power, with its wander."""
        return self._moments.load[self._place]


class Gauge(Protocol):
    """All sensors of one model."""

    def advance(self, timeline: Timeline) -> None:
        """Take in the timeline of the next window."""

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        """Return float64[N, K]."""


@dataclass(frozen=True)
class Works:
    """What all gauges may look at: the drives and the cycles of every asset, and what stands around them."""

    drives: Drives
    books: Books
    surroundings: Surroundings
    network: Network
    registers: Registers
