"""Local days and months, and normals that run smoothly through the year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DAY_NS", "HOUR_NS", "LocalTime", "Seasonal", "hours", "month_of"]

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


def month_of(day: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the month of each day since 1970, counted from January 1970, the day in it from 0, and its length."""
    month = day.astype("datetime64[D]").astype("datetime64[M]")
    first = month.astype("datetime64[D]").astype(np.int64)
    following = (month + 1).astype("datetime64[D]").astype(np.int64)
    return month.astype(np.int64), day - first, following - first


def hours(duration_ns: int) -> float:
    """Return a duration in hours."""
    return duration_ns / HOUR_NS


@dataclass(frozen=True)
class LocalTime:
    """Instants as people in the place tell them: int64[N] or float64[N] each."""

    day: Ints
    """Days since 1970-01-01, which is 0."""
    since_midnight_ns: Ints
    month: Ints
    """Months since January 1970, which is 0; the remainder by 12 is the month of the year."""
    year_phase: Floats
    """Months since the beginning of the year, with the share of the month that is over."""

    @classmethod
    def of(cls, time_ns: Ints, *, utc_offset_ns: int) -> LocalTime:
        """Convert from nanoseconds since 1970, UTC."""
        day, since_midnight = np.divmod(time_ns + utc_offset_ns, DAY_NS)
        first = int(day.min()) if len(day) else 0
        days = np.arange(first, int(day.max()) + 1 if len(day) else first, dtype=np.int64)
        month, past, length = (column[day - first] for column in month_of(days))
        phase = month % 12 + (past + since_midnight / DAY_NS) / length
        return cls(day, since_midnight, month, phase)

    @property
    def hour(self) -> Floats:
        """Hours since local midnight."""
        return self.since_midnight_ns / HOUR_NS

    @property
    def days(self) -> Ints:
        """Every day from the first to the last."""
        if not len(self.day):
            return np.empty(0, dtype=np.int64)
        return np.arange(int(self.day.min()), int(self.day.max()) + 1, dtype=np.int64)


class Seasonal:
    """A monthly normal as a line through the middles of the months, whose mean over each month is the normal.

    The line through the normals themselves would cut off the peaks: its mean over a month is 3/4 of the normal and
    1/8 of each neighbour. So the knots are those that give the normals back (Killworth 1996, "Time interpolation of
    forcing fields in ocean models", Journal of Physical Oceanography 26).
    """

    def __init__(self, normals: Sequence[float]) -> None:
        one = np.eye(12)
        weights = 0.75 * one + 0.125 * (np.roll(one, 1, axis=0) + np.roll(one, -1, axis=0))
        self._knots: NDArray[np.float64] = np.linalg.solve(weights, np.array(normals))

    def at(self, year_phase: Floats) -> Floats:
        """Return the value at each phase of the year, in months from its beginning."""
        before, share = np.divmod(year_phase - 0.5, 1.0)
        month = before.astype(np.int64)
        left, right = self._knots[month % 12], self._knots[(month + 1) % 12]
        value: Floats = left + (right - left) * share
        return value
