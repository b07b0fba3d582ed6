"""The machine types that come along: each is sound as data, shows what it promises, and its line reaches its OEE."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import pytest
from parks import HOUR_NS, MONDAY_NS

from simulator.park.world import World
from simulator.scenario.loader import load_machine_type, shipped_types
from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Buffer, Factory, Line, Machine, Scenario, Site
from simulator.scenario.sensor import (
    BearingHeatModel,
    CycleModel,
    CycleTimeModel,
    LagModel,
    MotorModel,
    ProfileModel,
    SensorType,
    StateModel,
    VibrationModel,
)
from simulator.signals import motor

NAMES = (
    *("material-dryer", "injection-moulding", "device-assembly", "device-test"),
    *("stencil-printer", "paste-inspection", "pick-and-place", "reflow-oven", "optical-inspection"),
    *("wafer-saw", "die-attach", "cure-oven", "wire-bonder", "transfer-mould", "final-test", "burn-in-oven"),
    *("cnc-mill", "stamping-press"),
    *("panel-saw", "cnc-router", "edge-bander", "wide-belt-sander", "spray-booth", "drying-tunnel"),
    *("dyeing-jet", "stenter", "sewing-line"),
    *("blending-tank", "pasteuriser", "filler", "packer"),
)
"""Archetypes 1 to 8, each in the order of its flow."""
UNITS = frozenset(
    {"1", "%", "[ppm]", "[pH]", "Cel", "K", "K/s", "kW", "kWh", "A", "mA", "V", "kHz", "lx", "dB", "mOhm", "MOhm.cm"}
    | {"bar", "mbar", "Pa", "kPa", "N", "kN", "mN", "N.m", "N/mm", "mm", "um", "mrad", "mm/s", "m/s", "m/min", "mm/min"}
    | {"s", "ns", "min", "h", "/s", "/min", "/h", "/m3", "g", "kg", "kg/kg", "g/kg", "g/m2", "g/L", "mg/L", "ug/L"}
    | {"mg/m3", "L", "L/min", "L/kg", "m3/h", "mS/cm", "uA"}
)
"""UCUM; mOhm and MOhm.cm are written as people read them."""
TAG = re.compile(r"\[(V|V2|M|E)\]|\[E/M\]")
EVERY = pytest.mark.parametrize("name", NAMES)


@cache
def types() -> dict[str, MachineType]:
    return {name: load_machine_type(file) for name, file in shipped_types().items() if name in NAMES}


def scenario(lines: Sequence[Line], buffers: Sequence[Buffer] = (), *, crew: int = 2) -> Scenario:
    """A factory of three shifts and seven days."""
    factory = Factory(name="plant", crew=crew, lines=tuple(lines), buffers=tuple(buffers))
    return Scenario(parksim=1, name="alone", sites=(Site(name="park", province="here", factories=(factory,)),))


# The data.


def test_every_archetype_has_its_machines() -> None:
    """No file is missing, and each is called what its machine type is called."""
    assert [types()[name].name for name in NAMES] == list(NAMES)


@EVERY
def test_fields_are_named_once_and_in_known_units(name: str) -> None:
    """Names are unique within a machine; a unit that is not in the list is probably a slip."""
    sensors = types()[name].sensors
    assert len({sensor.name for sensor in sensors}) == len(sensors)
    assert {sensor.unit for sensor in sensors} - UNITS == set()


@EVERY
def test_every_machine_shows_the_basics(name: str) -> None:
    """State, power, energy and the three counters are everywhere."""
    basics = {"state", "power_kw", "energy_kwh", "cycle_count", "good_count", "bad_count"}
    assert basics <= {sensor.name for sensor in types()[name].sensors}


@EVERY
def test_numbers_say_where_they_come_from(name: str) -> None:
    """The type and each of its stops carry a tag: read, read elsewhere, common knowledge, or an engineering default."""
    spec = types()[name]
    sources = {"type": spec.source} | {stop.name: stop.source for stop in spec.stops}
    assert [what for what, source in sources.items() if not TAG.search(source)] == []


@EVERY
def test_a_drive_profile_averages_to_one(name: str) -> None:
    """So that execute_load is the mean over a cycle, within a thousandth."""
    profile = types()[name].motor.profile
    assert sum(step.share * step.factor for step in profile) == pytest.approx(1.0 if profile else 0.0, abs=1e-3)


def normal_values(spec: MachineType, sensor: SensorType) -> Iterator[float]:
    """What a sensor shows of a machine that is well, with two standard deviations of scatter either way."""
    model, drive = sensor.model, spec.motor
    noise = 2.0 * sensor.noise.sigma if sensor.noise else 0.0
    match model:
        case LagModel():
            yield from (model.off, model.on - noise, model.on + noise)
        case ProfileModel():
            points = [value for _, value in model.points]
            # A profile may touch zero, where an instrument ends.
            yield from (model.off, min(points), max(points) + noise)
        case MotorModel():
            load = drive.execute_load * max((step.factor for step in drive.profile), default=1.0) + 2.0 * drive.wander
            loads, rated = np.array([0.0, load]), np.array(drive.rated_kw)
            shown = {
                "power": motor.input_kw(loads, rated_kw=rated),
                "current": motor.current_a(loads, rated_kw=rated, volts=np.array(drive.volts)),
                "power_factor": motor.power_factor(loads),
            }
            yield from shown[model.shows].tolist()
        case CycleModel():
            yield from (model.mean - 2.0 * model.sigma, model.mean + 2.0 * model.sigma)
        case CycleTimeModel():
            yield spec.cycle * 1e-9
        case BearingHeatModel():
            yield from (model.ambient - noise, model.ambient + model.rise + model.wear_rise + noise)
        case VibrationModel():
            yield 5.0 * model.base * np.exp(2.0 * model.scatter)
        case StateModel():
            yield from (1.0, 17.0)
        case _:
            yield 0.0


@EVERY
def test_normal_values_lie_inside_the_range(name: str) -> None:
    """No instrument is at its end while its machine is well, nor its vibration while a bearing fails."""
    outside = {
        sensor.name: (value, sensor.range)
        for sensor in types()[name].sensors
        for value in normal_values(types()[name], sensor)
        if not sensor.range[0] <= value <= sensor.range[1]
    }
    assert outside == {}


# The machines alone.


def test_an_hour_of_each_machine_shows_all_its_sensors() -> None:
    """Each type alone for an hour: every sensor speaks, within its range, and good + bad are the pieces made.

    Batches are cut to five minutes, so that one of them ends within the hour.
    """
    # Durations are text: what a user writes.
    five_min = "5m"
    lines = [
        Line(
            name=name,
            machines=(Machine(name="one", type=name, cycle=five_min if types()[name].cycle > HOUR_NS / 12 else None),),
        )
        for name in NAMES
    ]
    world = World(scenario(lines, crew=9), types(), MONDAY_NS)
    seen = np.zeros(len(world.catalog), dtype=bool)
    low = np.array([sensor.low for sensor in world.catalog.sensors])
    high = np.array([sensor.high for sensor in world.catalog.sensors])
    for batch in world.batches(MONDAY_NS + HOUR_NS, HOUR_NS // 4):
        seen[batch.sensor] = True
        assert ((batch.value >= low[batch.sensor]) & (batch.value <= high[batch.sensor])).all()
    silent = [
        f"{asset.kind}: {sensor.name}"
        for asset in world.park.measured.assets
        for number, sensor in enumerate(asset.sensors, asset.first_sensor)
        if not seen[number]
    ]
    assert silent == []
    for machine in world.park.machines:
        machine.settle()
        assert machine.processed == machine.cycles * machine.spec.pieces > 0


# The lines.

Stage = tuple[str, str, int, int]
"""Name, machine type, machines side by side, room behind them in pieces."""


def staged(*stages: Stage, cycles: dict[str, tuple[str, int]] | None = None) -> Scenario:
    """Stages with a half-full buffer behind each but the last; ``cycles`` changes cycle and pieces of a stage."""
    lines, buffers, takes = [], [], {}
    for place, (name, kind, count, room) in enumerate(stages):
        cycle, pieces = (cycles or {}).get(name, (None, None))
        last = place == len(stages) - 1
        lines.append(
            Line(
                name=name,
                machines=(Machine(name="unit", type=kind, count=count, cycle=cycle, pieces=pieces),),
                takes=takes,
                gives=None if last else f"after-{name}",
            )
        )
        if not last:
            buffers.append(Buffer(name=f"after-{name}", capacity=room, initial=room // 2))
            takes = {f"after-{name}": 1}
    return scenario(lines, buffers)


def series(*kinds: str, count: int, room: int) -> Scenario:
    """Identical lines of machines in a row."""
    machines = tuple(Machine(name=f"unit-{place}", type=kind) for place, kind in enumerate(kinds, 1))
    return scenario([Line(name="line", count=count, flow="series", between=room, machines=machines)])


SMT = ("stencil-printer", "paste-inspection", "pick-and-place", "pick-and-place", "reflow-oven", "optical-inspection")
BACK_END: tuple[Stage, ...] = (
    ("saw", "wafer-saw", 1, 24_000),
    ("attach", "die-attach", 2, 48_000),
    ("cure", "cure-oven", 1, 48_000),
    ("bond", "wire-bonder", 7, 24_000),
    ("mould", "transfer-mould", 1, 96_000),
    ("post-cure", "cure-oven", 1, 96_000),
    ("test", "final-test", 1, 1),
)
FURNITURE: tuple[Stage, ...] = (
    ("saw", "panel-saw", 1, 2_000),
    ("rout", "cnc-router", 3, 2_000),
    ("band", "edge-bander", 1, 2_000),
    ("sand", "wide-belt-sander", 1, 2_000),
    ("spray", "spray-booth", 1, 2_000),
    ("dry", "drying-tunnel", 1, 1),
)
FOOD: tuple[Stage, ...] = (
    ("blend", "blending-tank", 3, 80_000),
    ("heat", "pasteuriser", 1, 20_000),
    ("fill", "filler", 1, 6_000),
    ("pack", "packer", 1, 1),
)


def oee_of(world: World, kind: str) -> float:
    """OEE of the machines of a type, or of all for an empty name, as the park computes it."""
    census = world.census()
    oee = census.parts()["oee_by_type"][kind] if kind else census.whole()["oee"]
    assert oee is not None
    return float(oee)


@pytest.mark.parametrize(
    ("park", "days", "expected"),
    [
        pytest.param(
            staged(("mould", "injection-moulding", 6, 1)), 20, {"injection-moulding": 0.78}, id="injection moulding"
        ),
        pytest.param(series(*SMT, count=1, room=50), 8, {"": 0.65}, id="surface mount"),
        pytest.param(
            staged(*BACK_END, cycles={"post-cure": ("4h", 32_000)}), 8, {"": 0.75}, id="semiconductor back-end"
        ),
        pytest.param(staged(("mill", "cnc-mill", 6, 1)), 20, {"cnc-mill": 0.60}, id="machining"),
        pytest.param(staged(("sew", "sewing-line", 8, 1)), 20, {"sewing-line": 0.50}, id="sewing"),
        pytest.param(staged(*FOOD), 12, {"filler": 0.68, "": 0.68}, id="food and beverage"),
    ],
)
def test_each_archetype_reaches_its_oee(park: Scenario, days: int, expected: dict[str, float]) -> None:
    """Around the clock, supplied, some weeks: within 5 points of the default of its archetype."""
    world = World(park, types(), MONDAY_NS)
    world.skip(MONDAY_NS + days * 24 * HOUR_NS)
    assert {kind: oee_of(world, kind) for kind in expected} == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    ("park", "days", "high"),
    [
        pytest.param(series("device-assembly", "device-test", count=2, room=120), 8, 0.78, id="device assembly"),
        pytest.param(staged(("burn", "burn-in-oven", 12, 1)), 30, 0.80, id="burn-in"),
        pytest.param(staged(("press", "stamping-press", 2, 1)), 20, 0.75, id="stamping"),
        pytest.param(staged(*FURNITURE), 14, 0.75, id="furniture"),
        pytest.param(
            staged(("jet", "dyeing-jet", 6, 20_000), ("stenter", "stenter", 1, 1)), 20, 0.75, id="dyeing and finishing"
        ),
    ],
)
def test_the_other_lines_are_average_plants(park: Scenario, days: int, high: float) -> None:
    """Around the clock, supplied, some weeks: 55-75 %, assembly up to 78, burn-in up to 80 as a back-end."""
    world = World(park, types(), MONDAY_NS)
    world.skip(MONDAY_NS + days * 24 * HOUR_NS)
    assert 0.55 <= oee_of(world, "") <= high


def test_a_dryer_keeps_its_presses_supplied() -> None:
    """Four presses that take 6 g a part are never starved by one dryer, and stop it when the silo is full."""
    lines = [
        Line(name="dry", machines=(Machine(name="dryer", type="material-dryer"),), gives="granules"),
        Line(
            name="mould",
            machines=(Machine(name="press", type="injection-moulding", count=4),),
            takes={"granules": 6},
        ),
    ]
    world = World(scenario(lines, [Buffer(name="granules", capacity=1_000_000, initial=500_000)]), types(), MONDAY_NS)
    world.skip(MONDAY_NS + 10 * 24 * HOUR_NS)
    assert oee_of(world, "injection-moulding") == pytest.approx(0.78, abs=0.05)
    assert oee_of(world, "material-dryer") == pytest.approx(4 * 16 * 6 / 18 / (20_000 / 900) * 0.80, abs=0.06)
