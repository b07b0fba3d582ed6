"""Lorries: what is made fills them, gates queue them, docks work for them, and none of them is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from parks import HOUR_NS
from regions import HARBOUR, HEAD, PLAIN, Shown, changed, counted, loaded, midnight_world, muted

from simulator.park.freight import Outflow
from simulator.park.packml import State

GATE = """\
  - name: yard
    province: binh-duong
    systems: [{name: gate, type: gate}]
"""
DAYS = 30
IDLE = {State.IDLE, State.SUSPENDED, State.SUSPENDING}


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A gate of one lane, to which 15 vehicles an hour come at random, for a month without failures."""
    scenario = loaded(tmp_path_factory.mktemp("queue"), HEAD + GATE)
    even = ((0.0, 15.0), (24.0, 15.0))
    types = changed(scenario.types, "gate", fails=False, lanes=1, visitors=even, saturday=1.0, sunday=1.0)
    return Shown(midnight_world(scenario, types), DAYS * 24, HOUR_NS)


def test_waiting_at_a_gate_is_that_of_a_queue_with_one_server(queue: Shown) -> None:
    """Pollaczek and Khinchine: W = λ E[S²] / 2(1 - λ E[S]) with S even in 2-4 min is 4.67 min; within 10 %."""
    rate, second_moment = 15 / 60, 3**2 + 2**2 / 12
    expected = rate * second_moment / (2 * (1 - 0.75))
    assert counted(queue.world, "gate")["waited_mean_min"] == pytest.approx(expected, rel=0.1)
    assert counted(queue.world, "gate")["passed"] == pytest.approx(DAYS * 24 * 15, rel=0.04)


def test_the_length_of_the_queue_obeys_littles_law(queue: Shown) -> None:
    """Seen each ten seconds, its mean is the rate of arrivals times the mean wait; within 2 %."""
    now = counted(queue.world, "gate")
    (length,) = queue.values("gate", "queue_length")
    per_min = now["passed"] / (DAYS * 24 * 60)
    assert length.mean() == pytest.approx(per_min * now["waited_mean_min"], rel=0.02)


