"""What a device holds for a minute: a row of numbers for each minute that has begun."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Minutes"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class Minutes:
    """Columns by name, a row per minute, of the last window only and of the minute in which it began."""

    def __init__(self, minute_ns: int, **row: float) -> None:
        self._minute_ns = np.array([minute_ns], dtype=np.int64)
        self._columns: dict[str, Floats] = {name: np.array([value]) for name, value in row.items()}

    def add(self, minute_ns: Ints, **columns: Floats) -> None:
        """Add the minutes that begin in a window, and forget all before them but one."""
        if not len(minute_ns):
            return
        self._minute_ns = np.append(self._minute_ns[-1:], minute_ns)
        self._columns = {name: np.append(self._columns[name][-1:], column) for name, column in columns.items()}

    def last(self, column: str) -> float:
        """Return what the last minute holds."""
        return float(self._columns[column][-1])

    def at(self, column: str, time_ns: Ints) -> Floats:
        """Return what the minute of each instant holds, float64[N]."""
        row = np.searchsorted(self._minute_ns, time_ns, side="right") - 1
        return self._columns[column][np.maximum(row, 0)]
