"""The only reader of wall time: a real clock, a fake one for tests, and the pace that maps simulated to wall time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Clock", "Curve", "FakeClock", "Leg", "Pace", "RealClock"]

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


class Curve(NamedTuple):
    """Simulated instants and the monotonic times at which they are due; in between, and beyond, evenly."""

    sim_ns: NDArray[np.int64]
    """int64[K], rising, K > 1."""
    wall_ns: NDArray[np.int64]
    """int64[K], rising."""

    def due(self, sim_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return when simulated instants are due, int64[N]."""
        since = (sim_ns - self.sim_ns[0]).astype(np.float64)
        knots, times = (self.sim_ns - self.sim_ns[0]).astype(np.float64), self.wall_ns - self.wall_ns[0]
        slope = (times[-1] - times[-2]) / (knots[-1] - knots[-2])
        found = np.interp(since, knots, times) + np.maximum(since - knots[-1], 0.0) * slope
        due: NDArray[np.int64] = self.wall_ns[0] + np.rint(found).astype(np.int64)
        return due


class Leg(NamedTuple):
    """A stretch of a run that goes at another speed than the one before: its beginning, simulated and monotonic."""

    sim_ns: int
    wall_ns: int
    speed: float


@dataclass(slots=True)
class Pace:
    """Maps simulated time to the monotonic time at which it is due.

    Each due time is computed from the start, so lateness never adds up. ``speed`` is simulated seconds per wall
    second; None means as fast as it goes: everything is due at once. With a ``curve`` the speed changes, and ``speed``
    is but its mean. A pace may be ``turn``ed, by one thread, while others ask.
    """

    sim_start_ns: int
    wall_start_ns: int
    speed: float | None
    curve: Curve | None = None
    legs: tuple[Leg, ...] = ()
    _table: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]] | None = None
    """The legs as columns."""

    @property
    def speed_now(self) -> float | None:
        """The speed of the last leg."""
        return self.legs[-1].speed if self.legs else self.speed

    def turn(self, sim_ns: int, *, speed: float | None = None, wall_ns: int | None = None) -> None:
        """From a simulated instant on go at another speed, or go on as before after a pause until ``wall_ns``.

        No earlier than the last turn. At full speed nothing changes.
        """
        if self.speed is None:
            return
        begins_ns = self.due_ns(sim_ns) if wall_ns is None else max(wall_ns, self.due_ns(sim_ns))
        leg = Leg(sim_ns, begins_ns, speed or self.speed_now or self.speed)
        self.legs = (*(self.legs or (Leg(self.sim_start_ns, self.wall_start_ns, self.speed),)), leg)
        begins_ns, times_ns = np.array([one[:2] for one in self.legs], dtype=np.int64).T
        self._table = begins_ns, times_ns, np.array([one.speed for one in self.legs])

    def due_ns(self, sim_ns: int) -> int:
        """Return the monotonic time at which the simulated instant ``sim_ns`` is due."""
        if self.curve is not None:
            return int(self.curve.due(np.array([sim_ns]))[0])
        if self.speed is None:
            return self.wall_start_ns
        if self._table is not None:
            return int(self.due_each(np.array([sim_ns]))[0])
        return self.wall_start_ns + round((sim_ns - self.sim_start_ns) / self.speed)

    def due_each(self, sim_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ``due_ns`` of each simulated instant, int64[N]."""
        if self.curve is not None:
            return self.curve.due(sim_ns)
        if self.speed is None:
            return np.full(len(sim_ns), self.wall_start_ns, np.int64)
        if self._table is not None:
            begins_ns, times_ns, speeds = self._table
            mine = np.maximum(np.searchsorted(begins_ns, sim_ns, side="right") - 1, 0)
            since = np.rint((sim_ns - begins_ns[mine]) / speeds[mine])
            turned: NDArray[np.int64] = times_ns[mine] + since.astype(np.int64)
            return turned
        due: NDArray[np.int64] = self.wall_start_ns + np.rint((sim_ns - self.sim_start_ns) / self.speed).astype(
            np.int64
        )
        return due
