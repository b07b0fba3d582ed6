"""Good pieces of all machines at once, by how many cycles each has made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.signals.process import EPOCH, Cycles

__all__ = ["Pieces"]

Ints = NDArray[np.int64]


class Pieces:
    """The books of all machines as one table, so that a region is looked up without a call per machine.

    The table holds the epoch of cycles that each machine is in; what lies in another epoch is asked of its book.
    """

    def __init__(self, books: Sequence[Cycles]) -> None:
        self._books = books
        self.per_cycle = np.array([book.pieces for book in books], dtype=np.int64)
        self._epoch = np.full(len(books), -1)
        self._edition = np.zeros(len(books), dtype=np.int64)
        self._before = np.zeros(len(books), dtype=np.int64)
        self._within = np.zeros((len(books), EPOCH + 1), dtype=np.int64)

    def good_before(self, asset: Ints, cycle: Ints) -> Ints:
        """Return how many good pieces the cycles of machines with numbers below ``cycle`` made, int64[N]."""
        edition = np.fromiter((book.edition for book in self._books), np.int64, len(self._books))
        self._epoch[edition != self._edition] = -1
        self._edition = edition
        epoch, at = np.divmod(cycle, EPOCH)
        ahead = np.flatnonzero(epoch > self._epoch[asset])
        if len(ahead):
            self._turn_to(asset[ahead], epoch[ahead])
        good = self._before[asset] + self._within[asset, at]
        for row in np.flatnonzero(epoch != self._epoch[asset]).tolist():
            good[row] = self._books[asset[row]].good_before(int(cycle[row]))
        return good

    def _turn_to(self, asset: Ints, epoch: Ints) -> None:
        """Have the latest of these epochs of each machine in the table."""
        order = np.lexsort((epoch, asset))
        last = np.append(np.diff(asset[order]) != 0, [True])
        for one, number in zip(asset[order][last].tolist(), epoch[order][last].tolist(), strict=True):
            self._before[one], self._within[one] = self._books[one].good_in_epoch(number)
            self._epoch[one] = number
