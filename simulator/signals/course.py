"""Quantities that move by themselves between happenings: towards a target with a lag, or at a steady rate.

The park says what happens as it happens; devices read any instant afterwards. Each piece begins where the one before it
had come to, so windows leave no trace. Instants are nanoseconds since the Unix epoch.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.signals.thermal import lag

__all__ = ["Glide", "Ramp"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
S = 1e-9
HOURS = S / 3600


class Pieces:
    """Where a quantity began each piece of its way, and what moves it from there."""

    def __init__(self, now: Callable[[], int], value: float, mover: float) -> None:
        self._now = now
        self._start_ns = [now()]
        self._value = [value]
        self._mover = [mover]

    def begin(self, mover: float) -> None:
        """Be moved by something else from now on."""
        now_ns = self._now()
        value = float(self.at(np.array([now_ns], dtype=np.int64))[0])
        if now_ns == self._start_ns[-1]:
            self._mover[-1] = mover
            return
        self._start_ns.append(now_ns)
        self._value.append(value)
        self._mover.append(mover)

    def forget(self, before_ns: int) -> None:
        """Forget the pieces that were over before an instant."""
        first = max(bisect_right(self._start_ns, before_ns) - 1, 0)
        del self._start_ns[:first], self._value[:first], self._mover[:first]

    def at(self, time_ns: Ints) -> Floats:
        """Return the value at each instant, float64[N]."""
        start_ns = np.array(self._start_ns, dtype=np.int64)
        piece = np.maximum(np.searchsorted(start_ns, time_ns, side="right") - 1, 0)
        elapsed_ns = np.maximum(time_ns - start_ns[piece], 0)
        return self.moved(np.array(self._value)[piece], np.array(self._mover)[piece], elapsed_ns)

    def moved(self, value: Floats, mover: Floats, elapsed_ns: Ints) -> Floats:
        """Return where pieces have come to, so long after they began."""
        raise NotImplementedError


class Glide(Pieces):
    """A value that nears a target with a first-order lag, such as the air of a room."""

    def __init__(self, now: Callable[[], int], value: float, *, tau_ns: int) -> None:
        super().__init__(now, value, value)
        self._tau_s = np.array(tau_ns * S)

    def aim(self, target: float) -> None:
        """Near another target from now on."""
        self.begin(target)

    def moved(self, value: Floats, mover: Floats, elapsed_ns: Ints) -> Floats:
        """Return the values so long after each stood at ``value``."""
        return lag(value, mover, elapsed_s=elapsed_ns * S, tau_s=self._tau_s)


class Ramp(Pieces):
    """A share from 0 to 1 that rises or falls steadily until it is full or empty, such as the charge of a battery."""

    def __init__(self, now: Callable[[], int], value: float) -> None:
        super().__init__(now, value, 0.0)

    def run(self, per_hour: float) -> None:
        """Rise by so much an hour from now on."""
        self.begin(per_hour)

    def moved(self, value: Floats, mover: Floats, elapsed_ns: Ints) -> Floats:
        """Return the shares so long after each stood at ``value``."""
        share: Floats = np.clip(value + mover * (elapsed_ns * HOURS), 0.0, 1.0)
        return share
