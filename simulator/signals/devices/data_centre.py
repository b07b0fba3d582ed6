"""Data centres: IT power from the hours and from what the park has to say, and what else follows from both.

PUE = 1 + .05/u + .115 + 1.08/COP (``simulator.signals.cooling``), with the wet bulb of the sky. All powers are held for
a minute; the readings that a minute brings are worked on in the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.roles.data_centre import DataCentre
from simulator.signals import cooling
from simulator.signals.course import Ramp, Settling
from simulator.signals.device import Device, Figure
from simulator.signals.devices.rack import Hall, RackDevice
from simulator.signals.minutes import Minutes
from simulator.signals.rhythm import Rhythm
from simulator.signals.sky import Sky
from simulator.signals.supply import MINUTE_NS
from simulator.signals.tally import Tally
from simulator.signals.timeline import Timeline

__all__ = ["DataCentreDevice"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
GB = 1e9
LEAST_SHARE = 0.01
"""Below this share of IT power, times and ratios per IT power say nothing."""


class DataCentreDevice(Device):
    """One data centre.

    ``inlet`` and ``battery`` (0 to 1) are moved by the park. If it is ``chilled`` by a plant of the site, that plant
    draws the power of the chillers. While it works on its battery it draws nothing.
    """

    draws: ClassVar[bool] = True
    cools: ClassVar[bool] = True
    figures: ClassVar[tuple[Figure, ...]] = (Figure("pue", "1", 3, 100.0),)

    def __init__(
        self,
        role: DataCentre,
        asset: int,
        *,
        sky: Sky,
        tally: Tally,
        racks: Sequence[RackDevice],
        inlet: Settling,
        battery: Ramp,
        ride_through_ns: int,
        chilled: bool,
        origin_ns: int,
    ) -> None:
        self._role, self._asset = role, asset
        self.rated_cooling_kw = cooling.HEAT_SHARE * role.rated_it_kw
        self._sky, self._tally = sky, tally
        self._battery, self._ride_through_ns = battery, ride_through_ns
        self._chilled = chilled
        self._hall = Hall(racks, it_kw=self._it_kw, inlet_c=inlet.at)
        self._shown: dict[str, Callable[[Ints], Floats]] = {
            "it": self._it_kw,
            "ingest": self._ingest,
            "pue": lambda time_ns: self._minutes.at("pue", time_ns),
            "inlet": inlet.at,
            "supply_water": lambda time_ns: np.full(len(time_ns), role.cooling.supply_c),
            "return_water": self._return_water_c,
            "battery": lambda time_ns: 100.0 * np.clip(battery.at(time_ns), 0.0, 1.0),
            "ride_through": self._ride_through_min,
            "storage": self._storage_gb,
            "disk_used": lambda time_ns: 100.0 * self._storage_gb(time_ns) / role.storage.capacity_gb,
        }
        self._rhythm = Rhythm(role.day, saturday=role.saturday, sunday=role.sunday, utc_offset_ns=sky.utc_offset_ns)
        self._stored_readings = 0
        first = np.array([origin_ns // MINUTE_NS * MINUTE_NS], dtype=np.int64)
        held = self._held(first, np.array([float(tally.steady)]))
        self._minutes = Minutes(
            int(first[0]), **{name: float(column[0]) for name, column in held.items()}, works=0.0, stored=0.0
        )

    def advance(self, timeline: Timeline) -> None:
        """Book the readings of the minutes that are over."""
        self._timeline = timeline
        self._hall.advance(timeline)
        minute_ns, readings = self._tally.counted(timeline)
        if not len(minute_ns):
            return
        working = timeline.executes(self._asset, minute_ns)
        held = self._held(minute_ns, readings.astype(np.float64))
        stored = self._stored_readings + np.cumsum(np.where(working, readings, 0))
        self._stored_readings = int(stored[-1])
        self._minutes.add(minute_ns, **held, works=working.astype(np.float64), stored=stored.astype(np.float64))

    def _held(self, minute_ns: Ints, readings: Floats) -> dict[str, Floats]:
        """Return what is held in minutes."""
        role = self._role
        it_kw = self._rhythm.at(minute_ns) * role.rated_it_kw + role.kw_per_1000_per_s * readings / 60_000.0
        it_kw = np.minimum(it_kw, role.rated_it_kw)
        share = it_kw / role.rated_it_kw
        part_load = cooling.part_load(share, installed=role.cooling.chillers)
        cop = cooling.cop(self._sky.of_minutes(minute_ns).wet_bulb_c, part_load)
        pue = cooling.pue(np.maximum(share, LEAST_SHARE), cop)
        return {"it": it_kw, "ingest": readings / 60.0, "cop": cop, "pue": pue}

    def cooling_kw(self, minute_ns: Ints) -> Floats:
        """Return the heat to be carried away in minutes, 1.08 kW per kW of IT."""
        return cooling.HEAT_SHARE * self._minutes.at("it", minute_ns) * self._minutes.at("works", minute_ns)

    def watts(self, minute_ns: Ints) -> Ints:
        """Return what the site draws from the mains, battery included, in whole W."""
        minutes = self._minutes
        it_kw, cop = minutes.at("it", minute_ns), minutes.at("cop", minute_ns)
        whole_kw = cooling.facility_kw(it_kw, cop, rated_it_kw=np.array(self._role.rated_it_kw))
        if self._chilled:
            whole_kw = whole_kw - cooling.chiller_kw(it_kw, cop)
        charging_kw = self._role.rated_it_kw * (self._ride_through_ns / self._role.recharge)
        whole_kw = whole_kw + np.where(self._battery.at(minute_ns) < 1.0, charging_kw, 0.0)
        power: Ints = np.rint(whole_kw * 1000.0).astype(np.int64)
        return power

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return one of its quantities; while it is out, no work is done and nothing comes in."""
        return self._shown[shows](time_ns)

    def _it_kw(self, time_ns: Ints) -> Floats:
        return np.where(self._timeline.executes(self._asset, time_ns), self._minutes.at("it", time_ns), 0.0)

    def _ingest(self, time_ns: Ints) -> Floats:
        return np.where(self._timeline.executes(self._asset, time_ns), self._minutes.at("ingest", time_ns), 0.0)

    def _it_share(self, time_ns: Ints) -> Floats:
        return self._it_kw(time_ns) / self._role.rated_it_kw

    def _return_water_c(self, time_ns: Ints) -> Floats:
        water = self._role.cooling
        return water.supply_c + (water.return_c - water.supply_c) * self._it_share(time_ns)

    def _ride_through_min(self, time_ns: Ints) -> Floats:
        left_min = np.clip(self._battery.at(time_ns), 0.0, 1.0) * (self._ride_through_ns / MINUTE_NS)
        return left_min / np.maximum(self._it_share(time_ns), LEAST_SHARE)

    def _storage_gb(self, time_ns: Ints) -> Floats:
        storage = self._role.storage
        gb: Floats = storage.stored_gb + self._minutes.at("stored", time_ns) * storage.bytes_per_reading / GB
        return np.minimum(gb, storage.capacity_gb)
