"""What broken sensors show: readings are distorted before they are rounded, so a distorted one is on the grid as well.

Each fault is a pure function of the time, the value and the number of the reading. The faults of one sensor act in
their order. A stuck sensor needs its last reading at or before the fault began, one that is stuck by hand its next
one; the instant of that reading is known beforehand, so it is evaluated in the one window that holds it, however time
is cut.
"""

from __future__ import annotations

from bisect import insort_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.fault import Drift, Gap, Offset, Quantised, SensorFault, Spike, Stuck
from simulator.signals.streams import Stream

__all__ = ["Distortion", "Distortions", "drift", "quantised", "spikes"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
HOUR_NS = 3_600_000_000_000
EPOCH = 256
"""Readings per epoch of random numbers."""


def drift(value: Floats, *, since_ns: Ints, per_hour: float) -> Floats:
    """Add what a drift has come to."""
    return value + per_hour * (since_ns / HOUR_NS)


def quantised(value: Floats, *, step: float) -> Floats:
    """Round to whole steps."""
    rounded: Floats = np.rint(value / step) * step
    return rounded


def spikes(value: Floats, uniform: Floats, *, chance: float, height: float) -> Floats:
    """Add ``height`` to those readings whose number from 0 to 1 is below the chance."""
    return value + np.where(uniform < chance, height, 0.0)


def uniform_at(stream: Stream, index: Ints) -> Floats:
    """Return float64[N] from 0 to 1 for ascending numbers of readings."""
    result = np.empty(len(index))
    epochs = index // EPOCH
    for epoch in np.unique(epochs).tolist():
        mine = epochs == epoch
        result[mine] = stream.epoch(epoch).random(EPOCH)[index[mine] - epoch * EPOCH]
    return result


@dataclass(slots=True)
class Distortion:
    """One fault of one sensor."""

    sensor: int
    """Number in the catalogue."""
    from_ns: int
    to_ns: int
    fault: SensorFault
    hold_ns: int
    """The instant whose reading a stuck sensor goes on showing."""
    stream: Stream
    spacing_ns: int
    """Readings are numbered by this: the sampling period, or a millisecond for a sensor per cycle."""
    held: float = float("nan")

    def apply(self, time_ns: Ints, value: Floats) -> Floats:
        """Return what the sensor shows instead."""
        match self.fault:
            case Stuck():
                return np.full(len(value), self.held)
            case Drift():
                return drift(value, since_ns=time_ns - self.from_ns, per_hour=self.fault.per_hour)
            case Spike():
                uniform = uniform_at(self.stream, time_ns // self.spacing_ns)
                return spikes(value, uniform, chance=self.fault.chance, height=self.fault.height)
            case Offset():
                return value + self.fault.by
            case Quantised():
                return quantised(value, step=self.fault.step)
            case Gap():
                return value


class Distortions:
    """All faults of all sensors, in the order in which those of one sensor act."""

    def __init__(self, faults: Sequence[Distortion], *, sensors: int) -> None:
        self._of: dict[int, list[Distortion]] = {}
        self._to_hold: list[Distortion] = []
        """Those of stuck sensors whose instant is yet to come, the last of them first."""
        self._struck = np.zeros(sensors, dtype=bool)
        for fault in faults:
            self.add(fault)

    def add(self, fault: Distortion) -> None:
        """Take in a fault that begins, and whose reading to hold is due, not before the next window."""
        self._of.setdefault(fault.sensor, []).append(fault)
        self._struck[fault.sensor] = True
        if isinstance(fault.fault, Stuck):
            # of two that hold the same reading the first comes off first: the other one sees what it shows
            insort_left(self._to_hold, fault, key=lambda one: -one.hold_ns)

    def hold(self, until_ns: int, true_value: Callable[[int, int], float]) -> None:
        """Keep the readings that stuck sensors go on showing, of those that hold one before ``until_ns``.

        ``true_value(sensor, time_ns)`` evaluates a sensor inside the window that ends then.
        """
        while self._to_hold and self._to_hold[-1].hold_ns < until_ns:
            one = self._to_hold.pop()
            value = np.array([true_value(one.sensor, one.hold_ns)])
            time_ns = np.array([one.hold_ns])
            for earlier in self._of[one.sensor]:
                if earlier is one:
                    break
                if earlier.from_ns <= one.hold_ns < earlier.to_ns:
                    value = earlier.apply(time_ns, value)
            one.held = float(value[0])

    def struck(self, sensor: Ints) -> Ints:
        """Return the positions of those sensors that a fault ever strikes."""
        return np.flatnonzero(self._struck[sensor])

    def there(self, time_ns: Ints, sensor: Ints) -> NDArray[np.bool_] | None:
        """Say which readings of struck sensors are there, bool[N]; None if all are."""
        there = None
        for one, rows in self._acting(time_ns, sensor):
            if isinstance(one.fault, Gap):
                there = np.ones(len(sensor), dtype=bool) if there is None else there
                there[rows] = False
        return there

    def apply(self, time_ns: Ints, sensor: Ints, value: Floats) -> Floats:
        """Return what struck sensors show in a window; the readings of each rise in time."""
        value = value.copy()
        for one, rows in self._acting(time_ns, sensor):
            value[rows] = one.apply(time_ns[rows], value[rows])
        return value

    def _acting(self, time_ns: Ints, sensor: Ints) -> Iterator[tuple[Distortion, Ints]]:
        """Yield each fault with the readings that it acts on, those of one sensor in their order."""
        order = np.argsort(sensor, kind="stable")
        cuts = np.flatnonzero(np.diff(sensor[order])) + 1
        for rows in np.split(order, cuts):
            at_ns = time_ns[rows]
            for one in self._of.get(int(sensor[rows[0]]), ()) if len(rows) else ():
                low, high = np.searchsorted(at_ns, (one.from_ns, one.to_ns)).tolist()
                if low < high:
                    yield one, rows[low:high]
