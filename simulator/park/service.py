"""Whether a system does its duty, and who is told when that changes."""

from __future__ import annotations

from collections.abc import Callable

from simulator.park.machine import Machine
from simulator.park.packml import State

__all__ = ["Service"]


class Service:
    """A system does its duty while it is in Execute.

    The world begins in the midst of things: until a system has first come to Execute it passes for one that works, so
    that no park begins with everything dark and empty.
    """

    def __init__(self, machine: Machine, switched: Callable[[], None]) -> None:
        """Call ``switched`` whenever it has begun or ceased to work."""
        self.works = True
        self._has_worked = False
        self._switched = switched
        machine.watch(self._changed)

    def _changed(self, machine: Machine) -> None:
        works = machine.state is State.EXECUTE
        self._has_worked |= works
        if self._has_worked and works is not self.works:
            self.works = works
            self._switched()
