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

__all__ = ["CHANGE", "CYCLE", "FIRST_PERIOD", "Said", "Weaver", "said_in"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
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
    """int64[A]: which sensors of the asset speak, a bit of a pattern; 0 if ``alone`` counts them."""
    spoken: NDArray[np.bool_] | None
    """bool[A, K]: which of the instants count; None if all do."""
    place: Ints
    """int64[N]: whose instants each sensor speaks at."""
    sensor: Ints
    """int64[N]"""
    value: Floats
    """float64[N, K]"""
    keep: NDArray[np.bool_] | None = None
    """bool[N, K]: which readings are there; None if all are."""
    alone: tuple[Ints, Ints] | None = None
    """For assets that nobody else speaks for: the rows of each message, and of each reading its place among them."""


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

    def weave(self, parts: Sequence[Said], *, from_ns: int, until_ns: int) -> Batch:
        """Return all of it as one batch. One sensor may say the same thing twice at an instant: that is one reading."""
        parts = [part for part in parts if part.time_ns.size]
        if not parts:
            return Batch.empty(until_ns)
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
        count = self._count[row, asset] + self._alone(parts, order, first)
        start = np.cumsum(count) - count
        rows = int(count.sum())
        # Back to the order of the parts: where each of their messages begins, and the pattern that it follows.
        message = np.empty(len(order), dtype=np.int64)
        message[order] = np.cumsum(begins) - 1
        sensor = np.full(rows, -1, dtype=np.int32)
        value = np.empty(rows)
        low = 0
        for part in parts:
            high = low + (part.time_ns.size if part.spoken is None else int(part.spoken.sum()))
            self._put(part, start[message[low:high]], row[message[low:high]], sensor, value)
            low = high
        time_ns = np.repeat(time_ms * MS + from_ns, count)
        if any(part.keep is not None for part in parts):
            there = sensor >= 0
            time_ns, sensor, value = time_ns[there], sensor[there], value[there]
        return Batch(time_ns, sensor, value, until_ns)

    def _alone(self, parts: Sequence[Said], order: Ints, first: Ints) -> Ints | int:
        """Return the rows of each message that no pattern counts."""
        if all(part.alone is None for part in parts):
            return 0
        count = [
            np.zeros(part.time_ns.size if part.spoken is None else int(part.spoken.sum()), dtype=np.int64)
            if part.alone is None
            else part.alone[0]
            for part in parts
        ]
        return np.asarray(np.add.reduceat(np.concatenate(count)[order], first))

    def _put(self, part: Said, start: Ints, row: Ints, sensor: NDArray[np.int32], value: Floats) -> None:
        """Put the readings of a part in their places; ``start`` and ``row`` are those of its messages."""
        if part.alone is None:
            rank = self._rank.ravel().take(gather(row * len(self._group_of), part)[part.place] + part.sensor[:, None])
        else:
            rank = part.alone[1][:, None]
        at = gather(start, part)[part.place] + rank
        # Written out, since a scatter of what is only broadcast takes three times as long.
        number = np.repeat(part.sensor.astype(np.int32), at.shape[1]).reshape(at.shape)
        there = part.keep
        if part.spoken is not None:
            spoken = part.spoken[part.place]
            there = spoken if there is None else there & spoken
        if there is None:
            sensor[at], value[at] = number, part.value
        else:
            sensor[at[there]], value[at[there]] = number[there], part.value[there]


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


def said_in(batch: Batch, catalog: Catalog) -> Said:
    """Return the readings of a batch whose assets nobody else speaks for."""
    asset = np.asarray(catalog.asset_of[batch.sensor], dtype=np.int64)
    begins = np.ones(len(batch), dtype=bool)
    begins[1:] = (np.diff(batch.time_ns) != 0) | (np.diff(asset) != 0)
    first = np.flatnonzero(begins)
    count = np.diff(first, append=len(batch))
    message = np.cumsum(begins) - 1
    return Said(
        time_ns=batch.time_ns[first, None],
        asset=asset[first],
        group=np.zeros(len(first), dtype=np.int64),
        spoken=None,
        place=message,
        sensor=batch.sensor.astype(np.int64),
        value=batch.value[:, None],
        alone=(count, np.arange(len(batch)) - first[message]),
    )
