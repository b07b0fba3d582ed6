"""What gateways of the scenario do to messages, for the books of a run and for its result."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Batch, Catalog, Relayed
from simulator.results.histogram import Histogram
from simulator.results.ledger import Ledger

__all__ = ["FULL", "GatewayBook"]

FULL = "gateway buffer full"
SHIFT = 40
"""A message as one number: asset and, in so many bits, its number."""


class GatewayBook:
    """Books the births, stays, drops and repetitions of the batches that a run sends."""

    def __init__(self, catalog: Catalog) -> None:
        self._asset_of = catalog.asset_of
        self.waited = Histogram()
        """Simulated time from reading to leaving, of messages that did not leave at once."""
        self.sent_again = 0

    def take_in(self, batch: Batch, relayed: Relayed, ledger: Ledger) -> None:
        """Book a batch that is about to be sent."""
        asset = self._asset_of[batch.sensor]
        first = batch.message_starts(asset)
        self.sent_again += int(np.count_nonzero(relayed.again[first]))
        first = first[~relayed.again[first]]
        leaves = asset[first].astype(np.int64) << SHIFT | relayed.seq[first]
        waited_ns = relayed.due_ns[first] - relayed.born_ns[first]
        self.waited.record(waited_ns[waited_ns > 0])
        _, born_asset, born_seq, readings = relayed.born.T
        ledger.schedule(born_asset, born_seq, readings)
        born = born_asset << SHIFT | born_seq
        ledger.keep(*parted(born[~np.isin(born, leaves)]))
        ledger.let_go(*parted(leaves[~np.isin(leaves, born)]))
        _, dropped_asset, dropped_seq = relayed.dropped.T
        ledger.spill(FULL, dropped_asset, dropped_seq)


def parted(messages: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return asset and number of messages."""
    return messages >> SHIFT, messages & ((1 << SHIFT) - 1)
