"""Pieces of one stretch of bytes, put into another order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["reordered"]

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]


def reordered(data: Bytes, start: Ints, order: Ints) -> tuple[Bytes, Ints]:
    """Return the pieces in an order, int64[M], and where each begins now and the last one ends, int64[M + 1].

    Piece i is ``data[start[i]:start[i + 1]]``; one that the order does not name is left out, and it names one at least
    if there are any. What stays together is moved together, so the cost goes with the number
    of places where the order jumps rather than with the number of pieces.
    """
    breaks = np.flatnonzero(np.diff(order) != 1) + 1
    if not len(breaks) and len(order) == len(start) - 1:
        return data, start
    first, last = order[np.concatenate(([0], breaks))], order[np.concatenate((breaks - 1, [-1]))]
    view = data.data
    runs = zip(start[first].tolist(), start[last + 1].tolist(), strict=True)
    moved = np.frombuffer(bytearray().join([view[low:high] for low, high in runs]), dtype=np.uint8)
    return moved, np.concatenate(([0], np.cumsum(np.diff(start)[order])))
