"""The hidden quality of a cycle: what ties the process values of a cycle to the pieces it spoils.

Each cycle has a standard normal z. A measured value correlates with z as far as its sensor says, and the chance of a
bad piece is min(1, A e^(b z²/2)), with A such that the mean over all cycles is the machine's scrap rate. With b = 0.5,
an engineering default, and little scrap, a cycle three deviations off spoils pieces nearly seven times as often as the
average one.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.signals.streams import Cursor, Stream
from simulator.signals.timeline import ragged

__all__ = ["EPOCH", "Books", "Cycles"]

EPOCH = 256
"""Cycles per epoch of random numbers."""
STEEPNESS = 0.5
MOST_SCRAP = 0.95
"""However unable people are, some pieces are good."""
PIECES, VALUES = 0, 1
"""Lanes: hidden quality and pieces; the sensors' own scatter."""


class Epoch(NamedTuple):
    """What the park needs of the cycles of an epoch."""

    quality: NDArray[np.float64]
    """Hidden quality of each cycle, float64[EPOCH]."""
    good: array[int]
    """Good pieces of the epoch before each cycle and before the next epoch: one by one, these are Python's integers."""

    @property
    def good_array(self) -> NDArray[np.int64]:
        """The same numbers as int64[EPOCH + 1]."""
        return np.frombuffer(self.good, dtype=np.int64)