def test_visitors_come_by_the_hours_of_the_day(tmp_path: Path) -> None:
    """Two weeks of the shipped gate: mornings see as many an hour as its points say, Sundays a quarter; within 15 %."""
    one = Shown(midnight_world(loaded(tmp_path, HEAD + GATE)), 14 * 24, HOUR_NS)
    at, passed = one.of("gate", "pass_count")
    hour = (at - one.world.start_ns) / HOUR_NS
    per_h = [
        np.diff(np.interp([day * 24 + 9, day * 24 + 11], hour, passed))[0] / 2 for day in range(14) if day % 7 != 6
    ]
    sundays = [np.diff(np.interp([day * 24 + 9, day * 24 + 11], hour, passed))[0] / 2 for day in (6, 13)]
    workdays = [rate for day, rate in enumerate(per_h) if day % 6 != 5]
    # From 22 at nine to 19.6 at eleven: 20.8 on average.
    assert np.mean(workdays) == pytest.approx(20.8, rel=0.15)
    assert np.mean(sundays) == pytest.approx(0.25 * 20.8, rel=0.4)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A week of a plant, its gate and docks, and the port behind it."""
    scenario = loaded(tmp_path_factory.mktemp("week"), HEAD + PLAIN + HARBOUR)
    kept = muted(scenario, "gate", "loading-dock", "supplier", "container-port")
    return Shown(midnight_world(scenario, kept), 7 * 24, 6 * HOUR_NS)


def test_loads_are_what_the_factory_makes(week: Shown) -> None:
    """Lorries that left or are on their way out: as many as full loads are made, less those still in the yard."""
    (plant,) = [one for one in week.world.park.plants if one.makes]
    made = sum(machine.good for machine in plant.last) // plant.load
    now = counted(week.world, "gate")
    supplied = counted(week.world, "resin")["deliveries"]
    gone = now["left"] - supplied
    assert 0 <= made - gone <= 4
    assert gone > 12


def test_a_load_is_told_soon_after_its_last_piece(tmp_path: Path) -> None:
    """Never before, and late by less than a minute of production: pieces made by then, beyond whole loads."""
    scenario = loaded(tmp_path, HEAD + PLAIN)
    world = midnight_world(scenario, muted(scenario))
    (plant,) = [one for one in world.park.plants if one.makes]
    over: list[float] = []

    def full() -> None:
        over.append(sum(one.good for one in plant.last) / plant.load - len(over) - 1)

    Outflow(world._env, plant.last, plant.load, full)
    world.skip(world.start_ns + 3 * 24 * HOUR_NS)
    assert len(over) > 5
    assert 0 <= min(over) <= max(over) < plant.pieces_per_h / 60 / plant.load


def test_containers_are_conserved(week: Shown) -> None:
    """At every reading: what landed is in the yard or shipped; in the end two containers for each lorry that left."""
    landed, yard, shipped = week.values("port", "landed_teu", "yard_teu", "shipped_teu")
    assert (landed == yard + shipped).all()
    gone = counted(week.world, "gate")["left"] - counted(week.world, "resin")["deliveries"]
    assert landed[-1] + counted(week.world, "port")["on_the_way_teu"] == 2 * gone
    assert shipped[-1] > 0


def test_containers_land_hours_after_they_left(week: Shown) -> None:
    """The first container stands in the port at least an hour after the first lorry with a load left the gate."""
    left_at, left = week.of("gate", "left_count")
    landed_at, landed = week.of("port", "landed_teu")
    (supplied,) = week.values("resin", "delivery_count")
    assert supplied[0] == 0
    first_out, first_in = left_at[left > 0][0], landed_at[landed > 0][0]
    assert HOUR_NS < first_in - first_out < 24 * HOUR_NS


def test_docks_work_only_for_lorries(week: Shown) -> None:
    """In Execute a lorry stands there; without one the dock waits; lorries over both docks are those of the gate."""
    for name in ("dock-1", "dock-2"):
        state, occupied = week.values(name, "state")[0], week.values(name, "occupied")[0]
        at_state, at_occupied = week.of(name, "state")[0], week.of(name, "occupied")[0]
        known = np.searchsorted(at_state, at_occupied)
        now = state[np.minimum(known, len(state) - 1)]
        assert (occupied[now == State.EXECUTE] == 1).all()
        assert set(np.unique(now[occupied == 0]).astype(int)) <= {*IDLE, State.STOPPED, State.RESETTING}
        assert (occupied == 1).any()
    handled = sum(counted(week.world, name)["lorries"] for name in ("dock-1", "dock-2"))
    assert handled == counted(week.world, "gate")["left"]


def test_a_lorry_is_handled_for_half_an_hour_to_an_hour(week: Shown) -> None:
    """And a bit for the dock to get ready; a failure of the dock makes it longer."""
    minutes = np.concatenate([week.values(name, "handling_min")[0] for name in ("dock-1", "dock-2")])
    minutes = np.unique(minutes[minutes > 0])
    assert minutes.min() >= 30
    assert np.median(minutes) < 61


def test_vessels_take_turns_and_the_yard_breathes(week: Shown) -> None:
    """Never more vessels at the quay than berths; cranes move while one is there; the yard stays within its walls."""
    berthed, moves_h, yard_pct = week.values("port", "vessels_berthed", "crane_moves_h", "yard_pct")
    assert berthed.max() <= 2
    assert (moves_h[berthed == 0] == 0).all()
    assert moves_h.max() in {112, 224}
    assert 40 < yard_pct.min() < yard_pct.max() < 85
    at, kw = week.of("port", "power_kw")
    assert set(np.unique(kw)) <= {0.0, 2500.0, 3780.0, 5060.0}
    (state,) = week.values("port", "state")
    assert ((kw == 0) == (state != State.EXECUTE)[: len(kw)]).mean() > 0.99
    assert len(at) > 10_000
