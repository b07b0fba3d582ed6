"""How much a park has to say: the readings of all its sensors, counted by the minute without making one of them.

The count of a minute is that of the readings whose time lies in it: samples of grids, changes of state that fall on no
sample, and those of each cycle that ends. It is what a batch holds of that minute, as long as no sensor is struck by a
gap. The records of environmental reporters are no measurements and are left out, and so are the truth and key figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Catalog
from simulator.scenario.machine_type import MachineType
from simulator.scenario.roles.reporter import Reporter
from simulator.scenario.sensor import SensorType, StateModel
from simulator.scenario.system_type import SystemType
from simulator.signals.growth import Growth
from simulator.signals.supply import MINUTE_NS, marks
from simulator.signals.timeline import EXECUTE, Timeline, ragged

__all__ = ["Tally"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Columns(NamedTuple):
    """Sensors that are counted: their numbers, assets, and periods or cycles per reading, int64[N] each."""

    number: Ints
    asset: Ints
    every: Ints


class Tally:
    """Counts the readings of a park. ``machines`` are the types of its assets.

    Where all sensors of a factory are there, the count is arithmetic. In those that still grow, samples and cycles are
    laid out one by one and asked for.
    """

    def __init__(
        self, catalog: Catalog, machines: Sequence[MachineType], *, origin_ns: int, growth: Growth | None = None
    ) -> None:
        self._catalog = catalog
        self._machines = machines
        self._origin_ns = origin_ns
        self._growth = growth
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
        growing = self._growing(timeline.from_ns)
        counts = (
            self._samples(edges, growing)
            + self._changes(timeline, edges)
            + self._cycles(timeline, edges, growing)
            + self._grown(timeline, edges, growing)
        )
        counts[0] += self._begun
        self._begun = int(counts[-1])
        whole = begins - MINUTE_NS >= self._origin_ns
        self._of, self._counted = timeline, (begins, np.where(whole, counts[:-1], self.steady))
        return self._counted

    @cached_property
    def steady(self) -> int:
        """Readings a minute of the grids alone once all sensors are there, if their periods divide a minute."""
        return round(float((MINUTE_NS / self._sampled.every).sum()))

    # What there is.

    @cached_property
    def _sampled(self) -> Columns:
        return self._columns(lambda sensor: sensor.period)

    @cached_property
    def _per_cycle(self) -> Columns:
        return self._columns(lambda sensor: None if sensor.period else sensor.every)

    def _columns(self, every: Callable[[SensorType], int | None]) -> Columns:
        found = [
            (asset.first_sensor + i, number, much)
            for number, (asset, machine) in enumerate(zip(self._catalog.assets, self._machines, strict=True))
            if is_counted(machine)
            for i, sensor in enumerate(machine.sensors)
            if (much := every(sensor)) is not None
        ]
        return Columns(*np.array(found, dtype=np.int64).reshape(-1, 3).T)

    @cached_property
    def _grids(self) -> tuple[Ints, Ints, Ints]:
        """Asset, period and number of sensors of each grid of each asset."""
        keys = np.column_stack((self._sampled.asset, self._sampled.every))
        grids, sensors = np.unique(keys, axis=0, return_counts=True)
        return grids[:, 0], grids[:, 1], sensors

    @cached_property
    def _of_cycles(self) -> list[tuple[int, Ints]]:
        """Of how many cycles one is measured, and by how many sensors of each asset, int64[assets]."""
        columns, assets = self._per_cycle, len(self._machines)
        return [
            (every, np.bincount(columns.asset[columns.every == every], minlength=assets))
            for every in np.unique(columns.every).tolist()
        ]

    @cached_property
    def _state(self) -> Columns:
        """Per asset its sensor of the state that tells changes, or -1, and its period."""
        found = []
        for number, (asset, machine) in enumerate(zip(self._catalog.assets, self._machines, strict=True)):
            mine = [
                (asset.first_sensor + i, number, sensor.period or 1)
                for i, sensor in enumerate(machine.sensors)
                if isinstance(sensor.model, StateModel) and sensor.model.changes
            ]
            found.append(mine[0] if mine and is_counted(machine) else (-1, number, 1))
        return Columns(*np.array(found, dtype=np.int64).reshape(-1, 3).T)

    @cached_property
    def _phase_ns(self) -> Ints:
        return np.array([asset.phase_ns for asset in self._catalog.assets], dtype=np.int64)

    def _growing(self, from_ns: int) -> Mask:
        """Say which assets have sensors that are yet to come, bool[assets]."""
        growing = np.zeros(len(self._machines), dtype=bool)
        if self._growth is not None:
            every = np.arange(len(self._catalog))
            growing[self._catalog.asset_of[self._growth.may_change(every, from_ns)]] = True
        return growing

    # What it says between some edges of time, int64[edges - 1].

    def _samples(self, edges: Ints, growing: Mask) -> Ints:
        asset, period_ns, sensors = (column[~growing[self._grids[0]]] for column in self._grids)
        # Samples before each edge, counted from 1970 on: only differences matter.
        before = -((self._phase_ns[asset, None] - edges) // period_ns[:, None])
        return np.asarray(sensors @ np.diff(before, axis=1), dtype=np.int64)

    def _changes(self, timeline: Timeline, edges: Ints) -> Ints:
        asset, time_ns, _ = timeline.changes()
        sensor = self._state.number[asset]
        asset, time_ns, sensor = asset[sensor >= 0], time_ns[sensor >= 0], sensor[sensor >= 0]
        # One on the very instant of a sample is that sample.
        sampled = (time_ns - self._phase_ns[asset]) % self._state.every[asset] == 0
        told = ~sampled
        if self._growth is not None:
            sampled &= self._growth.samples(sensor, time_ns)
            told = self._growth.changes(sensor, time_ns) & ~sampled
        return by_part(edges, time_ns[told])

    def _cycles(self, timeline: Timeline, edges: Ints, growing: Mask) -> Ints:
        """As ``Timeline.cycle_ends`` lays them out, but counted alone."""
        counts = np.zeros(len(edges) - 1, dtype=np.int64)
        for every, sensors in self._of_cycles:
            mine = (sensors > 0) & ~growing
            runs = np.flatnonzero((timeline.state == EXECUTE) & mine[timeline.asset])
            cycle_ns, offset_ns = timeline.cycle_ns[runs], timeline.start_ns[runs] - timeline.into_ns[runs]
            last_ns = np.where(timeline.closed[runs], timeline.end_ns[runs], timeline.until_ns)
            first = np.maximum(-((offset_ns - timeline.from_ns) // cycle_ns), 1)
            until_ns = np.minimum(edges - 1, last_ns[:, None])
            ended = np.maximum((until_ns - offset_ns[:, None]) // cycle_ns[:, None], first[:, None] - 1)
            # The number of the first cycle that has not ended by each edge; those that are multiples are measured.
            measured = -(-(timeline.cycles[runs, None] + ended) // every)
            counts += sensors[timeline.asset[runs]] @ np.diff(measured, axis=1)
        return counts

    def _grown(self, timeline: Timeline, edges: Ints, growing: Mask) -> Ints:
        """Samples and cycles of assets that grow."""
        if self._growth is None or not growing.any():
            return np.zeros(len(edges) - 1, dtype=np.int64)
        number, asset, period_ns = (column[growing[self._sampled.asset]] for column in self._sampled)
        phase_ns = self._phase_ns[asset]
        first = -((phase_ns - timeline.from_ns) // period_ns)
        row, index = ragged(first, -((phase_ns - timeline.until_ns) // period_ns) - first)
        time_ns = phase_ns[row] + index * period_ns[row]
        samples = time_ns[self._growth.samples(number[row], time_ns)]
        return by_part(edges, samples) + by_part(edges, self._grown_cycles(timeline, growing, self._growth))

    def _grown_cycles(self, timeline: Timeline, growing: Mask, growth: Growth) -> Ints:
        """Return the instants at which cycles are measured there, one per sensor, int64[N]."""
        segment, time_ns, cycle = timeline.cycle_ends()
        here = growing[timeline.asset[segment]]
        asset, time_ns, cycle = timeline.asset[segment][here], time_ns[here], cycle[here]
        first = np.searchsorted(self._per_cycle.asset, asset)
        end, column = ragged(first, np.searchsorted(self._per_cycle.asset, asset, side="right") - first)
        number, every = self._per_cycle.number[column], self._per_cycle.every[column]
        told = (cycle[end] % every == 0) & growth.cycles(number, time_ns[end], cycle[end])
        return np.asarray(time_ns[end][told])


def by_part(edges: Ints, time_ns: Ints) -> Ints:
    """Count instants between each two edges."""
    return np.bincount(np.searchsorted(edges, time_ns, side="right") - 1, minlength=len(edges) - 1)


def is_counted(machine: MachineType) -> bool:
    return not (isinstance(machine, SystemType) and isinstance(machine.role, Reporter))
