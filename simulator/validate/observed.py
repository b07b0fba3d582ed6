"""What a park did in some days: the record that its statistics are taken from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Batch, Catalog
from simulator.park.machine import Machine
from simulator.park.packml import State
from simulator.park.plant import Plant
from simulator.park.truth import KIND, SENSORS
from simulator.park.world import World
from simulator.scenario.fault import CODES, Cause
from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Kpis, Scenario
from simulator.scenario.sensor import OutputModel, SensorType
from simulator.scenario.system_type import SystemType
from simulator.signals.device import Device
from simulator.validate.audit import Audit

__all__ = ["BLOCK_NS", "QUARTER_NS", "Observed", "Outage", "Tally", "observe"]

MS, MINUTE_NS, HOUR_NS = 1_000_000, 60_000_000_000, 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
QUARTER_NS = 15 * MINUTE_NS
BLOCK_NS = 8 * HOUR_NS
"""The scatter of ratios is judged from one block of a shift's length to the next."""
OWN = ("stop", "breakdown", "bearing")
"""Kinds of faults that a machine type states a law for."""
REGISTER = SensorType.model_validate(
    {
        "name": "energy_kwh",
        "unit": "kWh",
        "range": [0.0, 1e9],
        "resolution": "0.001",
        "period": "1m",
        "model": {"kind": "energy"},
    }
)
"""The one sensor that each asset is read by; the park does not depend on who looks."""
OUTPUT = REGISTER.model_copy(update={"model": OutputModel(kind="output", shows="energy")})
"""The same of systems whose role takes power."""
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class Outage(NamedTuple):
    """A stop that came by itself, as the truth tells it. Instants are nanoseconds since the Unix epoch."""

    asset: int
    stop: int
    """Number of the stop within the machine type; -1 is the bearing."""
    from_ns: int
    to_ns: int | None
    """None: not over yet."""


@dataclass(frozen=True)
class Tally:
    """Sums of every machine at the borders of blocks, float64[blocks + 1, machines]."""

    producing_ns: Floats
    waiting_ns: Floats
    """Suspended or Idle: no parts, or no room for them."""
    ideal_ns: Floats
    good: Floats
    processed: Floats
    open_ns: Floats
    """Of the machine's factory."""
    busy_ns: Floats
    """The same without breaks in which the machine is held."""

    def of(self, machines: list[int]) -> Tally:
        """Return the sums of some machines, float64[blocks + 1]."""
        columns = [getattr(self, name)[:, machines].sum(axis=1) for name in self.__dataclass_fields__]
        return Tally(*columns)


@dataclass(frozen=True)
class Observed:
    """Some days of a park, after its warm-up and without the faults that its scenario schedules."""

    scenario: Scenario
    catalog: Catalog
    machines: tuple[Machine, ...]
    plants: tuple[Plant, ...]
    from_ns: int
    until_ns: int
    tally: Tally
    outages: tuple[Outage, ...]
    entered: Mapping[int, tuple[Ints, Ints]]
    """By asset: instants of its changes of state and the state from each; the first is the start."""
    quarter_ns: Ints
    """Whole quarters of an hour; a register is read within the minute after each."""
    register_kwh: Floats
    """float64[quarters, assets]."""
    audit: Audit
    devices: Mapping[int, Device]
    """Of the systems that have one, by asset."""

    def members(self, plant: Plant) -> list[int]:
        """Return the numbers of the machines of a factory."""
        paths = [asset.path for asset in self.catalog.assets[: len(self.machines)]]
        return [number for number, path in enumerate(paths) if path[:-2] == plant.path]

    @property
    def factories(self) -> list[Plant]:
        """The plants that make something: all but the systems of a site."""
        return [plant for plant in self.plants if plant.makes]


def observe(
    scenario: Scenario,
    types: Mapping[str, MachineType],
    *,
    start_ns: int,
    days: int,
    told: Callable[[str], None],
) -> Observed:
    """Let a park live for some days, and keep what its statistics need.

    Scheduled faults are the user's and no law of the park, so they are left out.
    """
    seen = {name: spec.model_copy(update={"sensors": (register_of(spec),)}) for name, spec in types.items()}
    plain = {"faults": (), "truth": True, "kpis": Kpis(levels=())}
    world = World(scenario.model_copy(update=plain), seen, start_ns)
    machines, catalog = world.park.machines, world.catalog
    until_ns = start_ns + days * DAY_NS
    changes = [(asset, start_ns, int(machine.state)) for asset, machine in enumerate(machines)]
    world.watch(lambda segment: changes.append((segment.asset, segment.start_ns, int(segment.state))))
    audit = Audit(world)
    tallies, outages, readings = [tally_of(world, start_ns)], [], []
    borders = range(start_ns + BLOCK_NS, until_ns + 1, BLOCK_NS)
    for number, border_ns in enumerate(borders, 1):
        for batch in world.batches(border_ns, HOUR_NS):
            outages += outages_in(batch, world)
            audit.look(batch)
            readings.append(quarterly(batch, len(machines)))
        tallies.append(tally_of(world, border_ns))
        done, part = divmod(number * BLOCK_NS, DAY_NS)
        # Ten lines at most, however long it takes.
        if not part and done * 10 // days > (done - 1) * 10 // days:
            told(f"simulated {done} of {days} days")
    tally = Tally(*(np.array(column, dtype=np.float64) for column in zip(*tallies, strict=True)))
    quarter_ns, register_kwh = registers(Batch.join(readings), len(machines), start_ns, until_ns)
    return Observed(
        scenario,
        catalog,
        machines,
        world.park.plants,
        start_ns,
        until_ns,
        tally,
        tuple(ended(outages)),
        entries(changes, len(machines)),
        quarter_ns,
        register_kwh,
        audit,
        world.park.surroundings.devices,
    )


