"""The search for the highest rate that holds: bracketed, halved, and confirmed by a longer hold.

Knows nothing of pipelines: it asks for one rate at a time, and is told whether it held and how much came through.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from simulator.results.load_test import Probe, Search

__all__ = ["highest", "knee_of"]

NEAR = 1.02
"""Between the highest rate that held and the lowest that did not, when the search is over."""
STEP = 2.0
LEAST_PER_S = 1.0
BACK = 0.96
"""Of a rate that did not hold for longer: the next one to be confirmed."""
CONFIRMATIONS = 4
GUESSES = (0.99, 1.01, 1.03, 1.06, 1.12)
"""Times what came through while a rate was too high: more, as a pipeline does worse when it has too much to do."""
MOST_PROBES = 40
KNEE = 3.0
"""Times the p99 of the lowest rate, from which on a pipeline is past its knee."""

Try = Callable[[float, bool], Probe | None]
"""Plays a rate, as a confirmation or not, and says what came of it; None: whoever waits has had enough."""


def highest(play: Try, *, start_per_s: float, limit_per_s: float) -> Search:
    """Return the highest rate up to a limit that holds, and every rate that was tried."""
    found = Hunt(play, limit_per_s)
    found.bracket(min(start_per_s, limit_per_s))
    found.narrow()
    confirmed = found.confirm()
    return Search(
        max_per_s=None if confirmed is None else confirmed.written_per_s,
        first_failed_per_s=None if math.isinf(found.failed) else found.failed,
        knee_per_s=knee_of(found.probes),
        probes=tuple(found.probes),
    )


class Hunt:
    """Where a search stands."""

    def __init__(self, play: Try, limit_per_s: float) -> None:
        self.probes: list[Probe] = []
        self.held = 0.0
        self.failed = math.inf
        self._play = play
        self._limit_per_s = limit_per_s
        self._came_through = 0.0
        self._is_over = False

    def bracket(self, rate: float) -> None:
        """Go up from a rate until one fails or the limit holds, or down until one holds."""
        while self._tried(rate) and self.held < self._limit_per_s:
            rate = min(self._limit_per_s, rate * STEP)
        while not self.held and not self._is_over and self.failed > LEAST_PER_S:
            self._tried(max(LEAST_PER_S, self._likely(self.failed / STEP)))

    def narrow(self) -> None:
        """Halve what lies between; what came through while a rate failed is a good guess."""
        while self.held and not self._is_over and self.failed / self.held > NEAR and not math.isinf(self.failed):
            self._tried(self._likely(math.sqrt(self.held * self.failed)))

    def confirm(self) -> Probe | None:
        """Hold what held for longer; a little less if it does not. Return what held; None if nothing did."""
        for _ in range(CONFIRMATIONS):
            if self._is_over or not self.held:
                return None
            rate = self.held
            if self._tried(rate, is_confirmation=True):
                return self.probes[-1]
            self.held = rate * BACK
        return None

    def _likely(self, otherwise: float) -> float:
        """Return a rate near what came through last time, the lowest that is new; else the other one."""
        for guess in (self._came_through * factor for factor in GUESSES):
            if self.held * 1.005 < guess < self.failed / 1.005:
                return guess
        return otherwise

    def _tried(self, rate: float, *, is_confirmation: bool = False) -> bool:
        """Play a rate and keep what came of it; return whether it held."""
        probe = None if len(self.probes) >= MOST_PROBES else self._play(rate, is_confirmation)
        if probe is None:
            self._is_over = True
            return False
        self.probes.append(probe)
        if probe.holds:
            self.held = max(self.held, rate)
        else:
            self.failed = min(self.failed, rate)
            self._came_through = probe.written_per_s
        return probe.holds


def knee_of(probes: Sequence[Probe]) -> float | None:
    """Return the lowest rate whose p99 is past KNEE times that of the lowest rate; None if there is none."""
    seen = sorted((one.rate_per_s, one.end_to_end_p99_ms) for one in probes if one.end_to_end_p99_ms is not None)
    if not seen:
        return None
    return next((rate for rate, p99_ms in seen if p99_ms > KNEE * seen[0][1]), None)
