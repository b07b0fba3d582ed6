"""A gate as it happens: lorries come for loads and with goods, queue, are checked, go to docks and leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import simpy

from simulator.park.arrivals import arrivals
from simulator.park.freight import LEFT, MADE, Lorry
from simulator.park.post import Post
from simulator.park.presence import Presence, Steps
from simulator.park.roles.dock import DockDevice
from simulator.park.spread import between_ns
from simulator.park.stops import lognormal_ns
from simulator.scenario.roles.gate import Gate
from simulator.signals.almanac import hours
from simulator.signals.device import Device, Figure, TrackDevice
from simulator.signals.rhythm import Rhythm

__all__ = ["gate"]


class GateDevice(TrackDevice):
    """What a gate shows: who waits outside, who is inside, and how long the last ones waited."""

    figures: ClassVar[tuple[Figure, ...]] = (Figure("waited_mean_min", "min", 1, 1e4),)


class Checkpoint:
    """Lorries on their way through a site."""

    def __init__(self, post: Post, role: Gate) -> None:
        self._post = post
        self._role = role
        self._env = post.env
        self._lanes = simpy.Resource(post.env, capacity=role.lanes)
        self._presence = Presence(post.env, post.machine)
        self._checks = post.stream("checks").epoch(0)
        self._calls = post.stream("calls").epoch(0)
        self.device = GateDevice(post.quantities(Gate.SHOWS))
        self._waited_ns = 0
        self._docks = simpy.Store(post.env)
        found = [post.everywhere[asset] for asset in post.served if asset in post.everywhere]
        self._has_docks = False
        for one in found:
            if isinstance(one, DockDevice):
                self._docks.put(one)
                self._has_docks = True
        for plant in post.tenants:
            post.freight.follow(plant, MADE, self._call)
            post.freight.lead(plant, LEFT)
            post.freight.unload_at(plant, self._let_in)

    def _call(self, lorry: Lorry) -> None:
        """A load is ready: a lorry comes for it."""
        self._env.process(self._fetch(lorry))

    def _fetch(self, lorry: Lorry) -> Steps:
        yield self._env.timeout(lognormal_ns(self._calls, self._role.called, cv=self._role.called_cv))
        yield from self._inside()
        self._post.freight.tell(LEFT, lorry)

    def _let_in(self, unloaded: Callable[[], None]) -> None:
        self._env.process(self._bring(unloaded))

    def _bring(self, unloaded: Callable[[], None]) -> Steps:
        yield from self._inside(unloaded)

    def _inside(self, handled: Callable[[], None] = lambda: None) -> Steps:
        """Pass the gate, be handled at a dock if there is one, and leave."""
        yield from self._pass()
        tracks = self.device.tracks
        tracks["yard"].add(1)
        if self._has_docks:
            dock = yield self._docks.get()
            yield from dock.handle()
            self._docks.put(dock)
        handled()
        tracks["yard"].add(-1)
        tracks["left"].add(1)

    def _pass(self) -> Steps:
        """Queue, and be checked."""
        tracks, came_ns = self.device.tracks, int(self._env.now)
        tracks["queue"].add(1)
        with self._lanes.request() as lane:
            yield lane
            tracks["queue"].add(-1)
            waited_ns = int(self._env.now) - came_ns
            self._waited_ns += waited_ns
            check_ns = between_ns(self._checks, self._role.shortest, self._role.longest)
            yield from self._presence.work(check_ns)
        tracks["passed"].add(1)
        tracks["waited_min"].set(60 * hours(waited_ns))
        tracks["waited_mean_min"].set(60 * hours(self._waited_ns) / tracks["passed"].value)

    def visitors(self) -> Steps:
        """Let everybody else come, by the hours of the day."""
        role, sky = self._role, self._post.sky
        rhythm = Rhythm(role.visitors, saturday=role.saturday, sunday=role.sunday, utc_offset_ns=sky.utc_offset_ns)
        highest = max(rate for _, rate in role.visitors) * max(1.0, role.saturday, role.sunday)
        rng = self._post.stream("visitors").epoch(0)
        for at_ns in arrivals(rhythm, highest_per_h=highest, rng=rng, from_ns=int(self._env.now)):
            yield self._env.timeout(at_ns - int(self._env.now))
            self._env.process(self._pass())


def gate(post: Post) -> Device:
    """Build a gate, and let its visitors come."""
    role = post.spec.role
    assert isinstance(role, Gate)
    checkpoint = Checkpoint(post, role)
    post.env.process(checkpoint.visitors())
    return checkpoint.device
