"""Work that only goes on while a system works: it waits while the system is down."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from simulator.park.machine import Machine
from simulator.park.packml import State

__all__ = ["Presence", "Steps"]

Steps = Generator[simpy.Event, Any, Any]


class Presence:
    """Tells when a machine works."""

    def __init__(self, env: simpy.Environment, machine: Machine) -> None:
        self.machine = machine
        self._env = env
        self.changed = env.event()
        """Happens at the next change of its state."""
        machine.watch(self._change)

    def _change(self, _: Machine) -> None:
        changed, self.changed = self.changed, self._env.event()
        changed.succeed()

    @property
    def works(self) -> bool:
        """Whether it works now."""
        return self.machine.state is State.EXECUTE

    def there(self) -> Steps:
        """Wait until it works."""
        while not self.works:
            yield self.changed

    def work(self, ns: int, going: Callable[[bool], None] = lambda _: None) -> Steps:
        """Wait until it has worked for so long; ``going`` is told when it goes on, and when it rests."""
        while ns > 0:
            yield from self.there()
            since = int(self._env.now)
            going(True)
            yield self._env.timeout(ns) | self.changed
            going(False)
            ns -= int(self._env.now) - since
