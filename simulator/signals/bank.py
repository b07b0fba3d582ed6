"""The bank of all sensors: a timeline of the park in, a Batch of readings out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Batch, Catalog
from simulator.scenario.machine_type import MachineType
from simulator.signals.distortion import Distortions
from simulator.signals.drives import WMS_PER_KWH, Drives
from simulator.signals.gauges import GAUGES, Gauge, Placed, Works
from simulator.signals.grid import Grid
from simulator.signals.happenings import Changes, CycleValues
from simulator.signals.moments import Moments
from simulator.signals.noise import Noise
from simulator.signals.process import Books, Cycles
from simulator.signals.registers import Registers
from simulator.signals.rounding import Rounding
from simulator.signals.site_gauges import SITE_GAUGES
from simulator.signals.streams import Stream
from simulator.signals.surroundings import Surroundings
from simulator.signals.timeline import Timeline
from simulator.signals.weave import CHANGE, CYCLE, FIRST_PERIOD, Said, Weaver, said_in

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

    ``machines`` and ``books`` are per asset: its type, and its cycles. ``spoken`` is the catalogue with
    those assets, too, whose readings ``read`` is given.
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
        spoken: Catalog | None = None,
    ) -> None:
        self._spoken = spoken = spoken or catalog
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
        self._changes = Changes(placed, assets=len(machines))
        self._per_cycle = CycleValues(placed, self._works.books)
        self._lay_out(placed, spoken, seed=seed, origin_ns=origin_ns)

    def _lay_out(self, placed: Sequence[Placed], spoken: Catalog, *, seed: int, origin_ns: int) -> None:
        """Divide the sensors by period into grids, and by model among gauges."""
        timed = [p for p in placed if p.spec.period is not None]
        kinds: set[str] = {p.spec.model.kind for p in timed}
        gauges = {kind: gauge_of(kind, timed, self._works) for kind in sorted(kinds)}
        self._gauges = [gauge for gauge, _ in gauges.values()]
        group_of = np.zeros(len(spoken), dtype=np.int64)
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
        self._weaver = Weaver(spoken, group_of)

    def advance(self, timeline: Timeline) -> None:
        """Take in a window; call it for each window in order, whether or not its readings are wanted."""
        for device in self._works.surroundings.devices.values():
            device.advance(timeline)
        self._works.network.advance(timeline)
        self._works.registers.advance(timeline)
        for gauge in self._gauges:
            gauge.advance(timeline)
        self._distortions.hold(timeline.until_ns, lambda sensor, time_ns: self._true_value(sensor, time_ns, timeline))

    def read(self, timeline: Timeline, *others: Batch) -> Batch:
        """Return all readings of the window that ``advance`` took in last.

        And among them those of ``others``: batches of the window, by assets that the bank does not know.
        """
        parts = [
            grid.read(timeline, self._load, rounding=self._rounding, distortions=self._distortions)
            for grid in self._grids
        ]
        parts += [self._finished(self._changes.read(timeline)), self._finished(self._per_cycle.read(timeline))]
        parts += [said_in(batch, self._spoken) for batch in others]
        return self._weaver.weave(
            [part for part in parts if part is not None], from_ns=timeline.from_ns, until_ns=timeline.until_ns
        )

    def _finished(self, said: Said) -> Said:
        """Distort and round what comes at instants of its own."""
        value, keep = self._distortions.apply(said.time_ns[said.place, 0], said.sensor, said.value[:, 0])
        value = self._rounding.apply(said.sensor, value[:, None])
        return said._replace(value=value, keep=keep if keep is None else keep[:, None])

    def _load(self, moments: Moments) -> Floats:
        noise = self._wander.at(moments.asset, moments.since_phase_ns)
        return self._drives.load(moments, noise)

    def _true_value(self, sensor: int, time_ns: int, timeline: Timeline) -> float:
        """Evaluate one sensor at an instant of the window that ``advance`` took in last."""
        for grid in self._grids:
            if (grid.sensor == sensor).any():
                return grid.true_value(sensor, time_ns, timeline, self._load)
        return self._per_cycle.true_value(sensor, time_ns, timeline)

    def energy_kwh(self, timeline: Timeline) -> Floats:
        """Return each asset's energy from the beginning of the world to the end of the window, float64[assets]."""
        last = timeline.first[1:] - 1
        spent = self._works.registers.at(last, timeline.until_ns - timeline.start_ns[last]) / WMS_PER_KWH
        end = np.array([timeline.until_ns])
        for asset, device in self._works.surroundings.devices.items():
            if device.draws:
                spent[asset] = self._works.network.steps[asset].energy_wms(end).sum() / WMS_PER_KWH
        return spent


def gauge_of(kind: str, placed: Sequence[Placed], works: Works) -> tuple[Gauge, dict[int, int]]:
    """Return the gauge of all sensors of a kind, and their rows in it by number."""
    mine = [p for p in placed if p.spec.model.kind == kind]
    return MODELS[kind](mine, works), {p.number: row for row, p in enumerate(mine)}
