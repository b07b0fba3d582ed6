"""The report of a result, the comparison of two, and the command that makes them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from commands import Parksim, parksim
from load_results import block, load_test, loaded, probes, seconds
from test_result import result

from simulator.load.report import report_text
from simulator.load.report.axes import nines, of_percentiles, of_time, of_values
from simulator.load.report.chart import Chart
from simulator.load.report.charts import charts_of, standalone
from simulator.load.report.comparison import comparison_text, differences_text
from simulator.load.report.differences import Figure, settings
from simulator.load.report.drawing import MOST_BUCKETS, svg_text, thinned, unbroken
from simulator.load.report.figures import number, short
from simulator.load.report.overlays import overlaid
from simulator.load.report.tables import measured
from simulator.results.action import Action
from simulator.results.load_test import LoadTest
from simulator.results.result import Result, ThresholdOutcome
from simulator.results.result_file import write_result

EVIL = "</title><script>alert('&\"')</script>\x00\x1b[2J"
ALL = ["rates", "latencies", "in-flight", "distribution", "search"]
SVG = "{http://www.w3.org/2000/svg}"
__all__ = ["parksim"]


class Page(HTMLParser):
    """What a page asks for, which tags it has, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.labels: list[str | None] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open += [] if tag in {"meta", "br"} else [tag]
        found = dict(attrs)
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href"}]
        self.labels += [found.get("aria-label")] if tag == "svg" and found.get("role") == "img" else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def chart(name: str, of: Result | None = None) -> Chart:
    return next(one for one in charts_of(of or loaded()) if one.name == name)


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
        "database 412 messages/s piled up before it while it worked 98 % of the time",
        "database 412.3 98.0 %",
        "store away store 60 to 67.2 s 6.1 s 0",
        "slow network broker 110.4 to 115.2 s not in the test 9",
        "The highest rate that holds is 31,200/s . The lowest that failed is 35,600/s.",
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


def test_a_page_needs_nothing_else() -> None:
    """No script, no address; every chart is an image with words for those who do not see it; light and dark."""
    text = report_text(loaded())
    page = Page(text)
    assert page.open == []
    assert page.links == []
    assert "script" not in page.tags
    assert not re.search(r"https?://", text.replace("http://www.w3.org/2000/svg", ""))
    assert page.tags.count("svg") == len(page.labels) == len(ALL)
    assert all(page.labels)
    assert "prefers-color-scheme: dark" in text


def test_a_page_stays_small_however_long_the_test() -> None:
    """Two thousand points in every column, a hundred probes, a hundred faults and a long scenario: under 250 KB."""
    fault = {"kind": "broker away", "target": "broker", "from_s": 1, "to_s": 2, "recovered_s": None, "lost": 0}
    long = load_test(2_000, tried=100, disturbances=[fault] * 100)
    scenario = {"name": "long", "sha256": "0" * 64, "text": "# a line of it\n" * 20_000}
    whole = loaded(long, scenario=scenario)
    assert len(long.seconds["wall_s"]) == 2_000
    assert len(report_text(whole).encode()) <= 250_000
    assert len(comparison_text(whole, whole, ("a", "b")).encode()) <= 250_000


def test_thinning_loses_no_peak_and_no_hole() -> None:
    """The greatest and the least value of a long line are drawn, and a hole stays one."""
    points: list[tuple[float, float | None]] = [(float(x), 5.0) for x in range(2_000)]
    points[777] = (777.0, 99.0)
    points[1_234] = (1_234.0, -3.0)
    points[1_505] = (1_505.0, None)
    kept = thinned(points)
    assert {(777.0, 99.0), (1_234.0, -3.0), (1_505.0, None)} <= set(kept)
    assert kept == sorted(kept, key=lambda one: one[0])
    assert len(kept) <= 3 * MOST_BUCKETS
    assert len(unbroken(kept)) == 2
    assert thinned(points[:300]) == points[:300]


def test_a_line_breaks_where_nothing_was_measured() -> None:
    """Nothing is drawn through a hole, and a point between two holes is a dot."""
    columns = {"wall_s": [1, 2, 3, 4, 5], "in_flight": [5, 6, None, 7, None]}
    drawn = ET.fromstring(svg_text(chart("in-flight", loaded(load_test(seconds=columns)))))
    lines = drawn.findall(f".//{SVG}polyline")
    assert [len((line.get("points") or "").split()) for line in lines] == [2]
    assert len(drawn.findall(f".//{SVG}circle")) == 1


