"""Messages on their way to the broker: what the publisher knows of each until its end is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Gone", "OnTheWay"]

Ints = NDArray[np.int64]


class Gone(NamedTuple):
    """Columns of messages whose end is known."""

    asset: Ints
    seq: Ints
    due_ns: Ints
    """Monotonic."""
    again: NDArray[np.bool_]


class OnTheWay:
    """The messages that one outlet took over and has not settled, by tag: they are numbered from 0 as they go."""

    def __init__(self) -> None:
        self._first = 0
        none = np.empty(0, dtype=np.int64)
        self._columns = Gone(none, none, none, none > 0)
        self._open: NDArray[np.bool_] = none > 0

    def __len__(self) -> int:
        return int(np.count_nonzero(self._open))

    def put(self, asset: Ints, seq: Ints, due_ns: Ints, again: NDArray[np.bool_]) -> None:
        """Note messages that were taken over, in their order."""
        # What stands before the oldest open one is of no use any more.
        done = int(np.argmax(self._open)) if self._open.any() else len(self._open)
        old = self._columns
        self._columns = Gone(
            np.concatenate((old.asset[done:], asset)),
            np.concatenate((old.seq[done:], seq)),
            np.concatenate((old.due_ns[done:], due_ns)),
            np.concatenate((old.again[done:], again)),
        )
        self._open = np.concatenate((self._open[done:], np.ones(len(asset), dtype=bool)))
        self._first += done

    def take(self, tag: Ints) -> Gone:
        """Return messages that came to their end."""
        place = tag - self._first
        self._open[place] = False
        asset, seq, due_ns, again = self._columns
        return Gone(asset[place], seq[place], due_ns[place], again[place])

    def give_up(self) -> tuple[Ints, Ints]:
        """Forget all that are open; return asset and number of those that were sent for the first time."""
        mine = self._open & ~self._columns.again
        self._open[:] = False
        return self._columns.asset[mine], self._columns.seq[mine]
