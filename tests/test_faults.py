"""Scheduled faults of machines happen when and where the scenario says, and the machine obeys PackML throughout."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from faulty import HALL, MINUTE_NS, Lived, asset_number, fault, faults
from parks import HOUR_NS, MONDAY_NS, SECOND_NS, quickstart, readings, world
from scenario_texts import PARK, load, pointed, problems

from simulator.batch import Batch
from simulator.park.packml import NEXT, State
from simulator.scenario import targets
from simulator.scenario.fitting import Fitting
from simulator.scenario.targets import struck_by
from simulator.signals.timeline import Segment

MS = 1_000_000


def at(minutes: float) -> int:
    return MONDAY_NS + round(minutes * MINUTE_NS)


def instant(ns: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ns // MS)).isoformat(timespec="milliseconds")


def obeys_packml(changes: list[tuple[int, int]]) -> bool:
    return all(State(after) in NEXT[State(before)] for (_, before), (_, after) in pairwise(changes))


# Breakdowns.


def test_a_breakdown_aborts_for_as_long_as_it_says() -> None:
    """Aborting at its beginning, Clearing at its end, Stopped, and then the machine works again by itself."""
    lived = Lived(fault("breakdown", "press-1", at="10m", lasts="5m"))
    changes = lived.changes("press-1")
    mine = [State(state) for when, state in changes if when >= at(10)][:7]
    way = ["ABORTING", "ABORTED", "CLEARING", "STOPPED", "RESETTING", "IDLE", "STARTING"]
    assert [state.name for state in mine] == way
    assert [(at(10), State.ABORTING), (at(15), State.CLEARING)] == [
        (when, state) for when, state in changes if when >= at(10) and state in {State.ABORTING, State.CLEARING}
    ][:2]
    assert changes[-1][1] != State.STOPPED


def test_a_broken_machine_makes_nothing_and_its_neighbours_go_on() -> None:
    """The cycle counter stands still in the breakdown, that of another press does not."""
    lived = Lived(fault("breakdown", "press-1", at="10m", lasts="5m"))
    for machine, stands in (("press-1", True), ("press-5", False)):
        time_ns, count = lived.of(machine, "cycle_count")
        within = count[(time_ns > at(10)) & (time_ns < at(15))]
        assert (within[0] == within[-1]) == stands, machine


def test_a_breakdown_may_come_at_any_instant() -> None:
    """On each change of state of two presses in an hour, a millisecond before and after it: PackML holds.

    The machine aborts within a millisecond, and is not cleared before the end.
    """
    calm = Lived(minutes=60)
    moments = {when: state for when, state in calm.changes("press-3") + calm.changes("press-1") if when > at(1)}
    assert len(set(moments.values())) >= 6
    for when in moments:
        for moment in (when - MS, when, when + MS):
            park = world(faults=faults(fault("breakdown", "press-*", at=instant(moment), lasts="30s")))
            segments: list[Segment] = []
            park.watch(segments.append)
            park.skip(moment + 2 * MINUTE_NS)
            for machine in range(6):
                trace = [(s.start_ns, int(s.state)) for s in segments if s.asset == machine]
                assert obeys_packml(trace)
                before = [state for start, state in trace if start <= moment + MS]
                down = {State.ABORTING, State.ABORTED}
                now = before[-1] if before else int(park.park.machines[machine].state)
                cleared = [start for start, state in trace if state == State.CLEARING and start >= moment]
                assert now in down
                assert cleared[0] >= moment + 30 * SECOND_NS


def test_overlapping_breakdowns_last_until_the_last_is_over() -> None:
    """A shorter one inside a longer one, and one that begins before another ends: one stay in Aborted."""
    lived = Lived(
        fault("breakdown", "press-1", at="10m", lasts="10m"),
        fault("breakdown", "press-1", at="10m 1ms", lasts="1m"),
        fault("breakdown", "press-1", at="12m", lasts="1m"),
        fault("breakdown", "press-1", at="18m", lasts="7m"),
    )
    changes = [change for change in lived.changes("press-1") if at(10) <= change[0] <= at(26)]
    assert [state for _, state in changes[:3]] == [State.ABORTING, State.ABORTED, State.CLEARING]
    assert changes[2][0] == at(25)


def test_a_broken_machine_leaves_its_share_to_others() -> None:
    """No buffer waits for what it would take or give."""
    park = world(faults=faults(fault("breakdown", "press-*", at="10m", lasts="5m")))
    park.skip(at(12))
    (plant,) = park.park.plants
    givers = plant.buffers["housings"]._givers
    assert not givers.running
    park.skip(at(19))
    assert givers.running


def test_a_breakdown_while_clearing_aborts_again() -> None:
    """PackML allows Abort from Clearing."""
    lived = Lived(
        fault("breakdown", "press-1", at="10m", lasts="5m"), fault("breakdown", "press-1", at="15m 1s", lasts="2m")
    )
    states = [state for when, state in lived.changes("press-1") if when >= at(15)]
    assert states[:4] == [State.CLEARING, State.ABORTING, State.ABORTED, State.CLEARING]


def test_a_fault_from_before_the_start_is_in_force_at_the_start() -> None:
    """It began in the warm-up; one that was over then leaves nothing, one older than the world still has its end."""
    lived = Lived(
        fault("breakdown", "press-1", at=instant(at(-30)), lasts="45m"),
        fault("breakdown", "press-2", at=instant(at(-60 * 24)), lasts="24h 10m"),
        fault("breakdown", "press-3", at=instant(at(-60 * 24)), lasts="1h"),
    )
    for machine, minutes in (("press-1", 15), ("press-2", 10)):
        assert lived.of(machine, "state")[1][0] == State.ABORTED
        assert lived.changes(machine)[0] == (at(minutes), State.CLEARING)
    assert lived.of("press-3", "state")[1][0] != State.ABORTED


# Slow machines.


def test_a_slow_machine_keeps_the_share_of_its_cycle() -> None:
    """The cycle under way has the same share of it left, at the other pace, to the millisecond; both times."""
    lived = Lived(fault("slow", "press-5", at="11m", lasts="5m", factor=2.0))
    ends, took = lived.of("press-5", "cycle_time_s")
    cycle_ns = 18 * SECOND_NS
    for moment, before, after in ((at(11), 1, 2), (at(16), 2, 1)):
        last = int(np.searchsorted(ends, moment, side="right")) - 1
        left = 1 - (moment - int(ends[last])) / (before * cycle_ns)
        expected = moment + left * after * cycle_ns
        assert int(ends[last + 1]) == pytest.approx(expected, abs=MS)
        assert took[last + 1] == pytest.approx((int(ends[last + 1]) - int(ends[last])) / SECOND_NS, abs=0.005)
    within = took[(ends > at(11) + 2 * cycle_ns) & (ends < at(16))]
    assert set(within.tolist()) == {36.0}


def test_a_change_of_pace_is_no_change_of_state() -> None:
    """No reading of the state comes off its grid, and none is watched, when only the pace changes."""
    lived = Lived(fault("slow", "press-5", at="11m", lasts="5m", factor=2.0))
    time_ns, _ = lived.of("press-5", "state")
    assert at(11) not in time_ns.tolist()
    assert obeys_packml(lived.changes("press-5"))
    assert not [when for when, _ in lived.changes("press-5") if when == at(11)]


def test_factors_in_force_multiply() -> None:
    """1.5 and 2 make 3; when one ends the other stays."""
    lived = Lived(
        fault("slow", "press-5", at="10m", lasts="6m", factor=2.0),
        fault("slow", "press-5", at="11m", lasts="3m", factor=1.5),
    )
    ends, took = lived.of("press-5", "cycle_time_s")
    assert took[np.searchsorted(ends, at(14)) - 1] == 54.0
    assert took[np.searchsorted(ends, at(16)) - 1] == 36.0
    assert took[np.searchsorted(ends, at(17))] == 18.0


def test_a_slow_machine_is_less_effective() -> None:
    """The rated cycle stays what it was: effectiveness falls, availability does not."""
    figures = []
    for factor in (1.0, 2.0):
        everywhere = fault("slow", "*", at=instant(at(-120)), lasts="4h", factor=factor)
        park = world(faults=faults(everywhere | {"target": "vsip2a/wiring-devices/*/*"}))
        park.skip(at(60))
        figures.append(park.kpis()["effectiveness"])
    assert figures == pytest.approx([1.0, 0.5], abs=0.005)


def test_stock_adds_up_whatever_the_pace() -> None:
    """Buffers check themselves at each settlement: two hours in which every machine changes its pace 40 times."""
    everywhere = [
        fault("slow", "*", at=f"{3 * n}m", lasts="2m", factor=0.5 + n % 5) | {"target": "vsip2a/wiring-devices/*/*"}
        for n in range(40)
    ]
    park = world(faults=faults(*everywhere))
    park.skip(at(121))
    assert all(machine.cycle_ns == machine.spec.cycle for machine in park.park.machines)
    assert park.kpis()["pieces_good"]


# Stops.


def test_an_operator_holds_a_machine() -> None:
    """Holding, Held until the end, and then it goes on; it makes nothing meanwhile."""
    lived = Lived(fault("stop", "press-5", at="11m", lasts="5m"))
    changes = [change for change in lived.changes("press-5") if change[0] >= at(11)]
    assert [state for _, state in changes[:4]] == [State.HOLDING, State.HELD, State.UNHOLDING, State.EXECUTE]
    assert (changes[0][0], changes[2][0]) == (at(11), at(16))
    ends, _ = lived.of("press-5", "cycle_time_s")
    assert not ((ends > at(11)) & (ends <= at(16))).any()


def test_a_stop_waits_until_the_machine_makes_parts() -> None:
    """A press that comes out of a breakdown stays Idle while it is stopped, and begins when the stop is over."""
    lived = Lived(fault("breakdown", "press-5", at="10m", lasts="5m"), fault("stop", "press-5", at="12m", lasts="10m"))
    changes = [change for change in lived.changes("press-5") if change[0] >= at(15)]
    assert [state for _, state in changes[:6]] == [
        *(State.CLEARING, State.STOPPED, State.RESETTING, State.IDLE, State.STARTING, State.EXECUTE)
    ]
    assert changes[4][0] == at(22)


def test_a_stop_in_the_second_before_execute_lets_execute_be_seen() -> None:
    """No state is passed in no time: ordered while Starting, the hold comes a second after Execute began."""
    calm = Lived(fault("breakdown", "press-5", at="10m", lasts="5m"))
    starting, execute = (
        next(when for when, state in calm.changes("press-5") if when > at(15) and state == wanted)
        for wanted in (State.STARTING, State.EXECUTE)
    )
    lived = Lived(
        fault("breakdown", "press-5", at="10m", lasts="5m"),
        fault("stop", "press-5", at=instant(starting + MS), lasts="3m"),
    )
    after = [change for change in lived.changes("press-5") if change[0] >= execute]
    assert after[0] == (execute, State.EXECUTE)
    assert after[1] == (execute + SECOND_NS, State.HOLDING)


def test_overlapping_stops_last_until_the_last_is_over() -> None:
    """One stay in Held."""
    lived = Lived(
        fault("stop", "press-5", at="11m", lasts="5m"),
        fault("stop", "press-5", at="11m 1ms", lasts="1m"),
        fault("stop", "press-5", at="13m", lasts="5m"),
    )
    changes = [change for change in lived.changes("press-5") if change[0] >= at(11)]
    assert changes[2] == (at(18), State.UNHOLDING)


# The same for any window.

ALL_KINDS = (
    fault("breakdown", "press-1", at=instant(at(4)), lasts="3m"),
    fault("slow", "press-*", at=instant(at(2)), lasts="6m 1ms", factor=1.37),
    fault("stop", "press-5", at=instant(at(-1)), lasts="3m"),
    fault("stuck", "press-*/*", at=instant(at(3)), lasts="2m"),
    fault("drift", "press-2/oil_c", at=instant(at(-30)), lasts="36m", per_hour=20),
    fault("spike", "press-2/*", at=instant(at(1)), lasts="9m", chance=0.1, height=9),
    fault("gap", "press-3/power_kw", at=instant(at(2)), lasts="1m"),
    fault("quantised", "press-3/*", at=instant(at(2)), lasts="5m", step=4),
)


def bits(batch: Batch) -> list[bytes]:
    return [batch.time_ns.tobytes(), batch.sensor.tobytes(), batch.value.tobytes()]


@pytest.fixture(scope="module")
def whole() -> Batch:
    """Ten minutes with a fault of each kind, read in windows of a minute."""
    return readings(world(faults=faults(*ALL_KINDS), warm_up=HOUR_NS), until_ns=at(10))


@pytest.mark.parametrize("window_ms", [997, 60_000, 61_001, 240_000, 3_600_000])
def test_the_length_of_the_window_changes_nothing(whole: Batch, window_ms: int) -> None:
    """Windows from a second to an hour give the same bits, the truth included."""
    park = world(faults=faults(*ALL_KINDS), warm_up=HOUR_NS)
    assert bits(readings(park, until_ns=at(10), window_ns=window_ms * MS)) == bits(whole)


@pytest.mark.parametrize("later_ms", [1, 60_000, 180_000, 180_001, 185_500, 431_113])
def test_the_start_of_the_run_changes_nothing(whole: Batch, later_ms: int) -> None:
    """A run that begins to read later, from the same origin, shows the same bits from there on."""
    start = MONDAY_NS + later_ms * MS
    late = world(faults=faults(*ALL_KINDS), start_ns=start, warm_up=HOUR_NS + later_ms * MS)
    rows = slice(int(np.searchsorted(whole.time_ns, start)), None)
    rest = Batch(whole.time_ns[rows], whole.sensor[rows], whole.value[rows])
    assert bits(readings(late, until_ns=at(10))) == bits(rest)


# Where.


def with_faults(line: str) -> str:
    return f"{PARK}faults:\n  - {line}\n"


MISTAKES = [
    (
        "{kind: stop, at: 1m, for: 1m, target: §north/plant/makin/press-1}",
        "faults[0].target: 'makin' is no line of north/plant; did you mean 'making'?; known: making, packing",
    ),
    (
        "{kind: stop, at: 1m, for: 1m, target: §north/plant/making/press-4}",
        (
            "faults[0].target: 'press-4' is no machine of north/plant/making; did you mean 'press-3'?; known: press-1, "
            "press-2, press-3"
        ),
    ),
    (
        "{kind: stop, at: 1m, for: 1m, target: §south/*/*/*}",
        "faults[0].target: 'south' is no park; did you mean 'north'?; known: north",
    ),
    (
        '{kind: gap, at: 1m, for: 1m, target: §"north/*/*/*/oil"}',
        ("faults[0].target: 'oil' is no sensor of north/*/*/*; did you mean 'oil_c'?; known: state, oil_c, peak_bar"),
    ),
    (
        "{kind: stuck, at: 1m, for: 1m, target: §north/plant/making/press-1}",
        (
            "faults[0].target: 'north/plant/making/press-1' has 4 levels; a stuck strikes a sensor: "
            "park/factory/line/machine/sensor"
        ),
    ),
    (
        "{kind: breakdown, at: 1m, for: 1m, target: §press-1}",
        "faults[0].target: 'press-1' has 1 levels; a breakdown strikes a machine: park/factory/line/machine",
    ),
    (
        "{kind: drift, at: 1m, for: 1m, per_hour: 2, target: §north/plant/making/press-1/state}",
        (
            "faults[0].target: 'north/plant/making/press-1/state' is counted by a controller and not measured: it can "
            "have a gap, and be stuck unless it is a cycle time, but no drift"
        ),
    ),
    (
        "{kind: §drif, at: 1m, for: 1m, target: north/plant/making/press-1/oil_c}",
        (
            "faults[0].kind: 'drif' is not allowed here, must be one of 'breakdown', 'slow', 'stop', 'stuck', 'drift', "
            "'spike', 'gap', 'offset', 'quantised', 'power_dip', 'air_leak', 'clock_skew', 'flood', 'duplicates', "
            "'reorder'; did you mean 'drift'?"
        ),
    ),
    (
        "{kind: gap, at: §soon, for: 1m, target: north/plant/making/press-1/oil_c}",
        (
            "faults[0].at: 'soon' is no time of a fault; write a duration after the start, such as 10m, or an instant "
            "with its offset, such as 2026-01-05T06:00:00+07:00"
        ),
    ),
    (
        "{kind: gap, at: §2026-01-05T06:00:00, for: 1m, target: north/plant/making/press-1/oil_c}",
        (
            "faults[0].at: '2026-01-05T06:00:00' is no time of a fault; write a duration after the start, such as 10m, "
            "or an instant with its offset, such as 2026-01-05T06:00:00+07:00"
        ),
    ),
    (
        "{kind: gap, at: 1m, for: §0s, target: north/plant/making/press-1/oil_c}",
        "faults[0].for: '0s' is too small, must be more than 0",
    ),
]


@pytest.mark.parametrize(("line", "told"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_a_mistake_in_a_fault_is_told_with_its_place(tmp_path: Path, line: str, told: str) -> None:
    """Each at its line and column, with what was probably meant."""
    text, place = pointed(with_faults(line))
    assert problems(tmp_path, text) == [f"small.yaml:{place} {told}"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{kind: stop, at: 1m, for: 1m, target: '*/*/*/*'}", 4),
        ("{kind: stop, at: 1m, for: 1m, target: 'north/plant/making/press-[12]'}", 0),
        ("{kind: stop, at: 1m, for: 1m, target: 'north/plant/mak*/*-2'}", 1),
        ("{kind: gap, at: 1m, for: 1m, target: '*/*/*/press-*/*'}", 9),
        ("{kind: stuck, at: 1m, for: 1m, target: '*/*/*/*/*'}", 12),
        ("{kind: offset, by: 1, at: 1m, for: 1m, target: '*/*/*/*/*'}", 8),
    ],
)
def test_a_star_stands_for_any_part_of_a_level(tmp_path: Path, line: str, expected: int) -> None:
    """Sensors that cannot have a fault are passed over; brackets are no wildcards."""
    if not expected:
        assert len(problems(tmp_path, with_faults(line))) == 1
        return
    loaded = load(tmp_path, with_faults(line))
    assert (
        len(list(struck_by(loaded.scenario.faults[0], loaded.scenario, Fitting(loaded.scenario, loaded.types))))
        == expected
    )


def test_faults_strike_a_bounded_number_of_things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first fault beyond the bound is told."""
    monkeypatch.setattr(targets, "MOST_STRUCK", 6)
    line = "{kind: stop, at: 1m, for: 1m, target: '*/*/*/*'}"
    (problem,) = problems(tmp_path, with_faults(f"{line}\n  - {line}"))
    assert "faults[1].target: the faults up to here strike more than 6 machines and sensors" in problem


def test_the_target_of_a_fault_is_found_in_the_park() -> None:
    """The one press that is named breaks down, and no other."""
    lived = Lived(fault("breakdown", "press-4", at="10m", lasts="1m"))
    broken = {s.asset for s in lived.segments if s.start_ns == at(10) and s.state == State.ABORTING}
    assert broken == {asset_number(lived.world, "press-4")}
    assert [one.target for one in lived.world.faults(at(40))[0] if one.cause == "scheduled"] == [f"{HALL}/press-4"]


def test_a_scenario_without_faults_has_none() -> None:
    """The default is an empty list."""
    assert quickstart().scenario.faults == ()
