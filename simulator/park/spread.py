"""How long things take that happen at a site: evenly spread between two bounds, or exponential."""

from __future__ import annotations

import numpy as np

from simulator.park.stops import whole_ms

__all__ = ["between_ns", "exponential_ns"]


def between_ns(rng: np.random.Generator, shortest_ns: int, longest_ns: int) -> int:
    """Draw a duration between two bounds, any as likely."""
    return whole_ms(shortest_ns + (longest_ns - shortest_ns) * rng.random())


def exponential_ns(rng: np.random.Generator, mean_ns: float) -> int:
    """Draw a duration without memory."""
    return whole_ms(rng.exponential(mean_ns))
