"""Two results beside each other: what differs is found, and what does not is not told as a difference."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from load_results import block, load_test, loaded, seconds
from report_pages import ALL, Page, slower

from simulator.load.report.charts import standalone
from simulator.load.report.comparison import comparison_text, differences_text
from simulator.load.report.differences import Figure, settings
from simulator.load.report.overlays import overlaid
from simulator.load.report.words import in_language
from simulator.results.load_test import LoadTest
from simulator.results.result import Result


def test_a_comparison_shows_what_was_planted() -> None:
    """Percentiles, thresholds, the highest rate and versions that differ; what does not is called the same."""
    page = Page(comparison_text(loaded(), slower(), ("before.json", "after.json")))
    for said in (
        "before.json and after.json A before.json: EXIT 99 , 1 of 3",
        "in the store, p99 56 ms 84 ms +50.0 %, worse",
        "acknowledged, p99 5.2 ms 5.2 ms same",
        "end_to_end p99.9 < 1 s 224 ms holds 336 ms FAILS",
        "end_to_end p99 < 250 ms in plateau 1,412 ms FAILS -",
        "highest rate that holds 31,200/s 24,960/s -20.0 %, worse",
        "unaccounted 0 0 same",
        f"numpy {loaded().versions['numpy']} 1.0",
        "-name: throughput +name: slower",
    ):
        assert said in page.text
    assert len(page.labels) == len(ALL)
    same = Page(comparison_text(loaded(), loaded(), ("a", "b"))).text
    assert "worse" not in same
    assert "better" not in same
    assert "Nothing: scenario, seed, machine, versions and settings are the same." in same


def test_both_curves_are_in_each_chart() -> None:
    """A and B, told apart by name, colour and dash."""
    for one in overlaid(loaded(), slower()):
        letters = {(line.name[0], line.color) for line in one.lines}
        assert letters == {("A", "a"), ("B", "b")}, one.name
        assert len({line.dash for line in one.lines}) == len(one.lines), one.name
        ET.fromstring(standalone(one))
    without = loaded(load_test(seconds=seconds(50) | {"in_flight": []}))
    assert [one.name for one in overlaid(loaded(), without)] == [name for name in ALL if name != "in-flight"]
    (stored,) = [one for one in overlaid(loaded(), slower()) if one.name == "distribution"]
    assert [line.points[2][1] for line in stored.lines] == [56, 84]


@pytest.mark.parametrize(
    ("figure", "told"),
    [
        (Figure("x", 100, 103, "lower"), "+3.0 %"),
        (Figure("x", 100, 106, "lower"), "+6.0 %, worse"),
        (Figure("x", 100, 106, "higher"), "+6.0 %, better"),
        (Figure("x", 100, 106), "+6.0 %"),
        (Figure("x", 100, 50, "lower"), "-50.0 %, better"),
        (Figure("x", 0, 9, "lower"), "from 0 to 9, worse"),
        (Figure("x", 9, 0, "lower"), "-100.0 %, better"),
        (Figure("x", 0, 0, "lower"), "same"),
        (Figure("x", 100_000, 99_999, "lower"), "0.0 %"),
        (Figure("x", 1, 500, "lower"), "x 500, worse"),
        (Figure("x", None, 5, "lower"), "-"),
    ],
)
def test_a_change_is_told_in_words(figure: Figure, told: str) -> None:
    """In percent, as better or worse if it is more than two runs of the same test differ by."""
    assert figure.told() == told


def test_settings_that_are_the_same_are_not_told() -> None:
    """A difference of seed and store, and nothing else."""
    other = loaded(seed=8, simulated=loaded().simulated.model_dump() | {"store": "influxdb"})
    assert settings(loaded(), other) == [("seed", "7", "8"), ("store", "sqlite", "influxdb")]


def otherwise(begin_s: float = 0.0, end_s: float = 0.0, **changes: str) -> Result:
    """The same test, with disturbances that began and ended so much later, or were others."""
    load = load_test().model_dump(mode="json")
    for one in load["disturbances"]:
        one["from_s"] += begin_s
        one["to_s"] += end_s
        one.update(changes)
    return loaded(LoadTest.model_validate(load))


@pytest.mark.parametrize("times", [(0.01, 0.0), (0.0, -0.01), (0.01, 0.01)])
def test_faults_at_the_same_time_are_the_same(times: tuple[float, float]) -> None:
    """No fault begins to the millisecond: stages are shaded, and each fault is named once."""
    assert settings(loaded(), otherwise(*times)) == []
    (rates, *_) = overlaid(loaded(), otherwise(*times))
    assert [band.name for band in rates.bands] == [
        *("warm", "plateau", "spike", "after"),
        *("hold database", "delay bridge"),
    ]


@pytest.mark.parametrize(
    ("other", "names"),
    [
        (otherwise(1.0), ("B hold database", "B delay bridge")),
        (otherwise(0.0, 1.0), ("B hold database", "B delay bridge")),
        (otherwise(kind="cut"), ("B cut database", "B cut bridge")),
    ],
)
def test_faults_that_were_others_are_told_apart(other: Result, names: tuple[str, str]) -> None:
    """By the letter of their test; they are a setting that differs."""
    assert [name for name, *_ in settings(loaded(), other)] == ["disturbances"]
    (rates, *_) = overlaid(loaded(), other)
    assert [band.name for band in rates.bands] == ["A hold database", "A delay bridge", *names]


def test_limits_that_differ_are_told_apart() -> None:
    """The same limit of both is one line; of others it is said whose they are."""
    (latencies,) = [one for one in overlaid(loaded(), slower()) if one.name == "latencies"]
    assert [level.name for level in latencies.levels] == ["A p99 < 250 ms", "A p99.9 < 1,000 ms", "B p99.9 < 1,000 ms"]
    (latencies,) = [one for one in overlaid(loaded(), loaded()) if one.name == "latencies"]
    assert [level.name for level in latencies.levels] == ["p99 < 250 ms", "p99.9 < 1,000 ms"]


def test_every_figure_that_differs_is_printed() -> None:
    """By 5 % or more, from sending and by query as well; if there is none, that is said."""
    sent = {"publish": block(2.1), "broker": block(9.9), "end_to_end": block(19)}
    other = loaded(load_test(latency_from_sent_ms=sent, queryable_ms=block(260, 240)))
    printed = differences_text(loaded(), other, ("a", "b"))
    changed = [line.rpartition("  ")[0].split(",  ")[0] for line in printed.splitlines() if line.endswith("worse")]
    assert len(changed) == 12
    assert any(line.startswith("at the bridge, from sending, p99.9") for line in changed)
    assert any(line.startswith("found by a query (sample), max") for line in changed)
    assert "no figure differs" not in printed
    printed = differences_text(loaded(), loaded(), ("a", "b"))
    assert "no figure differs by 5 % or more" in printed
    assert [line.partition("  ")[0] for line in printed.splitlines() if line.endswith("same")] == [
        *("published", "at the bridge", "readings written", "highest rate that holds", "knee"),
        *("acknowledged, p99", "in the store, p50", "in the store, p99", "in the store, p99.99"),
        *("scheduled", "written"),
    ]


def test_a_comparison_in_vietnamese_has_no_english_names() -> None:
    """Figures, hops with their percentiles, and settings."""
    with in_language("vi"):
        page = Page(comparison_text(loaded(), slower(), ("a", "b")))
    for said in (
        "đã vào kho, p99,9 224 ms 336 ms +50,0 %, kém hơn",
        "bị bỏ: not sent in time 9 9 như nhau",
        "nội dung",
    ):
        assert said in page.text
    for word in ("worse", "in the store", "scheduled", "text of the scenario"):
        assert word not in page.text
