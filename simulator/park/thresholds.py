"""Thresholds that a level passes, up and down: the park looks when that moment comes, and not before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import simpy

from simulator.park.demand import Shortage

__all__ = ["Thresholds"]

MS = 1_000_000


class Thresholds:
    """Shortages that begin one after the other as a level falls: where each begins, where it ends, and what it is.

    ``level`` tells the level now; ``next_at(level, after_ns)`` when it will be met, if nothing else happens.
    """

    def __init__(
        self,
        env: simpy.Environment,
        steps: Sequence[tuple[float, float, Shortage]],
        *,
        level: Callable[[int], float],
        next_at: Callable[[float, int], int | None],
    ) -> None:
        self._env = env
        self._steps = steps
        self._level, self._next_at = level, next_at
        self._taken = 0
        self._serial = 0

    def foresee(self) -> None:
        """Look ahead, since the course of the level has changed."""
        now_ns = int(self._env.now)
        level = self._level(now_ns)
        ways: list[tuple[int, int]] = []
        if self._taken < len(self._steps):
            below = self._steps[self._taken][0]
            # Whoever tells of a change may be in the midst of one; a millisecond later he is not.
            at_ns = now_ns + MS if level <= below else self._next_at(below, now_ns)
            ways += [(at_ns, self._taken + 1)] if at_ns is not None else []
        if self._taken:
            above = self._steps[self._taken - 1][1]
            at_ns = now_ns + MS if level >= above else self._next_at(above, now_ns)
            ways += [(at_ns, self._taken - 1)] if at_ns is not None else []
        self._serial += 1
        if ways:
            self._alarm(*min(ways), self._serial)

    def _alarm(self, at_ns: int, taken: int, serial: int) -> None:
        alarm = self._env.timeout(at_ns - int(self._env.now))
        assert alarm.callbacks is not None

        def ring(_: simpy.Event) -> None:
            if serial != self._serial:
                return
            shortage = self._steps[min(taken, self._taken)][2]
            falls, self._taken = taken > self._taken, taken
            if falls:
                shortage.begin()
            else:
                shortage.end()
            if serial == self._serial:
                self.foresee()

        alarm.callbacks.append(ring)
