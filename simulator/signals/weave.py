"""Weaving: readings of many sensors, each in order of time, become one batch in order of time, then sensor.

Sorting readings would cost more than making them. What is sorted instead is who speaks when: an asset says at one
instant all that it has to say, and its sensors have consecutive numbers, so a message is a stretch of the batch. Where
in it each reading stands depends only on which groups of the asset's sensors speak at that instant: those of one
period or several, those that speak per cycle, the state. Each such pattern is worked out once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Batch, Catalog

__all__ = ["CHANGE", "CYCLE", "FIRST_PERIOD", "Said", "Weaver", "Woven"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
MS = 1_000_000
CHANGE, CYCLE, FIRST_PERIOD = 1, 2, 4
"""Groups of an asset's sensors, as bits of a pattern: the state when it changes, values per cycle, then by period."""
SMALL = 1 << 12
"""Patterns below this are looked up in a table."""
MOST_RANKS = 1 << 22
"""How many numbers the patterns keep before they begin anew."""


class Said(NamedTuple):
    """What sensors say at common instants of their assets: A assets or single messages, K instants, N sensors."""

    time_ns: Ints
    """int64[A, K]"""
    asset: Ints
    """int64[A]"""
    group: Ints
    """int64[A]: which sensors of the asset speak, a bit of a pattern."""
    spoken: Mask | None
    """bool[A, K]: which of the instants count; None if all do."""
    place: Ints
    """int64[N]: whose instants each sensor speaks at."""
    sensor: Ints
    """int64[N]"""
    value: Floats
    """float64[N, K]"""
    keep: NDArray[np.bool_] | None = None
    """bool[N, K]: which readings are there; None if all are."""


class Woven:
    """The readings of a batch without their values: instants and sensors, in order, and where those of each part go."""

    def __init__(self, time_ns: Ints, sensor: NDArray[np.int32], places: Sequence[tuple[Ints, Mask | None]]) -> None:
        # A place may be empty, since the readings that would fill it are not there.
        self._there = sensor >= 0 if any(there is not None for _, there in places) else None
        self._rows = len(sensor)
        self._places = places
        self.time_ns = time_ns if self._there is None else time_ns[self._there]
        self.sensor = sensor if self._there is None else sensor[self._there]

    def batch(self, values: Sequence[Floats], *, until_ns: int) -> Batch:
        """Return the batch; ``values``: of each part that was woven, float64[N, K]."""
        value = np.empty(self._rows)
        for (at, there), part in zip(self._places, values, strict=True):
            value[at] = part if there is None else part[there]
        return Batch(self.time_ns, self.sensor, value if self._there is None else value[self._there], until_ns)


