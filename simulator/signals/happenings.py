"""What sensors say when something happens: the state as it changes, and process values at the end of each cycle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.sensor import CycleModel, CycleTimeModel, StateModel
from simulator.signals.gauge import Placed
from simulator.signals.growth import Growth
from simulator.signals.process import Books
from simulator.signals.timeline import Timeline, ragged
from simulator.signals.weave import CHANGE, CYCLE, Said

__all__ = ["Changes", "CycleValues"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
NS = 1e-9


class Changes:
    """Sensors of the state speak at each change of it, beside their period."""

    def __init__(self, placed: Sequence[Placed], growth: Growth | None, *, assets: int) -> None:
        self._growth = growth
        self._of_asset = np.full(assets, -1, dtype=np.int64)
        for p in placed:
            if isinstance(p.spec.model, StateModel) and p.spec.model.changes:
                self._of_asset[p.asset] = p.number

    @property
    def sensor(self) -> Ints:
        """Their numbers."""
        return self._of_asset[self._of_asset >= 0]

    def read(self, timeline: Timeline) -> Said:
        """Return the changes of a window, not rounded."""
        asset, time_ns, state = timeline.changes()
        sensor = self._of_asset[asset]
        shown = sensor >= 0
        if self._growth is not None:
            shown[shown] = self._growth.changes(sensor[shown], time_ns[shown])
        return at_instants(time_ns[shown], asset[shown], CHANGE, sensor[shown], state[shown].astype(np.float64))


class CycleValues:
    """Sensors that speak at the end of each cycle.

    A measured value is partly the cycle's hidden quality q and partly scatter of its own, as far as the sensor says.
    """

    def __init__(self, placed: Sequence[Placed], growth: Growth | None, books: Books) -> None:
        self._growth = growth
        self._books = books
        mine = [p for p in placed if p.spec.period is None]
        models: list[Any] = [p.spec.model for p in mine]
        self._number = np.array([p.number for p in mine], dtype=np.int64)
        self._takes_time = np.array([isinstance(m, CycleTimeModel) for m in models], dtype=bool)
        values = [m if isinstance(m, CycleModel) else CycleModel(kind="cycle", mean=0.0, sigma=0.0) for m in models]
        self._mean = np.array([m.mean for m in values])
        self._sigma = np.array([m.sigma for m in values])
        self._share = np.array([m.quality for m in values])
        self._own = np.array([math.sqrt(1.0 - m.quality**2) for m in values])
        self._every = np.array([p.spec.every for p in mine], dtype=np.int64)
        asset = np.array([p.asset for p in mine], dtype=np.int64)
        self._count = np.bincount(asset, minlength=len(books))
        self._first = np.cumsum(self._count) - self._count

    def read(self, timeline: Timeline) -> Said:
        """Return the values of the cycles that end in a window, not rounded."""
        segment, time_ns, cycle = timeline.cycle_ends()
        asset = timeline.asset[segment]
        heard = np.flatnonzero(self._count[asset])
        segment, time_ns, cycle, asset = segment[heard], time_ns[heard], cycle[heard], asset[heard]
        self._open(asset, cycle)
        took_s = timeline.cycle_took_ns(segment, cycle) * NS
        which, column = ragged(np.zeros(len(asset), dtype=np.int64), self._count[asset])
        sensor = self._first[asset[which]] + column
        value = np.where(self._takes_time[sensor], took_s[which], self._measured(asset[which], cycle[which], column))
        return Said(
            time_ns[:, None],
            asset,
            np.full(len(asset), CYCLE),
            None,
            place=which,
            sensor=self._number[sensor],
            value=value[:, None],
            keep=self._kept(sensor, time_ns[which], cycle[which]),
        )

    def _kept(self, sensor: Ints, time_ns: Ints, cycle: Ints) -> NDArray[np.bool_] | None:
        """Say which cycles are measured at all, bool[N, 1]; None if all are."""
        keep = None
        if (self._every != 1).any():
            keep = cycle % self._every[sensor] == 0
        if self._growth is not None:
            grown = self._growth.cycles(self._number[sensor], time_ns, cycle)
            keep = grown if keep is None else keep & grown
        return None if keep is None else keep[:, None]

    def true_value(self, sensor: int, time_ns: int, timeline: Timeline) -> float:
        """Return what a sensor measured in the last cycle that ended by an instant of the window."""
        where = int(np.searchsorted(self._number, sensor))
        asset = np.array([np.searchsorted(self._first, where, side="right") - 1])
        segment = timeline.at(asset, np.array([time_ns]))
        # Before its first cycle a machine has measured none, and shows what the first will bring.
        last = np.maximum(timeline.cycles_at(segment, np.array([time_ns])) - 1, 0)
        last = last // self._every[where] * self._every[where]
        self._open(asset, last)
        return float(self._measured(asset, last, where - self._first[asset])[0])

    def _open(self, asset: Ints, cycle: Ints) -> None:
        """Have the books of some machines at hand, given in stretches of rising cycles."""
        if len(asset):
            begins = np.flatnonzero(np.diff(asset, prepend=-1))
            self._books.open(asset[begins], cycle[begins], cycle[np.append(begins[1:], len(asset)) - 1])

    def _measured(self, asset: Ints, cycle: Ints, column: Ints) -> Floats:
        sensor = self._first[asset] + column
        quality, scatter = self._books.quality(asset, cycle), self._books.scatter(asset, cycle, column)
        own = self._own[sensor] * scatter
        value: Floats = self._mean[sensor] + self._sigma[sensor] * (self._share[sensor] * quality + own)
        return value


def at_instants(time_ns: Ints, asset: Ints, group: int, sensor: Ints, value: Floats) -> Said:
    """Return one reading per instant as what is said."""
    every = np.arange(len(time_ns))
    return Said(time_ns[:, None], asset, np.full(len(every), group), None, every, sensor, value[:, None])
