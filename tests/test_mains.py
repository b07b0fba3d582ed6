"""Feeders that trip and voltages that dip: machines stop, go dark, and start anew; no watt is lost from the books."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from parks import MONDAY_NS, SECOND_NS
from supplied import AT, FACTORY, MINUTE_NS, Seen, site

from simulator.errors import ScenarioError
from simulator.park.packml import NEXT, State
from simulator.park.world import World
from simulator.scenario.loader import load_machine_type, shipped_types

METER = f"{{name: meter, type: tenant-meter, serves: [{FACTORY}]}}"
FEEDER = "{name: feeder, type: feeder-22kv, serves: [meter]}"
GRID = "{name: grid, type: substation-110kv, serves: [feeder, roofs]}"
SYSTEMS = (METER, FEEDER, "{name: roofs, type: pv-plant}", GRID)
TRIP = f"{{kind: breakdown, at: 10m, for: 5m, target: {AT}/substation-110kv/grid}}"
PRESS = "moulding/press-1"
WAYS = {(before, after) for before in State for after in NEXT[before]}


def dip(depth: float, lasts: str, target: str = "feeder-22kv/feeder") -> str:
    return f"{{kind: power_dip, at: 10m, for: {lasts}, depth: {depth}, target: {AT}/{target}}}"


def is_down(seen: Seen, asset: int, minute: float) -> bool:
    """Say whether a machine is broken down already."""
    topic = seen.world.park.measured.assets[asset].topic
    mine = [one for one in seen.told("breakdown") if topic.endswith(one[0])]
    return any(from_m < minute and (to_m is None or to_m > minute) for _, from_m, to_m, _ in mine)


@pytest.fixture(scope="module")
def tripped(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return Seen(site(tmp_path_factory.mktemp("tripped"), *SYSTEMS, faults=(TRIP,)), minutes=40)


def test_a_substation_that_trips_stops_everything_behind_it(tripped: Seen) -> None:
    """Machines, feeders and panels abort at once, stay Aborted until the power is back, and then start anew."""
    everything = range(len(tripped.world.park.machines))
    working = [asset for asset in everything if not is_down(tripped, asset, 10)]
    assert len(working) > 0.8 * len(everything)
    for asset in working:
        states = tripped.states(asset)
        during = [state for at, state in states if 10 < at < 15]
        assert [state for at, state in states if at == 10] == [State.ABORTING]
        assert during == [State.ABORTED]
        after = [state for at, state in states if at >= 15]
        assert after[:3] == [State.CLEARING, State.STOPPED, State.RESETTING]
        assert State.EXECUTE in after
        ways = set(zip([state for _, state in states], [state for _, state in states[1:]], strict=False))
        assert ways <= WAYS


def test_power_comes_back_step_by_step(tripped: Seen) -> None:
    """A machine has no power before its meter, its feeder and the substation have: each has to start first."""
    first = []
    for name in ("grid", "feeder", "meter", PRESS):
        minutes, states = tripped.of(name, "state")
        first.append(minutes[(minutes > 10.5) & (states == State.EXECUTE)][0])
    assert first == sorted(first)
    assert first[0] > 15


def test_what_is_dark_draws_nothing_and_shows_nothing(tripped: Seen) -> None:
    """Power, current and voltage are exactly 0 from the trip until the power is back; registers stand still."""
    for name, sensor in (
        *((PRESS, "power_kw"), (PRESS, "current_a"), ("meter", "power_kw"), ("roofs", "power_kw")),
        *(("feeder", "power_kw"), ("feeder", "voltage_v"), ("feeder", "current_a"), ("grid", "power_kw")),
    ):
        minutes, values = tripped.of(name, sensor)
        dark = (minutes >= 10) & (minutes < 15)
        assert dark.sum() >= 30
        assert (values[dark] == 0).all()
        assert (values[minutes < 9.9] != 0).any()
    for name in (PRESS, "meter", "feeder", "grid"):
        minutes, kwh = tripped.of(name, "energy_kwh")
        assert len(set(kwh[(minutes >= 10) & (minutes < 15)])) <= 2


def test_what_is_dark_cools(tripped: Seen) -> None:
    """A barrel nears 30 degrees with its 12 minutes, and heats up again; a machine that is only held stays hot."""
    assert tripped.at(PRESS, "barrel_1_c", 9.9) == pytest.approx(255, abs=5)
    # Five minutes and what the chain of switches takes: 30 + 225 e^(-5.4/12).
    assert 165 < tripped.at(PRESS, "barrel_1_c", 15.9) < 180
    assert tripped.at(PRESS, "barrel_1_c", 39.9) > 220


def test_the_loss_of_power_is_told_as_a_consequence(tripped: Seen) -> None:
    """Each machine that went dark says when, from the trip of the substation until its meter had power again."""
    told = tripped.told("power_loss")
    assert {one[0] for one in told} >= {f"vsip2a/{FACTORY}/{PRESS}", f"{AT}/tenant-meter/meter"}
    assert len(told) == len(tripped.world.park.machines) - 1
    assert {(from_m, cause) for _, from_m, _, cause in told} == {(10.0, "consequence")}
    ends = {target: to_m for target, _, to_m, _ in told}
    back = next(at for at, state in tripped.states(len(tripped.makers())) if state == State.EXECUTE and at > 15)
    assert ends[f"vsip2a/{FACTORY}/{PRESS}"] == pytest.approx(back)


def test_registers_agree_to_the_watt_millisecond_through_a_trip(tmp_path: Path) -> None:
    """At every second: what the meter counts is what the machines count; the feeder adds its losses, rounded to W."""
    loaded = site(tmp_path, *SYSTEMS, faults=(TRIP,))
    world = World(loaded.scenario, loaded.types, MONDAY_NS)
    assets = {asset.path[-1]: number for number, asset in enumerate(world.park.measured.assets)}
    makers = [n for n, asset in enumerate(world.park.measured.assets) if asset.path[2] == FACTORY]
    network = world._bank._works.network
    world.skip(MONDAY_NS + 590 * SECOND_NS)
    for second in range(591, 1100):
        timeline = world._advance(MONDAY_NS + second * SECOND_NS)
        end = np.array([timeline.until_ns])
        machines = int(world._work_by_now().spent_wms.ravel()[makers].sum())
        meter, feeder = (int(network.steps[assets[name]].energy_wms(end).sum()) for name in ("meter", "feeder"))
        assert meter == machines
        assert abs(feeder - 1.02 * meter) <= 0.5 * (end[0] - world.origin_ns) / 1e6


def test_a_battery_bridges_a_short_outage(tmp_path: Path) -> None:
    """With 3 minutes of battery a press goes on for so long, and takes nothing from the mains meanwhile."""
    loaded = site(tmp_path, *SYSTEMS, faults=(TRIP,))
    types = dict(loaded.types)
    types["injection-moulding"] = types["injection-moulding"].model_copy(update={"ride_through": 3 * MINUTE_NS})
    loaded.types.update(types)
    seen = Seen(loaded, minutes=20)
    (press,) = [n for n, a in enumerate(seen.world.park.measured.assets) if a.topic.endswith(PRESS)]
    assert seen.world.park.machines[press].spec.ride_through == 3 * MINUTE_NS
    aborted = [at for at, state in seen.states(press) if state == State.ABORTING and at >= 10]
    assert aborted == [13.0]
    minutes, kw = seen.of(PRESS, "power_kw")
    assert (kw[(minutes >= 10) & (minutes < 15)] == 0).all()
    assert seen.at(PRESS, "barrel_1_c", 12.9) > 250
    lost = [one for one in seen.told("power_loss") if one[0].endswith(PRESS)]
    assert lost[0][1] == 13.0


# Dips.


def test_a_dip_that_is_too_deep_trips_machines_and_they_start_anew(tmp_path: Path) -> None:
    """To 40 % for 300 ms, against 20 ms that they stand: all machines abort 20 ms after it began, and run again."""
    seen = Seen(site(tmp_path, *SYSTEMS, faults=(dip(0.6, "300ms"),)), minutes=20)
    working = [asset for asset in seen.makers() if not is_down(seen, asset, 10)]
    assert len(working) > 10
    for asset in working:
        states = seen.states(asset)
        tripped = [at for at, state in states if state == State.ABORTING and at >= 10]
        assert tripped[0] == pytest.approx(10 + 0.02 / 60)
        assert State.EXECUTE in [state for at, state in states if at > tripped[0]]
    told = seen.told("power_dip")
    assert [one for one in told if one[3] == "scheduled"] == [
        (f"{AT}/feeder-22kv/feeder", 10.0, pytest.approx(10.005), "scheduled")
    ]
    # Machines and nothing else: a meter stands it, as does all that is not behind the feeder.
    assert len(told) == 1 + len(seen.makers())
    assert {round((to_m or 0) * 60_000) for _, _, to_m, _ in told} == {600_300}
    assert not seen.states(len(seen.makers()))


def test_a_dip_that_machines_stand_trips_none(tmp_path: Path) -> None:
    """To 75 % for 300 ms is within the half second that SEMI F47 and ITIC ask for at 70 %."""
    seen = Seen(site(tmp_path, *SYSTEMS, faults=(dip(0.25, "300ms"),)), minutes=12)
    assert len(seen.told("power_dip")) == 1
    aborted = [at for asset in seen.makers() for at, state in seen.states(asset) if state == State.ABORTING]
    assert not [at for at in aborted if 10 <= at < 10.1]


def test_the_lowest_voltage_shows_a_dip_that_falls_between_two_readings(tmp_path: Path) -> None:
    """A dip of 300 ms at the substation: all meters below show their least voltage, once."""
    faults = (dip(0.25, "300ms", "substation-110kv/grid"),)
    seen = Seen(site(tmp_path, *SYSTEMS, faults=faults), minutes=12)
    for name, volts in (("feeder", 22_000), ("grid", 110_000)):
        minutes, low = seen.of(name, "voltage_low_v")
        shown = low[minutes > 2] < 0.8 * volts
        assert shown.sum() == 1
        assert low[minutes > 2][shown][0] == pytest.approx(0.75 * volts, rel=0.03)
        assert 10 < minutes[minutes > 2][shown][0] < 10.03


def test_types_say_what_dip_they_stand() -> None:
    """The longest span whose share is no more than what remains; a share just above the curve counts as above it."""
    press = load_machine_type(shipped_types()["injection-moulding"])
    seconds = [press.stands_dip_ns(share) / 1e9 for share in (0.0, 0.49, 0.5, 1 - 0.3, 0.75, 0.8, 0.95)]
    assert seconds == [0.02, 0.02, 0.2, 0.5, 0.5, 10, 3600]
    assert load_machine_type(shipped_types()["cnc-mill"]).stands_dip_ns(0.5) == 10_000_000


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (dip(0.5, "300ms", "tenant-meter/meters"), "'meters' is no machine"),
        (dip(0.5, "300ms", "pv-plant/roofs"), "cannot have a power_dip: it befalls feeders only"),
        (dip(1.0, "300ms"), "depth"),
        (dip(0.5, "2m"), "for"),
        (f"{{kind: air_leak, at: 1m, for: 1h, m3_min: 5, target: {AT}/feeder-22kv/feeder}}", "compressed air only"),
    ],
)
def test_a_dip_that_cannot_be_is_told_with_its_place(tmp_path: Path, fault: str, sentence: str) -> None:
    """Dips are for feeders, shorter than a minute and not total."""
    with pytest.raises(ScenarioError) as refused:
        site(tmp_path, *SYSTEMS, faults=(fault,))
    assert sentence in str(refused.value)
    assert "supplied.yaml:" in str(refused.value)


def test_what_a_machine_stands_must_rise(tmp_path: Path) -> None:
    """It stands a shallower dip for longer; a type that says otherwise is refused."""
    file = tmp_path / "mill.yaml"
    text = shipped_types()["cnc-mill"].read_text(encoding="utf-8")
    assert "[0.7, 100ms]" in text
    file.write_text(text.replace("[0.7, 100ms]", "[0.7, 5ms]"), encoding="utf-8")
    with pytest.raises(ScenarioError, match="shares and durations must both rise"):
        load_machine_type(file)
