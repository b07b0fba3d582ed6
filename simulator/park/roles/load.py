"""An electric load: nothing happens to it but its failures."""

from __future__ import annotations

from simulator.park.post import Post
from simulator.scenario.roles.load import Load
from simulator.signals.device import Device
from simulator.signals.devices.load import LoadDevice

__all__ = ["load"]


def load(post: Post) -> Device:
    """Build a load under the sky of its site."""
    role = post.spec.role
    assert isinstance(role, Load)
    return LoadDevice(role, post.sky)
