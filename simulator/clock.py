"""The only reader of wall time: a real clock, a fake one for tests, and the pace that maps simulated to wall time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Clock", "FakeClock", "Pace", "RealClock"]

SECOND_NS = 1_000_000_000


class Clock(Protocol):
    """Wall time and waiting, as one thing that a test can replace."""

    def now_ns(self) -> int:
        """Wall time, nanoseconds since the Unix epoch."""

    def monotonic_ns(self) -> int:
        """A time that never steps back, for intervals; its zero means nothing."""

    def wait_until(self, monotonic_ns: int, stop: threading.Event | None = None) -> bool:
        """Wait until that monotonic time, or until ``stop`` is set. Return True if the time came."""


class RealClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def wait_until(self, monotonic_ns: int, stop: threading.Event | None = None) -> bool:
        while True:
            left = monotonic_ns - time.monotonic_ns()
            if stop is not None and stop.is_set():
                return False
            if left <= 0:
                return True
            if stop is None:
                time.sleep(left / SECOND_NS)
            elif stop.wait(left / SECOND_NS):
                return False


class FakeClock:
    """A clock that moves only when told, or when somebody waits."""

    def __init__(self, now_ns: int = 1_700_000_000 * SECOND_NS) -> None:
        self._now_ns = now_ns
        self._monotonic_ns = 0

    def now_ns(self) -> int:
        return self._now_ns

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    def advance(self, ns: int) -> None:
        """Let ``ns`` nanoseconds pass."""
        self._now_ns += ns
        self._monotonic_ns += ns

    def wait_until(self, monotonic_ns: int, stop: threading.Event | None = None) -> bool:
        if stop is not None and stop.is_set():
            return False
        self.advance(max(0, monotonic_ns - self._monotonic_ns))
        return True


@dataclass(frozen=True, slots=True)
class Pace:
    """Maps simulated time to the monotonic time at which it is due.

    Each due time is computed from the start, so lateness never adds up. ``speed`` is simulated seconds per wall
    second; None means as fast as it goes: everything is due at once.
    """

    sim_start_ns: int
    wall_start_ns: int
    speed: float | None

    def due_ns(self, sim_ns: int) -> int:
        """Return the monotonic time at which the simulated instant ``sim_ns`` is due."""
        if self.speed is None:
            return self.wall_start_ns
        return self.wall_start_ns + round((sim_ns - self.sim_start_ns) / self.speed)

    def due_each(self, sim_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ``due_ns`` of each simulated instant, int64[N]."""
        if self.speed is None:
            return np.full(len(sim_ns), self.wall_start_ns, np.int64)
        due: NDArray[np.int64] = self.wall_start_ns + np.rint((sim_ns - self.sim_start_ns) / self.speed).astype(
            np.int64
        )
        return due
