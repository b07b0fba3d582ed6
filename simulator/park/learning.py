"""How people learn by doing, forget, and what their skill does to their work.

Wright 1936: the n-th repetition takes t1 n^(log2 r), so each doubling takes r times as long; here never less than 0.6
t1. Skill s in [0, 1] has two parts: three quarters are routine, which grows with repetitions along Wright's curve, and
a quarter is schooling, which only courses give. A crew of s = 0.75, all routine and no schooling, works as the machine
types say.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FLOOR",
    "REPAIR_RATE",
    "ROUTINE_SHARE",
    "WORK_RATES",
    "defect_factor",
    "forgotten",
    "repair_factor",
    "repetitions",
    "routine",
    "set_up_factor",
    "skill",
    "wright",
]

Floats = NDArray[np.floating[Any]]

FLOOR = 0.6
"""The shortest time, in times of the first [E]."""
ROUTINE_SHARE = 0.75
"""Of skill, that routine alone can reach [E]."""
REPAIR_RATE = 0.85
WORK_RATES = {"assembly": 0.80, "machine-paced": 0.90}
"""r of Wright's curve by what people do [M]."""


def wright(n: Floats, *, rate: float) -> Floats:
    """Return the time that repetition ``n`` >= 1 takes, in times of the first."""
    time: Floats = np.maximum(n ** math.log2(rate), FLOOR)
    return time


def repetitions(routine_share: Floats, *, rate: float) -> Floats:
    """Return the number of repetitions that gives so much routine, in [0, 1]; the inverse of ``routine``."""
    times: Floats = (1.0 - (1.0 - FLOOR) * routine_share) ** (1.0 / math.log2(rate))
    return times


def routine(n: Floats, *, rate: float) -> Floats:
    """Return how far people have come on Wright's curve: 0 at the first repetition, 1 where it ends."""
    return (1.0 - wright(n, rate=rate)) / (1.0 - FLOOR)


def skill(routine_share: Floats, schooling: Floats) -> Floats:
    """Return skill s in [0, 1]."""
    s: Floats = ROUTINE_SHARE * routine_share + (1.0 - ROUTINE_SHARE) * schooling
    return s


def forgotten(amount: Floats, *, days: float, half_life_days: float, least: float = 0.0) -> Floats:
    """Return what is left of repetitions or schooling after days without use; what lies above ``least`` is halved."""
    left: Floats = least + (amount - least) * 0.5 ** (days / half_life_days)
    return left


def repair_factor(s: float) -> float:
    """Return how many times as long a repair takes at skill s: 1 at 0.75 [E]."""
    return 1.6 - 0.8 * s


def defect_factor(s: float) -> float:
    """Return how many times as many pieces are bad at skill s: 1 at 0.8 [E]."""
    return 1.8 - s


def set_up_factor(s: float) -> float:
    """Return how many times as long a set-up takes at skill s: 1 at 0.83 [E]."""
    return 1.5 - 0.6 * s