class Cycles:
    """All cycles of one machine by their number, from 0: their pieces and their process values."""

    def __init__(self, stream: Stream, *, pieces: int, first_pass_yield: float, values: int) -> None:
        self._stream = stream
        self._cursor = Cursor()
        self.pieces = pieces
        self._by_itself = 1.0 - first_pass_yield
        self.scrap = self._by_itself
        """Share of bad pieces that the next cycles make on average."""
        self.edition = 0
        """Counts how often cycles that were yet to come were changed."""
        self._changed_at = [0]
        self._least_chance = [least_chance(self.scrap)]
        self.width = values
        self._good_before_epoch = array("q", [0])
        self._epochs: dict[int, Epoch] = {}
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

    def _epoch(self, epoch: int) -> Epoch:
        if epoch not in self._epochs:
            while len(self._good_before_epoch) <= epoch:
                past = len(self._good_before_epoch) - 1
                self._good_before_epoch.append(self._good_before_epoch[past] + self._draw(past).good[-1])
            self._epochs[epoch] = self._draw(epoch)
            forget(self._epochs, before=epoch - 1)
        return self._epochs[epoch]

    def _draw(self, epoch: int) -> Epoch:
        rng = self._cursor.at(self._stream, epoch, PIECES)
        quality = rng.standard_normal(EPOCH)
        chance = self._least_in(epoch) * np.exp(0.5 * STEEPNESS * quality**2)
        good = np.zeros(EPOCH + 1, dtype=np.int64)
        np.cumsum(self.pieces - rng.binomial(self.pieces, np.minimum(chance, 1.0)), out=good[1:])
        return Epoch(quality, array("q", good.tobytes()))

    def good_in_epoch(self, epoch: int) -> tuple[int, NDArray[np.int64]]:
        """Return the good pieces before an epoch, and those before each cycle of it since then, int64[EPOCH + 1]."""
        within = self._epoch(epoch).good_array
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
        within = self._epoch(epoch).good[at]
        return self._good_before_epoch[epoch] + within

    def good_in(self, first: int, count: int) -> NDArray[np.int64]:
        """Return how many good pieces each of so many cycles makes, int64[count]."""
        parts = []
        while count:
            epoch, at = divmod(first, EPOCH)
            some = min(count, EPOCH - at)
            before = self._epoch(epoch).good_array[at : at + some + 1]
            parts.append(before[1:] - before[:-1])
            first, count = first + some, count - some
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def good_before_each(self, cycle: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ``good_before`` for an int64[N] of ascending cycle numbers."""
        result = np.empty(len(cycle), dtype=np.int64)
        for epoch, low, high in stretches(cycle):
            within = self._epoch(epoch).good_array
            result[low:high] = self._good_before_epoch[epoch] + within[cycle[low:high] - epoch * EPOCH]
        return result

    def values(self, cycle: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the hidden quality, float64[N], and unit scatter, float64[N, values], for ascending cycle numbers."""
        quality = np.empty(len(cycle))
        scatter = np.empty((len(cycle), self.width))
        for epoch, low, high in stretches(cycle):
            at = cycle[low:high] - epoch * EPOCH
            quality[low:high] = self._epoch(epoch).quality[at]
            scatter[low:high] = self._scatter_of(epoch)[at]
        return quality, scatter

    def _scatter_of(self, epoch: int) -> NDArray[np.float64]:
        if epoch not in self._scatter:
            self._scatter[epoch] = self._cursor.at(self._stream, epoch, VALUES).standard_normal((EPOCH, self.width))
            forget(self._scatter, before=epoch - 1)
        return self._scatter[epoch]

    def page(self, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Return an epoch whole: good pieces before each cycle, their hidden quality, and unit scatter by value."""
        one = self._epoch(epoch)
        return self._good_before_epoch[epoch] + one.good_array, one.quality, self._scatter_of(epoch)


class Books:
    """The cycles of all machines, to be looked up for many machines at once.

    Epochs lie on pages of a table. Each machine has a ring of pages, as long as the epochs that it was ever asked for
    at once: two for most, more for fast machines and long windows.
    """

    def __init__(self, books: Sequence[Cycles]) -> None:
        self.each = books
        self._edition = np.zeros(len(books), dtype=np.int64)
        self._width = np.array([book.width for book in books], dtype=np.int64)
        self.pages = np.full(len(books), 2, dtype=np.int64)
        """How many pages each machine has, powers of 2."""
        self._lay_out()

    def __len__(self) -> int:
        return len(self.each)

    def __getitem__(self, asset: int) -> Cycles:
        return self.each[asset]

    def _lay_out(self) -> None:
        """Begin with empty pages."""
        pages = self.pages
        self._first = np.cumsum(pages) - pages
        total = int(pages.sum())
        self._held = np.full(total, -1, dtype=np.int64)
        self._good = np.zeros((total, EPOCH + 1), dtype=np.int64)
        self._quality = np.zeros((total, EPOCH))
        # The scatter of a page lies in a row; a machine with more values has longer rows.
        length = np.repeat(self._width, pages) * EPOCH
        self._scatter_at = np.cumsum(length) - length
        self._scatter = np.zeros(int(length.sum()))

    def renew(self) -> None:
        """Forget the pages of machines whose cycles to come were changed since."""
        edition = np.fromiter((book.edition for book in self.each), np.int64, len(self.each))
        for asset in np.flatnonzero(edition != self._edition).tolist():
            first = int(self._first[asset])
            self._held[first : first + int(self.pages[asset])] = -1
        self._edition = edition

    def open(self, asset: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]) -> None:
        """Have cycles ``first`` to ``last`` of each of these machines at hand, int64[N] each."""
        low = first // EPOCH
        count = last // EPOCH - low + 1
        if (count > self.pages[asset]).any():
            np.maximum.at(self.pages, asset, 2 ** np.ceil(np.log2(count)).astype(np.int64))
            self._lay_out()
        i, epoch = ragged(low, count)
        page = self._page(asset[i], epoch)
        for missing in np.flatnonzero(self._held[page] != epoch).tolist():
            self._fill(int(asset[i[missing]]), int(epoch[missing]), int(page[missing]))

    def _page(self, asset: NDArray[np.int64], epoch: NDArray[np.int64]) -> NDArray[np.int64]:
        page: NDArray[np.int64] = self._first[asset] + (epoch & (self.pages[asset] - 1))
        return page

    def _fill(self, asset: int, epoch: int, page: int) -> None:
        good, quality, scatter = self.each[asset].page(epoch)
        self._good[page], self._quality[page], self._held[page] = good, quality, epoch
        at = int(self._scatter_at[page])
        self._scatter[at : at + scatter.size] = scatter.ravel()

    def good_before(self, asset: NDArray[np.int64], cycle: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ``Cycles.good_before`` of machines and cycles that are open, of the shape that both broadcast to."""
        page = self._page(asset, cycle // EPOCH)
        return self._good.ravel().take(page * (EPOCH + 1) + cycle % EPOCH)

    def quality(self, asset: NDArray[np.int64], cycle: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the hidden quality of open cycles, float64[N]."""
        return self._quality[self._page(asset, cycle // EPOCH), cycle % EPOCH]

    def scatter(
        self, asset: NDArray[np.int64], cycle: NDArray[np.int64], value: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the unit scatter of the nth values of open cycles, float64[N]."""
        at = self._scatter_at[self._page(asset, cycle // EPOCH)]
        return self._scatter[at + cycle % EPOCH * self._width[asset] + value]


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
