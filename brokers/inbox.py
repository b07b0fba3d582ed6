"""What has come in and waits to be fetched: bounded by count and by bytes."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from brokers.blocks import Arrivals, merged

__all__ = ["Inbox"]

OVERHEAD = 64
"""Bytes of the columns of a message."""


class Inbox:
    """A letter box with a lid: a full one drops QoS 0 letters, and asks the postman to wait with the others."""

    def __init__(self, *, max_messages: int, max_bytes: int) -> None:
        self.change = threading.Condition()
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._waiting: deque[Arrivals] = deque()
        self._messages = 0
        self._bytes = 0
        self._accepted: deque[Arrivals] = deque()

    def is_full(self) -> bool:
        """Say whether nothing more should be read from the socket for now."""
        return self._messages >= self._max_messages or self._bytes >= self._max_bytes

    def has_arrivals(self) -> bool:
        return self._messages > 0

    def put(self, arrivals: Arrivals) -> int:
        """Add in order; return how many were dropped: of QoS 0, which nobody would send again, with the box full."""
        with self.change:
            kept = self._within(arrivals)
            if kept.number:
                self._waiting.append(kept)
                self._messages += kept.number
                self._bytes += kept.size + OVERHEAD * kept.number
                self.change.notify_all()
        return arrivals.number - kept.number

    def _within(self, arrivals: Arrivals) -> Arrivals:
        ends = self._messages + np.arange(arrivals.number)
        sizes = arrivals.payload_end - arrivals.topic_start + OVERHEAD
        before = self._bytes + np.cumsum(sizes) - sizes
        fits = (ends < self._max_messages) & (before < self._max_bytes)
        return arrivals if fits.all() else arrivals.rows(fits | (arrivals.qos > 0))

    def take(self, *, limit: int) -> Arrivals:
        """Take up to ``limit`` in arrival order."""
        taken: list[Arrivals] = []
        with self.change:
            while self._waiting and limit > 0:
                block = self._waiting.popleft()
                if block.number > limit:
                    self._waiting.appendleft(block.rows(slice(limit, None)))
                    block = block.rows(slice(0, limit))
                taken.append(block)
                limit -= block.number
                self._messages -= block.number
                self._bytes -= block.size + OVERHEAD * block.number
        return merged(taken)

    def accept(self, arrivals: Arrivals) -> None:
        """Note in order what is to be acknowledged; with QoS 0 nothing is."""
        if arrivals.qos.any():
            self._accepted.append(arrivals.rows(arrivals.qos > 0))

    def next_accepted(self) -> Arrivals | None:
        """Take the oldest that are to be acknowledged."""
        try:
            return self._accepted.popleft()
        except IndexError:
            return None

    def close(self) -> None:
        """Let nobody wait any longer; what is in the box can still be taken."""
        with self.change:
            self.change.notify_all()
