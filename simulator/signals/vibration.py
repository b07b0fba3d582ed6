"""Vibration velocity of a machine with a bearing that wears.

After the first sign of a defect the velocity grows exponentially until failure: e^1.61 = 5 times the healthy value
over the whole warning time, from zone A to the border of zone D of ISO 10816-3 for a 15-300 kW machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["velocity_mm_s", "wear"]

Floats = NDArray[np.floating[Any]]

GROWTH = 1.61


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
