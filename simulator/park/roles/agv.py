"""A vehicle as it happens: it waits at a charger for a mission, drives it, and charges when its battery is low."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import simpy
from numpy.typing import NDArray

from simulator.park.post import Post
from simulator.park.presence import Presence, Steps
from simulator.park.spread import between_ns
from simulator.park.stops import MS, whole_ms
from simulator.scenario.roles.agv import Agv
from simulator.signals.almanac import HOUR_NS
from simulator.signals.course import Ramp, Settling
from simulator.signals.device import Device, TrackDevice

__all__ = ["CHARGING", "DRIVING", "SERVICED", "WAITING", "Vehicle", "agv"]

Ints = NDArray[np.int64]
Told = Callable[[int, int], None]
"""What a vehicle did, and what it does now."""
WAITING, DRIVING, CHARGING, SERVICED = 0, 1, 2, 3
"""What a vehicle does: it stands full at its charger, drives a mission, charges and may be called, or must charge."""
HALL_C = 30.0
RISE_C = {WAITING: 0.0, DRIVING: 6.0, CHARGING: 11.0, SERVICED: 11.0}
"""Degrees by which its battery is warmer than the hall in the long run [E]."""
BATTERY_TAU_NS = 45 * 60_000_000_000
"""[E]"""
FULL = 100.0


class Vehicle(TrackDevice):
    """What a vehicle shows, and what a dispatcher knows of it."""

    def __init__(self, post: Post, role: Agv) -> None:
        super().__init__(post.quantities(("activity", "missions")))
        self.role = role
        self.presence = Presence(post.env, post.machine)
        self._env = post.env
        self._rng = post.stream("missions").epoch(0)
        # In the middle of a day's work: anywhere above what sends it to a charger.
        self.soc = Ramp(post.track, post.now_ns, role.low + (FULL - role.low) * post.stream("soc").epoch(0).random())
        self._battery_c = Settling(post.track, post.now_ns, HALL_C + RISE_C[DRIVING])
        self._call: simpy.Event | None = None
        self._told: Told = lambda _before, _now: None
        post.env.process(self._stand_by())

    @property
    def is_free(self) -> bool:
        """Whether it can be called for a mission."""
        return self._call is not None and self.presence.works

    @property
    def activity(self) -> int:
        """What it does now."""
        return int(self.tracks["activity"].value)

    def call(self) -> None:
        """Send a free vehicle on a mission."""
        assert self._call is not None
        call, self._call = self._call, None
        call.succeed()

    def employ(self, told: Told) -> None:
        """Tell a dispatcher what it did and does, at each change, and whenever it may have become free."""
        self._told = told

    def _do(self, activity: int, per_h: float) -> None:
        """Take up something; the charge moves at so many % per hour."""
        before = self.activity
        self.soc.go(per_h)
        if activity != before:
            self.tracks["activity"].set(activity)
            self._battery_c.head_for(HALL_C + RISE_C[activity], tau_ns=BATTERY_TAU_NS)
        self._told(before, activity)

    def _stand_by(self) -> Steps:
        """Live: charge when low, else wait for a call, and drive."""
        role = self.role
        while True:
            if self.soc.value < role.low:
                yield from self._charge(role.enough)
            yield from self._wait()
            drive_ns = between_ns(self._rng, role.shortest, role.longest)
            yield from self.presence.work(drive_ns, self._drive)
            self.tracks["missions"].add(1)

    def _drive(self, on: bool) -> None:  # noqa: FBT001 - a switch of the work told
        self._do(DRIVING if on else WAITING, -self.role.drain if on else 0.0)

    def _charge(self, enough: float) -> Steps:
        """Charge, and take no call before there is enough."""
        need_ns = whole_ms((enough - self.soc.value) / self.role.charge * HOUR_NS)
        yield from self.presence.work(need_ns, lambda on: self._do(*((SERVICED, self.role.charge) if on else (0, 0.0))))

    def _wait(self) -> Steps:
        """Charge until full, but drive at once when called."""
        call = self._call = self._env.event()
        while not call.triggered:
            full_ns = whole_ms(max(FULL - self.soc.value, 0.0) / self.role.charge * HOUR_NS)
            charges = self.presence.works and full_ns > MS
            self._do(*((CHARGING, self.role.charge) if charges else (WAITING, 0.0)))
            if call.triggered:
                break
            until = call | self.presence.changed
            yield until | self._env.timeout(full_ns) if charges else until

    def values(self, shows: str, time_ns: Ints) -> NDArray[np.floating]:
        """Return charge, battery temperature, speed, or what it does."""
        if shows == "soc":
            return np.clip(self.soc.at(time_ns), 0.0, FULL)
        if shows == "battery":
            return self._battery_c.at(time_ns)
        if shows == "speed":
            return np.where(self.tracks["activity"].at(time_ns) == DRIVING, self.role.speed_m_s, 0.0)
        return super().values(shows, time_ns)


def agv(post: Post) -> Device:
    """Build a vehicle that stands by."""
    role = post.spec.role
    assert isinstance(role, Agv)
    return Vehicle(post, role)
