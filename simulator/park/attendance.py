"""Which of several systems are at work: blowers of a plant, feeders on the way to it, lines to an office."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulator.park.machine import Machine
from simulator.park.packml import State

__all__ = ["Attendance"]


class Attendance:
    """Follows some machines, and says so when one of them begins or ceases to work.

    In the first moments of the world all of them are starting; until it has worked for the first time, one counts as
    at work, for what it gives has been there all along.
    """

    def __init__(self, machines: Sequence[Machine], changed: Callable[[], None]) -> None:
        self.whole = len(machines)
        self._changed = changed
        self._seen: set[Machine] = set()
        self._away: set[Machine] = set()
        for machine in machines:
            machine.watch(self._look)

    @property
    def at_work(self) -> int:
        """How many of them are."""
        return self.whole - len(self._away)

    @property
    def share(self) -> float:
        """The same as a share; 1 if there are none to follow."""
        return self.at_work / self.whole if self.whole else 1.0

    def _look(self, machine: Machine) -> None:
        before = len(self._away)
        if machine.state is State.EXECUTE:
            self._seen.add(machine)
            self._away.discard(machine)
        elif machine in self._seen:
            self._away.add(machine)
        if len(self._away) != before:
            self._changed()
