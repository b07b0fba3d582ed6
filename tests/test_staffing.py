"""People who are missing: which machines stand, which are slow, and when all are back."""

from __future__ import annotations

from datetime import datetime

import pytest
from parks import HOUR_NS
from shops import DAY_NS, park_of, shop, side_by_side, types
from watched import trace

from simulator.park.packml import State
from simulator.park.staffing import dealt_out
from simulator.park.world import World
from simulator.scenario.quantities import instant_ns
from simulator.scenario.schema import Line, Machine

OPENS_NS = instant_ns(datetime.fromisoformat("2026-02-23T06:00+07:00"))
"""After a Tet of nine days around 17 February, three of them before."""
ROUND_THE_CLOCK = ("06:00-14:00", "14:00-22:00", "22:00-06:00")


@pytest.mark.parametrize(
    ("units", "share", "expected"),
    [
        (5, 1.0, [1.0] * 5),
        (5, 0.6, [1.0, 1.0, 1.0, 0.0, 0.0]),
        (4, 0.6, [1.0, 1.0, 0.4, 0.0]),
        (4, 0.55, [1.0, 1.0, 0.0, 0.0]),
        (1, 0.6, [0.6]),
        (3, 0.0, [0.0, 0.0, 0.0]),
    ],
)
def test_people_are_dealt_out(units: int, share: float, expected: list[float]) -> None:
    """Whole posts first; the next is manned thinly, unless three quarters of its people were missing."""
    assert dealt_out(units, share) == pytest.approx(expected)


def after_tet(*lines: Line) -> World:
    factory = shop(*lines, crew=9, shifts={"hours": ROUND_THE_CLOCK, "tet": {}})
    return World(park_of(factory), types(), OPENS_NS - 2 * DAY_NS)


def test_machines_are_stopped_until_people_are_back() -> None:
    """Ten mills: closed before, six of them run on the first day, eight on the sixth, all after ten days."""
    world = after_tet(side_by_side("cnc-mill", 10))
    seen = trace(world)
    world.skip(OPENS_NS + 12 * DAY_NS)
    ran = [
        [
            seen.in_state(asset, State.EXECUTE, OPENS_NS + day * DAY_NS, OPENS_NS + (day + 1) * DAY_NS)
            for asset in range(10)
        ]
        for day in (-1, 0, 5, 11)
    ]
    assert [sum(ns > 0 for ns in day) for day in ran] == [0, 6, 8, 10]
    assert seen.illegal() == []


def test_the_fifth_of_eight_is_slow() -> None:
    """60 % of eight mills are 4.8: the fifth takes 1 / .8 of the time, and its cycles are as many."""
    world = after_tet(side_by_side("cnc-mill", 8))
    world.skip(OPENS_NS + 12 * HOUR_NS)
    cycle_ns = types()["cnc-mill"].cycle
    assert [machine.cycle_ns / cycle_ns for machine in world.park.machines[:5]] == pytest.approx([1, 1, 1, 1, 1.25])
    world.skip(OPENS_NS + 11 * DAY_NS)
    assert {machine.cycle_ns for machine in world.park.machines} == {cycle_ns}


def test_a_line_in_series_is_manned_as_a_whole() -> None:
    """Three lines of two machines: one runs whole, one is at 80 %, none of the third starts; ovens need nobody."""
    machines = (Machine(name="a", type="stamping-press"), Machine(name="b", type="cnc-mill"))
    world = after_tet(Line(name="line", count=3, flow="series", machines=machines), side_by_side("cure-oven", 2))
    seen = trace(world)
    world.skip(OPENS_NS + 20 * HOUR_NS)
    ran = [seen.in_state(asset, State.EXECUTE, OPENS_NS, OPENS_NS + 20 * HOUR_NS) > 0 for asset in range(8)]
    slow = [machine.cycle_ns / machine.spec.cycle for machine in world.park.machines]
    assert ran == [True, True, True, True, False, False, True, True]
    assert slow[:4] == pytest.approx([1.0, 1.0, 1.25, 1.25], rel=1e-3)


def test_a_machine_without_people_does_not_even_begin_to_start() -> None:
    """A day shop that worked before Tet: on the first day after it, what is not manned is Stopped all the time."""
    factory = shop(side_by_side("cnc-mill", 3), shifts={"hours": ("08:00-17:00",), "tet": {}})
    world = World(park_of(factory), types(), OPENS_NS - 10 * DAY_NS)
    seen = trace(world)
    world.skip(OPENS_NS + 18 * HOUR_NS)
    assert seen.in_state(2, State.EXECUTE, OPENS_NS - 10 * DAY_NS, OPENS_NS) > 0
    assert seen.in_state(2, State.STOPPED, OPENS_NS, OPENS_NS + 18 * HOUR_NS) == 18 * HOUR_NS
