"""The charts of a report: what is drawn, where, and that all of it can be read."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from load_results import load_test, loaded, probes, seconds
from report_pages import ALL, chart

from simulator.load.report.axes import nines, of_percentiles, of_time, of_values
from simulator.load.report.charts import charts_of, standalone
from simulator.load.report.drawing import MOST_BUCKETS, svg_text, thinned, unbroken
from simulator.load.report.figures import number, short
from simulator.load.report.labels import Labels, Place

SVG = "{http://www.w3.org/2000/svg}"


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
    assert "".join(chart(name).title.split()) in "".join(words.split())
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
    assert named == ["hold database", "delay bridge"]


def test_the_distribution_gives_each_nine_the_same_room() -> None:
    """50 to 99.99 % with a logarithmic axis; what is counted from sending is dashed, what is corrected is not."""
    drawn = chart("distribution")
    shares = [drawn.x.share(nines(percentile)) for percentile in (90, 99, 99.9, 99.99)]
    steps = [after - before for before, after in pairwise(shares)]
    assert steps == pytest.approx([steps[0]] * 3)
    assert 1 - shares[-1] == pytest.approx(steps[0])
    assert of_percentiles().share(nines(50)) == 0
    lines = {line.name: line for line in drawn.lines}
    assert [value for _, value in lines["in the store"].points] == [7, pytest.approx(56 / 3), 56, 224, 616, 840]
    assert lines["in the store"].dash == ""
    assert lines["in the store, from sending"].dash != ""
    assert "from sending" not in str(chart("distribution", loaded(load_test(latency_from_sent_ms=None))).lines)


def test_the_distribution_has_every_hop_and_what_a_query_found() -> None:
    """Whole lines run from when a message was due, dashed and dotted ones do not; the largest is at the end."""
    drawn = chart("distribution")
    assert [(line.name, line.is_marked) for line in drawn.lines] == [
        ("found by a query (sample)", True),
        ("in the store", True),
        ("in the store, from sending", False),
        ("at the bridge", True),
        ("at the bridge, from sending", False),
        ("acknowledged", True),
        ("acknowledged, from sending", False),
        ("handed over", False),
    ]
    assert len({(line.color, line.dash) for line in drawn.lines}) == len(drawn.lines)
    assert all(line.is_marked == (line.dash == "") for line in drawn.lines)
    assert [text for _, text in drawn.x.ticks] == ["50 %", "90 %", "99 %", "99.9 %", "99.99 %", "max"]
    limits = [{"expression": "end_to_end max < 2 s", "value": 1.0, "pass": True}]
    (limit,) = chart("distribution", loaded(thresholds=limits)).levels
    assert limit.high - limit.low == pytest.approx(0.24)
    assert drawn.x.share((limit.low + limit.high) / 2) == 1


def test_what_was_dropped_is_a_line_of_its_own() -> None:
    """Where anything was; else there is none."""
    assert [line.name for line in chart("rates").lines] == ["due", "published", "written", "dropped"]
    whole = loaded(load_test(seconds=seconds(50) | {"dropped_per_s": [0.0] * 50}))
    assert [line.name for line in chart("rates", whole).lines] == ["due", "published", "written"]


def test_no_name_is_written_over_another() -> None:
    """The first place that is free; none outside of the drawing, and no text where there is no place."""
    labels = Labels(left=0, right=720, top=0, bottom=100)
    places = [Place(100, 50), Place(100, 50, "end"), Place(100, 90)]
    assert 'x="100.0" y="50.0" text-anchor="start"' in labels.put("abc", places, "a")
    assert 'x="100.0" y="50.0" text-anchor="end"' in labels.put("def", places, "a")
    assert 'x="100.0" y="90.0" text-anchor="start"' in labels.put("ghi", places, "a")
    assert labels.put("jkl", places, "a") == ""
    assert labels.put("beyond the edge", [Place(600, 50), Place(10, 110), Place(10, 5)], "a") == ""
    assert "&lt;b&gt;" in labels.put("<b>", [Place(400, 50)], "a")


def test_the_search_shows_what_holds_and_where() -> None:
    """A dot holds, a cross does not; the highest rate and the knee are marked."""
    drawn = chart("search")
    assert [(spot.x, spot.is_good) for spot in drawn.spots] == [
        (probe["rate_per_s"], probe["holds"]) for probe in probes(9)
    ]
    assert [(upright.name, upright.at) for upright in drawn.uprights] == [
        ("highest: 31.2k/s", 31_200),
        ("knee: 26.7k/s", 26_700),
    ]
    text = svg_text(drawn)
    assert text.count('class="cross"') == sum(not probe["holds"] for probe in probes(9))


def test_a_column_that_holds_nothing_is_no_line() -> None:
    """Neither an empty chart nor a name in a legend for what was not measured, as without a store."""
    columns = {
        name: [None] * 50 if name.startswith(("end_to_end", "in_flight")) else column
        for name, column in seconds(50).items()
    }
    found = {one.name: [line.name for line in one.lines] for one in charts_of(loaded(load_test(seconds=columns)))}
    assert "in-flight" not in found
    assert found["latencies"] == ["acknowledged, p99", "handed over, p99"]


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
