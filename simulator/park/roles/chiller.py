"""A chiller plant: it carries the heat of machines and data centres; without it the loop warms, and machines stop."""

from __future__ import annotations

from simulator.park.demand import Demand, Shortage
from simulator.park.post import Post
from simulator.park.service import Service
from simulator.park.thresholds import Thresholds
from simulator.scenario.roles.chiller import Chiller
from simulator.signals.device import Device
from simulator.signals.devices.chiller import WARMEST_K, ChillerDevice
from simulator.signals.reservoir import Reservoir

__all__ = ["chiller"]

DEADBAND = 0.01
"""Heat has to move by so much of the rated cooling before it counts [E]."""
LEAST_KW = 50.0
KWH_PER_L_K = 4.186 / 3600.0
"""What a litre of water takes up for each degree."""


def chiller(post: Post) -> Device:
    """Build a plant at its post."""
    role = post.spec.role
    assert isinstance(role, Chiller)
    demand = Demand(post, lambda uses: uses.cooling_kw)
    cooled = [post.devices[name] for name in post.system.serves if name in post.devices and post.devices[name].cools]
    fixed_kw = sum(device.rated_cooling_kw for device in cooled)
    unit_kw = role.rated_kw or max(demand.most + fixed_kw, LEAST_KW) / max(role.chillers - 1, 1)
    rated_kw = unit_kw * role.chillers
    # The cold of the loop: what is left until it is as warm as it can get.
    loop = Reservoir(size=role.loop_l_kw * rated_kw * KWH_PER_L_K, top=WARMEST_K)
    post.keep(loop)
    out = Shortage(post, demand.users, "no_cooling")
    thresholds = Thresholds(
        post.env,
        [(cold(role, role.hold_above_c), cold(role, role.go_below_c), out)],
        level=loop.level_now,
        next_at=lambda level, now_ns: loop.next_at(level, after_ns=now_ns),
    )

    def follow() -> None:
        # What devices give off hangs on the minute; here their most stands for it, and decides how fast a loop warms.
        loop.begin(post.now_ns(), demand=demand.laid + fixed_kw, capacity=rated_kw if duty.works else 0.0)
        thresholds.foresee()

    duty = Service(post.machine, follow)
    follow()
    demand.watch(follow, deadband=DEADBAND * rated_kw)
    return ChillerDevice(role, loop, cooled, post.sky, unit_kw=unit_kw)


def cold(role: Chiller, supply_c: float) -> float:
    """Return how many degrees are left at a temperature of the supply."""
    return WARMEST_K - (supply_c - role.supply_c)
