"""What is on its way out: handed over, in flight, and acknowledged but not yet told."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

from brokers.endpoint import Acknowledgement, Outgoing

__all__ = ["Outbox"]

UNCLAIMED = 100_000
"""Acknowledgements that nobody has fetched: from here on nothing is taken."""


class Outbox:
    """A counter with a fixed number of numbered slips: whoever posts holds one until the acknowledgement is here."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._narrow_window = window
        self._posted: deque[tuple[int, Outgoing]] = deque()
        self._in_flight = 0
        self._acknowledged: list[Acknowledgement] = []
        self._closed = False
        self._change = threading.Condition()

    def narrow(self, window: int) -> None:
        """Take messages of QoS 1 and 2 only while fewer than ``window`` are in flight: the broker wants no more."""
        with self._change:
            self._narrow_window = min(self._narrow_window, window)

    def post(self, messages: Sequence[Outgoing], *, qos: int, until_s: float) -> int:
        """Take messages in order while there is room; wait for some until the monotonic time. Return how many."""
        with self._change:
            while (room := self._room(qos)) <= 0 and not self._closed:
                left = until_s - time.monotonic()
                if left <= 0:
                    return 0
                self._change.wait(left)
            if self._closed:
                return 0
            part = messages[:room]
            self._posted.extend([(qos, message) for message in part])
            self._in_flight += len(part)
            return len(part)

    def _room(self, qos: int) -> int:
        if len(self._acknowledged) >= UNCLAIMED:
            return 0
        return (self._narrow_window if qos else self._window) - self._in_flight

    def collect(self) -> deque[tuple[int, Outgoing]]:
        """Take all that was posted, with its QoS, to send it."""
        with self._change:
            posted, self._posted = self._posted, deque()
        return posted

    def put_back(self, messages: Sequence[tuple[int, Outgoing]]) -> None:
        """Put messages that could not be sent before all others; they are in flight still."""
        with self._change:
            self._posted.extendleft(reversed(messages))

    def settle(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        """Note the end of messages in flight."""
        with self._change:
            self._acknowledged.extend(acknowledgements)
            self._in_flight -= len(acknowledgements)
            self._change.notify_all()

    def acknowledgements(self) -> list[Acknowledgement]:
        """Take what was settled since the last call."""
        with self._change:
            taken, self._acknowledged = self._acknowledged, []
            if len(taken) >= UNCLAIMED:
                self._change.notify_all()
        return taken

    def in_flight(self) -> int:
        return self._in_flight

    def wait_settled(self, until_s: float) -> None:
        """Wait until nothing is in flight, at most until the monotonic time, or until closed."""
        with self._change:
            while self._in_flight and not self._closed and (left := until_s - time.monotonic()) > 0:
                self._change.wait(left)

    def close(self) -> None:
        """Take nothing more, and let nobody wait any longer."""
        with self._change:
            self._closed = True
            self._change.notify_all()
