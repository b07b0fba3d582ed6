"""The rhythm of the day and of the week: lines through the hours, in local time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.signals.almanac import LocalTime

__all__ = ["Rhythm"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
THURSDAY = 3
"""The day of the week, from Monday, of 1970-01-01."""


class Rhythm:
    """A value that runs in straight lines through [hour, value] points of each day, times a factor of the weekend."""

    def __init__(
        self, points: Sequence[tuple[float, float]], *, saturday: float, sunday: float, utc_offset_ns: int
    ) -> None:
        self._hour = np.array([hour for hour, _ in points])
        self._value = np.array([value for _, value in points])
        self._of_day = np.array([1.0] * 5 + [saturday, sunday])
        self._utc_offset_ns = utc_offset_ns

    def at(self, time_ns: Ints) -> Floats:
        """Return the value at each instant, float64[N]; at the hour of a jump what comes after it."""
        local = LocalTime.of(time_ns, utc_offset_ns=self._utc_offset_ns)
        hour = local.hour
        after = np.clip(np.searchsorted(self._hour, hour, side="right"), 1, len(self._hour) - 1)
        before = after - 1
        width = self._hour[after] - self._hour[before]
        share = np.divide(hour - self._hour[before], width, out=np.zeros_like(hour), where=width > 0)
        line = self._value[before] + share * (self._value[after] - self._value[before])
        value: Floats = line * self._of_day[(local.day + THURSDAY) % 7]
        return value
