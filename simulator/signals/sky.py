"""What hangs over a site: its weather, its air, and the dust on its panels."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.climate import Climate
from simulator.signals import solar, weather
from simulator.signals.air_quality import AirQuality

__all__ = ["Sky"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class Outdoors:
    """What is outdoors at some instants; only what is asked for is worked out, and once."""

    def __init__(self, outside: weather.Weather, air: AirQuality, time_ns: Ints) -> None:
        self._weather = outside
        self._air = air
        self._time_ns = time_ns

    @cached_property
    def _now(self) -> weather.Sky:
        return self._weather.at(self._time_ns)

    @cached_property
    def _pm25(self) -> Floats:
        return self._air.pm25_ug_m3(self._time_ns)

    def quantity(self, name: str) -> Floats:
        """Return one of them, float64[N], by the names of sensors and scenarios: Cel, %, Cel, mm/h, W/m2, ug/m3."""
        if name == "pm25":
            return self._pm25
        now = self._now
        found: Floats = {
            "temperature": now.temperature_c,
            "humidity": now.humidity_pct,
            "wet_bulb": now.wet_bulb_c,
            "rain": now.rain_mm_h,
            "irradiance": now.ghi_w_m2,
        }[name]
        return found


class Sky:
    """Weather, air and dust of one site, at any instants since 1970."""

    def __init__(self, climate: Climate, *, seed: int, site: str) -> None:
        self.utc_offset_ns = climate.utc_offset_ns
        self.weather = weather.Weather(climate, seed=seed, site=site)
        self.air = AirQuality(climate, rain=self.weather.rain, seed=seed, site=site)
        self.soiling = solar.Soiling(self.weather.rain, utc_offset_ns=climate.utc_offset_ns)
        self._minutes = b""
        self._of_minutes: weather.Sky | None = None

    def of_minutes(self, minute_ns: Ints) -> weather.Sky:
        """Return the weather at the beginnings of minutes; all devices of a site ask for the same ones in a window."""
        asked = minute_ns.tobytes()
        if self._of_minutes is None or asked != self._minutes:
            self._minutes, self._of_minutes = asked, self.weather.at(minute_ns)
        return self._of_minutes

    def at(self, time_ns: Ints) -> Outdoors:
        """Return what is outdoors at int64[N] instants."""
        return Outdoors(self.weather, self.air, time_ns)

    def shown(self, what: str, time_ns: Ints) -> Floats:
        """Return one quantity at int64[N] instants."""
        return self.at(time_ns).quantity(what)

    def fed_in_w(self, time_ns: Ints, *, rated_kw: float) -> Ints:
        """Return the power of panels at int64[N] instants in whole W, below zero: it is the opposite of a load."""
        # It is asked for at the beginnings of few minutes, again and again.
        some_ns, which = np.unique(time_ns, return_inverse=True)
        now = self.weather.at(some_ns)
        power_kw = solar.power_kw(now.ghi_w_m2, now.temperature_c, rated_kw=rated_kw, clean=self.soiling.clean(some_ns))
        fed_in: Ints = np.rint(power_kw * 1000.0).astype(np.int64)
        return -fed_in[which]
