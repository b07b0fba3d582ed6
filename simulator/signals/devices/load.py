"""Electric loads that follow the hours of the day."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.roles.load import Load
from simulator.signals.device import Device
from simulator.signals.rhythm import Rhythm, factor
from simulator.signals.sky import Sky

__all__ = ["LoadDevice"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
COOL_C = 24.0
"""Below this nothing is cooled [E]."""


class LoadDevice(Device):
    """A load under the sky of its site."""

    draws: ClassVar[bool] = True

    def __init__(self, load: Load, sky: Sky) -> None:
        self._load = load
        self._sky = sky
        self._rhythm = Rhythm.of(load, utc_offset_ns=sky.utc_offset_ns)

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return the share of rated power."""
        share = self._rhythm.at(time_ns)
        if self._load.per_degree or self._load.times:
            now = self._sky.at(time_ns)
            heat = np.maximum(now.quantity("temperature") - COOL_C, 0.0)
            share = share * factor(self._load.times, now) * (1.0 + self._load.per_degree * heat)
        return share

    def watts(self, minute_ns: Ints) -> Ints:
        """Return the share of the minute's beginning in W."""
        power: Ints = np.rint(self.values("share", minute_ns) * self._load.rated_kw * 1000.0).astype(np.int64)
        return power
