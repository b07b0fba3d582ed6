"""A data centre: what happens to its air and to its battery, and when it goes out."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from simulator.park.attendance import Attendance
from simulator.park.post import Post
from simulator.park.stops import whole_ms
from simulator.scenario.roles.data_centre import DataCentre
from simulator.signals.course import Glide, Ramp
from simulator.signals.device import Device
from simulator.signals.devices.data_centre import DataCentreDevice, it_kw_of
from simulator.signals.devices.rack import RackDevice

__all__ = ["data_centre"]

HOUR_NS = 3_600_000_000_000
MINUTE_NS = 60_000_000_000


def data_centre(post: Post) -> Device:
    """Build a data centre, which follows the air handlers, the chillers and the feeders that serve it."""
    role = post.spec.role
    assert isinstance(role, DataCentre)
    inlet = Glide(post.now_ns, role.cooling.inlet_c, tau_ns=role.cooling.tau)
    chillers = post.suppliers("cooling")

    def air() -> None:
        """Water that nobody cools takes no heat from the air."""
        lost = 1.0 - (handlers.share if not chillers or plant.at_work else 0.0)
        inlet.aim(role.cooling.inlet_c + role.cooling.rise_c * lost)

    handlers = Attendance([post.machines[asset] for asset in post.suppliers("cold-air")], air)
    plant = Attendance([post.machines[asset] for asset in chillers], air)
    power = Backup(post, role)
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


class Backup:
    """The battery: it carries the servers while a feeder on the way to them is dark, as long as it lasts.

    How fast it empties is foreseen as the lights go out: from the work of that hour, and the readings that the grids of
    the sensors make. Once it is empty the data centre is out until there is power again.
    """

    def __init__(self, post: Post, role: DataCentre) -> None:
        self._post, self._role = post, role
        self.battery = Ramp(post.now_ns, 1.0)
        self.dark = post.track(0.0)
        self._lit = post.env.event()
        self._feeders = Attendance([post.machines[asset] for asset in post.feeders()], self._changed)

    def _changed(self) -> None:
        dark = self._feeders.at_work < self._feeders.whole
        if dark == bool(self.dark.value):
            return
        self.dark.set(float(dark))
        if dark:
            self._lit = self._post.env.event()
            self._post.env.process(self._outage())
        else:
            self.battery.run(HOUR_NS / self._role.backup.recharge)
            self._lit.succeed()

    def _outage(self) -> Generator[simpy.Event, Any, None]:
        env, lit, now = self._post.env, self._lit, np.array([self._post.now_ns()], dtype=np.int64)
        readings = np.array([float(self._post.tally.steady)])
        share = max(float(it_kw_of(self._role, self._post.sky, now, readings)[0]) / self._role.rated_it_kw, 0.01)
        lasts_ns = self._role.backup.ride_through / share
        charge = float(self.battery.at(now)[0])
        self.battery.run(-HOUR_NS / lasts_ns)
        yield lit | env.timeout(whole_ms(charge * lasts_ns))
        while not lit.triggered:
            # Nobody knows how long it takes; each minute it is known to last for another one.
            self._post.machine.break_down(self._post.now_ns() + MINUTE_NS)
            yield lit | env.timeout(MINUTE_NS)
