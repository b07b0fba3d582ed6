"""The people of a factory: how able they are, what that does to machines, and how they come and go."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
import simpy
from parks import HOUR_NS, MONDAY_NS
from shops import breaker, park_of, shop, side_by_side, types
from watched import bulletins, trace

from simulator.park.packml import State
from simulator.park.workforce import Staff, Workforce
from simulator.park.world import World
from simulator.scenario.holidays import Tet
from simulator.scenario.people import People
from simulator.signals.device import Track
from simulator.signals.streams import Stream

MONDAY = date(2025, 3, 10)


def folk(heads: int = 2_000, crew: int = 10, teams: int = 1, **people: Any) -> Workforce:
    """Return people without machines."""
    env = simpy.Environment(initial_time=MONDAY_NS)
    return Workforce(
        People(**people),
        Staff(heads=heads, teams=teams, crew=crew),
        (),
        stream=lambda *names: Stream(1, *names),
        track=lambda initial: Track(lambda: int(env.now), initial),
    )


def live(workforce: Workforce, days: int, *, worked: bool = True, tet: Tet | None = None) -> None:
    for number in range(days):
        workforce.pass_day(MONDAY + timedelta(days=number), worked=worked, tet=tet)


def repairs_min(skill: float) -> list[float]:
    """Return the lengths of some hundred repairs by a crew in which hardly anybody has to mend twice."""
    kinds = types() | {"breaker": breaker(mtbf="20m")}
    factory = shop(side_by_side("breaker", 60), crew=400, people={"skill": skill, "turnover": 0.0})
    world = World(park_of(factory), kinds, MONDAY_NS)
    seen = trace(world)
    world.skip(MONDAY_NS + 5 * HOUR_NS)
    return [ns / 60e9 for asset in range(60) for ns in seen.lengths(asset, State.ABORTED)]


@pytest.mark.parametrize(("skill", "factor"), [(0.0, 1.6), (0.75, 1.0), (1.0, 0.8)])
def test_repairs_take_as_long_as_skill_has_it(skill: float, factor: float) -> None:
    """The mean of the repairs is 20 min x (1.6 - .8 s), within four standard errors at their CV of .5."""
    lengths = repairs_min(skill)
    assert len(lengths) > 300
    assert np.mean(lengths) == pytest.approx(20.0 * factor, rel=4 * 0.5 / np.sqrt(len(lengths)))


def test_a_mender_learns_from_repair_to_repair() -> None:
    """A novice's factor falls along Wright's curve with r = .85: 1.6 - .6 (1 - n^log2 r) / .4, down to 1."""
    workforce = folk(skill=0.0, turnover=0.0)
    factors = []
    for _ in range(12):
        who, factor = workforce.begin(3)
        factors.append(factor)
        workforce.end(who, HOUR_NS, planned=False)
    n = np.arange(1, 13)
    assert factors == pytest.approx(1.6 - 0.6 * (1.0 - np.maximum(n ** np.log2(0.85), 0.6)) / 0.4)
    assert factors[-1] == pytest.approx(1.0)


def test_scrap_follows_the_skill_of_operators() -> None:
    """Presses of people without skill spoil 1.8 times as many pieces, of the schooled .8; within four deviations."""
    shares = []
    for skill in (0.0, 1.0):
        factory = shop(side_by_side("stamping-press", 6), people={"skill": skill, "turnover": 0.0})
        world = World(park_of(factory), types(), MONDAY_NS)
        world.skip(MONDAY_NS + 15 * HOUR_NS)
        made = [(machine.good, machine.processed) for machine in world.park.machines]
        shares.append((sum(made for _, made in made) - sum(good for good, _ in made), sum(made for _, made in made)))
    scrap = 1.0 - types()["stamping-press"].first_pass_yield
    for (bad, made), factor in zip(shares, (1.8, 0.8), strict=True):
        assert made > 100_000
        assert bad / made == pytest.approx(factor * scrap, abs=6 * np.sqrt(factor * scrap / made))


def test_set_ups_take_as_long_as_skill_has_it() -> None:
    """Operators without skill take 1.5 times as long to set up, and no longer for what is no set-up."""
    means = {}
    for set_up in (True, False):
        stop = {"by": "operator", "becomes": "held", "mtbf": "20m", "set_up": set_up}
        kinds = types() | {"breaker": breaker(**stop)}
        factory = shop(side_by_side("breaker", 60), people={"skill": 0.0, "turnover": 0.0})
        world = World(park_of(factory), kinds, MONDAY_NS)
        seen = trace(world)
        world.skip(MONDAY_NS + 5 * HOUR_NS)
        lengths = [ns / 60e9 for asset in range(60) for ns in seen.lengths(asset, State.HELD)]
        means[set_up] = (np.mean(lengths), 4 * 0.5 / np.sqrt(len(lengths)))
    assert means[True][0] == pytest.approx(30.0, rel=means[True][1])
    assert means[False][0] == pytest.approx(20.0, rel=means[False][1])


def test_people_leave_as_turnover_says() -> None:
    """Over 30 days 3 % of a month leave 2,000 people, within four deviations; their posts go to novices."""
    workforce = folk(turnover=0.03)
    live(workforce, 30)
    expected = 1.0 - 0.97 ** (30 / 30.4375)
    left = workforce.tracks["left_30d_pct"].value / 100.0
    assert left == pytest.approx(expected, abs=4 * np.sqrt(expected / 2_000))
    # Novices of a month have come part of the way.
    assert 0.75 * (1.0 - left) < workforce.tracks["skill"].value < 0.75 * (1.0 - 0.3 * left)


def test_some_do_not_return_after_tet() -> None:
    """7 % of 2,000 on the day it opens, within four deviations, and on no other day."""
    workforce = folk(turnover=0.0)
    tet = Tet(leave=0.07)
    opens = date(2026, 2, 17) - timedelta(days=3) + timedelta(days=9)
    left = []
    for number in range(-10, 3):
        workforce.pass_day(opens + timedelta(days=number - 1), worked=number > 0, tet=tet)
        left.append(workforce.tracks["left_30d_pct"].value / 100.0)
    assert left[:10] == [0.0] * 10
    assert left[10] == pytest.approx(0.07, abs=4 * np.sqrt(0.07 * 0.93 / 2_000))
    assert left[12] == left[10]


def test_routine_is_forgotten_when_nobody_works() -> None:
    """After 90 idle days half of the repetitions beyond the first are gone; a week at work brings one back."""
    workforce = folk(turnover=0.0, work="assembly")
    before = workforce.operators.repetitions[0]
    live(workforce, 90, worked=False)
    after = workforce.operators.repetitions[0]
    assert after - 1.0 == pytest.approx((before - 1.0) / 2.0)
    live(workforce, 6)
    assert workforce.operators.repetitions[0] == pytest.approx(after + 1.0)


def test_a_cohort_comes_back_more_able_and_forgets_in_time() -> None:
    """A tenth of the people, away for five days, gain half of what schooling can give; hours are counted."""
    workforce = folk(heads=100, turnover=0.0, training={"every": "30d", "share": 0.1, "lasts": "5d", "gain": 0.5})
    skills, present, schooling = [], [], []
    for number in range(60):
        workforce.pass_day(MONDAY + timedelta(days=number), worked=True, tet=None)
        workforce.come(0, 1.0)
        skills.append(workforce.tracks["skill"].value)
        present.append(workforce.tracks["heads_present"].value)
        schooling.append(max(one.schooling.max() for one in (workforce.operators, workforce.menders)))
    assert sorted(set(present)) == [90.0, 100.0]
    assert present.count(90.0) == 10
    back = present.index(90.0) + 5
    gained = skills[back] - skills[back - 1]
    assert gained == pytest.approx(0.1 * 0.25 * 0.5, rel=0.02)
    assert schooling[back + 15] / schooling[back] == pytest.approx(0.5 ** (15 / 90))
    assert workforce.tracks["training_h"].value == 2 * 10 * 40.0


def test_people_of_ordinary_skill_leave_a_factory_nearly_as_it_was() -> None:
    """With people, and nothing said of them, repairs are unchanged and scrap is 1.05 times the type's."""
    factory = shop(side_by_side("stamping-press", 2), people={})
    world = World(park_of(factory), types(), MONDAY_NS)
    machine = world.park.machines[0]
    assert machine.set_up_factor == pytest.approx(1.05)
    assert world.park.plants[0].machines[0].book.scrap == pytest.approx(1.05 * (1.0 - machine.spec.first_pass_yield))


