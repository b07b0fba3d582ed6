"""A wastewater plant: blowers that come and go, and the lives of its analysers."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulator.park.attendance import Attendance
from simulator.park.calendar import Calendar
from simulator.park.post import Post
from simulator.park.stops import MS, lognormal_ns, whole_ms
from simulator.park.truth import Happening
from simulator.scenario.fault import Cause
from simulator.scenario.roles.wastewater import ANALYSED, Analysers, Wastewater
from simulator.scenario.sensor import OutputModel
from simulator.signals.course import Settling
from simulator.signals.device import BROKEN, CALIBRATING, MEASURING, Device, Track
from simulator.signals.devices.wastewater import WastewaterDevice

__all__ = ["wastewater"]

Ints = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]
Steps = Generator[simpy.Event, Any, None]


def wastewater(post: Post) -> Device:
    """Build a plant, which follows its blowers and itself; without blowers it aerates whenever it works."""
    role = post.spec.role
    assert isinstance(role, Wastewater)
    aeration = post.track(1.0)
    oxygen = Settling(post.track, post.now_ns, role.oxygen_mg_l)

    def air() -> None:
        needed = min(role.blowers_needed, blowers.whole)
        share = min(blowers.at_work / needed, 1.0) if needed else 1.0
        aeration.set(share if plant.at_work else 0.0)
        oxygen.head_for(role.oxygen_mg_l * aeration.value, tau_ns=role.oxygen_tau)

    blowers = Attendance([post.machines[asset] for asset in post.suppliers("aeration")], air)
    plant = Attendance([post.machine], air)
    status = {name: post.track(MEASURING) for name in ANALYSED}
    for name, track in status.items():
        post.env.process(Analyser(post, role.analysers, name, track).life())
    return WastewaterDevice(
        role,
        post.asset,
        sky=post.sky,
        stream=post.stream,
        shift=Shift(post).share,
        aeration=aeration,
        oxygen=oxygen,
        status=status,
        origin_ns=post.now_ns(),
    )


class Shift:
    """The share of the factories of a site that work."""

    def __init__(self, post: Post) -> None:
        self._calendars: list[Calendar] = [
            plant.calendar for plant in post.plants if plant.makes and plant.path[1] == post.site.name
        ]
        self._known = (0, 0, 0.0)

    def share(self, minute_ns: Ints) -> Floats:
        """Return it for rising instants, float64[N]; 0 where there are no factories."""
        return np.array([self._at(at_ns) for at_ns in minute_ns.tolist()])

    def _at(self, at_ns: int) -> float:
        from_ns, until_ns, share = self._known
        if from_ns <= at_ns < until_ns:
            return share
        if self._calendars:
            share = sum(one.is_open(at_ns) for one in self._calendars) / len(self._calendars)
            until_ns = min(one.next_change(at_ns) for one in self._calendars)
        else:
            share, until_ns = 0.0, 2**63 - 1
        self._known = (at_ns, until_ns, share)
        return share


class Analyser:
    """One analyser: broken from time to time, and calibrated by the clock."""

    def __init__(self, post: Post, care: Analysers, name: str, status: Track) -> None:
        self._post, self._care, self._status = post, care, status
        self._rng = post.stream("analyser", name).epoch(0)
        shown = [
            i for i, s in enumerate(post.spec.sensors) if isinstance(s.model, OutputModel) and s.model.shows == name
        ]
        self._sensor = shown[0] if shown else None

    def life(self) -> Steps:
        """Live. What falls due while it is cared for comes right after."""
        env, care, rng = self._post.env, self._care, self._rng
        fails_ns = self._post.now_ns() + whole_ms(rng.exponential(care.mtbf))
        calibrated_ns = self._post.now_ns() + whole_ms(rng.random() * care.calibrate_every)
        while True:
            yield env.timeout(max(min(fails_ns, calibrated_ns) - self._post.now_ns(), MS))
            if fails_ns <= calibrated_ns:
                yield from self._mended()
                fails_ns = self._post.now_ns() + whole_ms(rng.exponential(care.mtbf))
            else:
                self._status.set(CALIBRATING)
                yield env.timeout(care.calibrate_for)
                self._status.set(MEASURING)
                calibrated_ns += care.calibrate_every

    def _mended(self) -> Steps:
        """Be broken until somebody has mended it; the truth calls it stuck, which is what its readings are."""
        self._status.set(BROKEN)
        repair = self._care.repair
        work = self._post.env.timeout(lognormal_ns(self._rng, repair.mean, cv=repair.cv))
        if self._sensor is None:
            yield work
        else:
            now_ns = self._post.now_ns()
            happening = Happening("stuck", self._post.asset, Cause.ITSELF, now_ns, sensor=self._sensor)
            self._post.truth.begin(happening)
            yield work
            self._post.truth.end(happening)
        self._status.set(MEASURING)
