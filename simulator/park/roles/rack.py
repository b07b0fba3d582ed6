"""A rack: it stands where a data centre gives it room."""

from __future__ import annotations

from simulator.park.post import Post
from simulator.scenario.roles.rack import Rack
from simulator.signals.device import Device
from simulator.signals.devices.rack import RackDevice

__all__ = ["rack"]


def rack(post: Post) -> Device:
    """Build a rack, with its share of the load and its place in the hall drawn once."""
    role = post.spec.role
    assert isinstance(role, Rack)
    share, warmth = post.stream("rack").epoch(0).standard_normal(2)
    return RackDevice(role, post.asset, share=float(share), warmth=float(warmth))
