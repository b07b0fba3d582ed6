"""A steam boiler: it follows what is taken; where it cannot, pressure falls, and machines that use steam are held."""

from __future__ import annotations

from simulator.park.demand import Demand, Shortage
from simulator.park.post import Post
from simulator.park.service import Service
from simulator.park.thresholds import Thresholds
from simulator.scenario.roles.boiler import Boiler
from simulator.signals.device import Device
from simulator.signals.devices.boiler import BoilerDevice
from simulator.signals.reservoir import Reservoir

__all__ = ["boiler"]

DEADBAND = 0.01
"""Demand has to move by so much of the rated steam before it counts [E]."""


def boiler(post: Post) -> Device:
    """Build a boiler at its post."""
    role = post.spec.role
    assert isinstance(role, Boiler)
    demand = Demand(post, lambda uses: uses.steam_kg_h)
    steam = Reservoir(size=role.storage_kg_bar, top=role.pressure_bar)
    post.keep(steam)
    out = Shortage(post, demand.users, "no_steam")
    thresholds = Thresholds(
        post.env,
        [(role.hold_below_bar, role.go_above_bar, out)],
        level=steam.level_now,
        next_at=lambda bar, now_ns: steam.next_at(bar, after_ns=now_ns),
    )

    def follow() -> None:
        steam.begin(post.now_ns(), demand=demand.laid, capacity=role.rated_kg_h if duty.works else 0.0)
        thresholds.foresee()

    duty = Service(post.machine, follow)
    follow()
    demand.watch(follow, deadband=DEADBAND * role.rated_kg_h)
    return BoilerDevice(role, steam, post.stream)
