"""When a simulated instant is due: at one speed, at another one from an instant on, and after a pause."""

from __future__ import annotations

import numpy as np
from faulty import faults
from hypothesis import given
from hypothesis import strategies as st

from simulator.clock import Pace
from simulator.run.marking import MOST, Marking

SECOND = 1_000_000_000


def test_another_speed_holds_from_an_instant_on() -> None:
    """What is due before stays due when it was."""
    pace = Pace(100 * SECOND, 7 * SECOND, 2.0)
    pace.turn(110 * SECOND, speed=10.0)
    assert [pace.due_ns(at * SECOND) / SECOND for at in (100, 108, 110, 120, 130)] == [7, 11, 12, 13, 14]
    assert (pace.speed, pace.speed_now) == (2.0, 10.0)


def test_a_pause_shifts_all_that_is_due_from_its_instant_on() -> None:
    """The instant itself waits; the speed is the same afterwards."""
    pace = Pace(0, 0, 4.0)
    pace.turn(8 * SECOND, wall_ns=10 * SECOND)
    pace.turn(16 * SECOND, speed=8.0)
    assert [pace.due_ns(at * SECOND) / SECOND for at in (7, 8, 12, 16, 24)] == [1.75, 10, 11, 12, 13]


def test_a_pause_that_is_over_before_its_instant_is_due_is_none() -> None:
    """Nothing is due earlier for it."""
    pace = Pace(0, 0, 1.0)
    pace.turn(5 * SECOND, wall_ns=2 * SECOND)
    assert pace.due_ns(6 * SECOND) == 6 * SECOND


def test_at_full_speed_there_are_no_turns() -> None:
    """Everything is due at once."""
    pace = Pace(0, 3, None)
    pace.turn(5, wall_ns=2 * SECOND)
    assert (pace.legs, pace.due_ns(9), pace.speed_now) == ((), 3, None)


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0.01, 1000), st.integers(0, 3)), max_size=100))
def test_due_times_never_fall_and_are_the_same_one_by_one(turns: list[tuple[int, float, int]]) -> None:
    """Whatever was done to the pace, and however often."""
    pace, at_ns = Pace(0, 0, 1.0), 0
    for later_s, speed, paused_s in turns:
        at_ns += later_s * SECOND
        pace.turn(at_ns, speed=speed)
        if paused_s:
            pace.turn(at_ns, wall_ns=pace.due_ns(at_ns) + paused_s * SECOND)
    sim_ns = np.arange(200, dtype=np.int64) * (SECOND + 7)
    due = pace.due_each(sim_ns)
    assert (np.diff(due) >= 0).all()
    assert due.tolist() == [pace.due_ns(int(one)) for one in sim_ns]


FAULTS = faults(
    {"kind": "stop", "target": "a/b/c/*", "at": "10s", "for": "5s"},
    {"kind": "gap", "target": "a/b/c/d/e", "at": "2s", "for": "20s"},
)


def test_marks_tell_when_faults_began_and_ended() -> None:
    """By the wall clock, one for each as it was written, in the order in which they begin."""
    marking = Marking(FAULTS, start_ns=0)
    for simulated_s, wall_s in ((1, 0.5), (3, 1.5), (12, 6.0), (16, 8.0), (30, 15.0)):
        marking.see(simulated_s * SECOND, wall_s)
    assert [(one.kind, one.target, one.from_s, one.to_s, one.cause) for one in marking.marks()] == [
        ("gap", "a/b/c/d/e", 1.5, 15.0, "scheduled"),
        ("stop", "a/b/c/*", 6.0, 8.0, "scheduled"),
    ]


def test_marks_are_bounded_and_what_is_forgotten_does_not_come_back() -> None:
    """The last ones stay; a pause is over when it is over."""
    marking = Marking(FAULTS, start_ns=0)
    marking.see(5 * SECOND, 1.0)
    marking.act("pause", 2.0)
    marking.resumed(2.5)
    marking.act("speed", 3.0, "5")
    _, pause, speed = marking.marks()
    assert (pause.from_s, pause.to_s, speed.kind, speed.to_s) == (2.0, 2.5, "5", 3.0)
    for _ in range(MOST):
        marking.fault(FAULTS[0], 6 * SECOND, 4.0)
    marking.see(60 * SECOND, 9.0)
    last = [(one.kind, one.cause, one.from_s, one.to_s) for one in marking.marks()]
    assert last == [("stop", "by hand", 4.0, 9.0)] * (MOST - 1) + [("stop", "scheduled", 9.0, 9.0)]


def test_a_long_plan_is_remembered_from_its_beginning() -> None:
    """A thousand changes, as many as a scenario may have."""
    pace = Pace(0, 0, 1.0)
    for number in range(1, 501):
        pace.turn(number * SECOND, wall_ns=pace.due_ns(number * SECOND) + SECOND)
        pace.turn(number * SECOND + SECOND // 2, speed=2.0 if number % 2 else 1.0)
    assert (pace.due_ns(0), pace.due_ns(SECOND // 2), pace.due_ns(SECOND)) == (0, SECOND // 2, 2 * SECOND)
