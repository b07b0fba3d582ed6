"""What machines take of a medium of their site, added up as they change, and what befalls them when it is short."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from simulator.park.machine import Machine
from simulator.park.packml import State
from simulator.park.post import Post
from simulator.park.truth import Happening
from simulator.scenario.fault import Cause
from simulator.scenario.machine_type import Uses
from simulator.signals.timeline import DARK

__all__ = ["Demand", "Shortage"]

FINE = 1_000
"""Demand is added up in whole thousandths of its unit, so that the sum does not depend on the order."""


class Demand:
    """The demand of those that a system serves.

    ``use`` says what one of them takes while it makes parts. ``changed`` is called only once the sum has moved by more
    than ``deadband`` since the last time, or to nothing: between that and the next, ``laid`` is what counts.
    """

    def __init__(self, post: Post, use: Callable[[Uses], float]) -> None:
        self.deadband = 0.0
        self.laid = 0.0
        self._changed: Callable[[], None] = lambda: None
        self.users: dict[int, Machine] = {}
        self._sum = most = 0
        for asset in post.served:
            machine = post.machines[asset]
            full = round(use(machine.spec.uses) * FINE)
            if full:
                most += full
                self.users[asset] = machine
                takes = Takes(full, round(full * machine.spec.uses.idle))
                machine.watch(partial(self._moved, takes))
        self.most = most / FINE
        """What all of them take together while they make parts."""

    def watch(self, changed: Callable[[], None], *, deadband: float) -> None:
        """Call ``changed`` from now on."""
        self._changed, self.deadband = changed, deadband

    def _moved(self, takes: Takes, machine: Machine) -> None:
        self._sum += takes.moved(machine)
        now = self._sum / FINE
        if abs(now - self.laid) > self.deadband or (not self._sum and self.laid):
            self.laid = now
            self._changed()


class Takes:
    """What one machine takes now."""

    def __init__(self, full: int, idle: int) -> None:
        self._full, self._idle = full, idle
        self._now = 0

    def moved(self, machine: Machine) -> int:
        """Return by how much it changes with the machine's state."""
        before = self._now
        if machine.state is State.EXECUTE:
            self._now = self._full
        else:
            self._now = 0 if machine.state is State.STOPPED or machine.power == DARK else self._idle
        return self._now - before


class Shortage:
    """Something that befalls all users of a medium at once, told as a consequence in the truth."""

    def __init__(
        self,
        post: Post,
        users: Mapping[int, Machine],
        kind: str,
        *,
        begin: Callable[[Machine], None] = Machine.go_without,
        end: Callable[[Machine], None] = Machine.go_with,
        parameter: float = 0.0,
    ) -> None:
        self._post = post
        self._users = users
        self._kind = kind
        self._begin, self._end = begin, end
        self._parameter = parameter
        self._told: list[Happening] = []

    def begin(self) -> None:
        """Let it befall them."""
        for asset, machine in self._users.items():
            happening = Happening(self._kind, asset, Cause.CONSEQUENCE, self._post.now_ns(), parameter=self._parameter)
            self._told.append(self._post.truth.begin(happening))
            self._begin(machine)

    def end(self) -> None:
        """Let it be over."""
        for happening in self._told:
            self._post.truth.end(happening)
        self._told = []
        for machine in self._users.values():
            self._end(machine)
