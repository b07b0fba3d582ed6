"""Accounts: what each machine of a park did up to any instant, for its key figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.park.calendar import Calendar
from simulator.park.kpi import Work
from simulator.park.plant import Plant
from simulator.signals.tallies import Tallies

__all__ = ["Accounts"]

Ints = NDArray[np.int64]
MS = 1_000_000


class Accounts:
    """The work of all machines since the beginning of the world.

    Systems run round the clock and make no pieces: they have a share in energy alone.
    """

    def __init__(self, plants: Sequence[Plant], tallies: Tallies, *, origin_ns: int) -> None:
        self._tallies = tallies
        machines = [machine for plant in plants for machine in plant.machines]
        shared = {buffer for plant in plants for buffer in plant.buffers.values()}
        gives = [[port.buffer for port in machine.ports if port.gives] for machine in machines]
        self._makes = np.repeat([plant.makes for plant in plants], [len(plant.machines) for plant in plants])
        self._leaves_factory = np.array([not buffers for buffers in gives])
        self._leaves_line = np.array([shared.issuperset(buffers) for buffers in gives])
        # Machines of a factory whose people rest together are busy together.
        places = [(plant.calendar, machine.rests_with) for plant in plants for machine in plant.machines]
        self._hours = list(dict.fromkeys(places))
        numbers = {hours: number for number, hours in enumerate(self._hours)}
        self._hours_of = np.array([numbers[place] for place in places], dtype=np.int64)
        self._before_ms = self._busy_ms(np.array([origin_ns]))

    def at(self, time_ns: Ints) -> Work:
        """Return int64[instants, machines] at instants of the window that the tallies took in last."""
        done = self._tallies.at(time_ns)
        mine = self._makes
        good = done.good * mine
        return Work(
            busy_ms=(self._busy_ms(time_ns) - self._before_ms) * mine,
            producing_ms=done.producing_ms * mine,
            ideal_ms=done.ideal_ms * mine,
            down_ms=done.down_ms * mine,
            failures=done.failures * mine,
            processed=done.processed * mine,
            good=good,
            left_line=good * self._leaves_line,
            left_factory=good * self._leaves_factory,
            spent_wms=done.spent_wms,
        )

    def nothing(self) -> Work:
        """Return the work before the beginning, int64[1, machines]."""
        zeros = np.zeros((1, len(self._makes)), dtype=np.int64)
        return Work(*(zeros for _ in Work.__dataclass_fields__))

    def _busy_ms(self, time_ns: Ints) -> Ints:
        """Return the open time of shifts without breaks, int64[instants, machines], for differences."""
        columns = [[busy_ns(calendar, group, at) // MS for at in time_ns.tolist()] for calendar, group in self._hours]
        return np.array(columns, dtype=np.int64).T[:, self._hours_of]


def busy_ns(calendar: Calendar, group: int | None, at_ns: int) -> int:
    """Return the open time without the breaks of a group by an instant, for differences."""
    return calendar.open_ns(at_ns) - (0 if group is None else calendar.rested_ns(at_ns, group))