def test_a_factory_tells_of_its_people() -> None:
    """Once a minute on <factory>/_people: heads of the team on duty, and what else there is."""
    shifts = {"hours": ("06:00-14:00",), "days": ("mon",)}
    factory = shop(side_by_side("cnc-mill", 6), shifts=shifts, crew=2, people={"heads": 20})
    world = World(park_of(factory), types(), MONDAY_NS - HOUR_NS - HOUR_NS // 2)
    (asset,) = bulletins(world)
    names = [sensor.name for sensor in asset.sensors]
    told: dict[str, list[float]] = {name: [] for name in names}
    for batch in world.batches(MONDAY_NS - HOUR_NS // 2, HOUR_NS):
        for number, name in enumerate(names, asset.first_sensor):
            told[name] += batch.value[batch.sensor == number].tolist()
    assert (asset.topic, asset.kind) == ("binh-duong/park/shop/_people", "people")
    assert told["heads_present"] == [0.0] * 30 + [20.0] * 30
    assert {name: set(told[name][-30:]) for name in ("heads", "team", "skill")} == {
        "heads": {20.0},
        "team": {1.0},
        "skill": {0.75},
    }


def test_where_the_scenario_says_nothing_nobody_is_told_of() -> None:
    """No asset is added to the catalogue."""
    world = World(park_of(shop(side_by_side("cnc-mill", 1)), truth=False), types(), MONDAY_NS)
    assert bulletins(world) == []
