"""A clock for whole runs in tests: it waits for nothing but for what was sent to be in the store."""

from __future__ import annotations

import threading
import time

from parks import MONDAY_NS

from simulator.clock import FakeClock
from simulator.run.hops import Hops

__all__ = ["SECOND", "SettledClock"]

SECOND = 1_000_000_000


class SettledClock(FakeClock):
    """A clock that lets time pass only once everything that was sent is in the store."""

    def __init__(self, *, stop_after_s: float | None = None) -> None:
        super().__init__(MONDAY_NS + 123_456_789)
        self.hops: Hops | None = None
        self.moved = False
        """For a test that moves it once."""
        self._stop_after_s = stop_after_s

    def wait_until(self, monotonic_ns: int, stop: threading.Event | None = None) -> bool:
        deadline = time.monotonic() + 10
        while self._is_busy() and time.monotonic() < deadline:
            time.sleep(0.0002)
        came = super().wait_until(monotonic_ns, stop)
        if stop is not None and self._stop_after_s is not None and self.monotonic_ns() >= self._stop_after_s * SECOND:
            stop.set()
        return came

    def _is_busy(self) -> bool:
        if self.hops is None or self.hops.bridge.failure is not None:
            return False
        # What is written is in the bridge's hands until it has acknowledged it.
        return self.hops.ledger.unwritten() > 0 or self.hops.bridge.backlog > 0
