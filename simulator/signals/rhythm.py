"""The rhythm of the day and of the week: lines through the hours, in local time, bent by the weather."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.hours import Bend, Hours, WeatherName
from simulator.signals.almanac import LocalTime
from simulator.signals.sky import Outdoors

__all__ = ["Rhythm", "Rhythms", "added", "factor"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Line = Sequence[tuple[float, float]]
THURSDAY = 3
"""The day of the week, from Monday, of 1970-01-01."""
APART = 25.0
"""More than the hours of a day: the hours of one row after those of the row before it make one rising column."""


class Rhythms:
    """Rows of values that run in straight lines through [hour, value] points of each day, times a weekend's factor.

    A row is its points, its factor on Saturdays and its factor on Sundays.
    """

    def __init__(self, rows: Sequence[tuple[Line, float, float]]) -> None:
        self._key = np.array([row * APART + hour for row, (points, _, _) in enumerate(rows) for hour, _ in points])
        self._value = np.array([value for points, _, _ in rows for _, value in points])
        self._of_day = np.array([[1.0] * 5 + [saturday, sunday] for _, saturday, sunday in rows])

    def at(self, row: Ints, time_ns: Ints, *, utc_offset_ns: int) -> Floats:
        """Return the value of each row at its instant, float64[N]; at the hour of a jump what comes after it."""
        local = LocalTime.of(time_ns, utc_offset_ns=utc_offset_ns)
        key = row * APART + local.hour
        # The points of a row run from hour 0 to 24, so what comes after an hour of a day is of the same row.
        after = np.searchsorted(self._key, key, side="right")
        before = after - 1
        width = self._key[after] - self._key[before]
        share = np.divide(key - self._key[before], width, out=np.zeros_like(key), where=width > 0)
        line = self._value[before] + share * (self._value[after] - self._value[before])
        value: Floats = line * self._of_day[row, (local.day + THURSDAY) % 7]
        return value


class Rhythm:
    """One such row, by itself."""

    def __init__(self, points: Line, *, saturday: float, sunday: float, utc_offset_ns: int) -> None:
        self._rows = Rhythms([(points, saturday, sunday)])
        self._utc_offset_ns = utc_offset_ns

    @classmethod
    def of(cls, hours: Hours, *, utc_offset_ns: int) -> Rhythm:
        """Return the rhythm that a user wrote, without the weather."""
        return cls(hours.day, saturday=hours.saturday, sunday=hours.sunday, utc_offset_ns=utc_offset_ns)

    def at(self, time_ns: Ints) -> Floats:
        """Return the value at each instant, float64[N]."""
        return self._rows.at(np.zeros(len(time_ns), dtype=np.int64), time_ns, utc_offset_ns=self._utc_offset_ns)


def factor(bends: Mapping[WeatherName, Bend], now: Outdoors, mine: slice = slice(None)) -> Floats | float:
    """Return the product of what the weather says: 1 where it says nothing. ``mine`` picks instants of ``now``."""
    product: Floats | float = 1.0
    for quantity, points in bends.items():
        product = product * bent(points, now.quantity(quantity)[mine])
    return product


def added(bends: Mapping[WeatherName, Bend], now: Outdoors, mine: slice = slice(None)) -> Floats | float:
    """Return the sum of what the weather adds: 0 where it says nothing."""
    total: Floats | float = 0.0
    for quantity, points in bends.items():
        total = total + bent(points, now.quantity(quantity)[mine])
    return total


def bent(points: Bend, at: Floats) -> Floats:
    value: Floats = np.interp(at, [x for x, _ in points], [y for _, y in points])
    return value
