"""Departures: when each message was sent, for as long as anybody may ask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.results.histogram import Histogram

__all__ = ["Departures", "FromSending"]

Ints = NDArray[np.int64]
MOST_KEPT = 1 << 21
"""Instants in all, 32 MB with their numbers."""
MOST_EACH, LEAST_EACH = 4_096, 16
"""Of one asset: the latest ones."""
NEVER = np.iinfo(np.int64).min


class Departures:
    """The instants at which the latest messages of each asset were handed over; fixed memory.

    Written by who sends, read by others: an entry is an instant and a number, and the number is written last.
    """

    def __init__(self, assets: int) -> None:
        fits = max(1, MOST_KEPT // max(1, assets)).bit_length() - 1
        self.each = min(MOST_EACH, max(LEAST_EACH, 1 << fits))
        self._at_ns: Ints = np.zeros((assets, self.each), dtype=np.int64)
        self._seq: Ints = np.full((assets, self.each), NEVER, dtype=np.int64)

    def note(self, asset: Ints, seq: Ints, at_ns: int) -> None:
        """Keep that messages leave now; an attempt that is repeated takes the place of the one before."""
        place = seq & (self.each - 1)
        self._at_ns[asset, place] = at_ns
        self._seq[asset, place] = seq

    def of(self, asset: Ints, seq: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """Return the monotonic instants of messages, int64[N], and which of them are known, bool[N]."""
        place = seq & (self.each - 1)
        return self._at_ns[asset, place], self._seq[asset, place] == seq


class FromSending:
    """Latencies from the moment a message was sent, nanoseconds: uncorrected for what waited to be sent.

    A generator that waits for a slow pipeline sends less while it is slow, and so sees little of it. These are shown
    beside those that run from the due time, so that the difference can be seen; nothing is judged by them.
    """

    def __init__(self, assets: int) -> None:
        self.departures = Departures(assets)
        self.publish = Histogram()
        self.broker = Histogram()
        self.end_to_end = Histogram()

    def record(self, histogram: Histogram, asset: Ints, seq: Ints, at_ns: Ints | int) -> None:
        """Count how long after they were sent some messages came to a hop; those not remembered are left out."""
        sent_ns, is_known = self.departures.of(asset, seq)
        histogram.record((at_ns - sent_ns)[is_known])

    def as_ms(self) -> dict[str, dict[str, float | int | None]]:
        """Return ``latency_from_sent_ms`` of the result."""
        return {name: found.as_ms() for name, found in vars(self).items() if isinstance(found, Histogram)}
