"""Accounts: what each machine of a park did up to any instant, for its key figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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
        self._calendars = [plant.calendar for plant in plants]
        self._open_before_ns = [calendar.open_ns(origin_ns) for calendar in self._calendars]
        self._plant_of = np.repeat(np.arange(len(plants)), [len(plant.machines) for plant in plants])
        machines = [machine for plant in plants for machine in plant.machines]
        shared = {buffer for plant in plants for buffer in plant.buffers.values()}
        gives = [[port.buffer for port in machine.ports if port.gives] for machine in machines]
        self._makes = np.repeat([plant.makes for plant in plants], [len(plant.machines) for plant in plants])
        self._leaves_factory = np.array([not buffers for buffers in gives])
        self._leaves_line = np.array([shared.issuperset(buffers) for buffers in gives])

    def at(self, time_ns: Ints) -> Work:
        """Return int64[instants, machines] at instants of the window that the tallies took in last."""
        done = self._tallies.at(time_ns)
        mine = self._makes
        good = done.good * mine
        return Work(
            busy_ms=self._busy_ms(time_ns) * mine,
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
        open_ms = [
            [(calendar.open_ns(at) - before) // MS for at in time_ns.tolist()]
            for calendar, before in zip(self._calendars, self._open_before_ns, strict=True)
        ]
        return np.array(open_ms, dtype=np.int64).T[:, self._plant_of]
