"""Grids: all sensors of a park that share a sampling period, evaluated over a window at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Catalog
from simulator.scenario.sensor import VibrationModel
from simulator.signals.gauge import Gauge, Placed, Samples
from simulator.signals.moments import Moments
from simulator.signals.noise import Noise
from simulator.signals.streams import Stream
from simulator.signals.timeline import Timeline
from simulator.signals.weave import Said

__all__ = ["Grid"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class Group:
    """Sensors of one model on a grid: rows of the grid, rows of their gauge, and rows of the grid's noise or -1."""

    def __init__(self, gauge: Gauge, rows: Ints, of_gauge: Ints, of_noise: Ints, *, may_be_silent: bool) -> None:
        self.gauge = gauge
        self.may_be_silent = may_be_silent
        self.rows = rows
        self._of_gauge = of_gauge
        self._of_noise = of_noise
        self._noisy = np.flatnonzero(of_noise >= 0)

    def values(self, which: Ints, place: Ints, moments: Moments, noise: Noise | None) -> Floats:
        """Evaluate some of its sensors, float64[N, K]; ``place`` tells which asset of the moments each belongs to."""
        samples = Samples(
            self._of_gauge[which, None], place, moments, self._scatter(self._of_noise[which], place, moments, noise)
        )
        return self.gauge.values(samples, moments.timeline)

    def _scatter(self, row: Ints, place: Ints, moments: Moments, noise: Noise | None) -> Floats:
        shape = (len(row), moments.time_ns.shape[1])
        noisy = np.flatnonzero(row >= 0) if len(row) != len(self._of_noise) else self._noisy
        if noise is None or not len(noisy):
            return np.broadcast_to(0.0, shape)
        found = noise.at(row[noisy, None], moments.index[place[noisy]])
        if len(noisy) == len(row):
            return found
        scatter = np.zeros(shape)
        scatter[noisy] = found
        return scatter


