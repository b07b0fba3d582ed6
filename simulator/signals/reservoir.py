"""A store between a source and those who take: steam in the water of a boiler, cold in a loop of chilled water.

While demand and the capacity of the source stay, the level moves along a straight line: down as far as demand exceeds
capacity, up at full capacity otherwise, until the store is full and the source follows demand.
"""

from __future__ import annotations

from bisect import bisect_right
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Reservoir"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
MS, HOUR_NS = 1_000_000, 3_600_000_000_000
LONGEST_H = 87_600.0
"""Ten years: a level reached that late is not reached."""


class Reservoir:
    """``size``: how much per unit of level; demand and capacity are so much per hour. It begins full, at ``top``."""

    def __init__(self, *, size: float, top: float) -> None:
        self._size = size
        self._top = top
        self._start_ns: list[int] = []
        self._rows: list[tuple[float, float, float]] = []

    def begin(self, now_ns: int, *, demand: float, capacity: float) -> None:
        """Let another demand or another capacity hold from now on; the last of several at one instant counts."""
        level = self.level_now(now_ns) if self._rows else self._top
        if self._start_ns and self._start_ns[-1] == now_ns:
            del self._start_ns[-1], self._rows[-1]
        self._start_ns.append(now_ns)
        self._rows.append((level, demand, capacity))

    def level_now(self, now_ns: int) -> float:
        """Return the level at an instant at or after the last change."""
        level, demand, capacity = self._rows[-1]
        moved = level + (capacity - demand) / self._size * ((now_ns - self._start_ns[-1]) / HOUR_NS)
        return min(max(moved, 0.0), self._top)

    def level(self, time_ns: Ints) -> Floats:
        """Return the level at instants, float64[N]."""
        since_h, level, demand, capacity = self._at(time_ns)
        moved: Floats = np.clip(level + (capacity - demand) / self._size * since_h, 0.0, self._top)
        return moved

    def given(self, time_ns: Ints) -> Floats:
        """Return what the source gives at instants, per hour, float64[N]."""
        _, _, demand, capacity = self._at(time_ns)
        follows = (capacity >= demand) & (self.level(time_ns) >= self._top)
        return np.where(follows, demand, capacity)

    def next_at(self, level: float, *, after_ns: int) -> int | None:
        """Return the first whole millisecond after an instant at which the level is met, if nothing else happens."""
        first, demand, capacity = self._rows[-1]
        slope = (capacity - demand) / self._size
        if slope == 0.0 or not 0.0 <= level <= self._top or not 0.0 < (level - first) / slope < LONGEST_H:
            return None
        at_ns = self._start_ns[-1] + ceil((level - first) / slope * HOUR_NS / MS) * MS
        return at_ns if at_ns > after_ns else None

    def forget(self, before_ns: int) -> None:
        """Forget what nobody asks for any more."""
        first = max(bisect_right(self._start_ns, before_ns) - 1, 0)
        del self._start_ns[:first], self._rows[:first]

    def _at(self, time_ns: Ints) -> tuple[Floats, Floats, Floats, Floats]:
        """Return hours since, and level, demand and capacity at the last change before each instant."""
        start_ns = np.array(self._start_ns, dtype=np.int64)
        which = np.maximum(np.searchsorted(start_ns, time_ns, side="right") - 1, 0)
        level, demand, capacity = np.array(self._rows)[which].T
        return np.maximum(time_ns - start_ns[which], 0) / HOUR_NS, level, demand, capacity
