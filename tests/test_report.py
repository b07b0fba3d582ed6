"""The report of a load test: its figures, what it leaves out, and that it needs nothing else."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from load_results import load_test, loaded
from report_pages import ALL, EVIL, Page

from simulator.load.report import report_text
from simulator.load.report.charts import charts_of, standalone
from simulator.load.report.comparison import comparison_text, differences_text
from simulator.load.report.overlays import overlaid
from simulator.load.report.tables import measured
from simulator.load.report.words import in_language
from simulator.results.load_test import LoadTest
from simulator.results.result import ThresholdOutcome

AT = "2026-01-05T06:00:00.000+07:00"


def test_the_figures_of_a_result_stand_in_its_page() -> None:
    """Each section says what the result says."""
    page = Page(report_text(loaded()))
    for said in (
        "throughput: EXIT 99",
        "1,203,389 of 1,203,400",
        "end_to_end p99 < 250 ms in plateau 1,412 ms FAILS",
        "end_to_end p99.9 < 1 s 224 ms holds",
        # p50, p90, p99, p99.9, p99.99, max, number
        "in the store 7 18.67 56 224 616 840 1,203,389",
        "in the store, from sending 2.375 6.333 19 76 209 285 1,203,389",
        "found by a query (sample) 16.25 43.33 130 520 1,430 1,950 240",
        "database : 412 messages/s piled up before it while it worked 98 % of the time",
        "messages piled up before growth generator 0/s bridge 1.5/s database 412.3/s dropped by the generator 0.075/s",
        "publisher held up by the broker 2.0 % bridge at work 44.0 % bridge waiting for the database 98.0 %",
        "generator and bridge 1.05 cores broker 0.21 cores",
        "messages that the broker dropped 3 cores that the database used 0.75",
        "hold database 60 to 67.2 s 6.1 s 0",
        "delay bridge 110.4 to 115.2 s not in the test 9",
        "The highest rate that holds is 31,200/s . The lowest that failed is 35,600/s.",
        # verdict, rate, written, piled up, p99, why
        "holds 31,111/s 31,111/s 0/s 90.97 does not hold 35,556/s 31,150/s 4,406/s 3,599 4,406/s piled up does",
        "7,182 8,850/s piled up , confirmation",
        "this machine's clock was set by 0 ms",
        "it ran faster than the timer by -3.2 ppm",
        "the database's clock is ahead by 1.4 ms ± 0.6 ms",
        "dropped: not sent in time 9",
        "dead-lettered: value out of range 2",
        "it can at most 61,200/s",
        "processes that publish 2",
        "parksim load throughput.yaml",
    ):
        assert said in page.text


def test_a_rate_that_was_played_again_says_so() -> None:
    """How often, beside what came of it."""
    search = load_test().model_dump(mode="json")["search"]
    search["probes"][0]["attempts"] = 3
    page = Page(report_text(loaded(load_test(search=search))))
    assert "holds 4,444/s 4,444/s 0/s 22.95 tried 3 times holds 8,889/s" in page.text


def test_a_page_needs_nothing_else() -> None:
    """No script, no address; every chart is an image with words for those who do not see it; light and dark."""
    text = report_text(loaded())
    page = Page(text)
    assert page.open == []
    assert page.links == []
    assert "script" not in page.tags
    assert not re.search(r"https?://", text.replace("http://www.w3.org/2000/svg", ""))
    assert len(page.labels) == len(ALL)
    assert all(page.labels)
    names = [line.name for one in charts_of(loaded()) for line in one.lines]
    assert re.findall(r"<li><svg.*?</svg> (.*?)</li>", text) == names
    assert "prefers-color-scheme: dark" in text


def test_a_page_stays_small_however_long_the_test() -> None:
    """Under 250 KB: two thousand points in every column, a hundred probes and disturbances, faults, a long scenario."""
    fault = {"kind": "restart", "target": "broker", "from_s": 1, "to_s": 2, "recovered_s": None, "lost": 0}
    long = load_test(2_000, tried=100, disturbances=[fault] * 100)
    scenario = {"name": "long", "sha256": "0" * 64, "text": "# một dòng <của> nó\n" * 20_000}
    stop = {"kind": "stop", "target": "site/factory/line/machine", "from": AT, "to": AT, "cause": "by itself"}
    whole = loaded(long, scenario=scenario, faults=[stop] * 2_000)
    assert len(long.seconds["wall_s"]) == 2_000
    for language in ("en", "vi"):
        with in_language(language):
            assert len(report_text(whole).encode()) <= 250_000
    other = loaded(long, scenario=scenario | {"text": "\n".join("<" * 900 for _ in range(100))})
    assert len(comparison_text(loaded(long), other, ("a", "b")).encode()) <= 250_000


def test_text_of_others_stays_text() -> None:
    """Whatever stands in a result, none of it becomes a tag, and a chart stays XML."""
    load = load_test().model_dump(mode="json")
    load["stages"][1]["name"] = EVIL
    load["disturbances"][0] |= {"kind": EVIL, "target": EVIL}
    load["bottleneck"] |= {"part": EVIL, "because": EVIL, "busy": {EVIL: 0.5}}
    load["search"]["probes"][0] |= {"why": EVIL, "holds": False}
    load["seconds"][EVIL] = load["seconds"]["wall_s"]
    evil = loaded(
        LoadTest.model_validate(load),
        scenario={"name": EVIL, "sha256": EVIL, "text": EVIL},
        verdict=EVIL,
        reason=EVIL,
        started=EVIL,
        versions={EVIL: EVIL},
        thresholds=[{"expression": EVIL, "value": 1.0, "pass": False}],
    )
    for text in (report_text(evil), comparison_text(evil, loaded(), (EVIL, "b"))):
        page = Page(text)
        assert page.open == []
        assert "script" not in page.tags
        assert "<script>alert" in page.text
        assert len(page.labels) == len(ALL)
        assert not re.search("[\x00\x1b]", text)
    for one in (*charts_of(evil), *overlaid(evil, evil)):
        ET.fromstring(standalone(one))
    assert "\x1b" not in differences_text(evil, loaded(), (EVIL, "b"))


def test_a_single_rate_is_repeated_as_one() -> None:
    """A test with --rate has one stage, which is in no file; one with stages in its file needs no options."""
    stage = {"name": "hold", "kind": "hold", "from_s": 0, "to_s": 30}
    single = loaded(load_test(stages=[stage], seconds={"wall_s": [1, 2], "due_per_s": [20_000, 20_000]}))
    assert "parksim load throughput.yaml --rate 20000/s --for 30s the scenario" in Page(report_text(single)).text
    assert "parksim load throughput.yaml the scenario" in Page(report_text(loaded())).text


@pytest.mark.parametrize(
    "changes",
    [
        {"seconds": {}},
        {"seconds": {"wall_s": []}},
        {"seconds": {"wall_s": [None, 1.0], "written_per_s": [1.0], "in_flight": [None, None]}},
        {"stages": []},
        {"stages": [], "seconds": {}, "disturbances": [], "search": None, "bottleneck": None, "clocks": None},
        {"clocks": {"stepped_ms": 0, "drift_ppm": None, "store_offset_ms": None, "store_uncertain_ms": None}},
        {"bottleneck": {"part": "none", "because": "", "backlog_per_s": {}, "busy": {}}},
        {"search": {"max_per_s": None, "first_failed_per_s": None, "knee_per_s": None, "probes": []}},
        {"queryable_ms": None, "latency_from_sent_ms": None},
    ],
)
def test_what_was_not_measured_is_left_out(changes: dict[str, Any]) -> None:
    """Every part may be missing, alone and with others; there is a page all the same, and a comparison."""
    partial = loaded(load_test(**changes))
    assert Page(report_text(partial)).open == []
    for text in (comparison_text(partial, loaded(), ("a", "b")), comparison_text(loaded(), partial, ("a", "b"))):
        assert Page(text).open == []
    assert differences_text(partial, loaded(), ("a", "b"))


@pytest.mark.parametrize(
    ("expression", "value", "text"),
    [
        ("end_to_end p99 < 1 s", 1_412.0, "1,412 ms"),
        ("written_rate >= 2 k/s", 1_980.0, "1,980/s"),
        ("delivered >= 99.9 %", 0.9987, "99.87 %"),
        ("dropped == 0", 3.0, "3"),
        ("lateness max < 1 s", None, "-"),
        ("", 3.0, "3"),
    ],
)
def test_what_was_measured_has_the_unit_of_its_metric(expression: str, value: float | None, text: str) -> None:
    """Milliseconds, messages a second, percent, or a number."""
    outcome = {"expression": expression, "value": value, "pass": False}
    assert measured(ThresholdOutcome.model_validate(outcome)) == text


def test_a_report_in_vietnamese_is_written_as_there() -> None:
    """Words, points between thousands and a comma before decimals; what the run itself says stays as it is."""
    with in_language("vi"):
        text = report_text(loaded())
    page = Page(text)
    assert '<html lang="vi">' in text
    for said in (
        "throughput: MÃ THOÁT 99",
        "1.203.389 trên 1.203.400",
        "p99,9 p99,99 lớn nhất",
        "đã vào kho 7 18,67 56 224 616 840 1.203.389",
        "cơ sở dữ liệu 412,3/s",
        "bộ phát và cầu nối 1,05 lõi",
        "cầu nối chờ cơ sở dữ liệu 98,0 %",
        "thông điệp broker đã bỏ 3",
        "hold database 60 đến 67,2 s 6,1 s 0",
        "99,9 % 99,99 % lớn nhất",
        "1 of 3 thresholds failed",
    ):
        assert said in page.text
    assert report_text(loaded()).count('<html lang="en">') == 1
