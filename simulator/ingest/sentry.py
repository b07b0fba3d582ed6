"""The sentry: turns away what comes on the topics of this run and was not sent by it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brokers.blocks import Arrivals
from simulator.batch import Catalog
from simulator.ingest.cargo import Cargo, Reader, Refused, named, reader_for
from simulator.ingest.decode import Refusal
from simulator.ingest.store import Store
from simulator.results.ledger import Ledger
from simulator.wire.marks import marks

__all__ = ["Sentry", "guarded"]


class Sentry:
    """Reads messages, and refuses those that this run has not sent, a good row too.

    Another run or a device speaks on the same topics: written, its row could replace a true one.
    """

    def __init__(self, reader: Reader, ledger: Ledger) -> None:
        self._reader = reader
        self._ledger = ledger

    def read(self, arrivals: Arrivals) -> tuple[Cargo, list[Refused]]:
        """Return what can be stored and is ours, and everything else."""
        cargo, refused = self._reader.read(arrivals)
        places, assets, numbers = named(cargo, refused)
        ours = self._ledger.is_scheduled(assets, numbers)
        checksums = marks(arrivals.data, arrivals.payload_start[places], arrivals.payload_end[places])
        same = ours.copy()
        same[ours] = self._ledger.is_marked(assets[ours], numbers[ours], checksums[ours])
        if same.all():
            return cargo, refused
        strange = strangers(places[~same], numbers[~same], ours[~same])
        others = {one.place for one in strange}
        refused = [one for one in refused if one.place not in others]
        return cargo.only(same[: len(cargo)]), sorted(refused + strange, key=lambda one: one.place)


def guarded(store: Store, catalog: Catalog, ledger: Ledger) -> Sentry:
    """Return the reader of a run's bridge. Raises ValueError for a name that the store cannot carry."""
    return Sentry(reader_for(store, catalog), ledger)


def strangers(place: NDArray[np.int64], seq: NDArray[np.int64], known: NDArray[np.bool_]) -> list[Refused]:
    """Return the refusals of messages that are none of this run; without an asset they stay out of the balance.

    ``known`` says of which of them the run has sent the number, with another content.
    """
    found = []
    for where, number, is_known in zip(place.tolist(), seq.tolist(), known.tolist(), strict=True):
        what = f"n(={number}) with this content" if is_known else f"n(={number})"
        detail = f"{what} was not sent by this run; does another run or a device speak on the same topics?"
        reason = "content of no message of this run" if is_known else "sequence number of no message of this run"
        found.append(Refused(where, Refusal(reason, detail)))
    return found
