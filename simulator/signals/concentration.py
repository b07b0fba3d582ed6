"""What an analyser finds in water or gas: a lognormal value with a given mean and standard deviation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["concentration"]

Floats = NDArray[np.floating[Any]]


def concentration(mean: Floats, *, sigma: Floats, noise: Floats) -> Floats:
    """Return concentrations in the unit of ``mean``, which is above 0, from unit-variance ``noise``.

    Lognormal, as pollutants are (Ott 1990, "A physical explanation of the lognormality of pollutant concentrations"):
    never negative, and with exactly this mean and standard deviation.
    """
    variance = np.log1p((sigma / mean) ** 2)
    value: Floats = mean * np.exp(np.sqrt(variance) * noise - variance / 2.0)
    return value
