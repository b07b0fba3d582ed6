"""Between the park and the wire: batches as they were measured become batches as gateways let them leave.

The park decides which message leaves its gateway when (simulator.signals.relay), so that what a gateway shows of its
buffer is what happens here. This stage numbers messages, keeps those that wait, and dates, repeats and delays them as
faulty gateways do. Messages of assets without a gateway, and the truth, pass as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Batch, Catalog, Relayed
from simulator.signals.relay import Passage
from simulator.signals.timeline import ragged
from simulator.signals.traffic import Traffic

__all__ = ["Forwarding", "forwarded"]

Ints = NDArray[np.int64]
Carries = Callable[[NDArray[np.int32], NDArray[np.float64]], NDArray[np.bool_]]
MS = 1_000_000


@dataclass(frozen=True)
class Lot:
    """Messages with their rows, in columns; message m has the rows [first[m], first[m + 1])."""

    time_ns: Ints
    """What their gateway's clock said."""
    born_ns: Ints
    asset: Ints
    seq: Ints
    first: Ints
    sensor: NDArray[np.int32]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.time_ns)

    def picked(self, which: Ints) -> Lot:
        """Return some of the messages, in the order given."""
        count = self.first[which + 1] - self.first[which]
        _, rows = ragged(self.first[which], count)
        first = np.concatenate(([0], np.cumsum(count)))
        return Lot(
            self.time_ns[which],
            self.born_ns[which],
            self.asset[which],
            self.seq[which],
            first,
            self.sensor[rows],
            self.value[rows],
        )

    @classmethod
    def join(cls, lots: list[Lot]) -> Lot:
        """Concatenate; at least one."""
        rows = np.cumsum([0, *(len(lot.sensor) for lot in lots)])
        starts = [lot.first[:-1] + shift for lot, shift in zip(lots, rows.tolist(), strict=False)]
        return cls(
            np.concatenate([lot.time_ns for lot in lots]),
            np.concatenate([lot.born_ns for lot in lots]),
            np.concatenate([lot.asset for lot in lots]),
            np.concatenate([lot.seq for lot in lots]),
            np.concatenate([*starts, rows[-1:]]),
            np.concatenate([lot.sensor for lot in lots]),
            np.concatenate([lot.value for lot in lots]),
        )


class Store:
    """The messages that wait in one gateway, in lots of consecutive numbers."""

    def __init__(self) -> None:
        self._lots: list[tuple[int, Lot, NDArray[np.bool_]]] = []
        """Number of the first message, the messages, and which of them are still here; rising."""

    def put(self, number: int, lot: Lot) -> None:
        """Take in messages that are numbered from ``number`` on."""
        if len(lot):
            self._lots.append((number, lot, np.ones(len(lot), dtype=bool)))

    def take(self, numbers: Ints) -> tuple[Ints, list[Lot]]:
        """Take out some messages; return the order in which they come, as places in ``numbers``, and the messages."""
        order = np.argsort(numbers, kind="stable")
        rising = numbers[order]
        where = np.searchsorted([first for first, _, _ in self._lots], rising, side="right") - 1
        lots, is_empty = [], False
        for mine in np.split(np.arange(len(rising)), np.flatnonzero(np.diff(where)) + 1) if len(rising) else ():
            first, lot, here = self._lots[int(where[mine[0]])]
            which = rising[mine] - first
            lots.append(lot.picked(which))
            here[which] = False
            is_empty |= not here.any()
        if is_empty:
            self._lots = [one for one in self._lots if one[2].any()]
        return order, lots


