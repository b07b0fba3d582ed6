"""Data centres: IT power from the hours and from what the park has to say, and what else follows from both.

PUE = 1 + .05/u + .115 + 1.08/COP (``simulator.signals.cooling``), with the wet bulb of the sky. All powers are held for
a minute; the readings that a minute brings are worked on in the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.roles.data_centre import DataCentre
from simulator.signals import cooling
from simulator.signals.course import Glide, Ramp
from simulator.signals.device import Device, Track
from simulator.signals.devices.rack import Hall, RackDevice
from simulator.signals.minutes import Minutes
from simulator.signals.rhythm import Rhythm
from simulator.signals.sky import Sky
from simulator.signals.supply import MINUTE_NS
from simulator.signals.tally import Tally
from simulator.signals.timeline import Timeline

__all__ = ["DataCentreDevice", "it_kw_of"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
HOUR_NS = 60 * MINUTE_NS
GB = 1e9


def it_kw_of(role: DataCentre, sky: Sky, minute_ns: Ints, readings: Floats) -> Floats:
    """Return the IT power of minutes, given the readings of the minute before each."""
    rhythm = Rhythm(role.day, saturday=role.saturday, sunday=role.sunday, utc_offset_ns=sky.utc_offset_ns)
    own = rhythm.at(minute_ns) * role.rated_it_kw
    return np.minimum(own + role.kw_per_1000_per_s * readings / 60_000.0, role.rated_it_kw)


class DataCentreDevice(Device):
    """One data centre.

    ``inlet`` and ``battery`` are moved by the park; ``dark`` is 1 while no feeder supplies it. If it is ``chilled`` by
    a plant of the site, that plant draws the power of the chillers.
    """

    draws: ClassVar[bool] = True

    def __init__(
        self,
        role: DataCentre,
        asset: int,
        *,
        sky: Sky,
        tally: Tally,
        racks: Sequence[RackDevice],
        inlet: Glide,
        battery: Ramp,
        dark: Track,
        chilled: bool,
        origin_ns: int,
    ) -> None:
        self._role, self._asset = role, asset
        self._sky, self._tally = sky, tally
        self._inlet, self._battery, self._dark = inlet, battery, dark
        self._chilled = chilled
        self.hall = Hall(racks, it_kw=lambda time_ns: self.values("it", time_ns), inlet_c=inlet.at)
        self._stored_readings = 0
        self._it_w_min = self._facility_w_min = 0
        first = np.array([origin_ns // MINUTE_NS * MINUTE_NS], dtype=np.int64)
        held = self._held(first, np.array([float(tally.steady)]))
        self._minutes = Minutes(int(first[0]), **{name: float(column[0]) for name, column in held.items()}, stored=0.0)

    def advance(self, timeline: Timeline) -> None:
        """Book the readings of the minutes that are over."""
        self._timeline = timeline
        self.hall.advance(timeline)
        self._inlet.forget(timeline.from_ns - MINUTE_NS)
        self._battery.forget(timeline.from_ns - MINUTE_NS)
        minute_ns, readings = self._tally.counted(timeline)
        if not len(minute_ns):
            return
        working = timeline.executes(self._asset, minute_ns)
        held = self._held(minute_ns, readings.astype(np.float64))
        stored = self._stored_readings + np.cumsum(np.where(working, readings, 0))
        self._stored_readings = int(stored[-1])
        self._minutes.add(minute_ns, **held, stored=stored.astype(np.float64))
        self._it_w_min += int(np.rint(held["it"][working] * 1000.0).sum())
        self._facility_w_min += int(np.rint(held["it"][working] * held["pue"][working] * 1000.0).sum())

    def _held(self, minute_ns: Ints, readings: Floats) -> dict[str, Floats]:
        """Return what is held in minutes."""
        it_kw = it_kw_of(self._role, self._sky, minute_ns, readings)
        share = it_kw / self._role.rated_it_kw
        part_load = cooling.part_load(share, installed=self._role.cooling.chillers)
        cop = cooling.cop(self._sky.weather.at(minute_ns).wet_bulb_c, part_load)
        pue = cooling.pue(np.maximum(share, 1e-3), cop)
        return {"it": it_kw, "ingest": readings / 60.0, "cop": cop, "pue": pue}

    def cooling_kw(self, minute_ns: Ints) -> Floats:
        """Return the heat to be carried away in minutes, 1.08 kW per kW of IT."""
        return cooling.HEAT_SHARE * self.values("it", minute_ns)

    def watts(self, minute_ns: Ints) -> Ints:
        """Return what the site draws, battery included, in whole W; nothing while its feeder is dark."""
        minutes = self._minutes
        it_kw, cop = minutes.at("it", minute_ns), minutes.at("cop", minute_ns)
        whole_kw = cooling.facility_kw(it_kw, cop, rated_it_kw=np.array(self._role.rated_it_kw))
        if self._chilled:
            whole_kw = whole_kw - cooling.chiller_kw(it_kw, cop)
        backup = self._role.backup
        charging_kw = self._role.rated_it_kw * (backup.ride_through / backup.recharge)
        whole_kw = whole_kw + np.where(self._battery.at(minute_ns) < 1.0, charging_kw, 0.0)
        power: Ints = np.rint(np.where(self._dark.at(minute_ns) > 0, 0.0, whole_kw) * 1000.0).astype(np.int64)
        return power

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return one of its quantities; while it is out, no work is done and nothing comes in."""
        role, minutes = self._role, self._minutes
        if shows == "pue":
            return minutes.at("pue", time_ns)
        if shows == "inlet":
            return self._inlet.at(time_ns)
        if shows == "battery":
            return 100.0 * self._battery.at(time_ns)
        if shows in {"storage", "disk_used"}:
            gb = role.storage.stored_gb + minutes.at("stored", time_ns) * role.storage.bytes_per_reading / GB
            gb = np.minimum(gb, role.storage.capacity_gb)
            return gb if shows == "storage" else 100.0 * gb / role.storage.capacity_gb
        if shows == "supply_water":
            return np.full(len(time_ns), role.cooling.supply_c)
        working = self._timeline.executes(self._asset, time_ns)
        if shows == "ingest":
            return np.where(working, minutes.at("ingest", time_ns), 0.0)
        it_kw = np.where(working, minutes.at("it", time_ns), 0.0)
        if shows == "it":
            return it_kw
        share = it_kw / role.rated_it_kw
        if shows == "return_water":
            return role.cooling.supply_c + (role.cooling.return_c - role.cooling.supply_c) * share
        left_h = self._battery.at(time_ns) * (role.backup.ride_through / HOUR_NS)
        return 60.0 * left_h / np.maximum(share, 0.01)

    def figures(self) -> dict[str, float]:
        """Return the mean PUE, energy per IT energy, and what it has taken in."""
        whole = {"stored_readings": float(self._stored_readings), "it_kwh": self._it_w_min / 60_000.0}
        return {"pue": self._facility_w_min / self._it_w_min, **whole} if self._it_w_min else whole
