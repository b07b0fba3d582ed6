"""State that moves on at the changes of the park: where a value stands at the start of each segment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.signals.timeline import Timeline, ragged

__all__ = ["Chain"]

Ints = NDArray[np.int64]


class Chain:
    """A value per sensor that moves on at each change of its asset: where it stands at the start of each segment.

    For each window call ``lay_out`` and then ``move_on``. The links of a window are its segments, for each sensor those
    of its asset: ``row`` and ``segment`` are int64[links].
    """

    def __init__(self, asset: Ints) -> None:
        self.asset = asset
        self._start: NDArray[Any] = np.zeros(len(asset))
        self._fresh = True

    def lay_out(self, timeline: Timeline) -> None:
        """Find the links of the next window."""
        first = timeline.first[self.asset]
        self._count = timeline.first[self.asset + 1] - first
        self._offset = np.cumsum(self._count) - self._count
        self._shift = self._offset - first
        self.row, self.segment = ragged(first, self._count)

    def move_on(self, begin: Any, move: Any) -> None:
        """Follow the links that ``lay_out`` found.

        ``begin(links)`` gives the value at the beginning of the world; ``move(links, start)`` the value at the end of
        each of some links, given the one at its start.
        """
        self.at_start: NDArray[Any] = np.empty(len(self.row))
        value = begin(self._offset) if self._fresh else self._start
        self._fresh = False
        self.at_start[self._offset] = value
        self._start = value.copy()
        rows = np.flatnonzero(self._count > 1)
        nth = 0
        while len(rows):
            link = self._offset[rows] + nth
            ended = move(link, self._start[rows])
            self._start[rows] = self.at_start[link + 1] = ended
            nth += 1
            rows = rows[self._count[rows] > nth + 1]

    def link(self, row: Ints, segment: Ints) -> Ints:
        """Return the links of sensors in segments, of the shape that both broadcast to."""
        link: Ints = self._shift[row] + segment
        return link
