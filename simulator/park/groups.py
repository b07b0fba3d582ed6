"""Groups of machines that have key figures together: each machine, line, factory and site, and the whole park."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Asset, Sensor
from simulator.park.annex import beside
from simulator.park.kpi import SENSORS, Work
from simulator.park.machine import Machine
from simulator.signals.device import Device, Figure

__all__ = ["KIND", "LEVEL", "Group", "Groups", "assets_of", "groups_in", "mean_of"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
LEVEL, KIND = "_kpi", "kpi"
SITE = 2
LEVELS = ("park", "site", "factory", "line", "machine")
"""By how many names a path has, from one."""


@dataclass(frozen=True)
class Group:
    """Machines that stand together: those with numbers from ``first`` to before ``last``."""

    level: str
    path: tuple[str, ...]
    province: str | None
    """None for the park: its sites may lie in several."""
    first: int
    last: int
    devices: tuple[Device, ...] = ()
    """Of a site: those that have figures to add."""

    @property
    def added(self) -> dict[str, Figure]:
        """Figures that its devices add, by name."""
        return {figure.name: figure for device in self.devices for figure in device.figures}


def groups_in(
    assets: Sequence[Asset], machines: Sequence[Machine], devices: Mapping[int, Device], levels: Sequence[str]
) -> Iterator[Group]:
    """Yield the groups of some levels, the smallest first, each level in the order of the catalogue.

    ``devices`` are those of systems, by asset.

    Systems make nothing, so there is no group of systems alone; what they use belongs to their site.
    """
    for size in range(len(LEVELS), 0, -1):
        if LEVELS[size - 1] not in levels:
            continue
        for path, members in groupby(range(len(machines)), key=lambda number: assets[number].path[:size]):
            numbers = list(members)
            if size <= SITE or not all(machines[number].spec.runs_for_a_site for number in numbers):
                province = assets[numbers[0]].tags["province"] if size > 1 else None
                own = [devices[number] for number in numbers if number in devices] if size == SITE else []
                telling = tuple(device for device in own if device.figures)
                yield Group(LEVELS[size - 1], path, province, numbers[0], numbers[-1] + 1, telling)


def assets_of(groups: Sequence[Group], every_ns: int) -> Iterator[Asset]:
    """Yield the asset that tells the figures of each group: the same of all, and what the devices of a site add."""
    for group in groups:
        added = (Sensor(one.name, one.unit, one.decimals, 0.0, one.high, 0) for one in group.added.values())
        sensors = tuple(replace(sensor, period_ns=every_ns) for sensor in (*SENSORS, *added))
        yield beside(group.path, LEVEL, KIND, sensors, group.province)


def mean_of(devices: Sequence[Device], name: str, time_ns: Ints) -> Floats:
    """Return a figure of some devices at rising instants, float64[N]: the mean of those that have a number."""
    mine = [device.values(name, time_ns) for device in devices if name in {one.name for one in device.figures}]
    values = np.array(mine, dtype=np.float64)
    known = np.isfinite(values)
    total, count = np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0)
    mean: Floats = np.divide(total, count, out=np.full(len(time_ns), np.nan), where=count > 0)
    return mean


class Groups:
    """Adds up what machines did, group by group."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self._first = np.array([group.first for group in groups], dtype=np.int64)
        self._last = np.array([group.last for group in groups], dtype=np.int64)
        self._is_machine = np.array([group.level == "machine" for group in groups])
        self._is_line = np.array([group.level == "line" for group in groups])

    def add_up(self, work: Work) -> Work:
        """Return the sums of int64[instants, machines] as int64[instants, groups]."""
        return work.map(self._sums)

    def finished(self, total: Work) -> Ints:
        """Return the good pieces that left each group: a machine, a line, or the factories of more than that."""
        leaving = np.where(self._is_line, total.left_line, total.left_factory)
        return np.where(self._is_machine, total.good, leaving)

    def _sums(self, column: Ints) -> Ints:
        running = np.zeros((len(column), column.shape[1] + 1), dtype=np.int64)
        np.cumsum(column, axis=1, out=running[:, 1:])
        return running[:, self._last] - running[:, self._first]
