"""State that moves on at the changes of the park: where a value stands at the start of each segment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.signals.timeline import Timeline

__all__ = ["Chain"]

Ints = NDArray[np.int64]


class Chain:
    """A value per sensor that moves on at each change of its asset: where it stands at the start of each segment."""

    def __init__(self, asset: Ints, dtype: type = np.float64) -> None:
        self.asset = asset
        self._start: NDArray[Any] = np.zeros(len(asset), dtype=dtype)
        self._fresh = True

    def advance(self, timeline: Timeline, begin: Any, move: Any) -> None:
        """Follow the segments of a window.

        ``begin(rows, segments)`` gives the value at the beginning of the world; ``move(rows, segments, start)`` the
        value at the end of each segment, given the one at its start.
        """
        first = timeline.first[self.asset]
        count = timeline.first[self.asset + 1] - first
        self.offset = np.cumsum(count) - count
        self.first = first
        self.at_start: NDArray[Any] = np.empty(int(count.sum()), dtype=self._start.dtype)
        rows = np.arange(len(self.asset))
        value = begin(rows, first) if self._fresh else self._start
        self._fresh = False
        self.at_start[self.offset] = value
        self._start = value.copy()
        for nth in range(1, int(count.max(initial=0))):
            rows = rows[count[rows] > nth]
            self._start[rows] = move(rows, first[rows] + nth - 1, self._start[rows])
            self.at_start[self.offset[rows] + nth] = self._start[rows]

    def start_of(self, row: Ints, segment: Ints) -> NDArray[Any]:
        """Return the value at the start of each sample's segment."""
        value: NDArray[Any] = self.at_start[self.offset[row] + segment - self.first[row]]
        return value
