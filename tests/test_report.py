"""Reports show the figures of a result, whatever is missing in it, and stay small, well formed and harmless."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from test_result import result

from simulator.errors import ScenarioError
from simulator.load.files import COLUMNS
from simulator.load.report import charts_of, compared_text, differences, report_text
from simulator.load.report.charts import Chart, Line, thinned
from simulator.results.load_test import LoadTest
from simulator.results.result import Result
from simulator.results.result_file import write_result
from simulator.run.reporting import report


def percentiles(p99: float) -> dict[str, Any]:
    return {"p50": 1.0, "p90": 2.0, "p99": p99, "p999": p99 * 2, "p9999": p99 * 3, "max": p99 * 4, "count": 1_000}


def loaded(*, seconds: int = 10, probes: int = 3, p99: float = 7.25, **changes: Any) -> Result:
    """A load test that knows everything that there is to know."""
    document = {
        "stages": [{"name": "plateau", "kind": "hold", "from_s": 0.0, "to_s": float(seconds)}],
        "seconds": {name: [None if second == 3 else float(second) for second in range(seconds)] for name in COLUMNS},
        "latency_from_sent_ms": {name: percentiles(3.5) for name in ("publish", "broker", "end_to_end")},
        "queryable_ms": percentiles(99.5),
        "bottleneck": {
            "part": "database",
            "because": "the bridge waited for it 97% of the time",
            "backlog_per_s": {"bridge": 41.5},
            "busy": {"bridge waiting for the database": 0.97},
        },
        "clocks": {"stepped_ms": 3_200.0, "drift_ppm": 1.5, "store_offset_ms": 90_000.0, "store_uncertain_ms": 28.0},
        "disturbances": [
            {"kind": "cut", "target": "publishers", "from_s": 2.0, "to_s": 3.0, "recovered_s": None, "lost": 77}
        ],
        "search": {
            "max_per_s": 12_345.0,
            "first_failed_per_s": 12_600.0,
            "knee_per_s": 11_000.0,
            "probes": [
                {
                    "rate_per_s": 1_000.0 * (number + 1),
                    "written_per_s": 1_000.0,
                    "holds": number % 2 == 0,
                    "why": "" if number % 2 == 0 else "41/s piled up",
                    "backlog_per_s": 0.0,
                    "end_to_end_p99_ms": 5.0,
                    "is_confirmation": number == probes - 1,
                }
                for number in range(probes)
            ],
        },
    }
    base = result(**changes)
    latency = base.latency_ms.model_copy(
        update={"end_to_end": type(base.latency_ms.end_to_end).model_validate(percentiles(p99))}
    )
    return base.model_copy(update={"load": LoadTest.model_validate(document), "latency_ms": latency})


def text_of(page: str) -> str:
    """What a reader sees."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def test_everything_that_is_known_is_shown() -> None:
    """Each figure stands in the text, not in a drawing only."""
    said = text_of(report_text(loaded()))
    for figure in (
        "The database gave way",
        "+41.5/s",
        "97%",
        "12,345/s",
        "41/s piled up",
        "cut of publishers",
        "never",
        "77",
        "7.25",
        "21.75",
        "from sending",
        "99.50",
        "+3,200 ms",
        "+90,000 ms ± 28 ms",
        "knee 11,000/s",
    ):
        assert figure in said, figure


def test_a_result_of_a_plain_run_has_a_report_too() -> None:
    """Without anything that only a load test knows."""
    said = text_of(report_text(result()))
    assert "Every message" in said
    assert "gave way" not in said
    assert all(chart.name == "distribution" for chart in charts_of(result()))


def test_a_long_test_is_a_small_page_without_scripts_and_addresses() -> None:
    """Nothing is fetched, nothing runs."""
    page = report_text(loaded(seconds=2_000, probes=40))
    assert len(page.encode()) <= 250_000
    assert "<script" not in page
    assert not re.findall(r"(?:href|src|url\()", page)


