"""Clocks: whether the one of this machine runs straight, and how far that of the database is from it.

All latencies are taken from a timer that nobody sets, so a clock that is set spoils none of them; but readings bear its
time, and whoever compares them with times of another machine has to know.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator.clock import SECOND_NS, Clock
from simulator.results.load_test import Clocks

__all__ = ["ClockWatch", "Offset", "bent"]

STEP_NS = 20_000_000
"""A jump between two looks that is no scheduling: the two clocks are read within microseconds of one another."""
LEAST_S = 10.0
"""Over which a drift can be told."""
MOST_DRIFT_PPM = 500.0
"""What a clock that is steered may be steered by: adjtimex(2)."""
MS = 1_000_000


@dataclass(slots=True)
class ClockWatch:
    """Compares the clock with the timer from look to look."""

    clock: Clock
    looks: list[tuple[int, int]] = field(default_factory=list)
    """Timer, and clock less timer, nanoseconds."""

    def look(self) -> None:
        before = self.clock.monotonic_ns()
        now = self.clock.now_ns()
        after = self.clock.monotonic_ns()
        middle = (before + after) // 2
        self.looks.append((middle, now - middle))

    def found(self, offset: Offset) -> Clocks:
        """Return what was seen; jumps apart from the drift."""
        at = np.array([look[0] for look in self.looks], dtype=np.int64)
        less = np.array([look[1] for look in self.looks], dtype=np.int64)
        jumps = np.diff(less)
        jumps[np.abs(jumps) < STEP_NS] = 0
        straight = less - np.concatenate(([0], np.cumsum(jumps))) if len(less) else less
        is_long = len(at) > 2 and at[-1] - at[0] >= LEAST_S * SECOND_NS
        drift = float(np.polyfit((at - at[0]) / 1e9, (straight - straight[0]) / 1e3, 1)[0]) if is_long else None
        return Clocks(
            stepped_ms=float(jumps.sum()) / MS,
            drift_ppm=drift,
            store_offset_ms=offset.middle_ms,
            store_uncertain_ms=offset.uncertain_ms,
        )


@dataclass(slots=True)
class Offset:
    """How far another clock, which is told in whole seconds, can be from ours: each answer narrows it down."""

    least_ms: float = -np.inf
    most_ms: float = np.inf

    def told(self, second: int, asked_ns: int, answered_ns: int) -> None:
        """Note that the other clock showed a whole second at some time between two instants of ours, Unix time."""
        least = second * 1_000 - answered_ns / MS
        most = (second + 1) * 1_000 - asked_ns / MS
        if max(least, self.least_ms) > min(most, self.most_ms):
            # one of the clocks was set in between: what is known from before means nothing any more
            self.least_ms, self.most_ms = least, most
        else:
            self.least_ms, self.most_ms = max(least, self.least_ms), min(most, self.most_ms)

    @property
    def middle_ms(self) -> float | None:
        return None if np.isinf(self.least_ms) else float(self.least_ms + self.most_ms) / 2

    @property
    def uncertain_ms(self) -> float | None:
        return None if np.isinf(self.least_ms) else float(self.most_ms - self.least_ms) / 2


def bent(clocks: Clocks) -> list[str]:
    """Say what is wrong with the clocks; empty if nothing is."""
    found = []
    if clocks.stepped_ms:
        found.append(f"the clock of this machine was set by {clocks.stepped_ms:+,.0f} ms during the test")
    if clocks.drift_ppm is not None and abs(clocks.drift_ppm) > MOST_DRIFT_PPM:
        found.append(f"the clock of this machine ran {clocks.drift_ppm:+,.0f} ppm off its own timer")
    offset, uncertain = clocks.store_offset_ms, clocks.store_uncertain_ms
    if offset is not None and uncertain is not None and abs(offset) > uncertain + STEP_NS / MS:
        said = f"the clock of the database is {offset:+,.0f} ms from ours (within {uncertain:,.0f} ms)"
        found.append(f"{said}: times that it writes itself do not fit ours")
    return found
