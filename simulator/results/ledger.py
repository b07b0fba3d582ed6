"""The ledger: what became of every message and reading of a run, from the schedule to the row one can query."""

from __future__ import annotations

import threading
from collections import Counter

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.results.counts import Counts
from simulator.results.fates import Fates
from simulator.results.sequences import MOST_RANGES, Ranges, Sequences

__all__ = ["UNDATED", "UNMARKED", "Ledger"]

Column = NDArray[np.int64]
MARKS = 1 << 18
"""How many marks are kept over all assets, 8 bytes each, but LEAST_MARKS of each asset."""
LEAST_MARKS = 64
UNDATED = -1
"""The instant of a message that says none."""
UNMARKED = -1
"""The mark of a message that only its number tells from others."""


def same_instant(asset: Column, time_ms: Column, latest_ms: Column) -> int:
    """Count messages with the same instant as the one before of their asset, and note the latest of each asset."""
    order = np.argsort(asset, kind="stable")
    assets, dated = asset[order], time_ms[order]
    first = np.diff(assets, prepend=-1) != 0
    before = np.concatenate(([UNDATED], dated[:-1]))
    before[first] = latest_ms[assets[first]]
    last = np.diff(assets, append=-1) != 0
    latest_ms[assets[last]] = dated[last]
    return int(np.count_nonzero((dated == before) & (dated != UNDATED)))


def columns(asset: ArrayLike, seq: ArrayLike) -> tuple[Column, Column]:
    return np.atleast_1d(np.asarray(asset, np.int64)), np.atleast_1d(np.asarray(seq, np.int64))


def pairs(asset: ArrayLike, seq: ArrayLike) -> list[tuple[int, int]]:
    assets, numbers = columns(asset, seq)
    return list(zip(assets.tolist(), numbers.tolist(), strict=True))


