"""Sequence numbers that came and those that are missing, kept as ranges: a message lost for ever costs one range."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ranges", "Sequences"]

MOST_RANGES = 100_000
"""How many ranges one Sequences keeps over all assets, about 100 bytes each."""


class Ranges:
    """A set of integers as sorted half-open ranges that never touch."""

    __slots__ = ("_first", "_last", "size")

    def __init__(self) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        self.size = 0
        """How many integers the set holds."""

    def __len__(self) -> int:
        """How many ranges the set needs."""
        return len(self._first)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        yield from zip(self._first, self._last, strict=True)

    def __contains__(self, value: int) -> bool:
        at = bisect_right(self._first, value) - 1
        return at >= 0 and value < self._last[at]

    def add(self, value: int) -> bool:
        """Add one integer; return False if it was there."""
        at = bisect_right(self._first, value)
        if at and value < self._last[at - 1]:
            return False
        joins_left = at > 0 and self._last[at - 1] == value
        joins_right = at < len(self._first) and self._first[at] == value + 1
        if joins_left and joins_right:
            self._last[at - 1] = self._last.pop(at)
            del self._first[at]
        elif joins_left:
            self._last[at - 1] = value + 1
        elif joins_right:
            self._first[at] = value
        else:
            self._first.insert(at, value)
            self._last.insert(at, value + 1)
        self.size += 1
        return True

    def append(self, first: int, last: int) -> None:
        """Add [first, last), all of it above whatever the set holds."""
        if self._last and self._last[-1] == first:
            self._last[-1] = last
        else:
            self._first.append(first)
            self._last.append(last)
        self.size += last - first

    def remove(self, value: int) -> bool:
        """Take one integer out; return False if it was not there."""
        at = bisect_right(self._first, value) - 1
        if at < 0 or value >= self._last[at]:
            return False
        first, last = self._first[at], self._last[at]
        if first + 1 == last:
            del self._first[at], self._last[at]
        elif value == first:
            self._first[at] = value + 1
        elif value == last - 1:
            self._last[at] = value
        else:
            self._last[at] = value
            self._first.insert(at + 1, value + 1)
            self._last.insert(at + 1, last)
        self.size -= 1
        return True

    def pop_first(self) -> tuple[int, int]:
        """Take the lowest range out."""
        first, last = self._first.pop(0), self._last.pop(0)
        self.size -= last - first
        return first, last

    def common(self, other: Ranges) -> int:
        """Count the integers that both sets hold."""
        shared, at = 0, 0
        theirs = list(other)
        for first, last in self:
            while at < len(theirs) and theirs[at][1] <= first:
                at += 1
            look = at
            while look < len(theirs) and theirs[look][0] < last:
                shared += min(last, theirs[look][1]) - max(first, theirs[look][0])
                look += 1
        return shared


class Sequences:
    """Which sequence numbers of each asset came by at one hop.

    Numbers start at 0 per asset. What was skipped is a hole; a number that fills one came reordered; a number that is
    there already came twice. Holes are bounded: past the cap an asset gives up its oldest hole, whose numbers count
    as missing for ever, so that loss may be overstated and is never hidden.
    """

    def __init__(self, assets: int, *, most_ranges: int = MOST_RANGES) -> None:
        self.next: NDArray[np.int64] = np.zeros(assets, np.int64)
        """int64[assets]: one more than the highest number that came."""
        self.holes: dict[int, Ranges] = {}
        self.unique = 0
        self.duplicates = 0
        self.reordered = 0
        self.given_up = 0
        """Numbers in holes that were given up to keep memory bounded."""
        self._most_per_asset = max(1, most_ranges // max(1, assets))

    def has(self, asset: int, seq: int) -> bool:
        """Say whether the number came; one in a hole that was given up counts as come."""
        return seq < self.next[asset] and (asset not in self.holes or seq not in self.holes[asset])

    def add(self, asset: NDArray[np.int64], seq: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Note the numbers, in the order given; return which of them are new."""
        new = np.ones(len(asset), np.bool_)
        if not len(asset):
            return new
        order = np.argsort(asset, kind="stable")
        assets, numbers = asset[order], seq[order]
        starts = np.concatenate(([True], assets[1:] != assets[:-1]))
        expected = np.empty_like(numbers)
        expected[1:] = numbers[:-1] + 1
        expected[starts] = self.next[assets[starts]]
        odd = np.isin(assets, assets[numbers != expected])
        ends = np.concatenate((starts[1:], [True])) & ~odd
        self.next[assets[ends]] = numbers[ends] + 1
        self.unique += int(np.count_nonzero(~odd))
        for row in order[odd].tolist():
            new[row] = self._add_one(int(asset[row]), int(seq[row]))
        return new

    def _add_one(self, asset: int, seq: int) -> bool:
        due = int(self.next[asset])
        if seq < due:
            holes = self.holes.get(asset)
            if holes is None or not holes.remove(seq):
                self.duplicates += 1
                return False
            self._bound(asset, holes)
            self.reordered += 1
        else:
            if seq > due:
                self._skip(asset, due, seq)
            self.next[asset] = seq + 1
        self.unique += 1
        return True

    def _skip(self, asset: int, first: int, last: int) -> None:
        holes = self.holes.setdefault(asset, Ranges())
        holes.append(first, last)
        self._bound(asset, holes)

    def _bound(self, asset: int, holes: Ranges) -> None:
        if len(holes) > self._most_per_asset:
            first, last = holes.pop_first()
            self.given_up += last - first
        if not holes:
            del self.holes[asset]
