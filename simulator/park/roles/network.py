"""Parts of a network in the park: they fail and are mended as machines do, and shut or open the way through them."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.park.machine import Machine
from simulator.park.packml import State
from simulator.park.post import Post
from simulator.scenario.roles.gateway import Gateway
from simulator.scenario.roles.link import Link
from simulator.signals.device import Device
from simulator.signals.devices.gateway import GatewayDevice
from simulator.signals.devices.link import LinkDevice
from simulator.signals.way import Way

__all__ = ["gateway", "link"]

FAILING = frozenset({State.ABORTING, State.HOLDING, State.STOPPING})


def link(post: Post) -> Device:
    """Build a link that leads on through others."""
    role = post.spec.role
    assert isinstance(role, Link)
    beyond = leads_to(post)
    return LinkDevice(role, way_of(post, beyond), beyond)


def gateway(post: Post) -> Device:
    """Build a gateway; what it says itself it sends as well."""
    role = post.spec.role
    assert isinstance(role, Gateway)
    beyond = leads_to(post)
    return GatewayDevice(role, way_of(post, beyond), beyond, sorted({post.asset, *post.served}))


def leads_to(post: Post) -> Sequence[LinkDevice]:
    """Return the links that a system names, in its order."""
    found = [post.devices[name] for name in post.system.via]
    return [one for one in found if isinstance(one, LinkDevice)]


def way_of(post: Post, beyond: Sequence[LinkDevice]) -> Way:
    """Return the way through a system, which shuts when it fails and opens once it is back in Execute.

    It is open from the beginning of the world, in which everything starts up: a park that begins is not an outage.
    """
    way = Way([one.way for one in beyond], track=post.track, now_ns=post.now_ns)

    def changed(machine: Machine) -> None:
        if machine.state is State.EXECUTE:
            way.set_working(True)
        elif machine.state in FAILING:
            way.set_working(False)

    post.machine.watch(changed)
    return way
