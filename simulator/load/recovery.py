"""Recovery: how long after a disturbance a pipeline is as it was before, and what it lost meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from simulator.load.tally import Mark, Tally

__all__ = ["lost_between", "recovered_s"]

BEFORE_S = 5.0
"""How far back it is looked what is usual."""
UNUSUAL = 1.5
"""Times what usually waits, from which on more waits than before."""
MOMENT_S = 0.05
"""Messages of so long a time wait in any pipeline now and then."""
LATE_MS = 100.0
"""At p50, for a generator that was held up and has caught up."""


def recovered_s(marks: Sequence[Mark], from_s: float, to_s: float) -> float | None:
    """Return seconds from the end of a disturbance until no more waits than before it; None if that never came."""
    before = [mark for mark in marks if from_s - BEFORE_S <= mark.wall_s < from_s]
    usual = float(np.median([waiting(mark) for mark in before])) if before else 0.0
    rate = Tally(before[0], before[-1]).per_s("scheduled") if len(before) > 1 else 0.0
    limit = usual * UNUSUAL + rate * MOMENT_S + 1.0
    for earlier, mark in pairwise(marks):
        if mark.wall_s < to_s:
            continue
        late_ms = Tally(earlier, mark).percentile_ms("lateness", 50.0)
        if waiting(mark) <= limit and (late_ms is None or late_ms < LATE_MS):
            return max(0.0, mark.wall_s - to_s)
    return None


def waiting(mark: Mark) -> int:
    return mark.counts.in_flight - mark.counts.kept


def lost_between(marks: Sequence[Mark], from_s: float, to_s: float) -> int:
    """Return how many messages were lost or dropped between two instants, as far as it was known by the second one."""
    before = [mark for mark in marks if mark.wall_s <= from_s] or [marks[0]]
    after = [mark for mark in marks if mark.wall_s >= to_s] or [marks[-1]]
    tally = Tally(before[-1], after[0])
    return max(0, sum(tally.count(name) for name in ("dropped", "dead_lettered", "unaccounted")))
