"""A data centre: what happens to its air and to its battery, and when it goes out."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from simulator.park.attendance import Attendance
from simulator.park.post import Post
from simulator.park.stops import MS
from simulator.scenario.roles.data_centre import Backup as BackupRole
from simulator.scenario.roles.data_centre import DataCentre
from simulator.signals.course import Ramp, Settling
from simulator.signals.device import Device
from simulator.signals.devices.data_centre import DataCentreDevice
from simulator.signals.devices.rack import RackDevice

__all__ = ["data_centre"]

Steps = Generator[simpy.Event, Any, None]
HOUR_NS = 3_600_000_000_000
MINUTE_NS = 60_000_000_000


def data_centre(post: Post) -> Device:
    """Build a data centre, which follows the air handlers, the chillers and the feeders that serve it."""
    role = post.spec.role
    assert isinstance(role, DataCentre)
    inlet = Settling(post.track, post.now_ns, role.cooling.inlet_c)
    chillers = post.suppliers("cooling")

    def air() -> None:
        """Water that nobody cools takes no heat from the air."""
        lost = 1.0 - (handlers.share if not chillers or plant.at_work else 0.0)
        inlet.head_for(role.cooling.inlet_c + role.cooling.rise_c * lost, tau_ns=role.cooling.tau)

    handlers = Attendance([post.machines[asset] for asset in post.suppliers("cold-air")], air)
    plant = Attendance([post.machines[asset] for asset in chillers], air)
    power = Backup(post, role.backup)
    return DataCentreDevice(
        role,
        post.asset,
        sky=post.sky,
        tally=post.tally,
        racks=[device for device in post.served_devices.values() if isinstance(device, RackDevice)],
        inlet=inlet,
        battery=power.battery,
        dark=power.dark,
        chilled=bool(chillers),
        origin_ns=post.now_ns(),
    )


def until(battery: Ramp, charge: float) -> int:
    """Return how long it takes to come to a charge, in whole milliseconds and not less, ns."""
    return -(-(battery.until_ns(charge) or 0) // MS) * MS


class Backup:
    """The battery: it carries the servers while a feeder on the way to them is dark, as long as it lasts.

    It empties as at the rated power, so it lasts as long as stated from full. Once it is empty the data centre is out
    until there is power again.
    """

    def __init__(self, post: Post, backup: BackupRole) -> None:
        self._post, self._role = post, backup
        self.battery = Ramp(post.track, post.now_ns, 1.0)
        self.dark = post.track(0.0)
        self._switched = post.env.event()
        self._feeders = Attendance([post.machines[asset] for asset in post.feeders()], self._look)

    def _look(self) -> None:
        dark = self._feeders.at_work < self._feeders.whole
        if dark != bool(self.dark.value):
            self.dark.set(float(dark))
            switched, self._switched = self._switched, self._post.env.event()
            switched.succeed()
            self._post.env.process(self._discharge() if dark else self._charge())

    def _charge(self) -> Steps:
        switched = self._switched
        self.battery.go(HOUR_NS / self._role.recharge)
        yield switched | self._post.env.timeout(until(self.battery, 1.0))
        if not switched.triggered:
            self.battery.go(0.0)

    def _discharge(self) -> Steps:
        env, switched = self._post.env, self._switched
        self.battery.go(-HOUR_NS / self._role.ride_through)
        yield switched | env.timeout(until(self.battery, 0.0))
        if not switched.triggered:
            self.battery.go(0.0)
        while not switched.triggered:
            # Nobody knows how long it takes; each minute it is known to last for another one.
            self._post.machine.break_down(self._post.now_ns() + MINUTE_NS)
            yield switched | env.timeout(MINUTE_NS)
