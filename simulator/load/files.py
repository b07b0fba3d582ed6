"""What a load test is written to beside its result: JUnit for CI systems, CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree as ET

from simulator.load.profile import Profile
from simulator.load.tally import Mark, Tally
from simulator.results.load_test import LoadTest, StageSpan
from simulator.results.result import Result

__all__ = ["COLUMNS", "csv_text", "junit_text", "seconds", "series"]

MOST_POINTS = 2_000
"""Of a column in a result; of longer tests every Nth second is kept."""

COLUMNS = (
    "wall_s",
    "due_per_s",
    "published_per_s",
    "received_per_s",
    "written_per_s",
    "dropped_per_s",
    "in_flight",
    "lateness_p99_ms",
    "publish_p99_ms",
    "end_to_end_p50_ms",
    "end_to_end_p99_ms",
)


def junit_text(result: Result) -> str:
    """Return a test suite with a case for each threshold, and one for the test as a whole."""
    cases = [(one.expression, one.passed, f"{one.expression}: {shown(one.value)}") for one in result.thresholds]
    cases.append(("verdict", result.exit_code == 0, f"exit code {result.exit_code}: {result.verdict}"))
    suite = ET.Element(
        "testsuite",
        name=f"parksim load {result.scenario.name}",
        tests=str(len(cases)),
        failures=str(sum(not passed for _, passed, _ in cases)),
        timestamp=result.started,
    )
    for name, passed, detail in cases:
        case = ET.SubElement(suite, "testcase", classname=result.scenario.name, name=name)
        if not passed:
            ET.SubElement(case, "failure", message=detail)
        ET.SubElement(case, "system-out").text = detail
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def shown(value: float | None) -> str:
    return "nothing was measured" if value is None else f"{value:,.6g}"


def seconds(marks: Sequence[Mark], profile: Profile) -> list[dict[str, float | None]]:
    """Return what happened from mark to mark, about a second each, by COLUMNS."""
    found: list[dict[str, float | None]] = []
    for before, after in pairwise(marks):
        tally = Tally(before, after)
        if tally.seconds <= 0:
            continue
        middle_s = (before.wall_s + after.wall_s) / 2
        is_due = middle_s <= profile.duration_s
        found.append(
            {
                "wall_s": after.wall_s,
                "due_per_s": profile.rate_at(middle_s) if is_due else 0.0,
                "published_per_s": tally.per_s("published"),
                "received_per_s": tally.per_s("received"),
                "written_per_s": tally.per_s("written"),
                "dropped_per_s": tally.per_s("dropped"),
                "in_flight": float(after.counts.in_flight),
                "lateness_p99_ms": tally.percentile_ms("lateness", 99.0),
                "publish_p99_ms": tally.percentile_ms("publish", 99.0),
                "end_to_end_p50_ms": tally.percentile_ms("end_to_end", 50.0),
                "end_to_end_p99_ms": tally.percentile_ms("end_to_end", 99.0),
            }
        )
    return found


def series(marks: Sequence[Mark], profile: Profile) -> LoadTest:
    """Return stages, and seconds as columns: what a result says of a test over time."""
    rows = seconds(marks, profile)
    rows = rows[:: max(1, math.ceil(len(rows) / MOST_POINTS))]
    stages = tuple(
        StageSpan(name=span.name, kind=span.kind, from_s=span.from_s, to_s=span.to_s) for span in profile.spans
    )
    return LoadTest(
        stages=stages,
        seconds={name: tuple(rounded(row[name]) for row in rows) for name in COLUMNS},
        latency_from_sent_ms=None,
        queryable_ms=None,
        bottleneck=None,
        clocks=None,
    )


def rounded(value: float | None) -> float | None:
    """Return six digits, as in the CSV: more was not measured."""
    return None if value is None else float(f"{value:.6g}")


def csv_text(rows: Sequence[dict[str, float | None]]) -> str:
    """Return seconds as CSV; what was not measured is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: "" if value is None else f"{value:.6g}" for name, value in row.items()})
    return text.getvalue()
