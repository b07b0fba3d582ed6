"""Which charts a result has: rates, latencies and messages in flight over time, latency by percentile, the search."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.load.report.axes import MAXIMUM, PERCENTILES, Axis, nines, of_percentiles, of_time, of_values
from simulator.load.report.chart import Band, Chart, Level, Line, Points, Spot, Upright
from simulator.load.report.drawing import STYLE, svg_text
from simulator.load.report.figures import number, per_s, short
from simulator.load.report.words import t
from simulator.load.thresholds import STATISTICS, Threshold, parse_threshold
from simulator.results.load_test import LoadTest, Probe, Search
from simulator.results.part import Percentiles
from simulator.results.result import Result

__all__ = [
    "CHART_BEGINNING",
    "HOPS",
    "LONG",
    "MIXED",
    "PALETTE",
    "SHORT",
    "bands",
    "charts_of",
    "column",
    "curve",
    "drawn",
    "from_sending",
    "levels_of",
    "log_scale",
    "over_time",
    "standalone",
    "time_axis",
    "tried",
    "values_of",
]

HOPS = {"lateness": "handed over", "publish": "acknowledged", "broker": "at the bridge", "end_to_end": "in the store"}
"""The hops as they are called in words."""
COLORS = """--ink: #1b1f24; --paper: #fff; --faint: #59626b; --line: #d7dce1; --a: #0b62c4; --b: #b4560b;
  --c: #6a4bb5; --d: #0f766e; --bad: #b3261e; --good: #1a7f37; --shade: #f1f3f5"""
DARK = """--ink: #e6e9ec; --paper: #14171a; --faint: #99a2ab; --line: #363c43; --a: #6cb0ff; --b: #f0a35e;
  --c: #b7a1f5; --d: #5fd3c4; --bad: #ff8a80; --good: #6fd58b; --shade: #1f2429"""
PALETTE = (
    f":root {{ color-scheme: light dark; {COLORS} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {DARK} }} }}\n"
)
CHART_BEGINNING = "<!-- a chart of parksim -->"
"""What a chart of ours begins with as a file, and what tells it from one that is not to be overwritten."""
LONG, SHORT, MIXED = "7 4", "2 3", "9 3 2 3"
"""Dashes."""


def log_scale(axis: Axis) -> str:
    return t(", log scale") if axis.is_log else ""


def charts_of(result: Result) -> tuple[Chart, ...]:
    """Return the charts for which something was measured."""
    test = result.load
    over_time = (rates(test), latencies(test, result), in_flight(test)) if test is not None else ()
    found = (*over_time, distribution(result), search_chart(test.search) if test and test.search else None)
    return tuple(chart for chart in found if chart is not None)


def standalone(chart: Chart) -> str:
    """Return a chart as a file of its own, in light and dark."""
    style = f"{PALETTE}svg {{ background: var(--paper) }}\n{STYLE}"
    return f"{CHART_BEGINNING}\n{svg_text(chart, style=style)}\n"


def column(test: LoadTest, name: str) -> Points:
    """Return a column over time; empty if it is not there or holds nothing."""
    at = test.seconds.get("wall_s", ())
    points = [
        (wall_s, value) for wall_s, value in zip(at, test.seconds.get(name, ()), strict=False) if wall_s is not None
    ]
    return points if any(value is not None for _, value in points) else []


def values_of(lines: Iterable[Line]) -> list[float]:
    return [value for line in lines for _, value in line.points if value is not None]


def time_axis(test: LoadTest) -> Axis:
    """Return an axis that has room for all stages, and for what was measured after them."""
    ends = [wall_s for wall_s in test.seconds.get("wall_s", ()) if wall_s is not None]
    return of_time(max((*ends, *(stage.to_s for stage in test.stages)), default=0.0))


def bands(test: LoadTest) -> tuple[Band, ...]:
    stages = [Band(stage.name, stage.from_s, stage.to_s) for stage in test.stages]
    faults = [Band(f"{one.kind} {one.target}", one.from_s, one.to_s, is_fault=True) for one in test.disturbances]
    return (*stages, *faults)


def rates(test: LoadTest) -> Chart | None:
    dropped = column(test, "dropped_per_s")
    lines = drawn(
        Line(t("due"), column(test, "due_per_s"), "b", LONG),
        Line(t("published"), column(test, "published_per_s"), "c", SHORT),
        Line(t("written"), column(test, "written_per_s")),
        Line(t("dropped"), dropped if any(value for _, value in dropped) else (), "d", MIXED),
    )
    axis = of_values(values_of(lines))
    return over_time(test, "rates", t("Messages a second"), lines=lines, axis=axis) if lines else None


def latencies(test: LoadTest, result: Result) -> Chart | None:
    lines = drawn(
        Line(t("in the store, p99"), column(test, "end_to_end_p99_ms"), "b"),
        Line(t("in the store, p50"), column(test, "end_to_end_p50_ms")),
        Line(t("acknowledged, p99"), column(test, "publish_p99_ms"), "a", LONG),
        Line(t("handed over, p99"), column(test, "lateness_p99_ms"), "c", SHORT),
    )
    if not lines:
        return None
    levels = levels_of(result, test)
    axis = of_values([*values_of(lines), *(level.value for level in levels)], may_be_log=True)
    title = t("Milliseconds after a message was due") + log_scale(axis)
    return over_time(test, "latencies", title, lines=lines, axis=axis, levels=levels)