def test_a_peak_survives_thinning() -> None:
    """One second of ten thousand that was bad."""
    points = [(float(second), 1_000.0 if second == 7_777 else 1.0) for second in range(10_000)]
    assert len(thinned(points)) <= 500
    assert max(y or 0.0 for _, y in thinned(points)) == 1_000.0


def test_charts_are_drawings_by_themselves() -> None:
    """Well formed, with words for whoever does not see them, and lines that differ in more than colour."""
    charts = charts_of(loaded())
    assert {chart.name for chart in charts} == {"rate", "latency", "in-flight", "distribution", "search"}
    for chart in charts:
        root = ET.fromstring(chart.svg(alone=True))
        assert root.get("role") == "img"
        assert chart.title in str(root.get("aria-label"))
        text = chart.svg(alone=True)
        dashes = set(re.findall(r"stroke-dasharray: ([^\";]+)\"/></?", text))
        assert len(chart.lines) == 1 or len(dashes) > 1 or chart.name == "search", chart.name


def test_a_line_breaks_where_nothing_was_measured() -> None:
    """It is not drawn through a second without a figure."""
    chart = Chart("x", "x", "", [Line("x", [(0.0, 1.0), (1.0, None), (2.0, 1.0), (3.0, 2.0)])])
    assert chart.svg().count("<polyline") == 2


def test_what_a_stranger_wrote_stays_text() -> None:
    """A scenario, a reason and a name of a stage are no markup."""
    evil = "<script>alert(1)</script>"
    base = loaded(reason=evil)
    assert base.load is not None
    stage = base.load.stages[0].model_copy(update={"name": evil})
    scenario = base.scenario.model_copy(update={"text": evil})
    changed = base.model_copy(update={"load": base.load.model_copy(update={"stages": (stage,)}), "scenario": scenario})
    assert "<script" not in report_text(changed)
    assert "<script" not in compared_text(changed, changed, names=(evil, evil))


def test_a_planted_difference_is_found() -> None:
    """With its percentage, and figures that are the same have none."""
    found = {one.name: one for one in differences(loaded(p99=10.0), loaded(p99=15.0))}
    assert found["in the store, p99, ms"].percent == pytest.approx(50.0)
    assert found["handed over, p99, ms"].percent in {None, 0.0}
    page = text_of(compared_text(loaded(p99=10.0), loaded(p99=15.0), names=("before", "after")))
    assert "+50.0 %" in page
    assert "before: in the store" in page


def test_files_are_written(tmp_path: Path) -> None:
    """Beside the result, and again; never over what is none of ours."""
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    write_result(loaded(p99=10.0), one)
    write_result(loaded(p99=20.0), other)
    for _ in range(2):
        files, said = report(one, other_file=None, output=None, charts=tmp_path / "charts")
    assert (files[0], said) == (tmp_path / "one.html", [])
    assert {file.name for file in files[1:]} == {f"{chart.name}.svg" for chart in charts_of(loaded())}
    _, said = report(one, other_file=other, output=tmp_path / "both.html", charts=None)
    assert any(line.startswith("in the store, p99, ms") and "+100.0 %" in line for line in said)
    assert report(one, other_file=one, output=tmp_path / "both.html", charts=None)[1] == [
        "no figure differs by 5 % or more"
    ]
    mine = tmp_path / "mine.html"
    mine.write_text("<p>mine</p>")
    with pytest.raises(ScenarioError, match="is no report of parksim"):
        report(one, other_file=None, output=mine, charts=None)
    assert mine.read_text() == "<p>mine</p>"


@pytest.mark.parametrize(
    ("text", "said"), [(None, "cannot be read"), ("{}", "is no parksim.result/1"), ("# no", "is no parksim.result/1")]
)
def test_what_is_no_result_is_said(text: str | None, said: str, tmp_path: Path) -> None:
    """With the name of the file."""
    file = tmp_path / "r.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ScenarioError, match=said) as caught:
        report(file, other_file=None, output=None, charts=None)
    assert str(file) in str(caught.value)
