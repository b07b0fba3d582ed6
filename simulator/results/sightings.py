"""Sightings: what a bridge saw that does not know what was sent, and so goes by the numbers that came."""

from __future__ import annotations

import threading
from collections import Counter

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.results.ledger import UNDATED, columns, same_instant
from simulator.results.sequences import Sequences

__all__ = ["Sightings"]

Column = NDArray[np.int64]


class Sightings:
    """Counts of messages by asset and number. Thread-safe; arguments are integer arrays of equal length.

    An asset's count begins with the first number that came: what was sent before is not missed. A number that is not
    higher than the one before, with a later instant, is that of a publisher that began anew, and so does the count.
    """

    def __init__(self, assets: int) -> None:
        self.received = 0
        self.written = 0
        self.readings_written = 0
        self.overwritten = 0
        self.restarts = 0
        self.spooled = 0
        self.dead_lettered: Counter[str] = Counter()
        self.foreigners: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._sequences = Sequences(assets)
        self._seen = np.zeros(assets, dtype=bool)
        self._latest_ms: Column = np.full(assets, UNDATED, np.int64)
        self._newest_ms: Column = np.full(assets, UNDATED, np.int64)
        self._missed_before = 0

    @property
    def missing(self) -> int:
        """Numbers that were skipped and have not come since."""
        holes = sum(ranges.size for ranges in self._sequences.holes.copy().values())
        return holes + self._sequences.given_up + self._missed_before

    @property
    def duplicates(self) -> int:
        """Messages whose number had come already, or lies before the first."""
        return self._sequences.duplicates

    @property
    def reordered(self) -> int:
        """Messages that came after a later one of their asset."""
        return self._sequences.reordered

    def gaps(self) -> list[tuple[int, int, int]]:
        """Return asset, first and last number of what is missing, lowest asset first."""
        with self._lock:
            holes = sorted(self._sequences.holes.items())
            return [(asset, first, last - 1) for asset, ranges in holes for first, last in ranges]

    def receive(self, asset: ArrayLike, seq: ArrayLike, time_ms: ArrayLike = UNDATED) -> NDArray[np.bool_]:
        """Note messages in the order of arrival; every one may be new, as far as one can know."""
        assets, numbers = columns(asset, seq)
        dated = np.broadcast_to(np.asarray(time_ms, np.int64), assets.shape)
        with self._lock:
            self.received += len(assets)
            self._begin(assets, numbers)
            anew = self._restarted(assets, numbers, dated)
            np.maximum.at(self._newest_ms, assets, dated)
            if anew.any():
                fresh = np.concatenate(
                    [self._add_one(assets, numbers, row, anew=anew[row]) for row in range(len(anew))]
                )
            else:
                fresh = self._sequences.add(assets, numbers)
            self.overwritten += same_instant(assets[fresh], dated[fresh], self._latest_ms)
        return np.ones(len(assets), dtype=bool)

    def is_written(self, asset: ArrayLike, seq: ArrayLike) -> NDArray[np.bool_]:
        """Say of none that it is written: a publisher that began anew uses the same numbers again."""
        return np.zeros(len(columns(asset, seq)[0]), dtype=bool)

    def write(self, asset: ArrayLike, seq: ArrayLike, readings: ArrayLike) -> NDArray[np.bool_]:
        """Note rows that the store has committed; one that was written again counts again."""
        number = len(columns(asset, seq)[0])
        with self._lock:
            self.written += number
            self.readings_written += int(np.sum(readings))
        return np.ones(number, dtype=bool)

    def dead_letter(self, reason: str, asset: ArrayLike, seq: ArrayLike) -> None:
        """Note messages that the store will never take, and why."""
        with self._lock:
            self.dead_lettered[reason] += len(columns(asset, seq)[0])

    def foreign(self, reason: str, n: int = 1) -> None:
        """Note messages that belong to no asset."""
        with self._lock:
            self.foreigners[reason] += n

    def spool(self, more: int) -> None:
        """Note how many more messages are on disk, less than 0 if fewer."""
        with self._lock:
            self.spooled += more

    def unwritten(self) -> int:
        """Return 0: nobody says what is on its way."""
        return 0

    def _begin(self, asset: Column, seq: Column) -> None:
        if self._seen[asset].all():
            return
        first, at = np.unique(asset, return_index=True)
        unseen = ~self._seen[first]
        self._sequences.next[first[unseen]] = seq[at[unseen]]
        self._seen[first] = True

    def _restarted(self, asset: Column, seq: Column, time_ms: Column) -> NDArray[np.bool_]:
        order = np.argsort(asset, kind="stable")
        assets, numbers, dated = asset[order], seq[order], time_ms[order]
        first = np.diff(assets, prepend=-1) != 0
        number_before = np.concatenate(([0], numbers[:-1]))
        number_before[first] = self._sequences.next[assets[first]] - 1
        dated_before = np.concatenate(([UNDATED], dated[:-1]))
        dated_before[first] = self._newest_ms[assets[first]]
        anew = np.empty(len(asset), dtype=bool)
        anew[order] = (numbers <= number_before) & (dated > dated_before) & (dated_before != UNDATED)
        return anew

    def _add_one(self, asset: Column, seq: Column, row: int, *, anew: bool) -> NDArray[np.bool_]:
        if anew:
            self._forget(int(asset[row]), int(seq[row]))
        return self._sequences.add(asset[row : row + 1], seq[row : row + 1])

    def _forget(self, asset: int, seq: int) -> None:
        self.restarts += 1
        holes = self._sequences.holes.pop(asset, None)
        self._missed_before += 0 if holes is None else holes.size
        self._sequences.next[asset] = seq
