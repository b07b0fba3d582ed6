"""A data centre: what happens to its air and to its battery, and when it goes out."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from simulator.park.attendance import Attendance
from simulator.park.machine import Machine
from simulator.park.post import Post
from simulator.park.stops import MS
from simulator.scenario.roles.data_centre import DataCentre
from simulator.signals.course import Ramp, Settling
from simulator.signals.device import Device
from simulator.signals.devices.data_centre import DataCentreDevice
from simulator.signals.devices.rack import RackDevice
from simulator.signals.timeline import DARK, MAINS

__all__ = ["data_centre"]

Steps = Generator[simpy.Event, Any, None]
HOUR_NS = 3_600_000_000_000
MINUTE_NS = 60_000_000_000


def data_centre(post: Post) -> Device:
    """Build a data centre, which follows the air handlers and chillers that serve it, and its own power."""
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
    battery = Backup(post, role.recharge)
    return DataCentreDevice(
        role,
        post.asset,
        sky=post.sky,
        tally=post.tally,
        racks=[device for device in post.served_devices.values() if isinstance(device, RackDevice)],
        inlet=inlet,
        battery=battery.charge,
        ride_through_ns=post.spec.ride_through,
        chilled=bool(chillers),
        origin_ns=post.now_ns(),
    )


def until(battery: Ramp, charge: float) -> int:
    """Return how long it takes to come to a charge, in whole milliseconds and not less, ns."""
    return -(-(battery.until_ns(charge) or 0) // MS) * MS


class Backup:
    """The battery, which lasts as long as the type states from full, and charges while the mains are there.

    The mains count a battery as full. One that was not is empty before, and then the data centre is out until the mains
    are back.
    """

    def __init__(self, post: Post, recharge_ns: int) -> None:
        self._env, self._machine, self._recharge_ns = post.env, post.machine, recharge_ns
        self.charge = Ramp(post.track, post.now_ns, 1.0)
        self._power = MAINS
        self._switched = post.env.event()
        post.machine.watch(self._look)

    def _look(self, machine: Machine) -> None:
        if machine.power == self._power:
            return
        self._power = machine.power
        switched, self._switched = self._switched, self._env.event()
        switched.succeed()
        if self._power == DARK:
            self.charge.go(0.0)
        else:
            self._env.process(self._charge() if self._power == MAINS else self._discharge())

    def _charge(self) -> Steps:
        switched = self._switched
        self.charge.go(HOUR_NS / self._recharge_ns)
        yield switched | self._env.timeout(until(self.charge, 1.0))
        if not switched.triggered:
            self.charge.go(0.0)

    def _discharge(self) -> Steps:
        switched = self._switched
        self.charge.go(-HOUR_NS / self._machine.spec.ride_through)
        # A full one is empty as the mains count it; theirs is the first word.
        yield switched | self._env.timeout(until(self.charge, 0.0) + MS)
        if not switched.triggered:
            self.charge.go(0.0)
        while not switched.triggered:
            self._machine.break_down(int(self._env.now) + MINUTE_NS)
            yield switched | self._env.timeout(MINUTE_NS)
