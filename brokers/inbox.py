"""What has come in and waits to be fetched: bounded by count and by bytes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

from brokers.endpoint import Delivery

__all__ = ["Inbox"]

OVERHEAD = 200
"""Bytes that a Delivery and its strings take beside topic and payload."""


class Inbox:
    """A letter box with a lid: a full one drops QoS 0 letters, and asks the postman to wait with the others."""

    def __init__(self, *, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._waiting: deque[Delivery] = deque()
        self._bytes = 0
        self._arrival = threading.Condition()
        self._accepted: deque[Delivery] = deque()
        self._closed = False

    def is_full(self) -> bool:
        """Say whether nothing more should be read from the socket for now."""
        return len(self._waiting) >= self._max_messages or self._bytes >= self._max_bytes

    def put(self, deliveries: Sequence[Delivery]) -> int:
        """Add in order; return how many were dropped: of QoS 0, which nobody would send again, with the box full."""
        dropped = 0
        with self._arrival:
            for delivery in deliveries:
                if delivery.qos == 0 and self.is_full():
                    dropped += 1
                    continue
                self._waiting.append(delivery)
                self._bytes += len(delivery.payload) + len(delivery.topic) + OVERHEAD
            self._arrival.notify_all()
        return dropped

    def take(self, *, limit: int, timeout_s: float) -> list[Delivery]:
        """Take up to ``limit`` in arrival order; wait for the first at most ``timeout_s``, not at all once closed."""
        deadline = time.monotonic() + timeout_s
        with self._arrival:
            while not self._waiting and not self._closed:
                left = deadline - time.monotonic()
                if left <= 0 or not self._arrival.wait(left):
                    break
            taken = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
            self._bytes -= sum(len(d.payload) + len(d.topic) + OVERHEAD for d in taken)
        return taken

    def accept(self, deliveries: Sequence[Delivery]) -> None:
        """Note in order what is to be acknowledged; with QoS 0 nothing is."""
        self._accepted.extend(delivery for delivery in deliveries if delivery.qos)

    def next_accepted(self) -> Delivery | None:
        """Take the oldest that is to be acknowledged."""
        try:
            return self._accepted.popleft()
        except IndexError:
            return None

    def has_accepted(self) -> bool:
        return bool(self._accepted)

    def close(self) -> None:
        """Let nobody wait any longer; what is in the box can still be taken."""
        with self._arrival:
            self._closed = True
            self._arrival.notify_all()
