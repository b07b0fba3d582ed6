"""Quantities that move evenly or settle exponentially between events: a battery's charge, a cold room's temperature.

The park says when they change their course; devices read them at any instant afterwards. What the park sees at an event
and what a sensor shows there come from the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.signals.device import Track

__all__ = ["Ramp", "Settling"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
HOUR_NS = 3_600_000_000_000
NewTrack = Callable[[float], Track]


class Ramp:
    """A quantity that rises or falls evenly until something happens. ``now`` tells instants, ns since 1970."""

    def __init__(self, track: NewTrack, now: Callable[[], int], value: float) -> None:
        self._now = now
        self._origin_ns = now()
        self._since, self._value, self._per_h = track(0.0), track(value), track(0.0)

    @property
    def value(self) -> float:
        """What it is now."""
        passed = self._now() - self._origin_ns - self._since.value
        return self._value.value + self._per_h.value * passed / HOUR_NS

    def go(self, per_h: float) -> None:
        """Move at this rate from now on."""
        self._from(self.value, per_h)

    def bend(self, per_h: float) -> None:
        """Move by so much faster from now on."""
        self._from(self.value, self._per_h.value + per_h)

    def until_ns(self, value: float) -> int | None:
        """Return how long it takes to come to a value; None if it moves elsewhere, or not at all."""
        left, per_h = value - self.value, self._per_h.value
        return None if left * per_h <= 0 else math.ceil(left / per_h * HOUR_NS)

    def _from(self, value: float, per_h: float) -> None:
        self._since.set(float(self._now() - self._origin_ns))
        self._value.set(value)
        self._per_h.set(per_h)

    def at(self, time_ns: Ints) -> Floats:
        """Return the value at each instant, float64[N]."""
        passed = time_ns - self._origin_ns - self._since.at(time_ns)
        value: Floats = self._value.at(time_ns) + self._per_h.at(time_ns) * passed / HOUR_NS
        return value


class Settling:
    """A quantity that nears a target, with a time constant, until something happens."""

    def __init__(self, track: NewTrack, now: Callable[[], int], value: float) -> None:
        self._now = now
        self._origin_ns = now()
        self._since, self._value, self._target, self._tau = track(0.0), track(value), track(value), track(HOUR_NS)

    @property
    def value(self) -> float:
        """What it is now."""
        passed = self._now() - self._origin_ns - self._since.value
        away = self._value.value - self._target.value
        return self._target.value + away * math.exp(-passed / self._tau.value)

    def head_for(self, target: float, *, tau_ns: int) -> None:
        """Near this target from now on."""
        value = self.value
        self._since.set(float(self._now() - self._origin_ns))
        self._value.set(value)
        self._target.set(target)
        self._tau.set(float(tau_ns))

    def until_ns(self, value: float) -> int | None:
        """Return how long it takes to come to a value; None if that does not lie ahead."""
        away, then = self.value - self._target.value, value - self._target.value
        # A value on the far side of the target, or behind, is not on the way.
        if away * then <= 0 or abs(then) >= abs(away):
            return None
        return math.ceil(self._tau.value * math.log(away / then))

    def at(self, time_ns: Ints) -> Floats:
        """Return the value at each instant, float64[N]."""
        passed = time_ns - self._origin_ns - self._since.at(time_ns)
        target = self._target.at(time_ns)
        value: Floats = target + (self._value.at(time_ns) - target) * np.exp(-passed / self._tau.at(time_ns))
        return value
