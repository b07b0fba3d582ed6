"""What a load test writes: JUnit that CI systems read, CSV, and the columns of its result."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from test_result import result

from simulator.load.files import COLUMNS, csv_text, junit_text, seconds, series
from simulator.load.profile import profile_of
from simulator.load.tally import Mark
from simulator.results.histogram import Latency
from simulator.results.ledger import Ledger
from simulator.results.result import ThresholdOutcome
from simulator.scenario.load import Load

PROFILE = profile_of(
    Load.model_validate(
        {"stages": [{"kind": "hold", "for": "2s", "rate": "100/s"}, {"kind": "hold", "for": "1s", "rate": "300/s"}]}
    ).stages
)
EVIL = "unaccounted == 0 <script>alert('&')</script>"


def marks() -> list[Mark]:
    """A hundred messages a second for three seconds, each 1 to 3 ms late."""
    ledger, latency = Ledger(1), Latency()
    found = [Mark.of(0.0, ledger.counts(), latency)]
    for second in range(3):
        numbers = np.arange(100) + 100 * second
        ledger.schedule(np.zeros_like(numbers), numbers, np.ones_like(numbers))
        ledger.publish(np.zeros_like(numbers), numbers)
        latency.lateness.record(np.full(100, (second + 1) * 1_000_000))
        found.append(Mark.of(second + 1.0, ledger.counts(), latency))
    return found


def judged(*, passed: bool) -> object:
    outcome = ThresholdOutcome.model_validate({"expression": EVIL, "value": 0.0 if passed else 7.0, "pass": passed})
    return result(exit_code=0 if passed else 99).model_copy(update={"thresholds": (outcome,)})


@pytest.mark.parametrize("passed", [True, False])
def test_junit_has_a_case_for_each_threshold(*, passed: bool) -> None:
    """And one for the whole; a failure says what was measured."""
    suite = ET.fromstring(junit_text(judged(passed=passed)))
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == [EVIL, "verdict"]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "0" if passed else "2")
    failures = [case.find("failure") for case in cases]
    if passed:
        assert failures == [None, None]
    else:
        assert failures[0] is not None
        assert failures[0].get("message") == f"{EVIL}: 7"


def test_csv_has_a_row_for_each_second() -> None:
    """Rates of that second, and percentiles of what came in it; empty where nothing did."""
    rows = list(csv.DictReader(io.StringIO(csv_text(seconds(marks(), PROFILE)))))
    assert tuple(rows[0]) == COLUMNS
    assert [row["due_per_s"] for row in rows] == ["100", "100", "300"]
    assert [row["published_per_s"] for row in rows] == ["100", "100", "100"]
    assert [float(row["lateness_p99_ms"]) for row in rows] == pytest.approx([1, 2, 3], rel=0.002)
    assert {row["end_to_end_p99_ms"] for row in rows} == {""}


def test_a_result_has_at_most_two_thousand_points() -> None:
    """Every second of a short test; of a longer one every Nth, with its columns as in the CSV."""
    short = series(marks(), PROFILE)
    assert tuple(short.seconds) == COLUMNS
    assert short.seconds["due_per_s"] == (100, 100, 300)
    assert short.seconds["end_to_end_p99_ms"] == (None, None, None)
    assert [(stage.name, stage.from_s, stage.to_s) for stage in short.stages] == [("hold-1", 0, 2), ("hold-2", 2, 3)]
    first = marks()[0]
    long = series([replace(first, wall_s=float(second)) for second in range(4_002)], PROFILE)
    assert len(long.seconds["wall_s"]) == 1_334
    assert long.seconds["wall_s"][:3] == (1, 4, 7)
