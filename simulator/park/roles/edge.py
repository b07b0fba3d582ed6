"""An edge node as it happens: it warns of faults, and each warning is judged by what the machine then does."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, ClassVar

from simulator.park.machine import Machine
from simulator.park.packml import State
from simulator.park.post import Post
from simulator.scenario.roles.edge import Edge
from simulator.signals.almanac import hours
from simulator.signals.device import Device, Figure, TrackDevice

__all__ = ["edge"]


class EdgeDevice(TrackDevice):
    """What an edge node shows: how much it watches, and how good it is."""

    figures: ClassVar[tuple[Figure, ...]] = (
        Figure("precision_pct", "%", 1, 100.0),
        Figure("recall_pct", "%", 1, 100.0),
        Figure("coverage_pct", "%", 1, 100.0),
    )


class Watcher:
    """What a node thinks of one machine."""

    def __init__(self, post: Post, role: Edge, machine: Machine, device: EdgeDevice) -> None:
        self._post = post
        self._role = role
        self._tracks = device.tracks
        self._rng = post.stream("error", *post.catalog.assets[machine.asset].path).epoch(0)
        self._warned_ns: int | None = None
        self._serial = 0
        self._draw_error()
        machine.watch(self._look)

    def _look(self, machine: Machine) -> None:
        if machine.state is State.ABORTED:
            self._broke()
        elif machine.state is State.EXECUTE and self._warned_ns is None:
            left_ns = machine.left_to_fault_ns()
            if left_ns is not None and left_ns * self._error < self._role.horizon:
                self._warn()

    def _draw_error(self) -> None:
        """Draw by how much it misjudges what is left until the next fault."""
        self._error = math.exp(self._role.error * self._rng.standard_normal())

    def _warn(self) -> None:
        self._warned_ns = self._post.now_ns()
        self._tracks["alerts"].add(1)
        self._tracks["open"].add(1)
        self._serial += 1
        timeout = self._post.env.timeout(2 * self._role.horizon)
        assert timeout.callbacks is not None
        timeout.callbacks.append(partial(self._expire, self._serial))

    def _expire(self, serial: int, _: Any) -> None:
        """Nothing happened for so long: it was wrong."""
        if self._warned_ns is not None and serial == self._serial:
            self._close("wrong")

    def _broke(self) -> None:
        if self._warned_ns is None:
            self._tracks["missed"].add(1)
        else:
            lead_h = hours(self._post.now_ns() - self._warned_ns)
            self._close("right")
            right = self._tracks["right"].value
            self._tracks["lead_h"].set(lead_h)
            self._tracks["lead_mean_h"].add((lead_h - self._tracks["lead_mean_h"].value) / right)
        self._rate("recall_pct", "missed")
        self._draw_error()

    def _close(self, how: str) -> None:
        self._warned_ns = None
        self._tracks["open"].add(-1)
        self._tracks[how].add(1)
        self._rate("precision_pct", "wrong")

    def _rate(self, name: str, against: str) -> None:
        right, other = self._tracks["right"].value, self._tracks[against].value
        if right + other:
            self._tracks[name].set(100.0 * right / (right + other))


def edge(post: Post) -> Device:
    """Build a node that watches some of the machines that can break down."""
    role = post.spec.role
    assert isinstance(role, Edge)
    device = EdgeDevice(post.quantities(Edge.SHOWS, precision_pct=100.0, recall_pct=100.0))
    can_break = [one for plant in post.tenants for one in plant.machines if one.left_to_fault_ns() is not None]
    for machine in can_break:
        # Whether a machine is watched belongs to it, and not to who else is there.
        chance = post.stream("watched", *post.catalog.assets[machine.asset].path).epoch(0).random()
        if chance < role.coverage:
            device.tracks["watched"].add(1)
            Watcher(post, role, machine, device)
    if can_break:
        device.tracks["coverage_pct"].set(100.0 * device.tracks["watched"].value / len(can_break))
    return device
