"""A power plant: nothing happens to it but its failures."""

from __future__ import annotations

from simulator.park.machine import Machine
from simulator.park.packml import State
from simulator.park.post import Post
from simulator.scenario.roles.generator import Generator
from simulator.signals.device import Device
from simulator.signals.devices.generator import GeneratorDevice

__all__ = ["generator"]


def generator(post: Post) -> Device:
    """Build a power plant under the sky of its site."""
    role = post.spec.role
    assert isinstance(role, Generator)
    running = post.track()

    def changed(machine: Machine) -> None:
        running.set(float(machine.state is State.EXECUTE))

    post.machine.watch(changed)
    return GeneratorDevice(role, post.sky, running)
