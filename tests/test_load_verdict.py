"""A load test says what it is worth before it says what it found."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from test_result import result

from simulator.load.effort import Effort
from simulator.load.profile import profile_of
from simulator.load.tally import Mark
from simulator.load.thresholds import parse_threshold
from simulator.results.latency import Latency
from simulator.results.ledger import Ledger
from simulator.results.part import Percentiles
from simulator.results.result import Result
from simulator.run.load_test import marks as marks_module
from simulator.run.load_test.marks import Marks
from simulator.run.load_test.verdict import judged
from simulator.scenario.load import Load

PROFILE = profile_of(
    Load.model_validate(
        {
            "stages": [
                {"kind": "hold", "for": "10s", "rate": "100/s", "name": "calm"},
                {"kind": "spike", "for": "2s", "rate": "1k/s", "name": "peak"},
            ]
        }
    ).stages
)


def run(
    *thresholds: str, drops_at_s: float | None = None, ceiling: float = 10_000.0, blocked_s: float = 0.0, **changes: Any
) -> Result:
    """Judge a run that dropped a message at some instant."""
    ledger, latency = Ledger(1), Latency()
    marks = Marks([parse_threshold(text, stages={"calm", "peak"}) for text in thresholds])
    for second in range(13):
        ledger.schedule([0], [second], [1])
        if drops_at_s is not None and second == drops_at_s:
            ledger.drop("not sent in time", [0], [second])
        else:
            ledger.write([0], [second], [1])
        marks.marks.append(Mark.of(float(second), ledger.counts(), latency, Effort(blocked_s=blocked_s * second / 12)))
    return judged(result(**changes), PROFILE, marks, ceiling)


def test_all_hold() -> None:
    """The share of what the generator can is that of the busiest second."""
    found = run("dropped == 0", "delivered >= 1 in peak")
    assert (found.exit_code, found.verdict) == (0, "all 2 thresholds hold")
    assert found.generator.share_of_max == pytest.approx(0.1)
    assert [one.passed for one in found.thresholds] == [True, True]


@pytest.mark.parametrize(("at_s", "calm", "peak"), [(5, False, True), (11, True, False)])
def test_a_stage_is_judged_by_what_happened_in_it(at_s: float, *, calm: bool, peak: bool) -> None:
    """And the whole by all."""
    found = run("dropped == 0 in calm", "dropped == 0 in peak", "dropped == 1", drops_at_s=at_s)
    assert [one.passed for one in found.thresholds] == [calm, peak, True]
    assert found.exit_code == 99
    assert found.verdict.startswith("1 of 3 thresholds failed: dropped == 0 in ")


def test_a_generator_near_its_own_limit_proves_nothing() -> None:
    """Above four fifths of what it can: 111, whether thresholds hold or not."""
    for threshold in ("dropped == 0", "dropped == 7"):
        found = run(threshold, ceiling=1_200.0)
        assert (found.exit_code, found.verdict[:8]) == (111, "invalid:")
    assert run("dropped == 0", ceiling=1_300.0).exit_code == 0


def test_a_generator_that_was_late_proves_nothing() -> None:
    """More than 100 ms at p99, though nothing was dropped."""
    base = result()
    late = Percentiles(p50=1, p90=2, p99=150.0, p999=200, max=300, count=10)
    latency = base.latency_ms.model_copy(update={"lateness": late})
    found = run("dropped == 0", latency_ms=latency.model_dump())
    assert (found.exit_code, "late by 150 ms" in found.verdict) == (111, True)
    # one that the broker held up was not late by itself
    assert run("dropped == 0", latency_ms=latency.model_dump(), blocked_s=0.5).exit_code == 0


def test_an_interrupted_or_broken_run_is_told_as_such() -> None:
    """Its thresholds are shown, and decide nothing."""
    for code in (105, 106):
        assert run("dropped == 7", exit_code=code).exit_code == code


def test_without_thresholds_the_run_decides() -> None:
    """As parksim run does."""
    assert run(exit_code=107, verdict="data lost").verdict == "data lost"
    assert run().exit_code == 0


def test_a_long_test_keeps_few_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first and the last one always, and those between about evenly."""
    monkeypatch.setattr(marks_module, "MOST_MARKS", 100)
    ledger, latency = Ledger(1), Latency()

    class Hops:
        def __init__(self) -> None:
            self.ledger, self.latency, self.effort = ledger, latency, Effort

    class Seen:
        def __init__(self, second: int) -> None:
            self.wall_ns = second * 1_000_000_000

    marks = Marks()
    marks.opened(Hops())  # type: ignore[arg-type]
    for second in range(1, 3_001):
        marks.seen(Seen(second))  # type: ignore[arg-type]
        assert marks.marks[-1].wall_s == second
    at_s = [mark.wall_s for mark in marks.marks]
    assert (at_s[0], at_s == sorted(at_s)) == (0.0, True)
    assert 50 <= len(at_s) <= 101
    assert max(after - before for before, after in pairwise(at_s)) <= 100


def test_what_cannot_be_met_any_more_ends_the_test() -> None:
    """As soon as a second shows it, with the stop that the run listens to."""
    ledger, latency = Ledger(1), Latency()

    class Hops:
        def __init__(self) -> None:
            self.ledger, self.latency, self.effort = ledger, latency, Effort

    class Seen:
        wall_ns = 1_000_000_000

    marks = Marks([parse_threshold("dropped == 0"), parse_threshold("unaccounted == 0")])
    marks.opened(Hops())  # type: ignore[arg-type]
    marks.seen(Seen())  # type: ignore[arg-type]
    assert not marks.stop.is_set()
    ledger.schedule([0], [0], [1])
    ledger.drop("not sent in time", [0], [0])
    marks.seen(Seen())  # type: ignore[arg-type]
    assert marks.stop.is_set()
    assert marks.lost is marks.thresholds[0]
