"""What a chiller plant shows: the temperatures of its loop, the heat that it carries, and what the weather costs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.roles.chiller import Chiller
from simulator.signals.cooling import chillers_running, cop, part_load
from simulator.signals.device import Device
from simulator.signals.reservoir import Reservoir
from simulator.signals.sky import Sky

__all__ = ["WARMEST_K", "ChillerDevice"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
MINUTE_NS = 60_000_000_000
WARMEST_K = 20.0
"""A loop that nobody cools warms by so much, and then loses to its surroundings what it takes up [E]."""
KW_PER_M3_H_K = 4.186 / 3.6


class ChillerDevice(Device):
    """A plant of some equal chillers, each rated for ``unit_kw``; ``cooled`` are the devices that give it heat."""

    draws: ClassVar[bool] = True

    def __init__(self, plant: Chiller, loop: Reservoir, cooled: Sequence[Device], sky: Sky, *, unit_kw: float) -> None:
        self._plant = plant
        self._loop = loop
        self._cooled = cooled
        self._sky = sky
        self._unit_kw = unit_kw
        self._fixed_kw = sum(device.rated_cooling_kw for device in cooled)

    def heat_kw(self, time_ns: Ints) -> Floats:
        """Return the heat that it carries, float64[N]; that of devices is held for a minute."""
        given = self._loop.given(time_ns)
        if not self._cooled:
            return given
        minute_ns = time_ns // MINUTE_NS * MINUTE_NS
        devices_kw = sum((device.cooling_kw(minute_ns) for device in self._cooled), np.zeros(len(time_ns)))
        carried = np.minimum(given - self._fixed_kw + devices_kw, self._unit_kw * self._plant.chillers)
        return np.where(given > 0.0, np.maximum(carried, 0.0), 0.0)

    def cop(self, time_ns: Ints) -> Floats:
        """Return heat carried per power of the chillers, in the weather and at the part load of the instant."""
        share = self.heat_kw(time_ns) / (self._unit_kw * self._plant.chillers)
        each = part_load(share, installed=self._plant.chillers)
        return cop(self._sky.weather.at(time_ns).wet_bulb_c, each)

    def watts(self, minute_ns: Ints) -> Ints:
        """Return what chillers, pumps and towers draw at the beginning of each minute."""
        heat_kw = self.heat_kw(minute_ns)
        kw = heat_kw / self.cop(minute_ns) + self._plant.auxiliary * heat_kw
        power: Ints = np.rint(kw * 1000.0).astype(np.int64)
        return power

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return Cel, kW, m3/h, the COP, how many chillers run, or the wet bulb."""
        if shows == "wet_bulb":
            return self._sky.weather.at(time_ns).wet_bulb_c
        heat_kw = self.heat_kw(time_ns)
        share = heat_kw / (self._unit_kw * self._plant.chillers)
        least, most = self._plant.rise_c
        rise_c = least + (most - least) * np.minimum(share, 1.0)
        supply_c = self._plant.supply_c + WARMEST_K - self._loop.level(time_ns)
        if shows == "cop":
            return np.where(heat_kw > 0.0, self.cop(time_ns), 0.0)
        shown: dict[str, Floats] = {
            "supply": supply_c,
            # Without pumps it is all one water.
            "return": np.where(heat_kw > 0.0, supply_c + rise_c, supply_c),
            "heat": heat_kw,
            "flow": heat_kw / (rise_c * KW_PER_M3_H_K),
            "running": np.where(heat_kw > 0.0, chillers_running(share, installed=self._plant.chillers), 0.0),
        }
        return shown[shows]
