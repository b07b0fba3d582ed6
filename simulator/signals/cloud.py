"""Clouds: a sky of two states, clear and overcast, that lets the month's share of the sun through on average.

The state is drawn afresh at 48 random instants of each local day (with the default correlation time of 30 minutes)
and at its beginning, which is at night: a two-state Markov process with that correlation time, in which a day can be
drawn without those before it. While it rains the sky is overcast; the chance of a clear sky at all other times is
such that the expected energy of the month is its share of the clear-sky energy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.climate import Climate
from simulator.signals.almanac import DAY_NS, HOUR_NS, LocalTime, month_of
from simulator.signals.rain import Rain
from simulator.signals.solar import clear_sky_w_m2, cos_zenith
from simulator.signals.streams import Stream

__all__ = ["Cloud"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

DAYS_KEPT = 32
MID_MONTH = np.arange("2001-01", "2002-01", dtype="datetime64[M]").astype("datetime64[D]") + 14
"""A day that stands for its month; in which year hardly matters to the course of the sun."""


class Cloud:
    """The sky over one site."""

    def __init__(self, climate: Climate, *, rain: Rain, seed: int, site: str) -> None:
        self._stream = Stream(seed, site, "cloud")
        self._clear, self._overcast = climate.cloud.clear, climate.cloud.overcast
        self._changes = max(round(DAY_NS / climate.cloud.tau), 1)
        self._chance = self._clear_chance(climate, rain)
        self._days: dict[int, tuple[Ints, NDArray[np.bool_]]] = {}

    def _clear_chance(self, climate: Climate, rain: Rain) -> Floats:
        """Return the chance of a clear sky when it does not rain, float64[12]."""
        hour = (np.arange(288) + 0.5) / 12.0
        midnight = MID_MONTH.astype("datetime64[ns]").astype(np.int64) - climate.utc_offset_ns
        time_ns = midnight[:, None] + (hour * HOUR_NS).astype(np.int64)
        sun = clear_sky_w_m2(cos_zenith(time_ns, latitude=climate.latitude, longitude=climate.longitude))
        rainy = (sun * rain.chance(hour)).sum(axis=1) / sun.sum(axis=1)
        beyond = (np.array(climate.normals.sun) - self._overcast) / (self._clear - self._overcast)
        chance: Floats = np.clip(beyond / (1.0 - rainy), 0.0, 1.0)
        return chance

    def _day(self, day: int, month: int) -> tuple[Ints, NDArray[np.bool_]]:
        """Return the instants of a day at which the state is drawn, in ns, and whether the sky is clear from there."""
        if day not in self._days:
            draw = self._stream.epoch(day).random((2, self._changes + 1))
            draw[0, 0] = 0.0
            since = np.sort((draw[0] * DAY_NS).astype(np.int64))
            if len(self._days) >= DAYS_KEPT:
                del self._days[next(iter(self._days))]
            self._days[day] = since + day * DAY_NS, draw[1] < self._chance[month % 12]
        return self._days[day]

    def transmission(self, local: LocalTime, raining: NDArray[np.bool_]) -> Floats:
        """Return the share of clear-sky irradiance that passes, float64[N]."""
        if not len(local.day):
            return np.empty(0)
        days = local.days
        drawn = [self._day(*one) for one in zip(days.tolist(), month_of(days)[0].tolist(), strict=True)]
        since = np.concatenate([one[0] for one in drawn])
        clear = np.concatenate([one[1] for one in drawn])
        now = local.day * DAY_NS + local.since_midnight_ns
        shines = clear[np.searchsorted(since, now, side="right") - 1] & ~raining
        return np.where(shines, self._clear, self._overcast)
