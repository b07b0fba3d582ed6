"""Gauges of a site's systems: weather stations, panels, and meters at feeders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.system_type import SystemType
from simulator.signals.drives import WMS_PER_KWH
from simulator.signals.gauges import Placed, Samples, Works
from simulator.signals.supply import MINUTE_NS
from simulator.signals.timeline import EXECUTE, Timeline

__all__ = ["SITE_GAUGES", "OutputGauge", "SolarGauge", "SupplyGauge", "WeatherGauge"]

Floats = NDArray[np.floating[Any]]
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
        return np.where(timeline.state[samples.segment[mine]] == EXECUTE, -watts / 1000.0, 0.0)


class SupplyGauge(RowGauge):
    """Meters at the heads of feeders.

    The voltage sinks in proportion to the load, distortion rises with it; both are engineering defaults. A feeder that
    has tripped shows no voltage.
    """

    def one(self, place: Placed, samples: Samples, mine: int, timeline: Timeline) -> Floats:
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
        step = steps.at(time_ns)
        watts, variable = steps.watts[step], steps.vars[step]
        apparent = np.hypot(watts, variable)
        live = timeline.state[samples.segment[mine]] == EXECUTE
        share = np.abs(watts) / (supply.rated_kw * 1000.0)
        volts = np.where(live, supply.volts * (1.0 - supply.drop * share), 0.0)
        return {
            "power": watts / 1000.0,
            "reactive": variable / 1000.0,
            "power_factor": np.where(apparent > 0, np.abs(watts) / np.maximum(apparent, 1.0), 1.0),
            "current": np.where(live, apparent / (np.sqrt(3.0) * np.maximum(volts, 1.0)), 0.0),
            "voltage": volts,
            "thd": np.where(live, THD_IDLE_PCT + THD_LOADED_PCT * share, 0.0),
        }[model.shows]


class OutputGauge(RowGauge):
    """What the roles of systems give, and what those take that take power."""

    def one(self, place: Placed, samples: Samples, mine: int, timeline: Timeline) -> Floats:
        model: Any = place.spec.model
        time_ns = samples.time_ns[mine]
        device = self.works.surroundings.devices[place.asset]
        if device.draws and model.shows in {"power", "energy"}:
            steps = self.works.network.steps[place.asset]
            if model.shows == "power":
                return np.asarray(steps.watts[steps.at(time_ns)] / 1000.0)
            return np.asarray(steps.energy_wms(time_ns).sum(axis=1) / WMS_PER_KWH)
        return device.values(model.shows, time_ns)


REGISTERS = {"energy": None, "normal": 0, "off_peak": 1, "peak": 2}
"""Registers by what a sensor shows: all energy, or that of one place in PERIODS of the tariff."""

SITE_GAUGES: dict[str, Any] = {
    "output": OutputGauge,
    "solar": SolarGauge,
    "supply": SupplyGauge,
    "weather": WeatherGauge,
}