@pytest.mark.parametrize("name", ALL)
def test_a_chart_stands_alone(name: str) -> None:
    """It is well-formed XML with its own title, its own style in light and dark, and its lines told in words."""
    drawn = ET.fromstring(standalone(chart(name)))
    words = "".join(drawn.itertext())
    assert drawn.tag == f"{SVG}svg"
    assert drawn.get("role") == "img"
    assert "prefers-color-scheme: dark" in words
    assert chart(name).title in words
    assert all(line.name in words for line in chart(name).lines)


def test_every_place_that_is_drawn_is_on_the_paper() -> None:
    """No coordinate lies outside of the drawing, whatever the values."""
    wild: dict[str, Any] = {name: list(column) for name, column in seconds(50).items()}
    wild["end_to_end_p99_ms"][3:6] = [1e300, -1.0, 1e-300]
    wild["written_per_s"][3:6] = [-1e9, 0.0, 1e15]
    for one in charts_of(loaded(load_test(50, seconds=wild))):
        drawn = ET.fromstring(svg_text(one))
        _, _, width, height = map(float, (drawn.get("viewBox") or "").split())
        places = [
            tuple(map(float, pair.split(",")))
            for line in drawn.findall(f".//{SVG}polyline")
            for pair in (line.get("points") or "").split()
        ]
        assert places
        assert all(0 <= x <= width and 0 <= y <= height for x, y in places)


def test_limits_of_latency_are_drawn_where_they_hold() -> None:
    """A limit for a stage is as long as the stage, at the height of its value; other thresholds are no line."""
    drawn = chart("latencies")
    assert [(level.name, level.value) for level in drawn.levels] == [("p99 < 250 ms", 250), ("p99.9 < 1,000 ms", 1_000)]
    assert (drawn.levels[0].low, drawn.levels[0].high) == (36, 96)
    assert (drawn.levels[1].low, drawn.levels[1].high) == (0, 120)
    assert svg_text(drawn).count('class="level"') == 2
    assert svg_text(chart("rates")).count('class="level"') == 0


def test_faults_look_otherwise_than_stages_and_are_named() -> None:
    """Every other stage is shaded; a fault is hatched, and its kind stands beside it."""
    text = svg_text(chart("rates"))
    drawn = ET.fromstring(text)
    kinds = [rect.get("class") for rect in drawn.findall(f"{SVG}rect")]
    assert kinds == ["stage", None, "stage", None, "fault", "fault"]
    named = [one.text for one in drawn.findall(f"{SVG}text") if one.get("class") == "over alarm"]
    assert named == ["store away", "slow network"]


def test_the_distribution_gives_each_nine_the_same_room() -> None:
    """50 to 99.99 % with a logarithmic axis; what is counted from sending is dashed, what is corrected is not."""
    drawn = chart("distribution")
    shares = [drawn.x.share(nines(percentile)) for percentile in (90, 99, 99.9, 99.99)]
    steps = [after - before for before, after in pairwise(shares)]
    assert steps == pytest.approx([steps[0]] * 3)
    assert of_percentiles().share(nines(50)) == 0
    lines = {line.name: line for line in drawn.lines}
    assert [value for _, value in lines["in the store"].points] == [7, pytest.approx(56 / 3), 56, 224, 616]
    assert lines["in the store"].dash == ""
    assert lines["in the store, from sending"].dash != ""
    assert "from sending" not in str(chart("distribution", loaded(load_test(latency_from_sent_ms=None))).lines)


def test_the_search_shows_what_holds_and_where() -> None:
    """A dot holds, a cross does not; the highest rate and the knee are marked."""
    drawn = chart("search")
    assert [(spot.x, spot.is_good) for spot in drawn.spots] == [
        (probe["rate_per_s"], probe["holds"]) for probe in probes(9)
    ]
    assert [(upright.name, upright.at) for upright in drawn.uprights] == [
        ("highest that holds: 31.2k/s", 31_200),
        ("knee: 26.7k/s", 26_700),
    ]
    text = svg_text(drawn)
    assert text.count('class="cross"') == sum(not probe["holds"] for probe in probes(9))


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
        assert page.tags.count("svg") == len(ALL)
        assert not re.search("[\x00\x1b]", text)
    for one in (*charts_of(evil), *overlaid(evil, evil)):
        ET.fromstring(standalone(one))
    assert "\x1b" not in differences_text(evil, loaded(), (EVIL, "b"))


