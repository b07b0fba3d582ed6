"""The bank of all sensors: a timeline of the park in, a Batch of readings out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Batch, Catalog
from simulator.scenario.machine_type import MachineType
from simulator.scenario.sensor import CycleModel, CycleTimeModel, OutputModel, SensorType, StateModel, VibrationModel
from simulator.signals.distortion import Distortions
from simulator.signals.drives import Drives
from simulator.signals.gauges import GAUGES, Gauge, Placed, Samples, Works
from simulator.signals.growth import Growth
from simulator.signals.noise import Noise
from simulator.signals.process import Cycles
from simulator.signals.site_gauges import SITE_GAUGES
from simulator.signals.streams import Stream
from simulator.signals.surroundings import Surroundings
from simulator.signals.tallies import Tallies
from simulator.signals.timeline import Timeline, ragged

__all__ = ["Bank"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Rows = tuple[Ints, Ints, Floats]
"""Time, sensor number and value of readings, not yet rounded."""


MODELS = GAUGES | SITE_GAUGES
SHOW_LOAD = {"motor", "vibration"}
"""Sensor models that the load of the motor acts on."""


def rows_by_asset(placed: Sequence[Placed]) -> Iterator[tuple[int, list[Placed]]]:
    for asset, group in groupby(placed, key=lambda p: p.asset):
        yield asset, list(group)


class Scatter:
    """Noise for those rows of a grid that have any; 0 for the others."""

    def __init__(
        self, catalog: Catalog, placed: Sequence[Placed], *, seed: int, label: str, period_ns: int, origin_ns: int
    ) -> None:
        noisy = [i for i, p in enumerate(placed) if p.spec.noise or isinstance(p.spec.model, VibrationModel)]
        self._column = np.full(len(placed), -1)
        self._column[noisy] = np.arange(len(noisy))
        chosen = [placed[i] for i in noisy]
        # The scatter of vibration is white: each reading is its own RMS window.
        phi = [math.exp(-period_ns / p.spec.noise.tau) if p.spec.noise else 0.0 for p in chosen]
        owners = [
            (Stream(seed, catalog.assets[asset].topic, "noise", label, str(period_ns)), len(rows))
            for asset, rows in rows_by_asset(chosen)
        ]
        self._noise = Noise(owners, np.array(phi), first_index=origin_ns // period_ns - 1) if noisy else None

    def at(self, row: Ints, index: Ints) -> Floats:
        """Return float64[N] for rows of the grid and sample indices."""
        if self._noise is None or not len(row):
            return np.zeros(len(row))
        first = int(index.min())
        window = self._noise.window(first, int(index.max()) + 1)
        column = self._column[row]
        return np.where(column >= 0, window[index - first, column], 0.0)


class Wander:
    """The wandering motor load of every asset, the same for all sensors that show it.

    Each asset has a grid of its own, the largest that all its sensors of the load lie on: who else is in the park must
    not matter.
    """

    def __init__(self, catalog: Catalog, machines: Sequence[MachineType], *, seed: int, origin_ns: int) -> None:
        self._period_ns = np.array([wander_period_ns(machine) for machine in machines], dtype=np.int64)
        self._column = np.zeros(len(machines), dtype=np.int64)
        self._noise: dict[int, Noise] = {}
        for period_ns in np.unique(self._period_ns[self._period_ns > 0]).tolist():
            members: list[int] = np.flatnonzero(self._period_ns == period_ns).tolist()
            self._column[members] = np.arange(len(members))
            phi = np.array([math.exp(-period_ns / machines[i].motor.wander_tau) for i in members])
            owners = [(Stream(seed, catalog.assets[i].topic, "load"), 1) for i in members]
            self._noise[period_ns] = Noise(owners, phi, first_index=origin_ns // period_ns - 1)

    def at(self, asset: Ints, since_phase_ns: Ints) -> Floats:
        """Return float64[N] of unit variance for assets and instants on their grids."""
        value = np.zeros(len(asset))
        period_ns = self._period_ns[asset]
        for one_ns, noise in self._noise.items():
            mine = np.flatnonzero(period_ns == one_ns)
            if len(mine):
                index = since_phase_ns[mine] // one_ns
                first = int(index.min())
                window = noise.window(first, int(index.max()) + 1)
                value[mine] = window[index - first, self._column[asset[mine]]]
        return value


def wander_period_ns(machine: MachineType) -> int:
    """Return the grid on which a machine's load is drawn; 0 if no sensor shows it."""
    return math.gcd(*(s.period for s in machine.sensors if s.period and s.model.kind in SHOW_LOAD))


