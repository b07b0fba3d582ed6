"""A greenhouse: what happens in it, its valves, hangs on the light alone."""

from __future__ import annotations

from simulator.park.post import Post
from simulator.scenario.roles.greenhouse import Greenhouse
from simulator.signals.device import Device
from simulator.signals.devices.greenhouse import GreenhouseDevice

__all__ = ["greenhouse"]


def greenhouse(post: Post) -> Device:
    """Build a greenhouse under the sky of its site."""
    role = post.spec.role
    assert isinstance(role, Greenhouse)
    return GreenhouseDevice(role, post.sky)