class Forwarding:
    """Follows the gateways of a world; call it with each of its batches, in order."""

    def __init__(self, catalog: Catalog, traffic: Traffic, carries: Carries) -> None:
        """``carries`` says of readings whether the wire can carry them: a message without any has no number."""
        self._catalog = catalog
        self._traffic = traffic
        self._carries = carries
        # The truth comes last in the catalogue and passes by all gateways.
        bypassing = np.full(len(catalog.assets) - len(traffic.carrier), -1)
        self._carrier = np.concatenate((traffic.carrier, bypassing)).astype(np.int64)
        self._next: Ints = np.zeros(len(catalog.assets), dtype=np.int64)
        self._dated: Ints = np.zeros(len(catalog.assets), dtype=np.int64)
        self._stores = [Store() for _ in traffic.gateways]
        self._on_the_way: list[tuple[Lot, Ints, NDArray[np.bool_]]] = []
        """Messages that have left and are due later."""

    def pass_on(self, batch: Batch) -> Batch:
        """Return what leaves in the window of a batch."""
        lot, born = self._numbered(batch)
        if self._is_calm():
            seq = np.repeat(lot.seq, np.diff(lot.first))
            again, none = np.zeros(len(batch), dtype=bool), np.empty((0, 3), dtype=np.int64)
            relayed = Relayed(batch.time_ns, batch.time_ns, seq, again, born, none)
            return Batch(batch.time_ns, batch.sensor, batch.value, batch.until_ns, relayed)
        carrier = self._carrier[lot.asset]
        own = np.flatnonzero(carrier < 0)
        leaving = [*self._on_the_way, (lot.picked(own), lot.born_ns[own], np.zeros(len(own), dtype=bool))]
        dropped = [np.empty((0, 3), dtype=np.int64)]
        for place, (gateway, store) in enumerate(zip(self._traffic.gateways, self._stores, strict=True)):
            passage, mine = gateway.passage, np.flatnonzero(carrier == place)
            assert len(mine) == len(passage.arrived_ns)
            store.put(passage.first, lot.picked(mine))
            leaving += self._released(store, passage, place)
            dropped.append(spilled(store, passage))
        events = np.concatenate(dropped)
        return self._sorted(leaving, batch.until_ns, born, events[np.argsort(events[:, 0], kind="stable")])

    def arrivals(self, until_ns: int) -> Batch:
        """Return what is still on its way at the end of a run, due at once; what waits in gateways stays there."""
        leaving = [(lot, np.minimum(due_ns, until_ns), again) for lot, due_ns, again in self._on_the_way]
        none = np.empty((0, 4), dtype=np.int64)
        return self._sorted(leaving, until_ns, none, none[:, :3], last=True)

    def _is_calm(self) -> bool:
        """Say whether everything of the window leaves at its own instant, as it is."""
        return not self._on_the_way and all(
            gateway.passage.is_calm and gateway.transit.is_sound for gateway in self._traffic.gateways
        )

    def _numbered(self, batch: Batch) -> tuple[Lot, Ints]:
        """Return the messages of a batch with their numbers and dates, and what the books say of each."""
        asset_of_row = self._catalog.asset_of[batch.sensor]
        first = batch.message_starts(asset_of_row)
        asset, born_ns = asset_of_row[first].astype(np.int64), batch.time_ns[first]
        carried = self._carries(batch.sensor, batch.value)
        readings = np.add.reduceat(carried.astype(np.int64), first) if len(first) else first
        speaks = np.flatnonzero(readings)
        seq = np.full(len(first), -1, dtype=np.int64)
        seq[speaks] = self._next[asset[speaks]] + rank(asset[speaks])
        np.maximum.at(self._next, asset[speaks], seq[speaks] + 1)
        rows = np.append(first, len(batch))
        lot = Lot(self._dates(asset, born_ns), born_ns, asset, seq, rows, batch.sensor, batch.value)
        return lot, np.column_stack((born_ns, asset, seq, readings))[speaks]

    def _dates(self, asset: Ints, born_ns: Ints) -> Ints:
        """Return what the clocks of the gateways say: whole ms, and never twice or back for one asset.

        A clock that is set back goes on by a millisecond a message until true time has caught up: one row per asset
        and instant is the rule, and two messages of one date would be one row.
        """
        said_ns = born_ns.copy()
        for place, gateway in enumerate(self._traffic.gateways):
            if not gateway.transit.dates_wrong:
                # they may be wrong later on; of one asset the last message comes last
                mine = np.flatnonzero(self._carrier[asset] == place)
                self._dated[asset[mine]] = born_ns[mine]
                continue
            mine = np.flatnonzero(self._carrier[asset] == place)
            offset_ms = np.rint(gateway.transit.offset_ms(born_ns[mine])).astype(np.int64)
            said_ns[mine] += offset_ms * MS
            mine = mine[np.argsort(asset[mine], kind="stable")]
            for one in np.split(mine, np.flatnonzero(np.diff(asset[mine])) + 1):
                if len(one):
                    number, steps = int(asset[one[0]]), MS * np.arange(len(one))
                    least = np.maximum(said_ns[one], self._dated[number] + MS + steps)
                    said_ns[one] = np.maximum.accumulate(least - steps) + steps
                    self._dated[number] = said_ns[one[-1]]
        return said_ns

    def _released(self, store: Store, passage: Passage, place: int) -> Iterator[tuple[Lot, Ints, NDArray[np.bool_]]]:
        """Yield what leaves a gateway, when it is due, and what of it is sent again."""
        order, lots = store.take(passage.left)
        if not lots:
            return
        transit, lot = self._traffic.gateways[place].transit, Lot.join(lots)
        number, left_ns = passage.left[order], passage.left_ns[order]
        due_ns = left_ns + transit.delays(number, left_ns)
        yield lot, due_ns, np.zeros(len(lot), dtype=bool)
        which, later_ns = transit.copies(number, left_ns)
        if len(which):
            yield lot.picked(which), due_ns[which] + later_ns, np.ones(len(which), dtype=bool)

    def _sorted(
        self,
        leaving: list[tuple[Lot, Ints, NDArray[np.bool_]]],
        until_ns: int,
        born: Ints,
        dropped: Ints,
        *,
        last: bool = False,
    ) -> Batch:
        """Return the messages that are due before the end of the window as a batch; keep the others."""
        self._on_the_way = []
        if not leaving:
            return Batch.empty(until_ns)
        lot = Lot.join([one for one, _, _ in leaving])
        due_ns = np.concatenate([one for _, one, _ in leaving])
        again = np.concatenate([one for _, _, one in leaving])
        later = np.flatnonzero((due_ns >= until_ns) & (not last))
        if len(later):
            self._on_the_way = [(lot.picked(later), due_ns[later], again[later])]
        now = np.flatnonzero((due_ns < until_ns) | last)
        # Of one instant first what was measured first, as it comes without gateways.
        now = now[np.lexsort((lot.asset[now], lot.born_ns[now], due_ns[now]))]
        gone, count = lot.picked(now), lot.first[now + 1] - lot.first[now]
        relayed = Relayed(
            np.repeat(due_ns[now], count),
            np.repeat(gone.born_ns, count),
            np.repeat(gone.seq, count),
            np.repeat(again[now], count),
            born,
            dropped,
        )
        return Batch(np.repeat(gone.time_ns, count), gone.sensor, gone.value, until_ns, relayed)


def rank(numbers: Ints) -> Ints:
    """Return how many equal numbers stand before each, int64[N]."""
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    begins = np.ones(len(ordered), dtype=bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    place = np.arange(len(ordered))
    found = np.empty(len(ordered), dtype=np.int64)
    found[order] = place - np.maximum.accumulate(np.where(begins, place, 0))
    return found


def spilled(store: Store, passage: Passage) -> Ints:
    """Take out what a gateway dropped; return instant, asset and number of each, int64[D, 3]."""
    order, lots = store.take(passage.dropped)
    if not lots:
        return np.empty((0, 3), dtype=np.int64)
    lot = Lot.join(lots)
    found = np.column_stack((passage.dropped_ns[order], lot.asset, lot.seq))
    return found[lot.seq >= 0]


def forwarded(batches: Iterable[Batch], forwarding: Forwarding) -> Iterator[Batch]:
    """Yield what leaves, window by window; at the end also what is on its way."""
    until_ns = 0
    for batch in batches:
        until_ns = batch.until_ns
        yield forwarding.pass_on(batch)
    rest = forwarding.arrivals(until_ns)
    if len(rest):
        yield rest
