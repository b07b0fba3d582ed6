"""Rounding: every reading lies on the grid of its instrument, so that every copy of it is the same decimal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Sensor

__all__ = ["Rounding"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class Rounding:
    """Resolution and range of some sensors."""

    def __init__(self, sensors: Sequence[Sensor]) -> None:
        self._scale = np.array([10.0**s.decimals for s in sensors])
        self._step = np.array([float(s.step) for s in sensors])
        # The range in steps of the resolution: what the instrument can show lies on its grid.
        to_steps = self._scale / self._step
        self._low = np.ceil(np.array([s.low for s in sensors]) * to_steps - 1e-9)
        self._high = np.floor(np.array([s.high for s in sensors]) * to_steps + 1e-9)
        self._whole = bool((self._step == 1.0).all())

    def apply(self, sensor: Ints, value: Floats) -> Floats:
        """Round the values of sensors, float64[N, K] for int64[N], in place."""
        scale, step = self._scale[sensor, None], self._step[sensor, None]
        value *= scale
        if not self._whole:
            value /= step
        np.rint(value, out=value)
        np.maximum(value, self._low[sensor, None], out=value)
        np.minimum(value, self._high[sensor, None], out=value)
        if not self._whole:
            value *= step
        value /= scale
        # Adding 0 turns -0 into 0.
        value += 0.0
        return value
