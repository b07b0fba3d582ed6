"""Breaks: who stands, who runs on, and what waits for an operator who is away."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from parks import HOUR_NS
from scenario_texts import park, problems
from shops import park_of, shop, side_by_side, types
from watched import Trace, trace

from simulator.park.calendar import Calendar
from simulator.park.packml import State
from simulator.park.world import World
from simulator.scenario.machine_type import MachineType
from simulator.scenario.quantities import instant_ns
from simulator.scenario.schema import Line, Machine, Scenario, Shifts

MINUTE_NS = HOUR_NS // 60
MINUTE_MS = MINUTE_NS // 1_000_000
LUNCH = Shifts(hours=("08:00-17:00",), breaks={"length": "60m", "after": "4h"})


def at(text: str) -> int:
    return instant_ns(datetime.fromisoformat(f"2025-03-10T{text}+07:00"))


def lived(scenario: Scenario, until: str, *, kinds: dict[str, MachineType] | None = None) -> tuple[World, Trace]:
    """Let a Monday pass from 06:00, and return the world and what its machines did."""
    world = World(scenario, kinds or types(), at("06:00"))
    seen = trace(world)
    world.skip(at(until))
    return world, seen


@pytest.mark.parametrize(
    ("hours", "breaks", "expected"),
    [
        ("08:00-17:00", {"length": "60m", "after": "4h"}, [("12:00", "13:00")]),
        ("06:00-14:00", {}, [("09:45", "10:15")]),
        ("14:00-22:00", {}, [("17:45", "18:15")]),
        ("06:00-14:00", {"groups": 2}, [("09:30", "10:00"), ("10:00", "10:30")]),
        ("16:00-23:00", {}, [("19:15", "19:45")]),
        ("08:00-12:00", {}, []),
    ],
)
def test_when_people_rest(hours: str, breaks: dict[str, object], expected: list[tuple[str, str]]) -> None:
    """In the middle of the shift or where the scenario says; group after group; not at all in half a shift."""
    calendar = Calendar(Shifts(hours=(hours,), breaks=breaks), "Asia/Ho_Chi_Minh", origin_ns=at("00:00"))
    shift = next(shift for shift in calendar.shifts() if shift.opens_ns >= at("00:00"))
    assert shift.breaks_ns == tuple((at(begin), at(end)) for begin, end in expected)


def test_a_break_at_night_is_longer() -> None:
    """45 minutes in a shift with three hours or more between 22:00 and 06:00; a late evening is no night."""
    hours = ("03:00-09:00", "19:00-01:30")
    calendar = Calendar(Shifts(hours=hours, breaks={}), "Asia/Ho_Chi_Minh", origin_ns=at("00:00"))
    coming = (shift for shift in calendar.shifts() if shift.opens_ns >= at("00:00"))
    lengths = [shift.breaks_ns[0][1] - shift.breaks_ns[0][0] for shift, _ in zip(coming, range(2), strict=False)]
    assert lengths == [45 * MINUTE_NS, 45 * MINUTE_NS]
    early = Calendar(Shifts(hours=("18:00-00:30",), breaks={}), "Asia/Ho_Chi_Minh", origin_ns=at("00:00"))
    ((first, last),) = next(early.shifts()).breaks_ns
    assert last - first == 30 * MINUTE_NS


def test_machines_that_need_an_operator_stand_at_lunch() -> None:
    """Four mills: none is in Execute from a minute after 12:00 until 13:00, and some are before and after."""
    scenario = park_of(shop(side_by_side("cnc-mill"), shifts=LUNCH))
    _, seen = lived(scenario, "15:00")
    lunch, before, after = (
        [seen.in_state(asset, State.EXECUTE, at(begin), at(end)) for asset in range(4)]
        for begin, end in (("12:01", "13:00"), ("11:00", "12:00"), ("13:01", "14:00"))
    )
    assert lunch == [0, 0, 0, 0]
    assert min(sum(before), sum(after)) > 4 * 20 * MINUTE_NS
    assert seen.state(0, at("12:30")) is State.HELD


def test_machines_that_run_alone_run_on_and_their_jams_wait() -> None:
    """Ovens work through lunch; one that needs its operator then is held until he is back, and his work afterwards."""
    oven = types()["reflow-oven"].model_copy(update={"name": "oven"})
    (jam, *_) = oven.stops
    often = jam.model_copy(update={"mtbf": HOUR_NS // 3, "by": "operator", "becomes": "held"})
    kinds = types() | {"oven": oven.model_copy(update={"stops": (often,), "bearing": None})}
    scenario = park_of(shop(side_by_side("oven", 20), shifts=LUNCH))
    _, seen = lived(scenario, "15:00", kinds=kinds)
    ran = [seen.in_state(asset, State.EXECUTE, at("12:00"), at("13:00")) for asset in range(20)]
    assert sum(ran) > 0
    jammed = [asset for asset in range(20) if seen.state(asset, at("12:59")) is State.HELD]
    assert len(jammed) > 10
    began = [seen.entered(asset, State.HELD, before_ns=at("12:59")) for asset in jammed]
    ended = [seen.entered(asset, State.UNHOLDING, after_ns=at("12:59")) for asset in jammed]
    inside = [end for begin, end in zip(began, ended, strict=True) if begin >= at("12:00")]
    assert len(inside) > 5
    assert min(inside) > at("13:00")


def test_groups_rest_one_after_the_other() -> None:
    """With two groups half of the mills stand from 09:30 and the other half from 10:00; a series goes as one."""
    series = Line(
        name="smt",
        flow="series",
        machines=(Machine(name="a", type="stamping-press"), Machine(name="b", type="cnc-mill")),
    )
    scenario = park_of(
        shop(side_by_side("cnc-mill", 3), series, shifts=Shifts(hours=("06:00-14:00",), breaks={"groups": 2}))
    )
    _, seen = lived(scenario, "12:00")
    rests = [
        [
            number
            for number, (begin, end) in enumerate((("09:31", "10:00"), ("10:01", "10:30")))
            if seen.in_state(asset, State.EXECUTE, at(begin), at(end)) == 0
        ]
        for asset in range(5)
    ]
    assert [0 in rests[0], 1 in rests[1], 0 in rests[2], 1 in rests[3], 1 in rests[4]] == [True] * 5
    # And nobody rests twice; a mill that jams may stand all the same, but not all of them.
    assert any(1 not in rests[asset] for asset in (0, 2))
    assert any(0 not in rests[asset] for asset in (1, 3, 4))


def test_breaks_are_no_busy_time() -> None:
    """Planned busy time of an attended machine leaves breaks out, in the middle of one too; others keep it."""
    lines = (side_by_side("cnc-mill", 1), side_by_side("cure-oven", 1))
    scenario = park_of(shop(*lines, shifts=LUNCH))
    world, _ = lived(scenario, "12:30")
    assert world.census().work.busy_ms[0].tolist() == [240 * MINUTE_MS, 270 * MINUTE_MS]
    world.skip(at("16:00"))
    assert world.census().work.busy_ms[0].tolist() == [420 * MINUTE_MS, 480 * MINUTE_MS]


def test_a_break_that_outlasts_its_shift_is_a_mistake(tmp_path: Path) -> None:
    """The place, the shift, and what to do."""
    hours = 'hours: ["06:00-14:00", "14:00-22:00"]'
    text = park((hours, hours + ", breaks: {after: 7h, groups: 3}"))
    (problem,) = problems(tmp_path, text)
    assert problem == (
        "small.yaml:23:65 sites[0].factories[0].shifts.breaks: the last break of shift 06:00-14:00 would end 8h 30m "
        "after it began, but the shift lasts 8h; make breaks shorter or earlier, or their groups fewer"
    )
