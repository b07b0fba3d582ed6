"""When a simulated instant is due: at one speed, at another one from an instant on, and after a pause."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.clock import MOST_LEGS, Pace
from simulator.park.world import FaultTold
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


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0.01, 1000), st.integers(0, 3)), max_size=2 * MOST_LEGS))
def test_due_times_never_fall_and_are_the_same_one_by_one(turns: list[tuple[int, float, int]]) -> None:
    """Whatever was done to the pace, and however often."""
    pace, at_ns = Pace(0, 0, 1.0), 0
    for later_s, speed, paused_s in turns:
        at_ns += later_s * SECOND
        pace.turn(at_ns, speed=speed)
        if paused_s:
            pace.turn(at_ns, wall_ns=pace.due_ns(at_ns) + paused_s * SECOND)
    remembered = pace.legs[0].sim_ns if pace.legs else 0
    sim_ns = remembered + np.arange(200, dtype=np.int64) * (SECOND + 7)
    due = pace.due_each(sim_ns)
    assert (np.diff(due) >= 0).all()
    assert due.tolist() == [pace.due_ns(int(one)) for one in sim_ns]
    assert len(pace.legs) <= MOST_LEGS


def told(number: int, to_ns: int | None = None) -> FaultTold:
    return FaultTold("stop", f"machine-{number}", number, to_ns, "scheduled")


def test_marks_tell_when_faults_were_seen_and_seen_to_be_over() -> None:
    """By the wall clock; the first sight counts."""
    marking = Marking()
    marking.see([told(1)], 2.0)
    marking.see([told(1), told(2)], 3.0)
    marking.see([told(1, 5), told(2)], 4.0)
    marking.see([told(1, 5), told(2)], 9.0)
    assert [(one.target, one.from_s, one.to_s) for one in marking.marks()] == [
        ("machine-1", 2.0, 4.0),
        ("machine-2", 3.0, None),
    ]


def test_marks_are_bounded_and_a_pause_is_over_when_it_is_over() -> None:
    """The last ones stay."""
    marking = Marking()
    marking.act("pause", 1.0)
    marking.over("pause", 2.5)
    marking.act("speed", 3.0, "5")
    pause, speed = marking.marks()
    assert (pause.from_s, pause.to_s, speed.kind, speed.to_s) == (1.0, 2.5, "5", 3.0)
    for number in range(2 * MOST):
        marking.see([told(number)], 10.0)
    assert (len(marking.marks()), marking.marks()[-1].target) == (MOST, f"machine-{2 * MOST - 1}")
