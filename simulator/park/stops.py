"""When machines stop and for how long: Weibull times between stops, lognormal repairs.

The world begins in the middle of every machine's life, so the first time to a stop is the residual life of a renewal
process: a length-biased life times a uniform share of it (Cox 1962, Renewal Theory, chapter 5). A length-biased
Weibull life is scale · G^(1/k) with G from Gamma(1 + 1/k).
"""

from __future__ import annotations

import math

import numpy as np

from simulator.scenario.machine_type import Bearing, Repair, Stop
from simulator.signals.streams import Stream

__all__ = ["LONGEST_LIFE_NS", "BearingLife", "StopClock", "lognormal_ns", "whole_ms"]

MS = 1_000_000
LEAST_REPAIR_NS = 1_000 * MS
LONGEST_LIFE_NS = 10**18
"""Thirty years of running: no run lasts as long, and the number fits into a column of integers."""


def whole_ms(ns: float) -> int:
    """Round to whole milliseconds, and never to nothing: the park's finest step, so that messages tell it exactly."""
    return max(round(ns / MS), 1) * MS


def lognormal_ns(rng: np.random.Generator, mean_ns: float, *, cv: float) -> int:
    """Draw a lognormal duration with this mean and coefficient of variation: σ² = ln(1 + c²), μ = ln m - σ²/2."""
    variance = math.log1p(cv**2)
    return whole_ms(mean_ns * math.exp(math.sqrt(variance) * rng.standard_normal() - variance / 2.0))


def repair_ns(rng: np.random.Generator, repair: Repair) -> int:
    return max(lognormal_ns(rng, repair.mean, cv=repair.cv), LEAST_REPAIR_NS)


class StopClock:
    """One reason to stop, and how much time on its clock is left until it strikes."""

    def __init__(self, stop: Stop, stream: Stream) -> None:
        self.stop = stop
        self._rng = stream.epoch(0)
        self._scale_ns = stop.mtbf / math.gamma(1.0 + 1.0 / stop.shape)
        life = self._scale_ns * self._rng.gamma(1.0 + 1.0 / stop.shape) ** (1.0 / stop.shape)
        self.left_ns = whole_ms(life * self._rng.random())
        self._rate = 1.0

    def ease(self, rate: float) -> None:
        """Strike so many times as often as the type says; what is left of the interval changes with it."""
        self.left_ns = whole_ms(max(self.left_ns, MS) * self._rate / rate)
        self._rate = rate

    def strike(self) -> int:
        """Begin the next interval, and return how long the work to go on takes, ns."""
        self.left_ns = whole_ms(self._scale_ns / self._rate * self._rng.weibull(self.stop.shape))
        return repair_ns(self._rng, self.stop.repair)


class BearingLife:
    """The bearing that is in the machine now: its life and age in running time."""

    def __init__(self, bearing: Bearing, stream: Stream) -> None:
        self.bearing = bearing
        self._rng = stream.epoch(0)
        per_l10 = (-math.log(0.9)) ** (-1.0 / bearing.shape)
        self._scale_ns = per_l10 * bearing.l10 / bearing.acceleration
        life = self._scale_ns * self._rng.gamma(1.0 + 1.0 / bearing.shape) ** (1.0 / bearing.shape)
        self.age_ns = whole_ms(min(life, LONGEST_LIFE_NS) * self._rng.random())
        self._life_ns = max(whole_ms(min(life, LONGEST_LIFE_NS)), self.age_ns + MS)

    @property
    def life_ns(self) -> int:
        """Age at which it fails."""
        return self._life_ns

    @property
    def left_ns(self) -> int:
        """Running time until it fails."""
        return self._life_ns - self.age_ns

    @property
    def onset_ns(self) -> int:
        """Age at which the defect first shows."""
        return max(self._life_ns - self.bearing.warning, 0)

    def settle_in(self, most_ns: int) -> None:
        """Have had it replaced before it was so old: its age is anything up to that, or to the end of its life."""
        if self.age_ns > most_ns:
            self.replace()
            self.age_ns = whole_ms(min(most_ns, self._life_ns) * self._rng.random())
            self._life_ns = max(self._life_ns, self.age_ns + MS)

    def replace(self) -> int:
        """Put in a new one, and return how long that takes, ns."""
        self.age_ns = 0
        self._life_ns = whole_ms(min(self._scale_ns * self._rng.weibull(self.bearing.shape), LONGEST_LIFE_NS))
        return repair_ns(self._rng, self.bearing.repair)