def levels_of(result: Result, test: LoadTest) -> tuple[Level, ...]:
    """Return the limits of latency over time, each as long as the stage that it is for."""
    time = time_axis(test)
    spans = {stage.name: (stage.from_s, stage.to_s) for stage in test.stages}
    return tuple(
        Level(level_name(one), one.bound, *spans.get(one.stage or "", (time.low, time.high))) for one in limits(result)
    )


def level_name(limit: Threshold) -> str:
    return f"{limit.statistic} {limit.relation} {number(limit.bound)} ms"


def limits(result: Result) -> list[Threshold]:
    """Return the thresholds that bound the latency until the store from above."""
    found = []
    for outcome in result.thresholds:
        try:
            one = parse_threshold(outcome.expression, stages={outcome.expression.rpartition(" in ")[2].strip()})
        except ValueError:  # of another version; it stands in the table of thresholds
            continue
        if one.metric == "end_to_end" and one.relation in {"<", "<="}:
            found.append(one)
    return found


def in_flight(test: LoadTest) -> Chart | None:
    lines = drawn(Line(t("messages in flight"), column(test, "in_flight")))
    axis = of_values(values_of(lines))
    return over_time(test, "in-flight", t("Messages on the way"), lines=lines, axis=axis) if lines else None


def over_time(
    test: LoadTest, name: str, title: str, *, lines: tuple[Line, ...], axis: Axis, levels: tuple[Level, ...] = ()
) -> Chart:
    return Chart(name, title, time_axis(test), axis, lines, bands(test), levels)


def drawn(*lines: Line) -> tuple[Line, ...]:
    return tuple(line for line in lines if line.points)


def curve(found: Percentiles) -> Points:
    """Return a block of latencies as points over the axis of percentiles."""
    points = [(nines(percentile), getattr(found, name)) for name, percentile in PERCENTILES.items()]
    points.append((MAXIMUM, found.max))
    return points if any(value is not None for _, value in points) else []


def from_sending(label: str) -> str:
    """Return what the latency to a hop is called that runs from when a message was sent."""
    return t("{hop}, from sending", hop=t(label))


def distribution(result: Result) -> Chart | None:
    """Draw latency by percentile; dashed what a tool shows that does not see its own waiting."""
    sent = result.load and result.load.latency_from_sent_ms
    asked = result.load and result.load.queryable_ms
    lines = [Line(t("found by a query (sample)"), curve(asked), "d", is_marked=True)] if asked else []
    for hop, color in (("end_to_end", "a"), ("broker", "b"), ("publish", "c")):
        lines.append(Line(t(HOPS[hop]), curve(getattr(result.latency_ms, hop)), color, is_marked=True))
        if sent:
            lines.append(Line(from_sending(HOPS[hop]), curve(getattr(sent, hop)), color, LONG))
    lines.append(Line(t(HOPS["lateness"]), curve(result.latency_ms.lateness), "d", SHORT))
    found = drawn(*lines)
    if not found:
        return None
    levels = tuple(
        Level(level_name(one), one.bound, at - 0.12, at + 0.12)
        for one in limits(result)
        if one.stage is None
        for at in (MAXIMUM if one.statistic == "max" else nines(STATISTICS[str(one.statistic)]),)
    )
    axis = of_values([*values_of(found), *(level.value for level in levels)], may_be_log=True)
    title = t("Milliseconds by percentile") + log_scale(axis)
    return Chart("distribution", title, of_percentiles(), axis, found, levels=levels)


def search_chart(search: Search) -> Chart | None:
    """Draw the p99 of each rate that was tried, with the highest that holds and the knee."""
    points = tried(search)
    if not points:
        return None
    spots = tuple(
        Spot(
            f"{per_s(probe.rate_per_s)}: {number(p99)} ms, "
            + (t("holds") if probe.holds else f"{t('does not hold')}: {probe.why}"),
            probe.rate_per_s,
            p99,
            probe.holds,
        )
        for p99, probe in points
    )
    uprights = []
    if search.max_per_s is not None:
        uprights.append(Upright(t("highest: {rate}/s", rate=short(search.max_per_s)), search.max_per_s))
    if search.knee_per_s is not None:
        uprights.append(Upright(t("knee: {rate}/s", rate=short(search.knee_per_s)), search.knee_per_s, LONG))
    y = of_values((spot.y for spot in spots), may_be_log=True)
    x = of_values([*(spot.x for spot in spots), *(upright.at for upright in uprights)])
    title = t("Milliseconds until the store, p99, by messages a second") + log_scale(y)
    line = Line(t("p99; a dot holds, a cross does not"), [(spot.x, spot.y) for spot in spots], "a", SHORT)
    return Chart("search", title, x, y, (line,), uprights=tuple(uprights), spots=spots)


def tried(search: Search) -> list[tuple[float, Probe]]:
    """Return the p99 of probes that have one, by their rates."""
    found = [(probe.end_to_end_p99_ms, probe) for probe in search.probes if probe.end_to_end_p99_ms is not None]
    return sorted(found, key=lambda one: one[1].rate_per_s)