class Group:
    """Sensors of one model that share a sampling period."""

    def __init__(
        self, gauge: Gauge, placed: Sequence[Placed], phase_ns: Ints, scatter: Scatter, period_ns: int
    ) -> None:
        self.gauge = gauge
        self.number = np.array([p.number for p in placed], dtype=np.int64)
        self.asset = np.array([p.asset for p in placed], dtype=np.int64)
        self.phase_ns = phase_ns[self.asset]
        self.scatter = scatter
        self.period_ns = period_ns
        self.needs_load = placed[0].spec.model.kind in SHOW_LOAD
        # Devices alone have times at which they say nothing.
        self.may_be_silent = placed[0].spec.model.kind == "output"

    def read(self, timeline: Timeline, drives: Drives, wander: Wander) -> Rows:
        """Evaluate all samples of the window."""
        first = -((self.phase_ns - timeline.from_ns) // self.period_ns)
        count = -((self.phase_ns - timeline.until_ns) // self.period_ns) - first
        row, index = ragged(first, count)
        time_ns = self.phase_ns[row] + index * self.period_ns
        value = self.values(row, time_ns, timeline, drives, wander)
        if self.may_be_silent:
            said = ~np.isnan(value)
            row, time_ns, value = row[said], time_ns[said], value[said]
        return time_ns, self.number[row], value

    def values(self, row: Ints, time_ns: Ints, timeline: Timeline, drives: Drives, wander: Wander) -> Floats:
        """Evaluate sensors of the group at instants of the window, float64[N]; between two samples as of the first."""
        index = (time_ns - self.phase_ns[row]) // self.period_ns
        asset = self.asset[row]
        segment = timeline.at(asset, time_ns)
        load: Floats = np.zeros(len(row))
        if self.needs_load:
            noise = wander.at(asset, index * self.period_ns)
            load = drives.load(asset, segment, time_ns, noise, timeline)
        return self.gauge.values(Samples(row, time_ns, segment, load, self.scatter.at(row, index)), timeline)


class Bank:
    """Every sensor of the park.

    ``machines`` and ``books`` are per asset: its type, and its cycles.
    """

    def __init__(
        self,
        catalog: Catalog,
        machines: Sequence[MachineType],
        books: Sequence[Cycles],
        *,
        seed: int,
        origin_ns: int,
        surroundings: Surroundings,
        distortions: Distortions,
        growth: Growth | None = None,
    ) -> None:
        self._catalog = catalog
        self._growth = growth
        self._distortions = distortions
        drives = Drives(machines)
        self._works = Works(drives, books, surroundings, surroundings.network(drives))
        placed = [
            Placed(asset.first_sensor + i, number, spec, machine)
            for number, (asset, machine) in enumerate(zip(catalog.assets, machines, strict=True))
            for i, spec in enumerate(machine.sensors)
        ]
        self._wander = Wander(catalog, machines, seed=seed, origin_ns=origin_ns)
        self._groups = list(self._group(placed, seed=seed, origin_ns=origin_ns))
        self._per_cycle = [[p for p in rows if p.spec.period is None] for _, rows in rows_by_asset(placed)]
        self._state_sensor = np.full(len(machines), -1, dtype=np.int64)
        for p in placed:
            if isinstance(p.spec.model, StateModel) and p.spec.model.changes:
                self._state_sensor[p.asset] = p.number
        self.tallies = Tallies(self._works, machines)
        self._followers = {
            p.number: (surroundings.devices[p.asset], p.spec.model.shows)
            for p in placed
            if isinstance(p.spec.model, OutputModel) and surroundings.devices[p.asset].follows
        }
        """What the sensors show that depend on the messages of a window: of which device, and what of it."""
        self._follows = np.zeros(len(catalog), dtype=bool)
        self._follows[list(self._followers)] = True
        sensors = catalog.sensors
        self._scale = np.array([10.0**s.decimals for s in sensors])
        self._step = np.array([float(s.step) for s in sensors])
        # The range in steps of the resolution: what the instrument can show lies on its grid.
        to_steps = self._scale / self._step
        self._low = np.ceil(np.array([s.low for s in sensors]) * to_steps - 1e-9)
        self._high = np.floor(np.array([s.high for s in sensors]) * to_steps + 1e-9)

    def _group(self, placed: Sequence[Placed], *, seed: int, origin_ns: int) -> Iterator[Group]:
        phase_ns = np.array([asset.phase_ns for asset in self._catalog.assets], dtype=np.int64)
        keys = sorted({(p.spec.model.kind, p.spec.period) for p in placed if p.spec.period is not None})
        for kind, period_ns in keys:
            mine = [p for p in placed if (p.spec.model.kind, p.spec.period) == (kind, period_ns)]
            scatter = Scatter(self._catalog, mine, seed=seed, label=kind, period_ns=period_ns, origin_ns=origin_ns)
            yield Group(MODELS[kind](mine, self._works), mine, phase_ns, scatter, period_ns)

    def advance(self, timeline: Timeline) -> None:
        """Take in a window; call it for each window in order, whether or not its readings are wanted."""
        for device in self._works.surroundings.devices.values():
            device.advance(timeline)
        self._works.network.advance(timeline)
        self.tallies.advance(timeline)
        for group in self._groups:
            group.gauge.advance(timeline)

    def pass_over(self, timeline: Timeline) -> None:
        """Leave the window that ``advance`` took in last unread."""
        self._distortions.hold(timeline.until_ns, lambda sensor, time_ns: self._true_value(sensor, time_ns, timeline))

    def read(self, timeline: Timeline) -> Batch:
        """Return all readings of the window that ``advance`` took in last; without this, ``pass_over`` it."""
        parts = [self._grown(group.read(timeline, self._works.drives, self._wander)) for group in self._groups]
        parts.append(self._read_changes(timeline))
        parts.extend(self._read_cycles(timeline))
        time_ns, sensor, value = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort((sensor, time_ns))
        time_ns, sensor, value = time_ns[order], sensor[order], value[order]
        # A change of state on the very instant of a sample is one reading, not two.
        twice = np.zeros(len(order), dtype=bool)
        twice[1:] = (np.diff(time_ns) == 0) & (np.diff(sensor) == 0)
        if twice.any():
            time_ns, sensor, value = time_ns[~twice], sensor[~twice], value[~twice]
        if self._works.surroundings.traffic is not None:
            # What a silent sensor does not say makes no message.
            at_ns, said, _ = self._distortions.apply(time_ns, sensor, value)
            self._works.surroundings.traffic.carry(at_ns, said)
        self._follow(time_ns, sensor, value)
        self.pass_over(timeline)
        time_ns, sensor, value = self._distortions.apply(time_ns, sensor, value)
        return Batch(time_ns, sensor.astype(np.int32), self._quantise(sensor, value), timeline.until_ns)

    def _follow(self, time_ns: Ints, sensor: Ints, value: Floats) -> None:
        """Add what devices show that depends on the messages of the window, now that these are known."""
        mine = np.flatnonzero(self._follows[sensor]) if self._followers else ()
        if not len(mine):
            return
        mine = mine[np.argsort(sensor[mine], kind="stable")]
        for rows in np.split(mine, np.flatnonzero(np.diff(sensor[mine])) + 1):
            device, shows = self._followers[int(sensor[rows[0]])]
            value[rows] += device.values(shows, time_ns[rows])

    def _true_value(self, sensor: int, time_ns: int, timeline: Timeline) -> float:
        """Evaluate one sensor at an instant of the window that ``advance`` took in last."""
        for group in self._groups:
            row = np.flatnonzero(group.number == sensor)
            if len(row):
                at_ns = np.array([time_ns])
                found = group.values(row, at_ns, timeline, self._works.drives, self._wander)
                self._follow(at_ns, np.array([sensor]), found)
                return float(found[0])
        asset = int(self._catalog.asset_of[sensor])
        column = [p.number for p in self._per_cycle[asset]].index(sensor)
        segment = timeline.at(np.array([asset]), np.array([time_ns]))
        # Before its first cycle a machine has measured none, and shows what the first will bring.
        last = np.maximum(timeline.cycles_at(segment, np.array([time_ns])) - 1, 0)
        last = last // self._per_cycle[asset][column].spec.every * self._per_cycle[asset][column].spec.every
        quality, scatter = self._works.books[asset].values(last)
        return float(cycle_value(self._per_cycle[asset][column].spec, quality, scatter[:, column])[0])

    def _quantise(self, sensor: Ints, value: Floats) -> NDArray[np.float64]:
        """Round to the resolution of each sensor, so that every copy of a reading is the same decimal."""
        step, scale = self._step[sensor], self._scale[sensor]
        steps = np.clip(np.rint(value * scale / step), self._low[sensor], self._high[sensor])
        # Adding 0 turns -0 into 0.
        return np.asarray(steps * step / scale + 0.0, dtype=np.float64)

    def _read_changes(self, timeline: Timeline) -> Rows:
        asset, time_ns, state = timeline.changes()
        sensor = self._state_sensor[asset]
        shown = sensor >= 0
        if self._growth is not None:
            shown[shown] = self._growth.changes(sensor[shown], time_ns[shown])
        return time_ns[shown], sensor[shown], state[shown].astype(np.float64)

    def _read_cycles(self, timeline: Timeline) -> Iterator[Rows]:
        segment, time_ns, number = timeline.cycle_ends()
        asset = timeline.asset[segment]
        took_s = timeline.cycle_took_ns(segment, number) * 1e-9
        for i, low, high in stretches_of(asset):
            specs = self._per_cycle[i]
            if not specs:
                continue
            quality, scatter = self._works.books[i].values(number[low:high])
            for column, p in enumerate(specs):
                if isinstance(p.spec.model, CycleTimeModel):
                    value = took_s[low:high]
                else:
                    value = cycle_value(p.spec, quality, scatter[:, column])
                rows = time_ns[low:high], np.full(high - low, p.number, dtype=np.int64), value
                yield rows if p.spec.every == 1 and self._growth is None else self._measured(rows, p, number[low:high])

    def _measured(self, rows: Rows, placed: Placed, number: Ints) -> Rows:
        """Leave those cycles that are measured at all."""
        time_ns, sensor, value = rows
        keep = number % placed.spec.every == 0
        if self._growth is not None:
            keep &= self._growth.cycles(sensor, time_ns, number)
        return time_ns[keep], sensor[keep], value[keep]

    def _grown(self, rows: Rows) -> Rows:
        """Leave those samples that exist in the band of their factory."""
        if self._growth is None:
            return rows
        time_ns, sensor, value = rows
        keep = self._growth.samples(sensor, time_ns)
        return time_ns[keep], sensor[keep], value[keep]


def cycle_value(spec: SensorType, quality: Floats, scatter: Floats) -> Floats:
    """Return what a sensor measured in each cycle: partly the cycle's hidden quality, partly its own scatter."""
    model = spec.model
    assert isinstance(model, CycleModel)
    own = math.sqrt(1.0 - model.quality**2)
    return model.mean + model.sigma * (model.quality * quality + own * scatter)


def stretches_of(ascending: Ints) -> Iterator[tuple[int, int, int]]:
    """Yield (value, from, to) for every run of equal numbers."""
    if not len(ascending):
        return
    cuts = np.concatenate(([0], np.flatnonzero(np.diff(ascending)) + 1, [len(ascending)])).tolist()
    for low, high in pairwise(cuts):
        yield int(ascending[low]), low, high
