"""What hangs over a site: its weather, its air, and the dust on its panels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.climate import Climate
from simulator.signals import solar
from simulator.signals.air_quality import AirQuality
from simulator.signals.weather import Weather

__all__ = ["Sky"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class Sky:
    """Weather, air and dust of one site, at any instants since 1970."""

    def __init__(self, climate: Climate, *, seed: int, site: str) -> None:
        self.utc_offset_ns = climate.utc_offset_ns
        self.weather = Weather(climate, seed=seed, site=site)
        self.air = AirQuality(climate, rain=self.weather.rain, seed=seed, site=site)
        self.soiling = solar.Soiling(self.weather.rain, utc_offset_ns=climate.utc_offset_ns)

    def shown(self, what: str, time_ns: Ints) -> Floats:
        """Return one quantity at int64[N] instants: the names and units of the weather model of sensors."""
        if what == "pm25":
            return self.air.pm25_ug_m3(time_ns)
        now = self.weather.at(time_ns)
        return {
            "temperature": now.temperature_c,
            "humidity": now.humidity_pct,
            "wet_bulb": now.wet_bulb_c,
            "rain": now.rain_mm_h,
            "irradiance": now.ghi_w_m2,
        }[what]

    def fed_in_w(self, time_ns: Ints, *, rated_kw: float) -> Ints:
        """Return the power of panels at int64[N] instants in whole W, below zero: it is the opposite of a load."""
        # It is asked for at the beginnings of few minutes, again and again.
        some_ns, which = np.unique(time_ns, return_inverse=True)
        now = self.weather.at(some_ns)
        power_kw = solar.power_kw(now.ghi_w_m2, now.temperature_c, rated_kw=rated_kw, clean=self.soiling.clean(some_ns))
        fed_in: Ints = np.rint(power_kw * 1000.0).astype(np.int64)
        return -fed_in[which]
