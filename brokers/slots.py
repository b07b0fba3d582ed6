"""What a swarm has in flight with QoS 1: a few numbered slots for each connection, as columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Slots"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Slots:
    """A wheel of numbered pigeon holes for each connection; slot s is packet identifier s + 1.

    Packets go into the holes in turn, so that a connection's packets keep their order; their bytes stay until they
    are acknowledged. 33 bytes a slot.
    """

    def __init__(self, connections: int, window: int) -> None:
        self._window = window
        self._used = np.zeros((connections, window), bool)
        self._tag = np.zeros((connections, window), np.int64)
        self._block = np.zeros((connections, window), np.int64)
        self._begin = np.zeros((connections, window), np.int64)
        self._end = np.zeros((connections, window), np.int64)
        self._head = np.zeros(connections, np.int64)
        self._blocks: dict[int, tuple[bytes, int]] = {}
        """Bytes of packets, and how many of those are still in flight."""
        self._next_block = 0
        self.in_flight = 0

    def free(self, device: Ints, rank: Ints) -> Mask:
        """Say for which packets there is a slot, given that each is the ``rank``-th of its connection from now on."""
        slot = (self._head[device] + rank) % self._window
        taken: Mask = (rank >= self._window) | self._used[device, slot]
        if taken.any():  # whatever comes behind the first that must wait waits too
            first = np.full(len(self._head), self._window)
            np.minimum.at(first, device[taken], rank[taken])
            taken = rank >= first[device]
        return ~taken

    def give(self, device: Ints, rank: Ints) -> Ints:
        """Return the slots of packets for which there is one, in their order; put() must follow."""
        slot = (self._head[device] + rank) % self._window
        np.add.at(self._head, device, 1)
        self._head %= self._window
        return slot

    def put(self, device: Ints, slot: Ints, tag: Ints, data: bytes, start: Ints) -> None:
        """Fill slots with packets that stand in ``data`` one behind the other, beginning at ``start``."""
        self._used[device, slot] = True
        self._tag[device, slot] = tag
        self._block[device, slot] = self._next_block
        self._begin[device, slot] = start[:-1]
        self._end[device, slot] = start[1:]
        self._blocks[self._next_block] = data, len(slot)
        self._next_block += 1
        self.in_flight += len(slot)

    def empty(self, device: Ints, slot: Ints) -> tuple[Mask, Ints]:
        """Empty slots; return which were full, each once, and the tags of all."""
        inside = np.minimum(slot, self._window - 1)
        full = self._used[device, inside] & (inside == slot) & (slot >= 0)
        once = np.zeros(len(slot), bool)
        once[np.unique(device * self._window + inside, return_index=True)[1]] = True
        full &= once
        tags = self._tag[device, inside]
        self._used[device[full], inside[full]] = False
        self.in_flight -= int(np.count_nonzero(full))
        numbers, counts = np.unique(self._block[device[full], inside[full]], return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            data, left = self._blocks.pop(number)
            if left > count:
                self._blocks[number] = data, left - count
        return full, tags

    def packets(self, device: int) -> bytes:
        """Return all packets that are in flight on a connection, in order."""
        turn = (int(self._head[device]) + np.arange(self._window)) % self._window
        parts = []
        for slot in turn[self._used[device, turn]].tolist():
            data = self._blocks[int(self._block[device, slot])][0]
            parts.append(data[self._begin[device, slot] : self._end[device, slot]])
        return b"".join(parts)
