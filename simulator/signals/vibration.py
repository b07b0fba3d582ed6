"""Vibration velocity of a machine with a bearing that wears.

After the first sign of a defect the velocity grows exponentially until failure: e^1.61 = 5 times the healthy value
over the whole warning time, from zone A to the border of zone D of ISO 10816-3 for a 15-300 kW machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ZONES_MM_S", "velocity_mm_s", "wear", "wear_at"]

Floats = NDArray[np.floating[Any]]

GROWTH = 1.61
ZONES_MM_S = {
    ("small", "rigid"): (1.4, 2.8, 4.5),
    ("small", "flexible"): (2.3, 4.5, 7.1),
    ("large", "rigid"): (2.3, 4.5, 7.1),
    ("large", "flexible"): (3.5, 7.1, 11.0),
}
"""ISO 10816-3, mm/s RMS: where zones B, C and D begin; small is 15-300 kW, large is above [V2]."""


def wear(age_s: Floats, *, onset_s: Floats, warning_s: Floats) -> Floats:
    """Return how far the bearing is on its way from the first sign (0) to failure (1); it may run past 1."""
    share: Floats = np.maximum(0.0, age_s - onset_s) / warning_s
    return share


def velocity_mm_s(
    load: Floats,
    wear_share: Floats,
    *,
    base_mm_s: Floats,
    scatter: Floats,
    noise: Floats,
) -> Floats:
    """Return mm/s RMS: base (.6 + .4 load) e^(1.61 wear), with lognormal scatter from unit-variance ``noise``."""
    return base_mm_s * (0.6 + 0.4 * load) * np.exp(GROWTH * wear_share + scatter * noise)


def wear_at(velocity: float, *, healthy_mm_s: float) -> float:
    """Return how far the bearing is on its way when the velocity comes to so many mm/s, from 0 to 1."""
    return float(np.clip(np.log(velocity / healthy_mm_s) / GROWTH, 0.0, 1.0))