class Ledger:
    """Accounts for every message of a run. Thread-safe; arguments are integer arrays of equal length.

    A message is open from ``schedule`` until it is written, dead-lettered or dropped. It has one end: written goes
    before dead-lettered, dead-lettered before dropped, so a message that was given up and arrives all the same is
    counted once, as written. Messages that were never scheduled are foreign and stay out of the balance.

    Where gateways of the scenario keep messages, these are in flight from their birth on; what a gateway drops was
    never handed over, and is told apart from what the hops dropped.
    """

    def __init__(self, assets: int, *, most_ranges: int = MOST_RANGES) -> None:
        self._lock = threading.Lock()
        self._scheduled: Column = np.zeros(assets, np.int64)
        self._published = 0
        self._acknowledged = 0
        self._received = Sequences(assets, most_ranges=most_ranges)
        self._written = Sequences(assets, most_ranges=most_ranges)
        self._dead = Fates(most_ranges)
        self._dropped = Fates(most_ranges)
        self._spilled = Fates(most_ranges)
        self._kept: dict[int, Ranges] = {}
        self._sent_again = 0
        self._spooled = 0
        self._overwritten = 0
        self._latest_ms: Column = np.full(assets, UNDATED, np.int64)
        self._foreign: Counter[str] = Counter()
        self._readings_scheduled = 0
        self._readings_written = 0
        self._held: tuple[Column, Column] | None = None
        self._marks: Column = np.full((assets, max(LEAST_MARKS, MARKS // max(1, assets))), UNMARKED, np.int64)

    def schedule(self, asset: ArrayLike, seq: ArrayLike, readings: ArrayLike, marks: ArrayLike = UNMARKED) -> None:
        """Note messages that are to be sent; per asset ``seq`` counts up by one from 0.

        ``marks``, such as checksums of the payloads, tell a message from one of another run with the same number.
        The latest of each asset are kept: far more than a run may have on the way.
        """
        assets, numbers = columns(asset, seq)
        with self._lock:
            self._marks[assets, numbers % self._marks.shape[1]] = marks
            np.maximum.at(self._scheduled, assets, numbers + 1)
            self._readings_scheduled += int(np.sum(readings))

    def keep(self, asset: ArrayLike, seq: ArrayLike) -> None:
        """Note scheduled messages that wait in gateways of the scenario."""
        with self._lock:
            for one, number in pairs(asset, seq):
                self._kept.setdefault(one, Ranges()).add(number)

    def let_go(self, asset: ArrayLike, seq: ArrayLike) -> None:
        """Note kept messages that leave their gateways."""
        with self._lock:
            self._let_go(pairs(asset, seq))

    def spill(self, reason: str, asset: ArrayLike, seq: ArrayLike) -> None:
        """Note scheduled messages that gateways dropped, kept ones or not, and why."""
        with self._lock:
            found = pairs(asset, seq)
            self._let_go(found)
            for one, number in found:
                self._spilled.put(reason, one, number)

    def mark(self, asset: ArrayLike, seq: ArrayLike, marks: ArrayLike) -> None:
        """Note the marks of scheduled messages; one that many later ones of its asset have overtaken gets none."""
        assets, numbers = columns(asset, seq)
        with self._lock:
            size = self._marks.shape[1]
            recent = numbers >= self._scheduled[assets] - size
            self._marks[assets[recent], numbers[recent] % size] = np.asarray(marks, np.int64)[recent]

    def publish_again(self, n: int) -> None:
        """Note how many messages a session took over that it had before; they are in no other count."""
        with self._lock:
            self._sent_again += n

    def publish(self, asset: ArrayLike, seq: ArrayLike) -> None:
        """Note messages that a session took over."""
        with self._lock:
            self._published += len(columns(asset, seq)[0])

    def acknowledge(self, asset: ArrayLike, seq: ArrayLike) -> None:
        """Note messages that the broker took over."""
        with self._lock:
            self._acknowledged += len(columns(asset, seq)[0])

    def receive(self, asset: ArrayLike, seq: ArrayLike, time_ms: ArrayLike = UNDATED) -> NDArray[np.bool_]:
        """Note messages that reached the bridge, in the order of arrival; return which came for the first time.

        ``time_ms``, milliseconds since the Unix epoch, tells which of them replace the row of the one before.
        """
        assets, numbers = columns(asset, seq)
        dated = np.broadcast_to(np.asarray(time_ms, np.int64), assets.shape)
        with self._lock:
            new = self._known(assets, numbers)
            new[new] = self._received.add(assets[new], numbers[new])
            self._overwritten += same_instant(assets[new], dated[new], self._latest_ms)
        return new

    def write(self, asset: ArrayLike, seq: ArrayLike, readings: ArrayLike) -> NDArray[np.bool_]:
        """Note messages that the store has committed, and how many readings each carried.

        Return which of them are written for the first time.
        """
        assets, numbers = columns(asset, seq)
        with self._lock:
            known = self._known(assets, numbers, count=False)
            assets, numbers = assets[known], numbers[known]
            self._evidently_received(assets, numbers)
            new = self._written.add(assets, numbers)
            first = known.copy()
            first[known] = new
            self._readings_written += int(np.atleast_1d(np.asarray(readings, np.int64))[known][new].sum())
            given_up = self._dead.of_asset.keys() | self._dropped.of_asset.keys()
            if given_up:
                new &= np.isin(assets, list(given_up))
                for one, number in zip(assets[new].tolist(), numbers[new].tolist(), strict=True):
                    if not self._dead.take(one, number):
                        self._dropped.take(one, number)
        return first

    def drop(self, reason: str, asset: ArrayLike, seq: ArrayLike) -> None:
        """Note messages that were given up on the way, and why."""
        with self._lock:
            for one, number in self._ending(asset, seq):
                if not (self._dead.has(one, number) or self._dropped.has(one, number)):
                    self._dropped.put(reason, one, number)

    def dead_letter(self, reason: str, asset: ArrayLike, seq: ArrayLike) -> None:
        """Note messages that reached the bridge and that the store will never take, and why."""
        with self._lock:
            for one, number in self._ending(asset, seq):
                self._evidently_received(*columns(one, number))
                self._dropped.take(one, number)
                if not self._dead.has(one, number):
                    self._dead.put(reason, one, number)

    def foreign(self, reason: str, n: int = 1) -> None:
        """Note messages that belong to no asset of the run."""
        with self._lock:
            self._foreign[reason] += n

    def spool(self, more: int) -> None:
        """Note how many more messages the bridge has on disk, less than 0 if it has fewer."""
        with self._lock:
            self._spooled += more

    def finish(self, asset: ArrayLike = (), seq: ArrayLike = (), *, spooled: int = 0) -> None:
        """Close the books: what is open and not among these messages, which someone still holds, is unaccounted.

        A message may be named twice, or have ended: only distinct open ones are in flight. One that is written after
        this counts as written. Of the open ones, and not among those named, ``spooled`` are on disk.
        """
        with self._lock:
            self._held, self._spooled = columns(asset, seq), spooled

    def counts(self) -> Counts:
        """Return the balance.

        While the run goes on, a message that later ones of its asset have overtaken at the bridge is unaccounted
        (brokers keep the order within a topic), and every other open one is in flight.
        """
        with self._lock:
            dead, spilled = self._dead.counts(), self._spilled.counts()
            dropped = dict(sorted((self._dropped.counts() | spilled).items()))
            kept = sum(ranges.size for ranges in self._kept.values())
            scheduled = int(self._scheduled.sum())
            still_open = scheduled - self._written.unique - sum(dead.values()) - sum(dropped.values())
            if self._held is None:
                known_lost = self._overtaken()
            else:
                known_lost = still_open - kept - self._held_open(*self._held) - self._spooled
            unaccounted = min(still_open, max(0, known_lost))
            spooled = min(self._spooled, still_open - unaccounted)
            return Counts(
                scheduled=scheduled,
                published=self._published,
                acknowledged=self._acknowledged,
                received=self._received.unique,
                written=self._written.unique,
                dead_lettered=dead,
                dropped=dropped,
                duplicates=self._received.duplicates,
                reordered=self._received.reordered,
                spooled=spooled,
                in_flight=still_open - unaccounted - spooled,
                unaccounted=unaccounted,
                overwritten=self._overwritten,
                readings_scheduled=self._readings_scheduled,
                readings_written=self._readings_written,
                foreign={reason: n for reason, n in sorted(self._foreign.items()) if n},
                kept=kept,
                spilled=spilled,
            )

    def is_scheduled(self, asset: ArrayLike, seq: ArrayLike) -> NDArray[np.bool_]:
        """Say of each message whether its number is one of this run."""
        assets, numbers = columns(asset, seq)
        with self._lock:
            return self._known(assets, numbers, count=False)

    def is_marked(self, asset: ArrayLike, seq: ArrayLike, marks: ArrayLike) -> NDArray[np.bool_]:
        """Say of each message, which must be scheduled, whether it bears the mark that it was scheduled with.

        True also where the mark is not kept (any more).
        """
        assets, numbers = columns(asset, seq)
        with self._lock:
            kept = self._marks[assets, numbers % self._marks.shape[1]]
            kept[numbers < self._scheduled[assets] - self._marks.shape[1]] = UNMARKED
        agrees: NDArray[np.bool_] = (kept == UNMARKED) | (kept == np.asarray(marks, np.int64))
        return agrees

    def is_written(self, asset: ArrayLike, seq: ArrayLike) -> NDArray[np.bool_]:
        """Say of each message whether the store has committed it."""
        assets, numbers = columns(asset, seq)
        with self._lock:
            written: NDArray[np.bool_] = numbers < self._written.next[assets]
            if self._written.holes:
                for row in np.flatnonzero(written & np.isin(assets, list(self._written.holes))).tolist():
                    written[row] = self._written.has(int(assets[row]), int(numbers[row]))
        return written

    def unwritten(self) -> int:
        """Messages handed over that the store has not committed yet and that are not known lost.

        It bounds what can queue in a broker between publisher and bridge, so those sent again count until they come,
        and what the bridge has on disk does not.
        """
        with self._lock:
            ended = self._written.unique + sum(self._dead.reasons.values()) + sum(self._dropped.reasons.values())
            coming_again = max(0, self._sent_again - self._received.duplicates)
            return max(0, self._published - ended - self._spooled - self._overtaken()) + coming_again

    def gaps(self, limit: int = 10) -> list[tuple[int, int, int]]:
        """Return up to ``limit`` gaps at the bridge as (asset, first, last), last included, lowest asset first."""
        with self._lock:
            found = (
                (asset, first, last - 1)
                for asset, holes in sorted(self._received.holes.items())
                for first, last in holes
            )
            return [gap for _, gap in zip(range(limit), found, strict=False)]

    def _let_go(self, found: list[tuple[int, int]]) -> None:
        for one, number in found:
            ranges = self._kept.get(one)
            if ranges is not None and ranges.remove(number) and not ranges:
                del self._kept[one]

    def _known(self, assets: Column, numbers: Column, *, count: bool = True) -> NDArray[np.bool_]:
        known: NDArray[np.bool_] = (numbers >= 0) & (numbers < self._scheduled[assets])
        strangers = len(known) - int(np.count_nonzero(known))
        if count and strangers:
            self._foreign["sequence number of no message of this run"] += strangers
        return known

    def _ending(self, asset: ArrayLike, seq: ArrayLike) -> list[tuple[int, int]]:
        assets, numbers = columns(asset, seq)
        known = self._known(assets, numbers, count=False)
        pairs = zip(assets[known].tolist(), numbers[known].tolist(), strict=True)
        return [(one, number) for one, number in pairs if not self._written.has(one, number)]

    def _held_open(self, assets: Column, numbers: Column) -> int:
        pairs = set(self._ending(assets, numbers))
        return sum(not (self._dead.has(*pair) or self._dropped.has(*pair)) for pair in pairs)

    def _evidently_received(self, assets: Column, numbers: Column) -> None:
        """Close holes of the bridge that a written or dead-lettered message disproves."""
        odd = numbers >= self._received.next[assets]
        if self._received.holes:
            odd |= np.isin(assets, list(self._received.holes))
        for row in np.flatnonzero(odd).tolist():
            if not self._received.has(int(assets[row]), int(numbers[row])):
                self._received.add(assets[row : row + 1], numbers[row : row + 1])

    def _overtaken(self) -> int:
        holes = self._received.holes.items()
        ended = sum(self._dropped.among(asset, ranges) + self._spilled.among(asset, ranges) for asset, ranges in holes)
        ended += sum(self._kept[asset].common(ranges) for asset, ranges in holes if asset in self._kept)
        return sum(ranges.size for _, ranges in holes) - ended + self._received.given_up
