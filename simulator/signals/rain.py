"""Rain: which days are wet, and the one storm in which a wet day's rain falls.

Days are wet by a two-state Markov chain that begins anew, in its stationary law, with each calendar month, so that a
month can be drawn without those before it and has the normal number of wet days on average. The depth of a wet day is
the least that counts plus a gamma variable. It falls in one afternoon storm, which comes on quickly and fades: its
intensity has the form of a beta(2, 4) density.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from simulator.scenario.climate import Climate
from simulator.signals.almanac import LocalTime, hours, month_of
from simulator.signals.streams import Stream

__all__ = ["Rain", "Storms"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

KEEP, FRESH, DEPTH, START, DROP = range(5)
"""Uniform numbers of a day: whether it is as the day before, and else whether it is wet; its storm."""
MONTHS_KEPT = 24
LEVELS = (np.arange(64) + 0.5) / 64
"""Quantiles at which expectations over the depth of a wet day are taken."""


@dataclass(frozen=True)
class Storms:
    """The storm of each day, float64[D] each; a dry day has depth and drop 0."""

    depth_mm: Floats
    start_h: Floats
    """Hours after local midnight."""
    length_h: Floats
    drop_c: Floats

    def on(self, index: Ints) -> Storms:
        """Return the storms of chosen days."""
        return Storms(self.depth_mm[index], self.start_h[index], self.length_h[index], self.drop_c[index])

    @property
    def end_h(self) -> Floats:
        """Hours after local midnight."""
        return self.start_h + self.length_h


class Rain:
    """The rain of one site, on any day since 1970."""

    def __init__(self, climate: Climate, *, seed: int, site: str) -> None:
        self._climate = climate
        self._stream = Stream(seed, site, "rain")
        normals = climate.normals
        self._wet = np.array(normals.wet_share)
        wet_days = np.maximum(np.array(normals.wet_days), 1e-9)
        # What a wet day has beyond the least that makes it one.
        self._more_mm = np.maximum(np.array(normals.rain_mm) / wet_days - climate.rain.least_mm, 0.0)
        self._months: dict[int, NDArray[np.float64]] = {}

    def _depth_mm(self, month: Ints | int, level: Floats) -> Floats:
        """Return quantiles of the depth of a wet day."""
        rain = self._climate.rain
        depth: Floats = rain.least_mm + self._more_mm[month] * gammaincinv(rain.shape, level) / rain.shape
        return depth

    def _length_h(self, depth_mm: Floats) -> Floats:
        storm = self._climate.storm
        length = hours(storm.shortest) + depth_mm / storm.mm_per_hour
        shorter: Floats = np.minimum(length, hours(storm.longest))
        return shorter

    def _month(self, month: int) -> NDArray[np.float64]:
        """Return float64[4, 31]: the storms of a month, in the order of the columns of Storms."""
        if month not in self._months:
            climate, season = self._climate, month % 12
            draw = self._stream.epoch(month).random((5, 31))
            fresh = draw[KEEP] >= climate.rain.persistence
            fresh[0] = True
            # A day either is as the day before or is drawn afresh: a Markov chain with that correlation.
            drawn = np.maximum.accumulate(np.where(fresh, np.arange(31), 0))
            wet = (draw[FRESH] < self._wet[season])[drawn]
            depth = np.where(wet, self._depth_mm(season, draw[DEPTH]), 0.0)
            length = self._length_h(depth)
            storm = climate.storm
            start = storm.from_hour + draw[START] * (storm.until_hour - storm.from_hour - length)
            low, high = storm.drop_c
            drop = np.where(wet, low + draw[DROP] * (high - low), 0.0)
            if len(self._months) >= MONTHS_KEPT:
                del self._months[next(iter(self._months))]
            self._months[month] = np.stack([depth, start, length, drop])
        return self._months[month]

    def storms(self, day: Ints) -> Storms:
        """Return the storms of days since 1970 in local time, int64[D] in any order."""
        month, at, _ = month_of(day)
        table = np.empty((4, len(day)))
        for one in np.unique(month).tolist():
            mine = month == one
            table[:, mine] = self._month(one)[:, at[mine]]
        return Storms(*table)

    def storms_at(self, local: LocalTime) -> Storms:
        """Return the storm of the day of each instant."""
        days = local.days
        return self.storms(days).on(local.day - days[0]) if len(days) else self.storms(days)

    def falling_mm_h(self, storms: Storms, hour: Floats) -> Floats:
        """Return the intensity at hours of the days of these storms, float64[N] all."""
        into = np.clip((hour - storms.start_h) / storms.length_h, 0.0, 1.0)
        left = 1.0 - into
        intensity: Floats = storms.depth_mm / storms.length_h * 20.0 * into * (left * left * left)
        return intensity

    def freshness(self, storms: Storms, hour: Floats) -> Floats:
        """Return how far the storm has changed the air: 0 before it, 1 once it has cooled, and back to 0 after it."""
        storm = self._climate.storm
        came = smooth((hour - storms.start_h) / hours(storm.fall))
        went = smooth((hour - storms.end_h) / hours(storm.recovery))
        return np.where(storms.depth_mm > 0, came * (1.0 - went), 0.0)

    def chance(self, hour: Floats) -> Floats:
        """Return the chance that it rains at these hours of a day in each month, float64[12, H]."""
        storm = self._climate.storm
        length = self._length_h(self._depth_mm(np.arange(12)[:, None], LEVELS))[:, :, None]
        room = storm.until_hour - storm.from_hour - length
        begun = np.clip((hour - storm.from_hour) / room, 0.0, 1.0)
        ended = np.clip((hour - storm.from_hour - length) / room, 0.0, 1.0)
        chance: Floats = self._wet[:, None] * (begun - ended).mean(axis=1)
        return chance

    def mean_freshness(self) -> Floats:
        """Return the mean of ``freshness`` over each month, float64[12]."""
        storm = self._climate.storm
        length = self._length_h(self._depth_mm(np.arange(12)[:, None], LEVELS)).mean(axis=1)
        mean: Floats = self._wet * (length + (hours(storm.recovery) - hours(storm.fall)) / 2) / 24
        return mean


def smooth(share: Floats) -> Floats:
    """Return 0 below 0, 1 above 1, and a cubic without kinks between them."""
    x = np.clip(share, 0.0, 1.0)
    value: Floats = x * x * (3.0 - 2.0 * x)
    return value
