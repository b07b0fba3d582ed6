"""A window as it goes out: its messages as bytes, sorted by gateway, then by when they leave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Batch, Relayed
from simulator.wire.block import Block
from simulator.wire.json_blocks import JsonBlocks
from simulator.wire.marks import marks

__all__ = ["Consignment", "Consignor"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Consignment:
    """Messages, and at which of them each gateway's begin, int64[gateways + 1]."""

    block: Block
    edge: Ints
    marks: Ints
    """int64[M]: a checksum of each payload."""
    until_ns: int
    """Every message that leaves before this simulated instant is here, or was in an earlier one."""
    relayed: Relayed | None = None
    """What gateways of the scenario did beside sending."""

    def __len__(self) -> int:
        return len(self.block)

    def gateways(self) -> Iterator[tuple[int, Consignment]]:
        """Yield each gateway that has messages, and its part."""
        if len(self.edge) == 2:
            if len(self):
                yield 0, self
            return
        for gateway in np.flatnonzero(np.diff(self.edge)).tolist():
            yield gateway, self._rows(int(self.edge[gateway]), int(self.edge[gateway + 1]))

    def rest(self, taken: Mask) -> Consignment:
        """Return all messages but those taken, one at least; ``taken`` speaks of the first ones, in their order."""
        number = int(np.count_nonzero(taken))
        if taken[:number].all():
            return self._rows(number, len(self))
        left = np.concatenate((np.flatnonzero(~taken), np.arange(len(taken), len(self))))
        return Consignment(self.block.picked(left), np.array([0, len(left)]), self.marks[left], self.until_ns)

    def _rows(self, first: int, last: int) -> Consignment:
        edge = np.array([0, last - first])
        return Consignment(self.block.part(first, last), edge, self.marks[first:last], self.until_ns)

    def cut(self, *, after: Ints, until_ns: int, window: tuple[int, int]) -> tuple[Consignment, Ints]:
        """Return what leaves before an instant of what was not cut off yet, and how far each gateway has come.

        ``after``: int64[gateways], how far they had come; ``window``: the span of simulated time that the cut covers.
        """
        due_ns = self.block.due_ns
        relayed = None if self.relayed is None else self.relayed.events(*window)
        if len(after) == 1:
            # thousands of times a second
            first, last = int(after[0]), int(due_ns.searchsorted(until_ns))
            block, marks = self.block.part(first, last), self.marks[first:last]
            return Consignment(block, np.array([0, last - first]), marks, window[1], relayed), np.array([last])
        reached = after.copy()
        parts = []
        for gateway in np.flatnonzero(after < self.edge[1:]).tolist():
            first, last = int(after[gateway]), int(self.edge[gateway + 1])
            reached[gateway] = first + int(np.searchsorted(due_ns[first:last], until_ns, side="left"))
            if reached[gateway] > first:
                parts.append((first, int(reached[gateway])))
        if len(parts) == 1:
            block, marks = self.block.part(*parts[0]), self.marks[slice(*parts[0])]
        else:
            block = Block.joined([self.block.part(*part) for part in parts])
            marks = np.concatenate([self.marks[slice(*part)] for part in parts] or [self.marks[:0]])
        edge = np.concatenate(([0], np.cumsum(reached - after)))
        return Consignment(block, edge, marks, window[1], relayed), reached


class Consignor:
    """Turns batches into consignments, in order. ``gateway_of`` names the gateway of each asset."""

    def __init__(self, encoder: JsonBlocks, gateway_of: Ints, *, gateways: int) -> None:
        self.encoder = encoder
        self._gateway_of = gateway_of
        self._gateways = gateways

    def consign(self, batch: Batch) -> Consignment:
        """Write the messages of a batch."""
        block = self.encoder.block(batch, lane=self._gateway_of)
        edge = np.searchsorted(self._gateway_of[block.asset], np.arange(self._gateways + 1))
        checksums = marks(block.data, block.payload, block.start[1:])
        return Consignment(block, edge, checksums, batch.until_ns, batch.relayed)