def test_a_run_without_load_has_a_report_as_well() -> None:
    """Verdict, latencies, ledger and versions, and how to run it again; no chart over time."""
    page = Page(report_text(result()))
    for said in (
        "shop: PASS",
        "all that was scheduled is in the store",
        "scheduled 10",
        "parksim run shop.yaml --seed 7 --speed 1.0 --for 60s",
    ):
        assert said in page.text
    assert charts_of(result()) == ()
    assert [one.name for one in charts_of(loaded().model_copy(update={"load": None}))] == ["distribution"]
    for absent in ("Search", "Clocks", "Disturbances", "What gave way", "Messages a second"):
        assert absent not in page.text


def test_a_run_that_was_steered_says_so() -> None:
    """What was done, and that the saved timeline repeats it."""
    actions = [
        {"at": "2026-01-05T06:00:10.250+07:00", "do": "fault", "fault": {"kind": "stop", "target": "<b>", "for": "5m"}},
        {"at": "2026-01-05T06:01:00.000+07:00", "do": "speed", "speed": 60.0},
        {"at": "2026-01-05T06:02:00.000+07:00", "do": "pause", "paused_s": 12.5},
    ]
    steered = result().model_copy(update={"actions": tuple(Action.model_validate(one) for one in actions)})
    page = Page(report_text(steered))
    for said in ("kind=stop target=<b> for=5m", "speed 60", "pause 12.5 s", "parksim run shop-timeline.yaml"):
        assert said in page.text
    assert "--speed" not in page.text


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


def test_a_column_that_holds_nothing_is_no_line() -> None:
    """Neither an empty chart nor a name in a legend for what was not measured, as without a store."""
    columns = {
        name: [None] * 50 if name.startswith(("end_to_end", "in_flight")) else column
        for name, column in seconds(50).items()
    }
    found = {one.name: [line.name for line in one.lines] for one in charts_of(loaded(load_test(seconds=columns)))}
    assert "in-flight" not in found
    assert found["latencies"] == ["acknowledged, p99", "handed over, p99"]


def slower() -> Result:
    """The same test, with a slower store, more losses, a lower maximum and another version."""
    search = {"max_per_s": 24_960, "first_failed_per_s": 31_000, "knee_per_s": None, "probes": probes(9)}
    latency = loaded().latency_ms.model_dump() | {"end_to_end": block(84)}
    return loaded(
        load_test(search=search),
        latency_ms=latency,
        versions=loaded().versions | {"numpy": "1.0"},
        scenario={"name": "throughput", "sha256": "1" * 64, "text": "parksim: 1\nname: slower\n"},
        thresholds=[{"expression": "end_to_end p99.9 < 1 s", "value": 336.0, "pass": False}],
    )


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
    assert page.tags.count("svg") == len(ALL)
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


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"), (0, "0"), (0.00001, "0.00001"), (0.1375, "0.1375"), (9.9999, "10"), (1.5, "1.5"),
        (999.96, "1,000"), (100, "100"), (1_203_389, "1,203,389"), (-3.2, "-3.2"),
    ],
)  # fmt: skip
def test_numbers_are_never_written_with_powers(value: float | None, text: str) -> None:
    """About four digits, and all of those before the point."""
    assert number(value) == text


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


