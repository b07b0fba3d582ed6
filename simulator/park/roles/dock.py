"""A dock as it happens: a lorry comes, is handled as long as the dock works, and goes."""

from __future__ import annotations

from simulator.park.berth import Berth
from simulator.park.machine import Port
from simulator.park.post import Post
from simulator.park.presence import Presence, Steps
from simulator.park.spread import between_ns
from simulator.scenario.roles.dock import Dock
from simulator.signals.almanac import hours
from simulator.signals.device import Device, TrackDevice

__all__ = ["DockDevice", "dock"]


class DockDevice(TrackDevice):
    """What a dock shows, and how a gate uses it."""

    def __init__(self, post: Post, role: Dock) -> None:
        super().__init__({"occupied": post.track(), "lorries": post.track(), "handling_min": post.track()})
        self._env = post.env
        self._role = role
        self._rng = post.stream("handling").epoch(0)
        self._presence = Presence(post.env, post.machine)
        self._berth = Berth()
        post.machine.ports = (Port(self._berth, 1, gives=False),)

    def handle(self) -> Steps:
        """Load or unload a lorry that stands here."""
        began_ns = int(self._env.now)
        self.tracks["occupied"].set(1)
        self._berth.come()
        yield from self._presence.work(between_ns(self._rng, self._role.shortest, self._role.longest))
        self._berth.leave()
        self.tracks["occupied"].set(0)
        self.tracks["lorries"].add(1)
        self.tracks["handling_min"].set(60 * hours(int(self._env.now) - began_ns))


def dock(post: Post) -> Device:
    """Build a dock that waits for lorries."""
    role = post.spec.role
    assert isinstance(role, Dock)
    return DockDevice(post, role)
