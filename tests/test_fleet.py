"""Guided vehicles: what lines finish is carried, batteries empty and fill evenly, and nobody is sent who cannot go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from parks import HOUR_NS
from regions import HEAD, Shown, changed, counted, loaded, midnight_world, muted

from simulator.errors import ScenarioError
from simulator.park.roles.agv import CHARGING, DRIVING, SERVICED, WAITING

VEHICLES = 4
PARK = """\
  - name: north
    province: binh-duong
    factories:
      - name: plant
        lines:
          - name: moulding
            machines: [{name: press, type: injection-moulding, count: 4}]
    systems:
      - {name: agv, type: agv, count: 4}
      - {name: fleet, type: agv-dispatch, serves: [agv, plant]}
      - {name: feeder, type: feeder-22kv, serves: [fleet]}
"""
SHOWN = ("agv", "agv-dispatch")


def fleet(folder: Path, hours: float, *, missions_h: float = 8.0, fails: bool = True) -> Shown:
    scenario = loaded(folder, HEAD + PARK)
    types = changed(muted(scenario, *SHOWN, "feeder-22kv"), "agv-dispatch", missions_h=missions_h)
    return Shown(midnight_world(scenario, changed(types, "agv", fails=fails)), hours, HOUR_NS)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A day of a fleet with much to do: nearly all that vehicles can drive beside charging."""
    return fleet(tmp_path_factory.mktemp("fleet"), 24, missions_h=16.0)


def every(name: str, shown: Shown) -> list[np.ndarray]:
    return [shown.of(f"agv-{number}", name)[1] for number in range(1, VEHICLES + 1)]


def test_charge_stays_between_20_and_100_and_never_jumps(day: Shown) -> None:
    """From minute to minute it falls by .2 % at most (12 %/h) and rises by 1 % (60 %/h), and a tenth of rounding."""
    for soc in every("soc_pct", day):
        assert 20 <= soc.min() < 40
        assert 79 < soc.max() <= 100
        change = np.diff(soc)
        assert -0.2 - 0.101 <= change.min() < 0
        assert 0 < change.max() <= 1.0 + 0.101


def test_charge_follows_what_a_vehicle_does(day: Shown) -> None:
    """Two minutes of the same activity in a row: .2 % less while driving, 1 % more while charging, else nothing."""
    rates = {WAITING: 0.0, DRIVING: -0.2, CHARGING: 1.0, SERVICED: 1.0}
    seen = set()
    for soc, activity in zip(every("soc_pct", day), every("activity", day), strict=True):
        # A mission is shorter than six minutes, so between two minutes of driving lies no charge worth a minute.
        same = np.flatnonzero((activity[:-1] == activity[1:]) & (activity[:-1] == SERVICED))
        assert np.median(np.diff(soc)[same]) == pytest.approx(rates[SERVICED], abs=0.051)
        seen |= set(np.unique(activity).astype(int))
        driving = np.flatnonzero((activity[:-1] == DRIVING) & (activity[1:] == DRIVING))
        assert np.median(np.diff(soc)[driving]) == pytest.approx(rates[DRIVING], abs=0.051)
    assert seen >= {DRIVING, SERVICED}


def test_the_battery_is_warm_while_it_charges(day: Shown) -> None:
    """It stays between the hall and eleven degrees more, and changes by less than half a degree a minute."""
    for battery in every("battery_c", day):
        assert 29 < battery.min() < battery.max() < 42
        assert np.abs(np.diff(battery)).max() < 0.8


def test_missions_are_conserved(day: Shown) -> None:
    """Missions given are those that vehicles ended and those under way."""
    given = counted(day.world, "fleet")
    ended = sum(counted(day.world, f"agv-{number}")["missions"] for number in range(1, VEHICLES + 1))
    under_way = sum(counted(day.world, f"agv-{number}")["activity"] == DRIVING for number in range(1, VEHICLES + 1))
    # One that is called sets out in the same instant, unless it is broken down.
    assert given["missions"] - ended - under_way in {0, 1}
    assert ended > 300


def test_missions_are_boxes_of_what_is_made(tmp_path: Path) -> None:
    """Sixteen of the presses' boxes an hour at full pace for a fleet of four: their good pieces over pieces per box."""
    one = fleet(tmp_path, 12, missions_h=4.0, fails=False)
    good = sum(machine.good for machine in one.world.park.machines[:4])
    per_box = round(4 * 16 * 3600 / 18 * one.world.park.machines[0].spec.first_pass_yield / 16)
    now = counted(one.world, "fleet")
    assert now["missions"] + now["queue"] == good // per_box
    # A vehicle that is free is called at once.
    assert now["waited_mean_s"] < 5


def test_a_fleet_with_too_much_to_do_lets_boxes_wait(tmp_path: Path) -> None:
    """Three times what it can drive: the queue grows all day, and no vehicle ever stands full."""
    one = fleet(tmp_path, 12, missions_h=40.0)
    (queue,) = one.values("fleet", "queue_length")
    assert queue[-1] > 200
    assert all((activity[60:] != WAITING).mean() > 0.97 for activity in every("activity", one))


def test_the_chargers_draw_what_batteries_take(day: Shown) -> None:
    """60 % an hour of 6 kWh over an efficiency of .9, for each vehicle that charges; the feeder counts 2 % more."""
    charging, kw = day.values("fleet", "charging", "power_kw")
    assert set(np.unique(np.round(kw, 1))) <= {0.0, 4.0, 8.0, 12.0, 16.0}
    (kwh,) = day.values("fleet", "energy_kwh")
    charged_h = charging.mean() * 24
    assert kwh[-1] == pytest.approx(4.0 * charged_h, rel=0.03)
    (feeder,) = day.values("feeder", "energy_kwh")
    assert feeder[-1] == pytest.approx(1.02 * kwh[-1], rel=0.01, abs=0.1)


def test_a_broken_vehicle_keeps_its_charge(tmp_path: Path) -> None:
    """While it is down, its charge does not move, and it goes on with its mission or its charging afterwards."""
    scenario = loaded(tmp_path, HEAD + PARK)
    world = midnight_world(scenario, changed(muted(scenario, *SHOWN), "agv-dispatch", missions_h=16.0))
    (vehicle,) = [i for i, one in enumerate(world.park.measured.assets) if one.path[-1] == "agv-2"]
    world.skip(world.start_ns + 2 * HOUR_NS)
    world.park.machines[vehicle].break_down(world.start_ns + 5 * HOUR_NS)
    one = Shown(world, 6, HOUR_NS)
    at, soc = one.of("agv-2", "soc_pct")
    hour = (at - world.start_ns) / HOUR_NS
    assert len(np.unique(soc[(hour > 2.05) & (hour < 5)])) == 1
    assert len(np.unique(soc[hour > 5.1])) > 3
    missions = one.values("agv-2", "mission_count")[0]
    assert missions[hour > 5.5][-1] > missions[hour < 5][-1]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("count: 4}\n      - {name: fleet", "count: 0}\n      - {name: fleet", "count: 0 is too small"),
        ("{name: fleet,", "{name: agv-3,", "'agv-3' is the name of something else here already"),
        ("serves: [agv, plant]", "serves: [agv-1, plant]", "'agv-1' is no factory or system of this site"),
    ],
)
def test_a_mistake_in_a_fleet_is_told_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    """Counts of nothing, names that a count has made, and single ones of several."""
    assert PARK.count(old) == 1
    with pytest.raises(ScenarioError) as refused:
        loaded(tmp_path, HEAD + PARK.replace(old, new))
    assert told in str(refused.value)
    assert "region.yaml:1" in str(refused.value)
