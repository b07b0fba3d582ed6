"""Power plants that are dispatched by the hour."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.roles.generator import Generator
from simulator.signals.device import Device, Track
from simulator.signals.rhythm import Rhythm, factor
from simulator.signals.sky import Sky

__all__ = ["GeneratorDevice"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
ISO_C = 15.0
"""Turbines are rated at 15 degrees (ISO 2314)."""
MINUTE_NS = 60_000_000_000


class GeneratorDevice(Device):
    """What a power plant feeds in, burns and gives off."""

    draws: ClassVar[bool] = True
    feeds: ClassVar[bool] = True

    def __init__(self, role: Generator, sky: Sky, running: Track) -> None:
        self._role = role
        self._sky = sky
        self._running = running
        self._rhythm = Rhythm.of(role, utc_offset_ns=sky.utc_offset_ns)

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return load, efficiency, fuel or CO2, held for a minute as its power is."""
        minute_ns = time_ns // MINUTE_NS * MINUTE_NS
        running = self._running.at(time_ns)
        share = self._share(minute_ns)
        efficiency = self._role.efficiency * (1.0 - self._role.part_load * 2.0 * (1.0 - share))
        fuel_kw = running * -self.watts(minute_ns) / 1000.0 / efficiency
        return {
            "share": running * share,
            "efficiency_pct": 100.0 * running * efficiency,
            "fuel_m3_h": fuel_kw / self._role.heating_kwh_m3,
            "co2_t_h": fuel_kw * self._role.co2_kg_kwh / 1000.0,
        }[shows]

    def _share(self, minute_ns: Ints) -> Floats:
        share = self._rhythm.at(minute_ns)
        return share * factor(self._role.times, self._sky.at(minute_ns)) if self._role.times else share

    def watts(self, minute_ns: Ints) -> Ints:
        """Return what it feeds in, below zero: it is the opposite of a load."""
        share = self._share(minute_ns)
        if self._role.per_degree:
            heat = np.maximum(self._sky.weather.at(minute_ns).temperature_c - ISO_C, 0.0)
            share = share * (1.0 - self._role.per_degree * heat)
        power: Ints = np.rint(-1000.0 * self._role.rated_kw * share).astype(np.int64)
        return power
