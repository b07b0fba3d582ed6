"""A port as it happens: lorries land containers, vessels call, are handled by cranes and take along what is there."""

from __future__ import annotations

from collections import deque
from typing import ClassVar

import numpy as np
import simpy
from numpy.typing import NDArray

from simulator.park.freight import LANDED, LEFT, TEU, Lorry
from simulator.park.post import Post
from simulator.park.presence import Presence, Steps
from simulator.park.stops import lognormal_ns, whole_ms
from simulator.scenario.roles.port import Port
from simulator.signals.almanac import HOUR_NS, hours
from simulator.signals.course import Ramp
from simulator.signals.device import Device, Figure, Track, TrackDevice

__all__ = ["port"]

Ints = NDArray[np.int64]

EVEN, SPREAD = 0.5, 0.15
"""Of the moves of a vessel so many bring containers, give or take so many [E]."""


class PortDevice(TrackDevice):
    """What a port shows; its cranes draw power while they work."""

    draws: ClassVar[bool] = True
    figures: ClassVar[tuple[Figure, ...]] = (
        Figure("delay_mean_h", "h", 1, 1e5),
        Figure("dwell_mean_h", "h", 1, 1e5),
        Figure("shipped_teu", "1", 0, 1e9),
    )

    def __init__(self, tracks: dict[str, Track], role: Port, others_teu: Ramp) -> None:
        super().__init__(tracks)
        self._role = role
        self._others_teu = others_teu

    def values(self, shows: str, time_ns: Ints) -> NDArray[np.floating]:
        """Return a quantity; the yard holds what comes from the park and from elsewhere."""
        if shows != "yard_pct":
            return super().values(shows, time_ns)
        held = self._others_teu.at(time_ns) + self.tracks["yard_teu"].at(time_ns)
        return np.clip(100.0 * held / self._role.yard, 0.0, 100.0)

    def watts(self, minute_ns: Ints) -> Ints:
        """Return what cranes and yard draw."""
        working = self.tracks["berthed"].at(minute_ns) * self._role.cranes
        power: Ints = np.rint(1000.0 * (self._role.base_kw + self._role.crane_kw * working)).astype(np.int64)
        return power


class Terminal:
    """The yard and the quay of a port."""

    def __init__(self, post: Post, role: Port) -> None:
        self._post = post
        self._role = role
        self._env = post.env
        self._quay = simpy.Resource(post.env, capacity=role.berths)
        self._presence = Presence(post.env, post.machine)
        self._calls = post.stream("calls").epoch(0)
        self._roads = post.stream("roads").epoch(0)
        self._landed: deque[int] = deque()
        self._others = Ramp(post.track, post.now_ns, role.filled * role.yard)
        self.device = PortDevice(post.quantities(Port.SHOWS), role, self._others)
        for plant in post.tenants:
            post.freight.follow(plant, LEFT, self._set_out)
            post.freight.lead(plant, LANDED)

    def _set_out(self, lorry: Lorry) -> None:
        self._env.process(self._drive(lorry))

    def _drive(self, lorry: Lorry) -> Steps:
        """Follow a lorry from the gate of its site into the yard."""
        tracks = self.device.tracks
        tracks["on_the_way_teu"].add(TEU)
        yield self._env.timeout(lognormal_ns(self._roads, self._role.way, cv=self._role.way_cv))
        tracks["on_the_way_teu"].add(-TEU)
        tracks["landed_teu"].add(TEU)
        tracks["yard_teu"].add(TEU)
        self._landed.append(int(self._env.now))
        self._post.freight.tell(LANDED, lorry)

    def schedule(self) -> Steps:
        """Let vessels call, the first somewhere in the interval between two."""
        role = self._role
        yield self._env.timeout(whole_ms(role.calls_every * self._calls.random()))
        while True:
            moves = max(round(lognormal_ns(self._calls, role.exchange * HOUR_NS, cv=role.exchange_cv) / HOUR_NS), 2)
            self._env.process(self._call(moves))
            yield self._env.timeout(lognormal_ns(self._calls, role.calls_every, cv=role.calls_cv))

    def _call(self, moves: int) -> Steps:
        """Follow a vessel from the roads to the open sea: it is discharged, then loaded."""
        role, tracks, came_ns = self._role, self.device.tracks, int(self._env.now)
        moves_h = role.cranes * role.crane_moves_h
        handling_ns = whole_ms(moves / moves_h * HOUR_NS)
        tracks["anchored"].add(1)
        with self._quay.request() as berth:
            yield berth
            tracks["anchored"].add(-1)
            tracks["berthed"].add(1)
            # A full yard takes less and gives more, as its planners see to; by land as much comes as goes.
            brought = EVEN + SPREAD * (2.0 * self._calls.random() - 1.0) + role.filled - self._others.value / role.yard
            discharge_ns = whole_ms(handling_ns * min(max(brought, EVEN - SPREAD), EVEN + SPREAD))
            teu_h = moves_h * role.teu_per_move
            yield from self._presence.work(discharge_ns, lambda on: self._move(on, moves_h, teu_h))
            yield from self._presence.work(handling_ns - discharge_ns, lambda on: self._move(on, moves_h, -teu_h))
            tracks["berthed"].add(-1)
        tracks["calls"].add(1)
        tracks["moves"].add(moves)
        # Late is what the way through the port took beyond the handling itself.
        delay_h = hours(int(self._env.now) - came_ns - handling_ns)
        tracks["delay_h"].set(delay_h)
        tracks["delay_mean_h"].add((delay_h - tracks["delay_mean_h"].value) / tracks["calls"].value)
        self._take_along(int((handling_ns - discharge_ns) / handling_ns * moves * role.teu_per_move))

    def _move(self, on: bool, moves_h: float, teu_h: float) -> None:  # noqa: FBT001 - a switch of the work told
        """Let the cranes of a vessel begin or rest: the yard fills or empties as fast as they move."""
        sign = 1.0 if on else -1.0
        self.device.tracks["moves_h"].add(sign * moves_h)
        self._others.bend(sign * teu_h)

    def _take_along(self, room_teu: int) -> None:
        """Ship the containers of the park that landed in time, the first ones first, as far as there is room."""
        tracks, now_ns = self.device.tracks, int(self._env.now)
        while self._landed and self._landed[0] <= now_ns - self._role.closing and room_teu >= TEU:
            dwell_h = hours(now_ns - self._landed.popleft())
            room_teu -= TEU
            tracks["yard_teu"].add(-TEU)
            tracks["shipped_teu"].add(TEU)
            tracks["dwell_h"].set(dwell_h)
            tracks["dwell_mean_h"].add((dwell_h - tracks["dwell_mean_h"].value) * TEU / tracks["shipped_teu"].value)


def port(post: Post) -> Device:
    """Build a port, and let vessels call."""
    role = post.spec.role
    assert isinstance(role, Port)
    terminal = Terminal(post, role)
    post.env.process(terminal.schedule())
    return terminal.device
