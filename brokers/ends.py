"""The ends of outgoing messages until somebody asks for them."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from brokers.blocks import Settled
from brokers.endpoint import Acknowledgement

__all__ = ["Ends"]

UNCLAIMED = 100_000
"""Ends that nobody has fetched: from here on nothing more should be taken."""
NOTHING = np.zeros(0, np.int64)


class Ends:
    """A basket of receipts. For one thread at a time."""

    def __init__(self) -> None:
        self.refusals = 0
        """Messages refused since the start."""
        self._settled: list[tuple[NDArray[np.int64], int]] = []
        self._refused: list[Acknowledgement] = []
        self._untold = 0

    def is_full(self) -> bool:
        return self._untold >= UNCLAIMED

    def settle(self, tags: NDArray[np.int64]) -> None:
        """Note that the other side took these."""
        if len(tags):
            self._settled.append((tags, time.monotonic_ns()))
            self._untold += len(tags)

    def refuse(self, tag: int, why: str) -> None:
        self._refused.append(Acknowledgement(tag, why, time.monotonic_ns()))
        self.refusals += 1
        self._untold += 1

    def take(self) -> Settled:
        """Take what was noted since the last call."""
        settled, self._settled = self._settled, []
        refused, self._refused = self._refused, []
        self._untold = 0
        if not settled:
            return Settled(NOTHING, NOTHING, refused)
        times = [np.full(len(tags), at_ns) for tags, at_ns in settled]
        return Settled(np.concatenate([tags for tags, _ in settled]), np.concatenate(times), refused)
