"""Greenhouses: the light of a day decides when they are watered, so a day is laid out as a whole, minute by minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.roles.greenhouse import Greenhouse
from simulator.signals.almanac import DAY_NS
from simulator.signals.device import Device
from simulator.signals.sky import Sky

__all__ = ["GreenhouseDevice"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
MINUTE_NS = 60_000_000_000
DAY_MIN = 1440
KEPT_DAYS = 4


@dataclass(frozen=True)
class Day:
    """One local day, a number for each minute of it: float64[1440]."""

    light_sum: Floats
    """J/m2 since midnight."""
    waterings: Floats
    """Begun since midnight."""
    valve: Floats
    """1 while water flows."""
    thirst: Floats
    """What the plants have drunk since the last watering, as a share of what they drink between two."""


class GreenhouseDevice(Device):
    """A greenhouse under the sky of its site. It depends on the instant alone, as the weather does."""

    draws: ClassVar[bool] = True

    def __init__(self, role: Greenhouse, sky: Sky) -> None:
        self._role = role
        self._sky = sky
        self._days: dict[int, Day] = {}

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return a quantity of the minute that each instant lies in."""
        day, since = np.divmod(time_ns + self._sky.utc_offset_ns, DAY_NS)
        minute = since // MINUTE_NS
        result = np.empty(len(time_ns))
        for number in np.unique(day).tolist():
            mine = day == number
            result[mine] = self._shown(shows, self._day(number))[minute[mine]]
        return result

    def watts(self, minute_ns: Ints) -> Ints:
        """Return what pump, fans and controls draw."""
        kw = self._role.base_kw + self._role.pump_kw * self.values("valve", minute_ns)
        power: Ints = np.rint(1000.0 * kw).astype(np.int64)
        return power

    def _shown(self, shows: str, day: Day) -> Floats:
        role = self._role
        match shows:
            case "soil_pct":
                return role.soil - role.drop * day.thirst
            case "ec":
                return role.ec + role.ec_rise * day.thirst
            case "flow":
                return role.litres_min * day.valve
        return {"valve": day.valve, "waterings": day.waterings, "light_sum": day.light_sum}[shows]

    def _day(self, number: int) -> Day:
        if number not in self._days:
            self._days[number] = self._laid_out(number)
            for old in sorted(self._days)[:-KEPT_DAYS]:
                del self._days[old]
        return self._days[number]

    def _laid_out(self, number: int) -> Day:
        light = self._light(number)
        first = int(self._role.first_hour * 60)
        summed = np.cumsum(light)
        since_first = summed - summed[first]
        # The first at its hour, one more for each time that the light has added up since.
        waterings = np.where(np.arange(DAY_MIN) < first, 0.0, 1.0 + since_first // self._role.light)
        thirst = since_first % self._role.light / self._role.light
        # In the morning the plants still have what the evening left them.
        yesterday = np.cumsum(self._light(number - 1))
        thirst[:first] = (yesterday[-1] - yesterday[first]) % self._role.light / self._role.light
        begins = np.flatnonzero(np.diff(waterings, prepend=0.0) > 0)
        valve = np.zeros(DAY_MIN)
        lasts = self._role.lasts // MINUTE_NS
        for begin in begins.tolist():
            valve[begin : begin + lasts] = 1.0
            # Water soaks in while the valve is open.
            before = thirst[begin - 1] if begin else 0.0
            soaked = slice(begin, min(begin + lasts, DAY_MIN))
            left = before * (1.0 - np.arange(1, soaked.stop - begin + 1) / lasts)
            thirst[soaked] = np.maximum(thirst[soaked], left)
        return Day(summed, waterings, valve, thirst)

    def _light(self, number: int) -> Floats:
        """Return the light of each minute of a local day, J/m2."""
        begin_ns = number * DAY_NS - self._sky.utc_offset_ns
        light: Floats = 60.0 * self._sky.weather.at(begin_ns + np.arange(DAY_MIN) * MINUTE_NS).ghi_w_m2
        return light
