"""Gauges of a site's systems: weather stations, panels, and meters at feeders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.sensor import SupplyModel
from simulator.scenario.system_type import SystemType
from simulator.signals.device import Crowd, Track
from simulator.signals.drives import WMS_PER_KWH
from simulator.signals.gauges import Placed, Samples, Works
from simulator.signals.supply import MINUTE_NS
from simulator.signals.timeline import EXECUTE, MAINS, Timeline

__all__ = ["SITE_GAUGES", "OutputGauge", "SolarGauge", "SupplyGauge", "WeatherGauge"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
THD_IDLE_PCT, THD_LOADED_PCT = 1.2, 1.3
"""Distortion of a feeder without load, and what its rated load of drives and rectifiers adds [E]."""


class RowGauge:
    """A gauge whose sensors are evaluated one after the other: there are few of them, and each has much to look up."""

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        self.placed = placed
        self.works = works
        self.sigma = np.array([p.spec.noise.sigma if p.spec.noise else 0.0 for p in placed])

    def advance(self, timeline: Timeline) -> None:
        """Nothing is carried here; the network carries what feeders count."""

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        result = np.empty(len(samples.row))
        cuts = np.searchsorted(samples.row, np.arange(len(self.placed) + 1))
        for place, low, high in zip(self.placed, cuts[:-1], cuts[1:], strict=True):
            if low < high:
                result[low:high] = self.one(place, samples, slice(low, high), timeline)
        return result + self.sigma[samples.row] * samples.noise

    def one(self, place: Placed, samples: Samples, mine: slice, timeline: Timeline) -> Floats:
        """Return what one sensor shows."""
        raise NotImplementedError


class WeatherGauge(RowGauge):
    """Weather stations."""

    def one(self, place: Placed, samples: Samples, mine: slice, timeline: Timeline) -> Floats:
        model: Any = place.spec.model
        return self.works.surroundings.sky_of(place.asset).shown(model.shows, samples.time_ns[mine])


class SolarGauge(RowGauge):
    """Panels: what the feeder sees of them, held for the minute, and their dust."""

    def one(self, place: Placed, samples: Samples, mine: slice, timeline: Timeline) -> Floats:
        model: Any = place.spec.model
        sky, time_ns = self.works.surroundings.sky_of(place.asset), samples.time_ns[mine]
        if model.shows == "soiling":
            return 100.0 * (1.0 - sky.soiling.clean(time_ns))
        assert isinstance(place.machine, SystemType)
        assert place.machine.panels is not None
        watts = sky.fed_in_w(time_ns // MINUTE_NS * MINUTE_NS, rated_kw=place.machine.panels.rated_kw)
        segment = samples.segment[mine]
        feeds = (timeline.state[segment] == EXECUTE) & (timeline.power[segment] == MAINS)
        return np.where(feeds, -watts / 1000.0, 0.0)


class SupplyGauge(RowGauge):
    """Meters at the heads of feeders.

    The voltage sinks in proportion to the load, distortion rises with it; both are engineering defaults. A feeder that
    has tripped shows no voltage.
    """

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        shown = super().values(samples, timeline)
        alive = np.array([p.spec.model.shows in ALIVE for p in self.placed if isinstance(p.spec.model, SupplyModel)])
        # Without voltage there is no noise on it either.
        dead = alive[samples.row] & (timeline.state[samples.segment] != EXECUTE)
        return np.where(dead, 0.0, shown)

    def one(self, place: Placed, samples: Samples, mine: slice, timeline: Timeline) -> Floats:
        model: Any = place.spec.model
        assert isinstance(place.machine, SystemType)
        supply = place.machine.supply
        assert supply is not None
        time_ns = samples.time_ns[mine]
        steps = self.works.network.steps[place.asset]
        if model.shows in REGISTERS:
            counted = steps.energy_wms(time_ns)
            period = REGISTERS[model.shows]
            return (counted.sum(axis=1) if period is None else counted[:, period]) / WMS_PER_KWH
        if model.shows in BILLED:
            return self.works.network.bills[place.asset].values(model.shows, time_ns)
        step = steps.at(time_ns)
        watts, variable = steps.watts[step], steps.vars[step]
        apparent = np.hypot(watts, variable)
        live = timeline.state[samples.segment[mine]] == EXECUTE
        share = np.abs(watts) / (supply.rated_kw * 1000.0)
        volts = np.where(live, supply.volts * (1.0 - supply.drop * share), 0.0)
        dip = self.works.network.dips.get(place.asset)
        if dip is not None:
            since_ns = min(place.spec.period or 0, MINUTE_NS) if model.shows == "voltage_low" else 0
            volts *= 1.0 - deepest(dip, time_ns, since_ns)
        return {
            "power": watts / 1000.0,
            "reactive": variable / 1000.0,
            "power_factor": np.where(apparent > 0, np.abs(watts) / np.maximum(apparent, 1.0), 1.0),
            "current": np.where(live, apparent / (np.sqrt(3.0) * np.maximum(volts, 1.0)), 0.0),
            "voltage": volts,
            "voltage_low": volts,
            "thd": np.where(live, THD_IDLE_PCT + THD_LOADED_PCT * share, 0.0),
        }[model.shows]


def deepest(dip: Track, time_ns: Ints, since_ns: int) -> Floats:
    """Return the deepest dip in force at each rising instant, or in the time before it, float64[N]."""
    if not len(time_ns):
        return np.empty(0)
    begin_ns, depth = dip.steps(int(time_ns[0]) - since_ns, int(time_ns[-1]) + 1)
    end_ns = np.append(begin_ns[1:], np.iinfo(np.int64).max)
    found = np.zeros(len(time_ns))
    for begin, end, share in zip(begin_ns.tolist(), end_ns.tolist(), depth.tolist(), strict=True):
        if share:
            low, high = np.searchsorted(time_ns, (begin, min(end, NEVER_NS) + since_ns))
            np.maximum(found[low:high], share, out=found[low:high])
    return found


class OutputGauge(RowGauge):
    """What the roles of systems give, and what those take that take power.

    Devices that belong to a crowd are read with it, all that show the same at once.
    """

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        super().__init__(placed, works)
        self.member = np.zeros(len(placed), dtype=np.int64)
        self.crowded = np.zeros(len(placed), dtype=bool)
        self.crowds: dict[tuple[int, str], tuple[Crowd, str, list[int]]] = {}
        for row, p in enumerate(placed):
            model: Any = p.spec.model
            place = works.surroundings.devices[p.asset].place
            if place is not None:
                crowd, self.member[row] = place
                self.crowded[row] = True
                self.crowds.setdefault((id(crowd), model.shows), (crowd, model.shows, []))[2].append(row)
        self.alone = [(row, p) for row, p in enumerate(placed) if not self.crowded[row]]

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        result = np.empty(len(samples.row))
        low, high = np.searchsorted(samples.row, [np.arange(len(self.placed)), np.arange(1, len(self.placed) + 1)])
        for row, place in self.alone:
            if low[row] < high[row]:
                mine = slice(int(low[row]), int(high[row]))
                result[mine] = self.one(place, samples, mine, timeline)
        for crowd, shows, rows in self.crowds.values():
            of_crowd = np.zeros(len(self.placed), dtype=bool)
            of_crowd[rows] = True
            here = np.flatnonzero(of_crowd[samples.row])
            if len(here):
                result[here] = crowd.values_of(shows, self.member[samples.row[here]], samples.time_ns[here])
        return result + self.sigma[samples.row] * samples.noise

    def one(self, place: Placed, samples: Samples, mine: slice, timeline: Timeline) -> Floats:
        model: Any = place.spec.model
        time_ns = samples.time_ns[mine]
        device = self.works.surroundings.devices[place.asset]
        if device.draws and model.shows in {"power", "energy"}:
            steps = self.works.network.steps[place.asset]
            if model.shows == "power":
                return np.asarray(steps.watts[steps.at(time_ns)] / 1000.0)
            return np.asarray(steps.energy_wms(time_ns).sum(axis=1) / WMS_PER_KWH)
        return device.values(model.shows, time_ns)


ALIVE = frozenset({"current", "voltage", "voltage_low", "thd"})
"""What a feeder shows only while it is alive."""
NEVER_NS = 4 * 10**18
BILLED = frozenset({"cost", "penalty", "month_power_factor", "co2", "reactive_energy"})
REGISTERS = {"energy": None, "normal": 0, "off_peak": 1, "peak": 2}
"""Registers by what a sensor shows: all energy, or that of one place in PERIODS of the tariff."""

SITE_GAUGES: dict[str, Any] = {
    "output": OutputGauge,
    "solar": SolarGauge,
    "supply": SupplyGauge,
    "weather": WeatherGauge,
}
