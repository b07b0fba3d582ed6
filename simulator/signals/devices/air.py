"""What a compressed-air station shows: pressure, flow, leaks, who is loaded, and the power that this takes."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.roles.air import AirNet
from simulator.signals.compressed_air import ATMOSPHERE_BAR, RATED_BAR, AirStretch
from simulator.signals.device import Device, Track
from simulator.signals.sky import Sky

__all__ = ["AirDevice"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
MINUTE_NS = 60_000_000_000
DRY_C = 25.0


class AirDevice(Device):
    """A station, from one happening to the next; the park lays out what follows from each."""

    draws: ClassVar[bool] = True

    def __init__(self, net: AirNet, sky: Sky, works: Track) -> None:
        self._net = net
        self._sky = sky
        self._works = works
        self._start_ns: list[int] = []
        self._stretches: list[AirStretch] = []
        self._kwh_before: list[float] = []
        self._used_m3 = self._minutes = 0.0

    @property
    def latest(self) -> AirStretch:
        """What was laid out last."""
        return self._stretches[-1]

    def lay(self, stretch: AirStretch) -> None:
        """Let a stretch follow; of several that begin at one instant the last counts."""
        kwh = 0.0
        if self._stretches:
            kwh = self._kwh_before[-1] + float(self.latest.energy_kwh(np.array([stretch.start_ns])).sum())
            lasted = (stretch.start_ns - self.latest.start_ns) / MINUTE_NS
            self._used_m3 += self.latest.air.demand_m3_min * lasted
            self._minutes += lasted
        if self._start_ns and self._start_ns[-1] == stretch.start_ns:
            del self._start_ns[-1], self._stretches[-1], self._kwh_before[-1]
        self._start_ns.append(stretch.start_ns)
        self._stretches.append(stretch)
        self._kwh_before.append(kwh)

    @property
    def leak_share(self) -> float:
        """Which share of the air is lost, at 7 bar and at the mean use since the beginning."""
        lost = self.latest.air.leak_m3_min_bar * (RATED_BAR + ATMOSPHERE_BAR)
        used = self._used_m3 / self._minutes if self._minutes else self.latest.air.demand_m3_min
        return lost / (lost + used) if lost else 0.0

    def forget(self, before_ns: int) -> None:
        """Forget what nobody asks for any more; the power of a minute is that of the minute before it."""
        first = max(bisect_right(self._start_ns, before_ns - MINUTE_NS) - 1, 0)
        del self._start_ns[:first], self._stretches[:first], self._kwh_before[:first]

    def kwh(self, time_ns: Ints) -> Floats:
        """Return what all compressors took since the beginning, float64[N]."""
        return self._each(time_ns, lambda i, at: self._kwh_before[i] + self._stretches[i].energy_kwh(at).sum(axis=1))

    def watts(self, minute_ns: Ints) -> Ints:
        """Return the mean power of the minute before each of them: what comes later in a minute is not known yet."""
        kwh = self.kwh(minute_ns) - self.kwh(minute_ns - MINUTE_NS)
        power: Ints = np.rint(kwh * 60_000.0).astype(np.int64)
        return power

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return bar, m3/min delivered or leaking, how many are loaded, or the pressure dew point."""
        if shows == "dew_point":
            return self._dew_point(time_ns)
        return self._each(time_ns, lambda i, at: shown(self._stretches[i], shows, at))

    def _dew_point(self, time_ns: Ints) -> Floats:
        """The dryer is better on cool days; while it stands, air in the pipes is as damp as its temperature allows."""
        air_c = self._sky.weather.at(time_ns).temperature_c
        dried = self._net.dew_c + self._net.dew_per_degree * np.maximum(air_c - DRY_C, 0.0)
        return np.where(self._works.at(time_ns) > 0, dried, air_c)

    def _each(self, time_ns: Ints, value: Any) -> Floats:
        """Evaluate instants stretch by stretch; those before the first are given its beginning."""
        which = np.maximum(np.searchsorted(self._start_ns, time_ns, side="right") - 1, 0)
        at_ns = np.maximum(time_ns, self._start_ns[0])
        result = np.empty(len(time_ns))
        for i in np.unique(which).tolist():
            mine = which == i
            result[mine] = value(i, at_ns[mine])
        return result


def shown(stretch: AirStretch, shows: str, time_ns: Ints) -> Floats:
    if shows == "pressure":
        return stretch.pressure_bar(time_ns)
    if shows == "leak":
        return np.asarray(stretch.air.leak_m3_min_bar * (stretch.pressure_bar(time_ns) + ATMOSPHERE_BAR))
    loaded = stretch.loaded(time_ns).astype(np.float64)
    flows = [one.flow_m3_min if shows == "flow" else 1.0 for one in stretch.air.compressors]
    return np.asarray(loaded @ np.array(flows))
