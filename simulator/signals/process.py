"""The hidden quality of a cycle: what ties the process values of a cycle to the pieces it spoils.

Each cycle has a standard normal z. A measured value correlates with z as far as its sensor says, and the chance of a
bad piece is min(1, A e^(b z²/2)), with A such that the mean over all cycles is the machine's scrap rate. With b = 0.5,
an engineering default, and little scrap, a cycle three deviations off spoils pieces nearly seven times as often as the
average one.
"""

from __future__ import annotations

import math
from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.signals.streams import Stream

__all__ = ["EPOCH", "Cycles"]

EPOCH = 256
"""Cycles per epoch of random numbers."""
STEEPNESS = 0.5
MOST_SCRAP = 0.95
"""However unable people are, some pieces are good."""
PIECES, VALUES = 0, 1
"""Lanes: hidden quality and pieces; the sensors' own scatter."""


class Cycles:
    """All cycles of one machine by their number, from 0: their pieces and their process values."""

    def __init__(self, stream: Stream, *, pieces: int, first_pass_yield: float, values: int) -> None:
        self._stream = stream
        self.pieces = pieces
        self._by_itself = 1.0 - first_pass_yield
        self.scrap = self._by_itself
        """Share of bad pieces that the next cycles make on average."""
        self.edition = 0
        """Counts how often cycles that were yet to come were changed."""
        self._changed_at = [0]
        self._least_chance = [least_chance(self.scrap)]
        self._values = values
        self._good_before_epoch = array("q", [0])
        self._epochs: dict[int, tuple[NDArray[np.float64], NDArray[np.int64]]] = {}
        self._scatter: dict[int, NDArray[np.float64]] = {}

    def spoil(self, factor: float, *, from_cycle: int) -> None:
        """Make so many times as many bad pieces as the machine does by itself, from a cycle on that is yet to come."""
        if self._changed_at[-1] < from_cycle:
            self._changed_at.append(from_cycle)
            self._least_chance.append(0.0)
        self.scrap = min(self._by_itself * factor, MOST_SCRAP)
        self._least_chance[-1] = least_chance(self.scrap)
        first = from_cycle // EPOCH
        for epoch in [epoch for epoch in self._epochs if epoch >= first]:
            del self._epochs[epoch]
        del self._good_before_epoch[first + 1 :]
        self.edition += 1

    def _epoch(self, epoch: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the hidden quality, float64[EPOCH], and the good pieces before each cycle of it, int64[EPOCH + 1]."""
        if epoch not in self._epochs:
            while len(self._good_before_epoch) <= epoch:
                past = len(self._good_before_epoch) - 1
                self._good_before_epoch.append(self._good_before_epoch[past] + int(self._draw(past)[1][-1]))
            self._epochs[epoch] = self._draw(epoch)
            forget(self._epochs, before=epoch - 1)
        return self._epochs[epoch]

    def _draw(self, epoch: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        rng = self._stream.epoch(epoch, PIECES)
        quality = rng.standard_normal(EPOCH)
        chance = self._least_in(epoch) * np.exp(0.5 * STEEPNESS * quality**2)
        good = self.pieces - rng.binomial(self.pieces, np.minimum(chance, 1.0))
        return quality, np.concatenate(([0], np.cumsum(good)))

    def good_in_epoch(self, epoch: int) -> tuple[int, NDArray[np.int64]]:
        """Return the good pieces before an epoch, and those before each cycle of it since then, int64[EPOCH + 1]."""
        within = self._epoch(epoch)[1]
        return self._good_before_epoch[epoch], within

    def _least_in(self, epoch: int) -> NDArray[np.float64]:
        """Return A of the cycles of an epoch, or the one number that it always was."""
        if len(self._least_chance) == 1:
            return np.array(self._least_chance[0])
        since = np.searchsorted(self._changed_at, epoch * EPOCH + np.arange(EPOCH), side="right") - 1
        return np.array(self._least_chance)[since]

    def good_before(self, cycle: int) -> int:
        """Return how many good pieces the cycles with numbers below ``cycle`` made together."""
        epoch, at = divmod(cycle, EPOCH)
        within = self._epoch(epoch)[1][at]
        return self._good_before_epoch[epoch] + int(within)

    def good_before_each(self, cycle: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ``good_before`` for an int64[N] of ascending cycle numbers."""
        result = np.empty(len(cycle), dtype=np.int64)
        for epoch, low, high in stretches(cycle):
            within = self._epoch(epoch)[1]
            result[low:high] = self._good_before_epoch[epoch] + within[cycle[low:high] - epoch * EPOCH]
        return result

    def values(self, cycle: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the hidden quality, float64[N], and unit scatter, float64[N, values], for ascending cycle numbers."""
        quality = np.empty(len(cycle))
        scatter = np.empty((len(cycle), self._values))
        for epoch, low, high in stretches(cycle):
            at = cycle[low:high] - epoch * EPOCH
            quality[low:high] = self._epoch(epoch)[0][at]
            if epoch not in self._scatter:
                self._scatter[epoch] = self._stream.epoch(epoch, VALUES).standard_normal((EPOCH, self._values))
                forget(self._scatter, before=epoch - 1)
            scatter[low:high] = self._scatter[epoch][at]
        return quality, scatter


def least_chance(scrap: float) -> float:
    """Return A, the chance of a bad piece in the best of cycles, for a mean chance of ``scrap``.

    With z* the deviation at which the chance reaches 1, the mean is A/√(1-b) erf(z* √((1-b)/2)) + erfc(z*/√2); it rises
    with A from 0 to 1, so bisection finds it.
    """
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        certain = math.sqrt(-2.0 * math.log(middle) / STEEPNESS)
        mean = middle / math.sqrt(1.0 - STEEPNESS) * math.erf(certain * math.sqrt(0.5 * (1.0 - STEEPNESS)))
        mean += math.erfc(certain / math.sqrt(2.0))
        low, high = (middle, high) if mean < scrap else (low, middle)
    return low if scrap else 0.0


def stretches(cycle: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Split ascending cycle numbers by epoch: (epoch, from, to) as positions in the array."""
    if not len(cycle):
        return []
    epochs = np.arange(cycle[0] // EPOCH, cycle[-1] // EPOCH + 2)
    cuts = np.searchsorted(cycle, epochs * EPOCH).tolist()
    return [(int(e), low, high) for e, low, high in zip(epochs[:-1], cuts[:-1], cuts[1:], strict=True) if low < high]


def forget(cache: dict[int, Any], *, before: int) -> None:
    """Drop old epochs, so that memory does not grow with simulated time."""
    for old in [epoch for epoch in cache if epoch < before]:
        del cache[old]
