"""Gauges of a site's systems: weather stations, panels, and meters at feeders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.sensor import SupplyModel
from simulator.scenario.system_type import SystemType
from simulator.signals.device import Crowd, Track
from simulator.signals.drives import WMS_PER_KWH
from simulator.signals.gauges import Placed, Samples, Works
from simulator.signals.rhythm_gauge import RhythmGauge
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
        result = np.empty(samples.time_ns.shape)
        for mine, row in enumerate(samples.row[:, 0].tolist()):
            result[mine] = self.one(self.placed[row], samples, mine, timeline)
        return result + self.sigma[samples.row] * samples.noise

    def one(self, place: Placed, samples: Samples, mine: int, timeline: Timeline) -> Floats:
        """Return what one sensor, the one at ``mine`` of the samples, shows at its instants."""
        raise NotImplementedError


class WeatherGauge(RowGauge):
    """Weather stations."""

    def one(self, place: Placed, samples: Samples, mine: int, timeline: Timeline) -> Floats:
        model: Any = place.spec.model
        return self.works.surroundings.sky_of(place.asset).shown(model.shows, samples.time_ns[mine])


class SolarGauge(RowGauge):
    """Panels: what the feeder sees of them, held for the minute, and their dust."""

    def one(self, place: Placed, samples: Samples, mine: int, timeline: Timeline) -> Floats:
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

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        super().__init__(placed, works)
        shows = [p.spec.model.shows for p in placed if isinstance(p.spec.model, SupplyModel)]
        self.alive = np.array([one in ALIVE for one in shows])

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        result = np.empty(samples.time_ns.shape)
        meter: Meter | None = None
        for mine, row in enumerate(samples.row[:, 0].tolist()):
            place = self.placed[row]
            if meter is None or meter.asset != place.asset:
                # Sensors of a meter follow each other, and look at the same instants.
                meter = Meter(place, self.works, samples.time_ns[mine], samples.state[mine])
            model: Any = place.spec.model
            result[mine] = meter.shown(model.shows, period_ns=place.spec.period or 0)
        result += self.sigma[samples.row] * samples.noise
        # Without voltage there is no noise on it either.
        dead = self.alive[samples.row] & (samples.state != EXECUTE)
        return np.where(dead, 0.0, result)


class Meter:
    """What the meter of a feeder measures at some instants, each quantity once it is asked for."""

    def __init__(self, place: Placed, works: Works, time_ns: Ints, state: Ints) -> None:
        assert isinstance(place.machine, SystemType)
        assert place.machine.supply is not None
        self.asset = place.asset
        self._supply = place.machine.supply
        self._time_ns = time_ns
        self._live = state == EXECUTE
        self._network = works.network
        self._steps = works.network.steps[place.asset]
        self._step = self._steps.at(time_ns)

    def shown(self, shows: str, *, period_ns: int) -> Floats:
        """Return one quantity, in the unit of its sensors, which speak so often."""
        if shows in REGISTERS:
            counted, period = self._counted_wms, REGISTERS[shows]
            return (counted.sum(axis=1) if period is None else counted[:, period]) / WMS_PER_KWH
        if shows in BILLED:
            return self._network.bills[self.asset].values(shows, self._time_ns)
        if shows == "voltage_low":
            return self._volts(since_ns=min(period_ns, MINUTE_NS))
        return METERED[shows](self)

    def power_kw(self) -> Floats:
        """Return active power."""
        return self._watts / 1000.0

    def reactive_kvar(self) -> Floats:
        """Return reactive power."""
        return self._steps.vars[self._step] / 1000.0

    def power_factor(self) -> Floats:
        """Return active by apparent power, 1 without any."""
        factor = np.abs(self._watts) / np.maximum(self._apparent, 1.0)
        return np.where(self._apparent > 0, factor, 1.0)

    def current_a(self) -> Floats:
        """Return the line current."""
        return np.where(self._live, self._apparent / (np.sqrt(3.0) * np.maximum(self.volts(), 1.0)), 0.0)

    def volts(self) -> Floats:
        """Return the line voltage."""
        return self._volts(since_ns=0)

    def thd_pct(self) -> Floats:
        """Return the total harmonic distortion."""
        return np.where(self._live, THD_IDLE_PCT + THD_LOADED_PCT * self._share, 0.0)

    def _volts(self, *, since_ns: int) -> Floats:
        """Return the lowest voltage at each instant or so long before it."""
        volts = np.where(self._live, self._supply.volts * (1.0 - self._supply.drop * self._share), 0.0)
        dip = self._network.dips.get(self.asset)
        return volts if dip is None else volts * (1.0 - deepest(dip, self._time_ns, since_ns))

    @cached_property
    def _watts(self) -> Ints:
        return self._steps.watts[self._step]

    @cached_property
    def _apparent(self) -> Floats:
        return np.hypot(self._watts, self._steps.vars[self._step])

    @cached_property
    def _share(self) -> Floats:
        """Share of the rated load."""
        share: Floats = np.abs(self._watts) / (self._supply.rated_kw * 1000.0)
        return share

    @cached_property
    def _counted_wms(self) -> Ints:
        return self._steps.energy_wms(self._time_ns)


METERED: dict[str, Callable[[Meter], Floats]] = {
    "power": Meter.power_kw,
    "reactive": Meter.reactive_kvar,
    "power_factor": Meter.power_factor,
    "current": Meter.current_a,
    "voltage": Meter.volts,
    "thd": Meter.thd_pct,
}


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

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        result = np.empty(samples.time_ns.shape)
        rows = samples.row[:, 0]
        for mine in np.flatnonzero(~self.crowded[rows]).tolist():
            result[mine] = self.one(self.placed[rows[mine]], samples, mine, timeline)
        for crowd, shows, members in self.crowds.values():
            here = np.flatnonzero(np.isin(rows, members))
            if len(here):
                time_ns = samples.time_ns[here]
                member = np.repeat(self.member[rows[here]], time_ns.shape[1])
                result[here] = crowd.values_of(shows, member, time_ns.ravel()).reshape(time_ns.shape)
        return result + self.sigma[samples.row] * samples.noise

    def one(self, place: Placed, samples: Samples, mine: int, timeline: Timeline) -> Floats:
        model: Any = place.spec.model
        time_ns = samples.time_ns[mine]
        device = self.works.surroundings.devices[place.asset]
        if device.follows:
            # Noise alone; the bank adds what it shows when the messages of the window are known.
            return np.zeros(len(time_ns))
        if device.draws and model.shows in {"power", "energy"}:
            steps = self.works.network.steps[place.asset]
            sign = -1.0 if device.feeds else 1.0
            if model.shows == "power":
                return np.asarray(sign * steps.watts[steps.at(time_ns)] / 1000.0)
            return np.asarray(sign * steps.energy_wms(time_ns).sum(axis=1) / WMS_PER_KWH)
        return device.values(model.shows, time_ns)


ALIVE = frozenset({"current", "voltage", "voltage_low", "thd"})
"""What a feeder shows only while it is alive."""
NEVER_NS = 4 * 10**18
BILLED = frozenset({"cost", "penalty", "month_power_factor", "co2", "reactive_energy"})
REGISTERS = {"energy": None, "normal": 0, "off_peak": 1, "peak": 2}
"""Registers by what a sensor shows: all energy, or that of one place in PERIODS of the tariff."""

SITE_GAUGES: dict[str, Any] = {
    "output": OutputGauge,
    "rhythm": RhythmGauge,
    "solar": SolarGauge,
    "supply": SupplyGauge,
    "weather": WeatherGauge,
}
