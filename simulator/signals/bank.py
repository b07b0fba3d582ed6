"""The bank of all sensors: a timeline of the park in, a Batch of readings out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Batch, Catalog
from simulator.scenario.machine_type import MachineType
from simulator.scenario.sensor import OutputModel
from simulator.signals.distortion import Distortions
from simulator.signals.drives import Drives
from simulator.signals.gauges import GAUGES, Gauge, Placed, Works
from simulator.signals.grid import Grid
from simulator.signals.growth import Growth
from simulator.signals.happenings import Changes, CycleValues
from simulator.signals.moments import Moments
from simulator.signals.noise import Noise
from simulator.signals.process import Books, Cycles
from simulator.signals.registers import Registers
from simulator.signals.rounding import Rounding
from simulator.signals.site_gauges import SITE_GAUGES
from simulator.signals.streams import Stream
from simulator.signals.surroundings import Surroundings
from simulator.signals.tallies import Tallies
from simulator.signals.timeline import Timeline
from simulator.signals.weave import CHANGE, CYCLE, FIRST_PERIOD, Said, Weaver

__all__ = ["Bank"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

MODELS = GAUGES | SITE_GAUGES
SHOW_LOAD = {"motor", "vibration"}
"""Sensor models that the load of the motor acts on."""


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
        """Return float64[A, K] of unit variance for int64[A] assets and int64[A, K] instants on their grids."""
        value = np.zeros(since_phase_ns.shape)
        period_ns = self._period_ns[asset]
        for one_ns, noise in self._noise.items():
            mine = np.flatnonzero(period_ns == one_ns)
            if len(mine):
                value[mine] = noise.at(self._column[asset[mine], None], since_phase_ns[mine] // one_ns)
        return value


def wander_period_ns(machine: MachineType) -> int:
    """Return the grid on which a machine's load is drawn; 0 if no sensor shows it."""
    return math.gcd(*(s.period for s in machine.sensors if s.period and s.model.kind in SHOW_LOAD))


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
        self._distortions = distortions
        self._drives = drives = Drives(machines)
        self._works = Works(
            drives,
            Books(books),
            surroundings,
            surroundings.network(drives),
            Registers(drives, assets=len(machines)),
        )
        placed = [
            Placed(asset.first_sensor + i, number, spec, machine)
            for number, (asset, machine) in enumerate(zip(catalog.assets, machines, strict=True))
            for i, spec in enumerate(machine.sensors)
        ]
        self._wander = Wander(catalog, machines, seed=seed, origin_ns=origin_ns)
        self._rounding = Rounding(catalog.sensors)
        self._growth = growth
        self._changes = Changes(placed, growth, assets=len(machines))
        self._per_cycle = CycleValues(placed, growth, self._works.books)
        self.tallies = Tallies(self._works, machines)
        self._followers = {
            p.number: (surroundings.devices[p.asset], p.spec.model.shows)
            for p in placed
            if isinstance(p.spec.model, OutputModel) and surroundings.devices[p.asset].follows
        }
        """What the sensors show that depend on the messages of a window: of which device, and what of it."""
        self._follows = np.zeros(len(catalog), dtype=bool)
        self._follows[list(self._followers)] = True
        self._lay_out(placed, seed=seed, origin_ns=origin_ns)

    def _lay_out(self, placed: Sequence[Placed], *, seed: int, origin_ns: int) -> None:
        """Divide the sensors by period into grids, and by model among gauges."""
        timed = [p for p in placed if p.spec.period is not None]
        kinds: set[str] = {p.spec.model.kind for p in timed}
        gauges = {kind: gauge_of(kind, timed, self._works) for kind in sorted(kinds)}
        self._gauges = [gauge for gauge, _ in gauges.values()]
        group_of = np.zeros(len(self._catalog), dtype=np.int64)
        group_of[[p.number for p in placed if p.spec.period is None]] = CYCLE
        group_of[self._changes.sensor] = CHANGE
        bit = np.full(len(self._catalog.assets), FIRST_PERIOD, dtype=np.int64)
        self._grids = []
        for period_ns in sorted({p.spec.period for p in timed if p.spec.period is not None}):
            mine = [p for p in timed if p.spec.period == period_ns]
            self._grids.append(
                Grid(
                    self._catalog,
                    mine,
                    gauges,
                    period_ns=period_ns,
                    group_of=bit,
                    seed=seed,
                    origin_ns=origin_ns,
                )
            )
            number, asset = self._grids[-1].sensor, np.array([p.asset for p in mine])
            group_of[number] |= bit[asset]
            bit[np.unique(asset)] <<= 1
        self._weaver = Weaver(self._catalog, group_of)

    def advance(self, timeline: Timeline) -> None:
        """Take in a window; call it for each window in order, whether or not its readings are wanted."""
        for device in self._works.surroundings.devices.values():
            device.advance(timeline)
        self._works.network.advance(timeline)
        self._works.registers.advance(timeline)
        self._works.books.renew()
        self.tallies.advance(timeline)
        for gauge in self._gauges:
            gauge.advance(timeline)

    def pass_over(self, timeline: Timeline) -> None:
        """Leave the window that ``advance`` took in last unread."""
        self._distortions.hold(timeline.until_ns, lambda sensor, time_ns: self._true_value(sensor, time_ns, timeline))

    def read(self, timeline: Timeline) -> Batch:
        """Return all readings of the window that ``advance`` took in last; without this, ``pass_over`` it."""
        on_grids = [grid.read(timeline, self._load) for grid in self._grids]
        parts = [self._grown(part, timeline.from_ns) for part in on_grids if part is not None]
        parts += [self._changes.read(timeline), self._per_cycle.read(timeline)]
        # What a silent sensor does not say makes no message.
        parts = [self._without_gaps(part) for part in parts]
        woven = self._weaver.weave(parts, from_ns=timeline.from_ns)
        if self._works.surroundings.traffic is not None:
            self._works.surroundings.traffic.carry(woven.time_ns, woven.sensor)
        self._follow(parts)
        self.pass_over(timeline)
        return woven.batch([self._shown(part) for part in parts], until_ns=timeline.until_ns)

    def _grown(self, part: Said, from_ns: int) -> Said:
        """Leave those samples that exist in the band of their factory."""
        if self._growth is None:
            return part
        rows = np.flatnonzero(self._growth.may_change(part.sensor, from_ns))
        return without(part, rows, self._growth.samples(*flat(part, rows))) if len(rows) else part

    def _without_gaps(self, part: Said) -> Said:
        rows = self._distortions.struck(part.sensor)
        sensor, time_ns = flat(part, rows)
        there = self._distortions.there(time_ns, sensor) if len(rows) else None
        return part if there is None else without(part, rows, there)

    def _follow(self, parts: Sequence[Said]) -> None:
        """Add what devices show that depends on the messages of the window, now that these are known."""
        for part in parts if self._followers else ():
            for row in np.flatnonzero(self._follows[part.sensor]).tolist():
                device, shows = self._followers[int(part.sensor[row])]
                at, time_ns = part.value[row], part.time_ns[part.place[row]]
                spoken = slice(None) if part.spoken is None else part.spoken[part.place[row]]
                at[spoken] += device.values(shows, time_ns[spoken])

    def _shown(self, part: Said) -> Floats:
        """Return what sensors show of what they measure, float64[N, K]: distorted and rounded."""
        value, rows = part.value, self._distortions.struck(part.sensor)
        if len(rows):
            sensor, time_ns = flat(part, rows)
            value[rows] = self._distortions.apply(time_ns, sensor, value[rows].ravel()).reshape(len(rows), -1)
        return self._rounding.apply(part.sensor, value)

    def _load(self, moments: Moments) -> Floats:
        noise = self._wander.at(moments.asset, moments.since_phase_ns)
        return self._drives.load(moments, noise)

    def _true_value(self, sensor: int, time_ns: int, timeline: Timeline) -> float:
        """Evaluate one sensor at an instant of the window that ``advance`` took in last."""
        for grid in self._grids:
            if (grid.sensor == sensor).any():
                value = grid.true_value(sensor, time_ns, timeline, self._load)
                if sensor in self._followers:
                    device, shows = self._followers[sensor]
                    value += float(device.values(shows, np.array([time_ns]))[0])
                return value
        return self._per_cycle.true_value(sensor, time_ns, timeline)


def flat(part: Said, rows: Ints) -> tuple[Ints, Ints]:
    """Return sensor and instant of all that some rows of a part say, int64[N] each."""
    time_ns = part.time_ns[part.place[rows]]
    return np.repeat(part.sensor[rows], time_ns.shape[1]), time_ns.ravel()


def without(part: Said, rows: Ints, there: NDArray[np.bool_]) -> Said:
    """Leave what is there of some rows."""
    keep = np.ones(part.value.shape, dtype=bool) if part.keep is None else part.keep
    keep[rows] &= there.reshape(len(rows), -1)
    return part._replace(keep=keep)


def gauge_of(kind: str, placed: Sequence[Placed], works: Works) -> tuple[Gauge, dict[int, int]]:
    """Return the gauge of all sensors of a kind, and their rows in it by number."""
    mine = [p for p in placed if p.spec.model.kind == kind]
    return MODELS[kind](mine, works), {p.number: row for row, p in enumerate(mine)}
