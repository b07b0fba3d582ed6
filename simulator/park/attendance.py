"""Which of several systems do their service: blowers of a plant, air handlers of a hall, lines to an office."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulator.park.machine import Machine
from simulator.park.service import Service

__all__ = ["Attendance"]


class Attendance:
    """Follows some systems, and calls ``changed`` whenever one of them has begun or ceased to work."""

    def __init__(self, machines: Sequence[Machine], changed: Callable[[], None]) -> None:
        self._services = [Service(machine, changed) for machine in machines]

    @property
    def whole(self) -> int:
        """How many there are."""
        return len(self._services)

    @property
    def at_work(self) -> int:
        """How many of them work."""
        return sum(service.works for service in self._services)

    @property
    def share(self) -> float:
        """The same as a share; 1 if there are none to follow."""
        return self.at_work / self.whole if self.whole else 1.0
