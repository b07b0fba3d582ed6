"""Windows: how much of a park is made at once."""

from __future__ import annotations

from simulator.batch import Catalog
from simulator.clock import SECOND_NS

__all__ = ["AHEAD", "FAST_PER_S", "LONGEST_WINDOW_NS", "READINGS_AT_ONCE", "sampled_per_s", "window_ns"]

WINDOW_NS = SECOND_NS
"""Wall time that a window of a paced run covers."""
STEERED_NS, FAST_STEERED_NS = SECOND_NS // 4, SECOND_NS // 2
"""The same of a run that may be steered: what is ordered holds from the next window on that is made. A window has its
price whatever is in it, which counts where a park is large."""
FAST_PER_S = 10_000
"""Readings a second of wall time, from which on a live park has a process of its own."""
LONGEST_WINDOW_NS = 60 * SECOND_NS
"""Simulated time that a window covers at most."""
READINGS_AT_ONCE = 50_000
"""Of a window, where a park speaks so fast that a shorter one would do: enough to make each step of the work cheap, few
enough for the caches, and for whoever sends meanwhile to get his turn."""
AHEAD = 4
"""Windows that exist at most beside the one that leaves: one made, two handed over, one ready."""
MILLISECOND_NS = 1_000_000


def sampled_per_s(catalog: Catalog) -> float:
    """Return how many readings a simulated second brings, those per cycle and on change left out."""
    return sum(SECOND_NS / sensor.period_ns for sensor in catalog.sensors if sensor.period_ns)


def window_ns(speed: float | None, readings_per_s: float, *, is_steerable: bool = False) -> int:
    """Return how much simulated time is made at once, in whole milliseconds."""
    wall_ns = WINDOW_NS
    if is_steerable and speed is not None:
        wall_ns = FAST_STEERED_NS if readings_per_s * speed >= FAST_PER_S else STEERED_NS
    wanted_ns = LONGEST_WINDOW_NS if speed is None else min(LONGEST_WINDOW_NS, round(wall_ns * speed))
    enough_ns = round(READINGS_AT_ONCE / readings_per_s * SECOND_NS) if readings_per_s else LONGEST_WINDOW_NS
    return max(MILLISECOND_NS, min(wanted_ns, enough_ns) // MILLISECOND_NS * MILLISECOND_NS)