def register_of(spec: MachineType) -> SensorType:
    return OUTPUT if isinstance(spec, SystemType) and "energy" in spec.outputs else REGISTER


def tally_of(world: World, now_ns: int) -> tuple[list[float], ...]:
    """Return the columns of a Tally at an instant that the world has just reached."""
    machines = world.park.machines
    for machine in machines:
        machine.settle()
    open_ns = [float(plant.calendar.open_ns(now_ns)) for plant in world.park.plants for _ in plant.machines]
    work = world.census().work
    return (
        (MS * work.producing_ms[0]).tolist(),
        [float(machine.in_state_ns[State.SUSPENDED] + machine.in_state_ns[State.IDLE]) for machine in machines],
        (MS * work.ideal_ms[0]).tolist(),
        work.good[0].tolist(),
        work.processed[0].tolist(),
        open_ns,
        (MS * work.busy_ms[0]).tolist(),
    )


def outages_in(batch: Batch, world: World) -> list[Outage]:
    """Return what the truth in a batch says of stops; each is told when it begins and when it ends."""
    catalog = world.catalog
    owner = catalog.asset_of[batch.sensor]
    # Others tell of the park as well, such as bulletins of its people.
    rows = np.array([asset.kind == KIND for asset in catalog.assets])[owner]
    if not rows.any():
        return []
    names = [sensor.name for sensor in SENSORS]
    table = batch.value[rows].reshape(-1, len(names))
    owners = owner[rows].reshape(-1, len(names))[:, 0]
    column = {name: table[:, i] for i, name in enumerate(names)}
    told = []
    mine = np.isin(column["fault"], [CODES[kind] for kind in OWN]) & (column["cause"] == Cause.ITSELF)
    for i, truth in zip(np.flatnonzero(mine).tolist(), owners[mine].tolist(), strict=True):
        asset = catalog.by_topic["/".join(catalog.assets[truth].path[:-1])]
        to_ns = None if column["active"][i] else int(column["to_ms"][i]) * MS
        told.append(Outage(asset, int(column["stop"][i]), int(column["from_ms"][i]) * MS, to_ns))
    return told


def ended(told: list[Outage]) -> list[Outage]:
    """Join beginnings and ends, in the order of their beginnings."""
    last = {(one.asset, one.stop, one.from_ns): one for one in sorted(told, key=lambda one: one.to_ns is not None)}
    return sorted(last.values(), key=lambda one: (one.from_ns, one.asset))


def quarterly(batch: Batch, machines: int) -> Batch:
    """Return the registers read in the first minute of each quarter of an hour."""
    rows = (batch.sensor < machines) & (batch.time_ns % QUARTER_NS < MINUTE_NS)
    return Batch(batch.time_ns[rows], batch.sensor[rows], batch.value[rows], batch.until_ns)


def registers(batch: Batch, machines: int, start_ns: int, until_ns: int) -> tuple[Ints, Floats]:
    """Return the quarters in which every register was read, and what each showed."""
    first, last = start_ns // QUARTER_NS + 1, (until_ns - MINUTE_NS) // QUARTER_NS
    quarter = batch.time_ns // QUARTER_NS
    inside = (quarter >= first) & (quarter <= last)
    table = np.full((last - first + 1, machines), np.nan)
    table[quarter[inside] - first, batch.sensor[inside]] = batch.value[inside]
    return np.arange(first, last + 1) * QUARTER_NS, table


def entries(changes: list[tuple[int, int, int]], machines: int) -> dict[int, tuple[Ints, Ints]]:
    """Return when each asset entered which state."""
    table = np.array(changes, dtype=np.int64)
    table = table[np.argsort(table[:, 0], kind="stable")]
    cuts = np.searchsorted(table[:, 0], np.arange(machines + 1))
    return {
        asset: (table[low:high, 1], table[low:high, 2]) for asset, (low, high) in enumerate(pairwise(cuts.tolist()))
    }