class Weaver:
    """``group_of``: int64[sensors] of the catalogue, the groups that each sensor belongs to, as bits."""

    def __init__(self, catalog: Catalog, group_of: Ints, *, most_ranks: int = MOST_RANKS) -> None:
        self._most_ranks = most_ranks
        self._group_of = group_of
        self._asset_of = np.asarray(catalog.asset_of, dtype=np.int64)
        self._assets = len(catalog.assets)
        self._first = np.array([asset.first_sensor for asset in catalog.assets], dtype=np.int64)
        self._forget()

    def _forget(self) -> None:
        # Rows by pattern: how many sensors of each asset speak, and of each sensor how many come before it.
        self._row_of = {0: 0}
        self._count = np.zeros((1, self._assets), dtype=np.int64)
        self._rank = np.zeros((1, len(self._group_of)), dtype=np.int64)

    def _rows(self, pattern: Ints) -> Ints:
        """Return the rows of the tables for some patterns, working out new ones."""
        if self._rank.size > self._most_ranks:
            self._forget()
        # Patterns are small numbers, save for an asset with very many periods.
        few = int(pattern.max()) < SMALL
        found = np.flatnonzero(np.bincount(pattern)) if few else np.unique(pattern)
        for one in found.tolist():
            if one not in self._row_of:
                self._learn(one)
        row = np.array([self._row_of[one] for one in found.tolist()], dtype=np.int64)
        if not few:
            return row[np.searchsorted(found, pattern)]
        table = np.zeros(found[-1] + 1, dtype=np.int64)
        table[found] = row
        return table[pattern]

    def _learn(self, pattern: int) -> None:
        speaks = (self._group_of & pattern) != 0
        before = np.cumsum(speaks) - speaks
        self._row_of[pattern] = len(self._rank)
        self._rank = np.vstack((self._rank, before - before[self._first[self._asset_of]]))
        self._count = np.vstack((self._count, np.bincount(self._asset_of[speaks], minlength=self._assets)))

    def weave(self, parts: Sequence[Said], *, from_ns: int) -> Woven:
        """Find the place of each reading. A sensor may say the same thing twice at an instant: that is one reading."""
        if not any(part.time_ns.size for part in parts):
            nothing = [(np.empty(part.value.shape, dtype=np.int64), None) for part in parts]
            return Woven(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32), nothing)
        key = np.concatenate(
            [spread((part.time_ns - from_ns) // MS * self._assets + part.asset[:, None], part) for part in parts]
        )
        group = np.concatenate(
            [spread(np.broadcast_to(part.group[:, None], part.time_ns.shape), part) for part in parts]
        )
        # Each part is nearly in order already, which a stable sort makes use of.
        order = np.argsort(key, kind="stable")
        key = key[order]
        begins = np.empty(len(key), dtype=bool)
        begins[0] = True
        np.not_equal(key[1:], key[:-1], out=begins[1:])
        first = np.flatnonzero(begins)
        time_ms, asset = np.divmod(key[first], self._assets)
        row = self._rows(np.bitwise_or.reduceat(group[order], first))
        count = self._count[row, asset]
        start = np.cumsum(count) - count
        # Back to the order of the parts: where each of their messages begins, and the pattern that it follows.
        message = np.empty(len(order), dtype=np.int64)
        message[order] = np.cumsum(begins) - 1
        sensor = np.full(int(count.sum()), -1, dtype=np.int32)
        places: list[tuple[Ints, Mask | None]] = []
        low = 0
        for part in parts:
            high = low + (part.time_ns.size if part.spoken is None else int(part.spoken.sum()))
            places.append(self._put(part, start[message[low:high]], row[message[low:high]], sensor))
            low = high
        return Woven(np.repeat(time_ms * MS + from_ns, count), sensor, places)

    def _put(self, part: Said, start: Ints, row: Ints, sensor: NDArray[np.int32]) -> tuple[Ints, Mask | None]:
        """Put the sensors of a part in their places; ``start`` and ``row`` are those of its messages."""
        rank = self._rank.ravel().take(gather(row * len(self._group_of), part)[part.place] + part.sensor[:, None])
        at = gather(start, part)[part.place] + rank
        # Written out, since a scatter of what is only broadcast takes three times as long.
        number = np.repeat(part.sensor.astype(np.int32), at.shape[1]).reshape(at.shape)
        there = part.keep
        if part.spoken is not None:
            spoken = part.spoken[part.place]
            there = spoken if there is None else there & spoken
        if there is not None:
            at, number = at[there], number[there]
        sensor[at] = number
        return at, there


def spread(moments: Ints, part: Said) -> Ints:
    """Return the instants that count in order of time first: int64[A, K] to int64[M]."""
    return moments.T.ravel() if part.spoken is None else moments.T[part.spoken.T]


def gather(messages: Ints, part: Said) -> Ints:
    """Undo ``spread``; instants that do not count are 0."""
    assets, instants = part.time_ns.shape
    if part.spoken is None:
        return np.ascontiguousarray(messages.reshape(instants, assets).T)
    moments = np.zeros((instants, assets), dtype=np.int64)
    moments[part.spoken.T] = messages
    return np.ascontiguousarray(moments.T)
