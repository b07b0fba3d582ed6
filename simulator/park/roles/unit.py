"""A unit of a larger plant: those that it serves follow its state."""

from __future__ import annotations

from simulator.park.post import Post
from simulator.signals.device import Device, TrackDevice

__all__ = ["unit"]


def unit(post: Post) -> Device:
    """Build a unit, which has nothing to show beside its state and its motor."""
    assert post.spec.role is not None
    return TrackDevice({})
