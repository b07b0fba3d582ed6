"""Energy registers: the exact integral of the mean power of every asset's motor over its segments.

They count in W ms: power in whole W and time in whole ms make every sum exact. A year of 100 MW is a third of what
int64 holds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.signals.drives import Drives
from simulator.signals.timeline import Timeline

__all__ = ["Registers"]

Ints = NDArray[np.int64]
MS = 1_000_000


class Registers:
    """One for every asset, whether or not a sensor shows it; windows must follow each other."""

    def __init__(self, drives: Drives, *, assets: int) -> None:
        self._drives = drives
        self._carried = np.zeros(assets, dtype=np.int64)

    def advance(self, timeline: Timeline) -> None:
        """Take in the timeline of the next window."""
        self._watts = self._drives.mean_w(timeline.asset, timeline.state, timeline.power)
        spent = self._watts * ((timeline.end_ns - timeline.start_ns) // MS)
        before = np.cumsum(spent) - spent
        self._at_start = before + (self._carried - before[timeline.first[:-1]])[timeline.asset]
        self._carried = self._at_start[timeline.first[1:] - 1]

    def at(self, segment: Ints, elapsed_ns: Ints) -> Ints:
        """Return what is counted so long after segments of the window began, W ms, of the shape of ``segment``."""
        counted: Ints = self._at_start[segment] + self._watts[segment] * (elapsed_ns // MS)
        return counted