def test_axes_have_round_ticks_that_reach_over_the_values() -> None:
    """From 0 in even steps; in decades where the values differ by more than thirty times; time in its unit."""
    assert [text for _, text in of_values([3, 38_000]).ticks] == ["0", "10k", "20k", "30k", "40k"]
    decades = of_values([0.4, 120], may_be_log=True)
    assert (decades.low, decades.high, decades.is_log) == (0.1, 1_000, True)
    assert decades.share(10) == pytest.approx(0.5)
    assert of_values([5, 120], may_be_log=True).is_log is False
    assert [text for _, text in of_time(120).ticks] == ["0 s", "20 s", "40 s", "60 s", "80 s", "100 s", "120 s"]
    assert [text for _, text in of_time(3_600).ticks][1] == "10 min"
    assert [text for _, text in of_time(86_400).ticks][1] == "5 h"
    assert short(26_700) == "26.7k"
    assert of_values([]).share(0.5) == 0.5


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two results, in which the command is called."""
    monkeypatch.chdir(tmp_path)
    write_result(loaded(), Path("before.json"))
    write_result(slower(), Path("after.json"))
    return tmp_path


def test_the_command_writes_a_page_beside_the_result(folder: Path, parksim: Parksim) -> None:
    """RESULT.html, which a second call replaces; nothing on standard output, and exit code 0 for a test that failed."""
    assert parksim("report", "before.json") == (0, "", "wrote before.html\n")
    assert (folder / "before.html").read_text(encoding="utf-8") == report_text(loaded())
    assert parksim("report", "before.json").code == 0
    assert sorted(file.name for file in folder.iterdir()) == ["after.json", "before.html", "before.json"]


def test_the_command_writes_each_chart(folder: Path, parksim: Parksim) -> None:
    """One SVG for each, in a folder that is made; a second call replaces them."""
    for _ in range(2):
        assert parksim("report", "before.json", "--charts", "a/b", "--output", "page.html").code == 0
    assert {file.name for file in (folder / "a/b").iterdir()} == {f"{name}.svg" for name in ALL}
    for file in (folder / "a/b").iterdir():
        ET.parse(file)
    assert (folder / "page.html").exists()
    assert not (folder / "before.html").exists()


def test_the_command_compares(folder: Path, parksim: Parksim) -> None:
    """The main differences on standard output, both results in the page; no folder is told."""
    code, out, err = parksim("report", folder / "before.json", "--compare", folder / "after.json")
    assert code == 0
    assert re.search(r"^in the store, p99 +56 ms +84 ms +\+50.0 %, worse$", out, re.MULTILINE)
    assert "\nA  " not in err
    assert out.startswith("A  before.json: EXIT 99, 1 of 3 thresholds failed")
    text = (folder / "before.html").read_text(encoding="utf-8")
    assert "before.json and after.json" in text
    assert str(folder) not in text + out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.json"], "nowhere.json: cannot be read: No such file or directory; give what parksim run or load"),
        (["."], ".: cannot be read: Is a directory; give what"),
        (["text.json"], "text.json: is no parksim.result/1: the file: Invalid JSON"),
        (["list.json"], "list.json: is no parksim.result/1: the file: Input should be an object"),
        (["newer.json"], "newer.json: is no parksim.result/1: schema: Input should be 'parksim.result/1'; give what"),
        (["evil.json"], "evil.json: is no parksim.result/1: \\x1b[2J: Extra inputs are not permitted"),
        (["before.json", "--compare", "text.json"], "text.json: is no parksim.result/1"),
        (["before.json", "--output", "text.json"], "text.json: is there, and no report of parksim's; move it away"),
        (["before.json", "--output", "no/such/page.html"], "--output no/such/page.html: No such file or directory"),
        (["before.json", "--charts", "text.json"], "--charts text.json: File exists; name a folder that can be made"),
        (["mine.json"], "mine.html: is there, and no report of parksim's"),
        (["before.json", "--charts", "drawings"], "drawings/rates.svg: is there, and no report of parksim's"),
    ],
)
def test_what_cannot_be_done_says_why(folder: Path, parksim: Parksim, arguments: list[str], said: str) -> None:
    """Exit code 104 with the file, what is wrong and what to do; nothing is written."""
    (folder / "text.json").write_text("no JSON")
    (folder / "list.json").write_text("[1]")
    document = json.loads((folder / "before.json").read_text())
    (folder / "newer.json").write_text(json.dumps(document | {"schema": "parksim.result/2"}))
    (folder / "evil.json").write_text(json.dumps(document | {"\x1b[2J": 1}))
    (folder / "mine.json").write_text(json.dumps(document))
    (folder / "mine.html").write_text("<!doctype html>\n<p>of somebody else")
    (folder / "drawings").mkdir()
    (folder / "drawings/rates.svg").write_text("<svg/>")
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    code, out, err = parksim("report", *arguments)
    assert (code, out) == (104, "")
    assert said in err
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before
