"""Histograms of nanoseconds that add: log-linear counts with three significant digits, after HdrHistogram."""

from __future__ import annotations

import threading
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["PERCENTILES", "Histogram", "Packed"]

SUB_BITS = 10
"""2**11 = 2048 steps per doubling at the bottom, 1024 above: every value is kept to better than one part in 1024."""
SLOTS = (64 - SUB_BITS) << SUB_BITS
"""Slots for 1 .. 2**63 - 1; as many again for negative values, mirrored."""
AT_ONCE = 4096
"""Samples that are counted together: for a few, most of the time goes into the calls."""
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9, "p9999": 99.99}


def slots(magnitude: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the slot of each value >= 0.

    A value of b bits is kept by its top 11 bits. ``frexp`` may round a value of 54 bits and more up to the next power
    of two; the formula is continuous there, so the slot is the same.
    """
    bits = np.frexp(magnitude.astype(np.float64))[1].astype(np.int64)
    shift = np.maximum(bits - (SUB_BITS + 1), 0)
    return (shift << SUB_BITS) + (magnitude >> shift)


def highest(slot: int) -> int:
    """Return the highest value >= 0 that falls into a slot."""
    shift = max(0, (slot >> SUB_BITS) - 1)
    return (((slot - (shift << SUB_BITS)) + 1) << shift) - 1


def lowest(slot: int) -> int:
    """Return the lowest value >= 0 that falls into a slot."""
    shift = max(0, (slot >> SUB_BITS) - 1)
    return (slot - (shift << SUB_BITS)) << shift


class Packed(NamedTuple):
    """What a histogram holds, in little room: the slots that are not empty."""

    place: NDArray[np.int64]
    number: NDArray[np.int64]
    least: int | None
    most: int | None


class Histogram:
    """Counts of int64 samples, negative ones and zero included, in fixed memory (1 MB). Thread-safe.

    Two histograms add exactly, whatever way the samples were split; percentiles are never averaged.
    """

    def __init__(self) -> None:
        self._counts: NDArray[np.int64] = np.zeros(2 * SLOTS + 1, np.int64)
        self._least: int | None = None
        self._most: int | None = None
        self._waiting: list[NDArray[np.int64]] = []
        """Samples that are not counted yet."""
        self._many = 0
        """How many these are."""
        self._lock = threading.RLock()

    def record(self, samples_ns: ArrayLike) -> None:
        """Count one sample or an array of them, integer nanoseconds."""
        samples = np.array(samples_ns, dtype=np.int64, ndmin=1)
        with self._lock:
            self._waiting.append(samples)
            self._many += len(samples)
            if self._many >= AT_ONCE:
                self._count()

    def _count(self) -> NDArray[np.int64]:
        """Count the samples that wait, and return the counts."""
        with self._lock:
            if self._many:
                samples = np.concatenate(self._waiting)
                least, most = int(samples.min()), int(samples.max())
                self._least = least if self._least is None else min(self._least, least)
                self._most = most if self._most is None else max(self._most, most)
                # -2**63 has no positive twin in int64
                samples = np.maximum(samples, -np.iinfo(np.int64).max)
                np.add.at(self._counts, SLOTS + np.sign(samples) * slots(np.abs(samples)), 1)
            self._waiting.clear()
            self._many = 0
            return self._counts

    @property
    def min(self) -> int | None:
        """The least sample; None without samples."""
        self._count()
        return self._least

    @property
    def max(self) -> int | None:
        """The greatest sample; None without samples."""
        self._count()
        return self._most

    def __len__(self) -> int:
        """How many samples were recorded."""
        with self._lock:
            return int(self._count().sum())

    @property
    def zeros(self) -> int:
        """How many samples were exactly 0."""
        return int(self._count()[SLOTS])

    @property
    def negatives(self) -> int:
        """How many samples were below 0."""
        return int(self._count()[:SLOTS].sum())

    def percentile(self, percent: float) -> int | None:
        """Return the value that ``percent`` of the samples do not exceed, to three digits; None without samples."""
        return self._percentiles([percent])[0]

    def _percentiles(self, percents: list[float]) -> list[int | None]:
        with self._lock:
            summed = np.cumsum(self._count())
            least, most = self._least, self._most
        if least is None or most is None:
            return [None] * len(percents)
        total = int(summed[-1])
        # HdrHistogram's rank: the nearest whole sample, the first one at least
        ranks = [max(1, min(total, int(percent / 100 * total + 0.5))) for percent in percents]
        places = [int(place) - SLOTS for place in np.searchsorted(summed, ranks)]
        return [min(most, max(least, highest(p) if p >= 0 else -lowest(-p))) for p in places]

    def as_ms(self) -> dict[str, float | int | None]:
        """Return ``{p50, p90, p99, p999, p9999, max, count}`` in milliseconds; None where there are no samples."""
        values = self._percentiles(list(PERCENTILES.values()))
        found: dict[str, float | int | None] = {
            name: None if value is None else value / 1e6 for name, value in zip(PERCENTILES, values, strict=True)
        }
        found["max"] = None if self.max is None else self.max / 1e6
        found["count"] = len(self)
        return found

    def packed(self) -> Packed:
        """Return what it holds now."""
        with self._lock:
            counts = self._count()
            place = np.flatnonzero(counts)
            return Packed(place, counts[place], self._least, self._most)

    @classmethod
    def unpacked(cls, what: Packed) -> Self:
        """Return a histogram that holds the same."""
        found = cls()
        found._counts[what.place] = what.number
        found._least, found._most = what.least, what.most
        return found

    def __add__(self, other: Self) -> Histogram:
        total = Histogram()
        for part in (self, other):
            with part._lock:
                total._counts += part._count()
                total._least = min((v for v in (total._least, part._least) if v is not None), default=None)
                total._most = max((v for v in (total._most, part._most) if v is not None), default=None)
        return total

    def __sub__(self, earlier: Self) -> Histogram:
        """Return the samples that came since an earlier copy of this histogram; bounds to three digits."""
        rest = Histogram()
        rest._counts = self._count() - earlier._count()
        there = np.flatnonzero(rest._counts) - SLOTS
        if len(there):
            first, last = int(there[0]), int(there[-1])
            rest._least = lowest(first) if first >= 0 else -highest(-first)
            rest._most = highest(last) if last >= 0 else -lowest(-last)
        return rest

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        same = bool(np.array_equal(self._count(), other._count()))
        return same and (self.min, self.max) == (other.min, other.max)

    __hash__ = None  # type: ignore[assignment]  # it changes with every sample