class Grid:
    """All sensors of one period.

    ``placed`` are its sensors in order of their numbers; ``gauges`` has a gauge for each kind of model, with the rows
    of the gauge by number of the sensor. ``group_of`` says by asset which bit of a pattern the period is.
    """

    def __init__(
        self,
        catalog: Catalog,
        placed: Sequence[Placed],
        gauges: Mapping[str, tuple[Gauge, Mapping[int, int]]],
        *,
        period_ns: int,
        group_of: Ints,
        seed: int,
        origin_ns: int,
    ) -> None:
        self.period_ns = period_ns
        self.sensor = np.array([p.number for p in placed], dtype=np.int64)
        phase_ns = {p.asset: catalog.assets[p.asset].phase_ns for p in placed}
        # In the order in which they speak, which makes what they say easy to sort.
        in_turn = sorted(phase_ns, key=lambda asset: (phase_ns[asset], asset))
        turn = {asset: i for i, asset in enumerate(in_turn)}
        self._asset = np.array(in_turn, dtype=np.int64)
        self._phase_ns = np.array([phase_ns[asset] for asset in in_turn], dtype=np.int64)
        self._place = np.array([turn[p.asset] for p in placed], dtype=np.int64)
        self._bit = group_of[self._asset]
        of_noise, self._noise = noise_of(catalog, placed, seed=seed, period_ns=period_ns, origin_ns=origin_ns)
        self._groups = []
        for kind in sorted({p.spec.model.kind for p in placed}):
            rows = [i for i, p in enumerate(placed) if p.spec.model.kind == kind]
            gauge, row_of = gauges[kind]
            of_gauge = np.array([row_of[placed[i].number] for i in rows], dtype=np.int64)
            # Devices alone have times at which they say nothing.
            group = Group(
                gauge, np.array(rows, dtype=np.int64), of_gauge, of_noise[rows], may_be_silent=kind == "output"
            )
            self._groups.append(group)

    def read(self, timeline: Timeline, load: Callable[[Moments], Floats]) -> Said | None:
        """Return all readings of the window, not rounded; None if there is none."""
        first = -((self._phase_ns - timeline.from_ns) // self.period_ns)
        count = -((self._phase_ns - timeline.until_ns) // self.period_ns) - first
        most = int(count.max())
        if not most:
            return None
        # In windows shorter than the period not all assets speak.
        speaks = np.flatnonzero(count)
        first, count = first[speaks], count[speaks]
        moments = self._moments(timeline, speaks, first[:, None] + np.arange(most), count, load)
        row, place = self._of(speaks)
        value: Floats = np.empty((len(row), most))
        keep: NDArray[np.bool_] | None = None
        for group, which, at in self._shares(row):
            value[at] = found = group.values(which, place[at], moments, self._noise)
            if group.may_be_silent:
                keep = np.ones(value.shape, dtype=bool) if keep is None else keep
                keep[at] = ~np.isnan(found)
        return Said(
            moments.time_ns, moments.asset, self._bit[speaks], moments.said, place, self.sensor[row], value, keep
        )

    def _moments(
        self, timeline: Timeline, speaks: Ints, index: Ints, count: Ints, load: Callable[[Moments], Floats]
    ) -> Moments:
        time_ns = self._phase_ns[speaks, None] + index * self.period_ns
        said = None
        if int(count.min()) < index.shape[1]:
            said = np.arange(index.shape[1]) < count[:, None]
            # Sensors are evaluated for an instant behind the window as well; it must look like one inside.
            np.minimum(time_ns, timeline.until_ns - 1, out=time_ns)
        return Moments(timeline, self._asset[speaks], index, time_ns, period_ns=self.period_ns, load=load, said=said)

    def _of(self, speaks: Ints) -> tuple[Ints, Ints]:
        """Return the rows of assets that speak, and whose moments each has."""
        if len(speaks) == len(self._asset):
            return np.arange(len(self.sensor)), self._place
        among = np.full(len(self._asset), -1, dtype=np.int64)
        among[speaks] = np.arange(len(speaks))
        row = np.flatnonzero(among[self._place] >= 0)
        return row, among[self._place[row]]

    def _shares(self, row: Ints) -> Iterator[tuple[Group, Ints, Ints]]:
        """Yield groups, which of their sensors are among some rows of the grid, and where in ``row`` these are."""
        if len(row) == len(self.sensor):
            for group in self._groups:
                yield group, np.arange(len(group.rows)), group.rows
            return
        among = np.full(len(self.sensor), -1, dtype=np.int64)
        among[row] = np.arange(len(row))
        for group in self._groups:
            which = np.flatnonzero(among[group.rows] >= 0)
            if len(which):
                yield group, which, among[group.rows[which]]

    def true_value(self, sensor: int, time_ns: int, timeline: Timeline, load: Callable[[Moments], Floats]) -> float:
        """Evaluate one sensor at an instant of the window; between two samples as of the first."""
        row = np.flatnonzero(self.sensor == sensor)
        asset = self._place[row]
        index = (time_ns - self._phase_ns[asset, None]) // self.period_ns
        moments = Moments(
            timeline, self._asset[asset], index, np.array([[time_ns]]), period_ns=self.period_ns, load=load
        )
        ((group, which, _),) = self._shares(row)
        return float(group.values(which, np.zeros(1, dtype=np.int64), moments, self._noise)[0, 0])


def noise_of(
    catalog: Catalog, placed: Sequence[Placed], *, seed: int, period_ns: int, origin_ns: int
) -> tuple[Ints, Noise | None]:
    """Return the row of each sensor in the noise of a grid, -1 for those without any, and that noise."""
    noisy = [i for i, p in enumerate(placed) if p.spec.noise or isinstance(p.spec.model, VibrationModel)]
    # Randomness belongs to an asset and a kind of model.
    noisy.sort(key=lambda i: (placed[i].spec.model.kind, i))
    row = np.full(len(placed), -1, dtype=np.int64)
    row[noisy] = np.arange(len(noisy))
    if not noisy:
        return row, None
    owners = [
        (Stream(seed, catalog.assets[asset].topic, "noise", kind, str(period_ns)), len(list(rows)))
        for (kind, asset), rows in groupby(noisy, key=lambda i: (placed[i].spec.model.kind, placed[i].asset))
    ]
    # The scatter of vibration is white: each reading is its own RMS window.
    phi = [math.exp(-period_ns / noise.tau) if (noise := placed[i].spec.noise) else 0.0 for i in noisy]
    return row, Noise(owners, np.array(phi), first_index=origin_ns // period_ns - 1)
