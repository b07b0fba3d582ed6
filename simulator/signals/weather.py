"""The weather of a site at any instant since 1970, from the climate of the place.

Everything in it can be reached without what lies before it, and depends on the seed, the site and the instant alone:
neither the window that is read nor the beginning of a run changes a bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.climate import Climate
from simulator.signals.almanac import LocalTime, Seasonal
from simulator.signals.cloud import Cloud
from simulator.signals.noise import Noise
from simulator.signals.rain import Rain
from simulator.signals.solar import clear_sky_w_m2, cos_zenith
from simulator.signals.streams import Stream

__all__ = ["Deviation", "Sky", "Weather", "saturation_hpa", "wet_bulb_c"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

GRID_NS = 600_000_000_000
"""Ten minutes: the grid on which slow deviations are drawn; between its points they run straight."""
MOST_HUMID_PCT = 99.0


@dataclass(frozen=True)
class Sky:
    """The weather at some instants, float64[N] each."""

    temperature_c: Floats
    humidity_pct: Floats
    wet_bulb_c: Floats
    rain_mm_h: Floats
    ghi_w_m2: Floats
    """Global horizontal irradiance."""


ANSWERS_KEPT, MOST_KEPT = 8, 4_096
"""How many answers the weather remembers, and for how many instants each at most."""


class Deviation:
    """Unit-variance AR(1) deviation of one site from its normal course, since 1970."""

    def __init__(self, stream: Stream, *, tau_ns: int) -> None:
        self._noise = Noise([(stream, 1)], np.array([math.exp(-GRID_NS / tau_ns)]), first_index=0)

    def at(self, time_ns: Ints) -> Floats:
        """Return float64[N]; raises ValueError for instants before 1970."""
        if not len(time_ns):
            return np.empty(0)
        before, into = np.divmod(time_ns, GRID_NS)
        first = int(before.min())
        knots = self._noise.window(first, int(before.max()) + 2)[:, 0]
        left, right = knots[before - first], knots[before - first + 1]
        value: Floats = left + (right - left) * (into / GRID_NS)
        return value


class Weather:
    """The weather of one site. Sites have weather of their own, also under one climate."""

    def __init__(self, climate: Climate, *, seed: int, site: str) -> None:
        self._climate = climate
        self._known: dict[bytes, Sky] = {}
        self.rain = Rain(climate, seed=seed, site=site)
        self._cloud = Cloud(climate, rain=self.rain, seed=seed, site=site)
        self._deviation = Deviation(Stream(seed, site, "temperature"), tau_ns=climate.temperature.tau)
        normals = climate.normals
        self._highest, self._lowest = Seasonal(normals.highest_c), Seasonal(normals.lowest_c)
        self._dew_point = Seasonal(normals.dew_point_c)

    def at(self, time_ns: Ints) -> Sky:
        """Return the weather at int64[N] instants in any order, none before 1970; its arrays are not to be written.

        The cost grows with the time from the earliest to the latest of them. Many ask for the same instants, so the
        last few answers are kept.
        """
        if len(time_ns) > MOST_KEPT:
            return self._work_out(time_ns)
        key = time_ns.tobytes()
        if key not in self._known:
            if len(self._known) >= ANSWERS_KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = self._work_out(time_ns)
        return self._known[key]

    def _work_out(self, time_ns: Ints) -> Sky:
        local = LocalTime.of(time_ns, utc_offset_ns=self._climate.utc_offset_ns)
        hour = local.hour
        storms = self.rain.storms_at(local)
        rain = self.rain.falling_mm_h(storms, hour)
        temperature = (
            self._undisturbed_c(local.year_phase, hour)
            + self._climate.temperature.sigma_c * self._deviation.at(time_ns)
            - storms.drop_c * self.rain.freshness(storms, hour)
        )
        humidity = relative_humidity_pct(temperature, self._dew_point.at(local.year_phase))
        return Sky(
            temperature_c=temperature,
            humidity_pct=humidity,
            wet_bulb_c=wet_bulb_c(temperature, humidity),
            rain_mm_h=rain,
            ghi_w_m2=self._clear_sky(time_ns) * self._cloud.transmission(local, rain > 0),
        )

    def _undisturbed_c(self, year_phase: Floats, hour: Floats) -> Floats:
        """Return the mean of the season plus half the daily range times a cosine."""
        high, low = self._highest.at(year_phase), self._lowest.at(year_phase)
        course = np.cos((hour - self._climate.temperature.warmest_hour) * (2.0 * np.pi / 24.0))
        value: Floats = 0.5 * (high + low) + 0.5 * (high - low) * course
        return value

    def _clear_sky(self, time_ns: Ints) -> Floats:
        place = self._climate
        return clear_sky_w_m2(cos_zenith(time_ns, latitude=place.latitude, longitude=place.longitude))


def saturation_hpa(temperature_c: Floats) -> Floats:
    """Return the saturation vapour pressure over water: 6.112 e^(17.62 T / (243.12 + T)) (WMO-No. 8, Magnus)."""
    pressure: Floats = 6.112 * np.exp(17.62 * temperature_c / (243.12 + temperature_c))
    return pressure


def relative_humidity_pct(temperature_c: Floats, dew_point_c: Floats) -> Floats:
    """Return 100 es(Td) / es(T), at most 99."""
    return np.minimum(100.0 * saturation_hpa(dew_point_c) / saturation_hpa(temperature_c), MOST_HUMID_PCT)


def wet_bulb_c(temperature_c: Floats, humidity_pct: Floats) -> Floats:
    """Return the wet-bulb temperature at sea level, never above the dry one.

    Stull 2011, "Wet-Bulb Temperature from Relative Humidity and Air Temperature", Journal of Applied Meteorology and
    Climatology 50; for 5 to 99 % and -20 to 50 degrees, within -1 and +.65 degrees.
    """
    value: Floats = (
        temperature_c * np.arctan(0.151977 * np.sqrt(humidity_pct + 8.313659))
        + np.arctan(temperature_c + humidity_pct)
        - np.arctan(humidity_pct - 1.676331)
        + 0.00391838 * humidity_pct * np.sqrt(humidity_pct) * np.arctan(0.023101 * humidity_pct)
        - 4.686035
    )
    return np.where(value < temperature_c, value, temperature_c)
