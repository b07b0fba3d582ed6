"""How much a park has to say: the readings of all its sensors, counted by the minute without making one of them.

The count of a minute is that of the readings whose time lies in it: samples of grids, changes of state that fall on no
sample, and one per sensor of each cycle that ends. It is what a batch holds of that minute, as long as no sensor is
struck by a gap. The records of environmental reporters are no measurements and are left out, and so is the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Catalog
from simulator.scenario.machine_type import MachineType
from simulator.scenario.roles.reporter import Reporter
from simulator.scenario.system_type import SystemType
from simulator.signals.supply import MINUTE_NS, marks
from simulator.signals.timeline import EXECUTE, Timeline

__all__ = ["Tally"]

Ints = NDArray[np.int64]


class Tally:
    """Counts the readings of a park. ``machines`` are the types of its assets."""

    def __init__(self, catalog: Catalog, machines: Sequence[MachineType], *, origin_ns: int) -> None:
        self._catalog = catalog
        self._machines = machines
        self._origin_ns = origin_ns
        self._of: Timeline | None = None
        self._counted: tuple[Ints, Ints] = (np.empty(0, np.int64), np.empty(0, np.int64))
        self._begun = 0

    def counted(self, timeline: Timeline) -> tuple[Ints, Ints]:
        """Return the minutes that begin in a window, and how many readings the minute before each had, int64[K].

        Windows must follow each other; whoever asks for the same one again gets the same answer. A minute that began
        before the world is taken to have had what the grids alone say.
        """
        if timeline is self._of:
            return self._counted
        begins = marks(timeline, MINUTE_NS)
        edges = np.concatenate(([timeline.from_ns], begins, [timeline.until_ns]))
        counts = self._samples(edges) + self._changes(timeline, edges) + self._cycles(timeline, edges)
        counts[0] += self._begun
        self._begun = int(counts[-1])
        whole = begins - MINUTE_NS >= self._origin_ns
        self._of, self._counted = timeline, (begins, np.where(whole, counts[:-1], self.steady))
        return self._counted

    @cached_property
    def steady(self) -> int:
        """Readings a minute of the grids alone, of any minute if all their periods divide one."""
        return round(float((self._sensors * (MINUTE_NS / self._period_ns)).sum()))

    @cached_property
    def _grids(self) -> tuple[Ints, Ints, Ints]:
        """Phase, period and number of sensors of each grid of each asset."""
        found: dict[tuple[int, int], int] = {}
        for asset, machine in zip(self._catalog.assets, self._machines, strict=True):
            if is_counted(machine):
                for sensor in asset.sensors:
                    if sensor.period_ns:
                        grid = (asset.phase_ns, sensor.period_ns)
                        found[grid] = found.get(grid, 0) + 1
        table = np.array([(*grid, count) for grid, count in found.items()], dtype=np.int64).reshape(-1, 3)
        return table[:, 0], table[:, 1], table[:, 2]

    @property
    def _period_ns(self) -> Ints:
        return self._grids[1]

    @property
    def _sensors(self) -> Ints:
        return self._grids[2]

    @cached_property
    def _per_cycle(self) -> Ints:
        """int64[assets]: sensors that speak once per cycle."""
        return np.array([sum(s.period is None for s in one.sensors) for one in self._machines], dtype=np.int64)

    @cached_property
    def _state_period_ns(self) -> Ints:
        """int64[assets]: sampling interval of the state sensor, 0 where there is none."""
        return np.array(
            [
                next((s.period or 0 for s in one.sensors if s.model.kind == "state"), 0) if is_counted(one) else 0
                for one in self._machines
            ],
            dtype=np.int64,
        )

    @cached_property
    def _phase_ns(self) -> Ints:
        return np.array([asset.phase_ns for asset in self._catalog.assets], dtype=np.int64)

    def _samples(self, edges: Ints) -> Ints:
        phase_ns, period_ns, sensors = self._grids
        # Samples before each edge, counted from 1970 on: only differences matter.
        before = -((phase_ns[:, None] - edges) // period_ns[:, None])
        return np.asarray((np.diff(before, axis=1) * sensors[:, None]).sum(axis=0), dtype=np.int64)

    def _changes(self, timeline: Timeline, edges: Ints) -> Ints:
        asset, time_ns, _ = timeline.changes()
        period_ns = self._state_period_ns[asset]
        # One on the very instant of a sample is that sample.
        told = (period_ns > 0) & ((time_ns - self._phase_ns[asset]) % np.maximum(period_ns, 1) != 0)
        part = np.searchsorted(edges, time_ns[told], side="right") - 1
        return np.bincount(part, minlength=len(edges) - 1)

    def _cycles(self, timeline: Timeline, edges: Ints) -> Ints:
        """As ``Timeline.cycle_ends`` lays them out, but counted alone."""
        runs = np.flatnonzero((timeline.state == EXECUTE) & (self._per_cycle[timeline.asset] > 0))
        cycle_ns, offset_ns = timeline.cycle_ns[runs], timeline.start_ns[runs] - timeline.into_ns[runs]
        last_ns = np.where(timeline.closed[runs], timeline.end_ns[runs], timeline.until_ns)
        first = np.maximum(-((offset_ns - timeline.from_ns) // cycle_ns), 1)
        until_ns = np.minimum(edges - 1, last_ns[:, None])
        before = np.maximum((until_ns - offset_ns[:, None]) // cycle_ns[:, None] - first[:, None] + 1, 0)
        sensors = self._per_cycle[timeline.asset[runs]]
        return np.asarray((np.diff(before, axis=1) * sensors[:, None]).sum(axis=0), dtype=np.int64)


def is_counted(machine: MachineType) -> bool:
    return not (isinstance(machine, SystemType) and isinstance(machine.role, Reporter))
