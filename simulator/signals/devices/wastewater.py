"""Wastewater plants: flow from shifts and rain, basins that remember for hours, and analysers that need care.

What comes in changes by the hour, blowers come and go as it happens; between two of either the basins are solved
exactly (``simulator.signals.wastewater``). An analyser shows what it found at the beginning of the minute. While it is
calibrated it shows the standard solution; while it is broken, what it showed last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.roles.wastewater import ANALYSED, Wastewater
from simulator.signals.concentration import concentration
from simulator.signals.course import Settling
from simulator.signals.device import BROKEN, CALIBRATING, Device, Track
from simulator.signals.minutes import Minutes
from simulator.signals.noise import Noise
from simulator.signals.sky import Sky
from simulator.signals.streams import Stream
from simulator.signals.supply import MINUTE_NS, marks
from simulator.signals.timeline import Timeline
from simulator.signals.wastewater import Basin, flow_m3_h

__all__ = ["WastewaterDevice"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
HOUR_NS = 60 * MINUTE_NS
WATER_C, AIR_C, AIR_SHARE, WATER_SIGMA_C = 30.0, 28.0, 0.4, 0.2
"""The water is 30 degrees warm when the air has 28, and follows it by four tenths [E]."""
FLOW_SCATTER = 0.01
"""Standard deviation of a flow meter, as a share of its reading [E]."""


class WastewaterDevice(Device):
    """One plant.

    ``shift`` gives the share of the site's factories that work in minutes. ``aeration`` (0 to 1) and ``oxygen`` are
    moved by the park, and so is the ``status`` of each analyser.
    """

    draws: ClassVar[bool] = True

    def __init__(
        self,
        role: Wastewater,
        asset: int,
        *,
        sky: Sky,
        stream: Callable[..., Stream],
        shift: Callable[[Ints], Floats],
        aeration: Track,
        oxygen: Settling,
        status: Mapping[str, Track],
        origin_ns: int,
    ) -> None:
        self._role, self._asset = role, asset
        self._sky, self._shift = sky, shift
        self._aeration, self._oxygen, self._status = aeration, oxygen, status
        self._pollutants = (role.cod, role.tss, role.nh4_n)
        first_ns = origin_ns // MINUTE_NS * MINUTE_NS
        # What comes in belongs to the site since 1970, how its instruments scatter to the run.
        phi = np.full(3, math.exp(-HOUR_NS / role.influent_tau))
        self._influent_noise = Noise([(stream("influent"), 3)], phi, first_index=0)
        phi = np.full(len(ANALYSED), math.exp(-MINUTE_NS / role.analysers.tau))
        self._scatter = Noise([(stream("analysers"), len(ANALYSED))], phi, first_index=first_ns // MINUTE_NS - 1)
        self._basin = Basin.settled(
            first_ns,
            influent_mg_l=self._influent_mg_l(first_ns),
            full_removal=np.array([one.removal for one in self._pollutants]),
        )
        first = np.array([first_ns], dtype=np.int64)
        flow_in = self._flow_in(first)
        self._outflow = float(flow_in[0])
        found = self._found(first, self._basin.effluent_at(first), flow_in, flow_in)
        self._minutes = Minutes(
            first_ns, **{name: float(value[0]) for name, value in found.items()}, true_in=flow_in[0]
        )

    def advance(self, timeline: Timeline) -> None:
        """Carry the basins over what happened, and let the analysers look at each minute."""
        self._timeline = timeline
        minute_ns = marks(timeline, MINUTE_NS)
        effluent = self._effluent(timeline, minute_ns)
        if not len(minute_ns):
            return
        flow_in = self._flow_in(minute_ns)
        flow_out = self._flow_out(flow_in, timeline.executes(self._asset, minute_ns))
        found = self._found(minute_ns, effluent, flow_in, flow_out)
        shown = {name: self._shown(name, minute_ns, value) for name, value in found.items()}
        self._minutes.add(minute_ns, **shown, true_in=flow_in)

    def _effluent(self, timeline: Timeline, minute_ns: Ints) -> Floats:
        """Return what leaves the basins at the beginnings of minutes, float64[N, 3]."""
        at, aeration = self._aeration.steps(timeline.from_ns, timeline.until_ns)
        hours_ns = marks(timeline, HOUR_NS)
        effluent = np.empty((len(minute_ns), len(self._pollutants)))
        done = 0
        for time_ns in np.unique(np.concatenate((at, hours_ns))).tolist():
            air = float(aeration[int(np.searchsorted(at, time_ns, side="right")) - 1])
            on_the_hour = time_ns % HOUR_NS == 0 and time_ns > self._basin.start_ns
            if air == self._basin.aeration and not on_the_hour:
                continue
            before = int(np.searchsorted(minute_ns, time_ns))
            effluent[done:before] = self._basin.effluent_at(minute_ns[done:before])
            done = before
            influent = self._influent_mg_l(time_ns) if on_the_hour else self._basin.influent_mg_l
            self._basin = self._basin.after(time_ns, aeration=air, influent_mg_l=influent)
        effluent[done:] = self._basin.effluent_at(minute_ns[done:])
        return effluent

    def _influent_mg_l(self, time_ns: int) -> Floats:
        """Return what comes in during the hour of an instant, float64[3]."""
        hour = time_ns // HOUR_NS
        noise = self._influent_noise.window(hour, hour + 1)[0]
        mean = np.array([one.influent_mg_l for one in self._pollutants])
        return concentration(mean, sigma=np.array([one.sigma_mg_l for one in self._pollutants]), noise=noise)

    def _flow_in(self, minute_ns: Ints) -> Floats:
        rain = np.minimum(self._sky.of_minutes(minute_ns).rain_mm_h / self._role.full_rain_mm_h, 1.0)
        return flow_m3_h(np.array(self._role.design_m3_day), shift=self._shift(minute_ns), rain=rain)

    def _flow_out(self, flow_in: Floats, working: NDArray[np.bool_]) -> Floats:
        """Let the outflow follow the inflow minute by minute; a plant that is out lets nothing out."""
        kept = math.exp(-MINUTE_NS / self._role.hold)
        flow_out = np.empty(len(flow_in))
        for i, inflow in enumerate(flow_in.tolist()):
            self._outflow = inflow + (self._outflow - inflow) * kept
            flow_out[i] = self._outflow
        return np.where(working, flow_out, 0.0)

    def _found(self, minute_ns: Ints, effluent: Floats, flow_in: Floats, flow_out: Floats) -> dict[str, Floats]:
        """Return what analysers find that measure, by name."""
        care, minute = self._role.analysers, minute_ns // MINUTE_NS
        noise = self._scatter.window(int(minute[0]), int(minute[-1]) + 1)
        air_c = self._sky.of_minutes(minute_ns).temperature_c
        water_c = WATER_C + AIR_SHARE * (air_c - AIR_C)
        found = [effluent[:, i] * (1.0 + care.scatter * noise[:, i]) for i in range(len(self._pollutants))]
        found.append(self._role.ph + care.ph_sigma * noise[:, 3])
        found.append(water_c + WATER_SIGMA_C * noise[:, 4])
        found += [flow * (1.0 + FLOW_SCATTER * noise[:, i]) for i, flow in ((5, flow_in), (6, flow_out))]
        return {name: np.maximum(value, 0.0) for name, value in zip(ANALYSED, found, strict=True)}

    def _shown(self, name: str, minute_ns: Ints, found: Floats) -> Floats:
        status = self._status[name].at(minute_ns)
        shown = np.where(status == CALIBRATING, self._standard(name), found)
        # The last minute that was not broken, or the last one of the window before.
        shown = np.append(self._minutes.last(name), shown)
        good = np.append(True, status != BROKEN)
        shown = shown[np.maximum.accumulate(np.where(good, np.arange(len(shown)), 0))]
        return shown[1:]

    def _standard(self, name: str) -> float:
        """Return what an analyser is shown to be calibrated: solutions, a neutral buffer, standing water."""
        solutions = dict(zip(ANALYSED, (one.standard_mg_l for one in self._pollutants), strict=False))
        return {**solutions, "ph": 7.0, "temperature_c": WATER_C}.get(name, 0.0)

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return what an analyser shows, its status, oxygen or aeration."""
        if shows == "do_mg_l":
            return self._oxygen.at(time_ns)
        if shows == "aeration":
            return 100.0 * self._aeration.at(time_ns)
        if shows.endswith("_status"):
            return self.status(shows.removesuffix("_status"), time_ns).astype(np.float64)
        return self._minutes.at(shows, time_ns)

    def status(self, shows: str, time_ns: Ints) -> Ints:
        """Return the status of an analyser; in a plant that is out none gets a sample."""
        working = self._timeline.executes(self._asset, time_ns)
        own: Ints = self._status[shows].at(time_ns).astype(np.int64)
        return np.where(working, own, BROKEN)

    def watts(self, minute_ns: Ints) -> Ints:
        """Return mixers and pumps, in whole W; blowers have motors of their own."""
        power_kw = self._role.base_kw + self._role.kwh_per_m3 * self._minutes.at("true_in", minute_ns)
        power: Ints = np.rint(power_kw * 1000.0).astype(np.int64)
        return power
