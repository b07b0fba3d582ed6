"""What the park hands to the sensors: the state of every asset, as segments in which nothing happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["BATTERY", "DARK", "EXECUTE", "MAINS", "STOPPED", "Segment", "Timeline", "ragged", "table_of"]

STOPPED, EXECUTE = 2, 6
"""PackML states that signals know: the drive is off in Stopped, and parts are made in Execute alone."""
DARK, MAINS, BATTERY = 0, 1, 2
"""Where an asset has its power from: nowhere, the mains, or a battery of its own while the mains are away."""


class Segment(NamedTuple):
    """An asset from one happening to the next."""

    asset: int
    start_ns: int
    state: int
    """PackML StateCurrent."""
    cycles: int
    """Cycles completed before the segment."""
    into_ns: int
    """How far the interrupted cycle had come."""
    cycle_ns: int
    cycle_began_ns: int
    """When the interrupted cycle began; the start of the segment if none was."""
    bearing_age_ns: int
    """Running time of the bearing at the start."""
    bearing_onset_ns: int
    """Running time at which its defect first shows."""
    power: int = MAINS
    """Where it has its power from."""


@dataclass(frozen=True)
class Timeline:
    """The segments of all assets that touch a window, as columns sorted by asset, then start.

    The first segment of an asset is the one in force at ``from_ns``; it began before it or, only at the beginning of
    the world, on it. Columns are int64[M]; ``end_ns`` is the start of the next segment, or ``until_ns`` if none has
    come yet; ``closed`` says which.
    """

    from_ns: int
    until_ns: int
    asset: NDArray[np.int64]
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    closed: NDArray[np.bool_]
    state: NDArray[np.int64]
    cycles: NDArray[np.int64]
    into_ns: NDArray[np.int64]
    cycle_ns: NDArray[np.int64]
    cycle_began_ns: NDArray[np.int64]
    bearing_age_ns: NDArray[np.int64]
    bearing_onset_ns: NDArray[np.int64]
    power: NDArray[np.int64]
    first: NDArray[np.int64]
    """int64[assets + 1]: where each asset's segments begin."""

    @classmethod
    def build(cls, segments: Sequence[Segment], *, assets: int, from_ns: int, until_ns: int) -> Timeline:
        """Build from the current segment of every asset and those that began in the window, in order of time."""
        return cls.of_table(table_of(segments), assets=assets, from_ns=from_ns, until_ns=until_ns)

    @classmethod
    def of_table(cls, table: NDArray[np.int64], *, assets: int, from_ns: int, until_ns: int) -> Timeline:
        """Build from segments as rows of a table, as ``table_of`` makes it, in order of time."""
        table = table[np.argsort(table[:, 0], kind="stable")]
        asset, start = table[:, 0].copy(), table[:, 1].copy()
        first = np.searchsorted(asset, np.arange(assets + 1))
        closed = np.zeros(len(table), dtype=bool)
        closed[:-1] = asset[:-1] == asset[1:]
        end = np.where(closed, np.roll(start, -1), until_ns)
        state, cycles, into, cycle, began, age, onset, power = (table[:, i].copy() for i in range(2, table.shape[1]))
        return cls(
            from_ns, until_ns, asset, start, end, closed, state, cycles, into, cycle, began, age, onset, power, first
        )

    def latest(self) -> list[int]:
        """Return the position of each asset's last segment."""
        last: list[int] = (self.first[1:] - 1).tolist()
        return last

    def at(self, asset: NDArray[np.int64], time_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the position of the segment in force for each asset and instant of the window.

        A change is in force at its own instant.
        """
        span = self.until_ns - self.from_ns + 1
        keys = self.asset * span + np.maximum(self.start_ns - self.from_ns, 0)
        return np.searchsorted(keys, asset * span + (time_ns - self.from_ns), side="right") - 1

    def at_each(self, asset: NDArray[np.int64], time_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what ``at`` does for int64[A] assets, in any order, and int64[A, K] instants that rise along K."""
        step = np.zeros(time_ns.shape, dtype=np.int64)
        step[:, 0] = self.first[asset]
        # Few assets change in a window: each change moves on all instants from the first that it is in force at.
        changes = self.first[asset + 1] - self.first[asset] - 1
        some = np.flatnonzero(changes)
        if len(some):
            row, segment = ragged(self.first[asset[some]] + 1, changes[some])
            row = some[row]
            # One search among all instants, one asset after the other.
            span, rows = self.until_ns - self.from_ns, np.arange(len(asset))
            keys = time_ns - self.from_ns + (rows * span)[:, None]
            sought = self.start_ns[segment] - self.from_ns + row * span
            tick = np.searchsorted(keys.ravel(), sought) - row * time_ns.shape[1]
            inside = tick < time_ns.shape[1]
            np.add.at(step, (row[inside], tick[inside]), 1)
        return np.cumsum(step, axis=1, out=step)

    def executes(self, asset: int, time_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say whether one asset is in Execute at instants of the window, or at its last state before it."""
        mine = slice(int(self.first[asset]), int(self.first[asset + 1]))
        at = np.searchsorted(self.start_ns[mine], time_ns, side="right") - 1
        working: NDArray[np.bool_] = self.state[mine][np.maximum(at, 0)] == EXECUTE
        return working

    def cycles_at(self, segment: NDArray[np.int64], time_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of cycles completed by each instant."""
        done = (time_ns - self.start_ns[segment] + self.into_ns[segment]) // self.cycle_ns[segment]
        return self.cycles[segment] + np.where(self.state[segment] == EXECUTE, done, 0)

    def changes(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return asset, instant and new state of every change inside the window, int64[K] each."""
        new = (self.start_ns >= self.from_ns) & (self.start_ns < self.until_ns)
        # A machine that only changes its pace begins a segment without a change of state.
        new[1:] &= (self.asset[1:] != self.asset[:-1]) | (self.state[1:] != self.state[:-1])
        return self.asset[new], self.start_ns[new], self.state[new]

    def cycle_ends(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return segment, instant and cycle number of every cycle that ends inside the window, int64[K] each.

        A cycle that ends at the very instant at which its segment does belongs to that segment.
        """
        runs = np.flatnonzero(self.state == EXECUTE)
        cycle, offset = self.cycle_ns[runs], self.start_ns[runs] - self.into_ns[runs]
        low = np.maximum(-((offset - self.from_ns) // cycle), 1)
        last_ns = np.where(self.closed[runs], np.minimum(self.end_ns[runs], self.until_ns - 1), self.until_ns - 1)
        high = (last_ns - offset) // cycle
        count = np.maximum(high - low + 1, 0)
        run, nth = ragged(low, count)
        return runs[run], offset[run] + nth * cycle[run], self.cycles[runs[run]] + nth - 1

    def cycle_took_ns(self, segment: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how long each cycle took from beginning to end, stops in the midst of it included, int64[K]."""
        began = self.cycle_began_ns[segment]
        first_end = self.start_ns[segment] - self.into_ns[segment] + self.cycle_ns[segment]
        interrupted = (number == self.cycles[segment]) & (self.into_ns[segment] > 0)
        return np.where(interrupted, first_end - began, self.cycle_ns[segment])


def table_of(segments: Sequence[Segment]) -> NDArray[np.int64]:
    """Return segments as rows of an int64 table, a column per field."""
    return np.array(segments, dtype=np.int64).reshape(-1, len(Segment._fields))


def ragged(first: NDArray[np.int64], count: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count up from ``first[i]``, ``count[i]`` times, for every i: return which i, and the number."""
    row = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    return row, number
