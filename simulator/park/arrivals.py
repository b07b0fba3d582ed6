"""Who comes when: a Poisson process whose rate follows the hours of the day.

Thinning (Lewis, Shedler 1979): candidates come at the highest rate of the day, and each of them stands with the chance
that the rate of its hour has.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.park.stops import whole_ms
from simulator.signals.rhythm import Rhythm

__all__ = ["arrivals"]

HOUR_NS = 3_600_000_000_000
BLOCK = 64


def arrivals(rhythm: Rhythm, *, highest_per_h: float, rng: np.random.Generator, from_ns: int) -> Iterator[int]:
    """Yield one instant after the other, ns; the values of ``rhythm`` are rates per hour, none above the highest."""
    at_ns = from_ns
    while highest_per_h > 0:
        gaps = rng.exponential(HOUR_NS / highest_per_h, BLOCK)
        chance = rng.random(BLOCK) * highest_per_h
        times = at_ns + np.cumsum([whole_ms(gap) for gap in gaps.tolist()], dtype=np.int64)
        at_ns = int(times[-1])
        yield from times[chance < rhythm.at(times)].tolist()
