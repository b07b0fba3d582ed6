"""Hours: how a thread spends its time, for whoever asks which part of a pipeline is the slow one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from simulator.clock import Clock

__all__ = ["Hours"]


class Hours:
    """Nanoseconds by what was done, what goes on at this moment included; all the rest of the time was other work."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent: Counter[str] = Counter()
        self._now: tuple[str, int] | None = None

    @contextmanager
    def spent(self, doing: str) -> Iterator[None]:
        """Count the time of a block."""
        began_ns = self._clock.monotonic_ns()
        self._now = doing, began_ns
        try:
            yield
        finally:
            self._now = None
            self._spent[doing] += self._clock.monotonic_ns() - began_ns

    def told(self) -> Counter[str]:
        """Return the nanoseconds so far; safe from another thread, which may miss what ends at that very moment."""
        found, now = self._spent.copy(), self._now
        if now is not None:
            found[now[0]] += max(0, self._clock.monotonic_ns() - now[1])
        return found
