"""Fine dust in the air, PM2.5: season, course of the day, what storms wash out, and a lognormal wandering."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.climate import Climate
from simulator.signals.almanac import LocalTime, Seasonal
from simulator.signals.rain import Rain
from simulator.signals.streams import Stream
from simulator.signals.weather import Deviation

__all__ = ["AirQuality"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class AirQuality:
    """The air over one site; ``rain`` is that of its weather."""

    def __init__(self, climate: Climate, *, rain: Rain, seed: int, site: str) -> None:
        self._dust = climate.pm25
        self._offset_ns = climate.utc_offset_ns
        self._rain = rain
        self._deviation = Deviation(Stream(seed, site, "pm25"), tau_ns=self._dust.tau)
        dry = np.array(climate.normals.rain_mm) < self._dust.dry_month_mm
        factor = np.where(dry, self._dust.dry_season, self._dust.wet_season)
        self._season = Seasonal(factor.tolist())
        # The annual mean is to be the published one, after all factors; the mean of the lognormal wandering too.
        washed = 1.0 - (1.0 - self._dust.washout) * rain.mean_freshness()
        self._level = self._dust.mean_ug_m3 / float((factor * washed).mean()) * np.exp(-0.5 * self._dust.sigma**2)

    def pm25_ug_m3(self, time_ns: Ints) -> Floats:
        """Return the concentration at int64[N] instants in any order, none before 1970."""
        local = LocalTime.of(time_ns, utc_offset_ns=self._offset_ns)
        hour, storms = local.hour, self._rain.storms_at(local)
        course = 1.0 + self._dust.swing * np.cos((hour - self._dust.peak_hour) * (2.0 * np.pi / 24.0))
        washed = 1.0 - (1.0 - self._dust.washout) * self._rain.freshness(storms, hour)
        wander = np.exp(self._dust.sigma * self._deviation.at(time_ns))
        value: Floats = self._level * self._season.at(local.year_phase) * course * washed * wander
        return value
