"""First-order thermal lag, exact while its target is constant."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["lag"]

Floats = NDArray[np.floating[Any]]


def lag(
    start: Floats,
    target: Floats,
    *,
    elapsed_s: Floats,
    tau_s: Floats,
) -> Floats:
    """Return the value ``elapsed_s`` after ``start``: T∞ + (T0 - T∞) e^(-t/τ), the solution of dT/dt = (T∞ - T)/τ."""
    value: Floats = target + (start - target) * np.exp(-elapsed_s / tau_s)
    return value
