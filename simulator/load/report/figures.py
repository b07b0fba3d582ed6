"""Figures: which charts a result has, and what is on them."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.load.report.charts import Chart, Line, Shade
from simulator.load.thresholds import LATENCIES, parse_threshold
from simulator.results.load_test import LoadTest
from simulator.results.part import Percentiles
from simulator.results.result import Result

__all__ = ["LABELS", "charts_of", "latencies_of"]

LABELS = {"lateness": "handed over", "publish": "acknowledged", "broker": "at the bridge", "end_to_end": "in the store"}
PERCENTS = (("p50", "50 %"), ("p90", "90 %"), ("p99", "99 %"), ("p999", "99.9 %"), ("p9999", "99.99 %"), ("max", "max"))


def charts_of(result: Result) -> list[Chart]:
    """Return the charts that there is something to draw for."""
    load = result.load
    found = [distribution(result)]
    if load is not None:
        found = [rates(load), latencies_over_time(result, load), in_flight(load), *found, searched(load)]
    return [chart for chart in found if not chart.is_empty]


def latencies_of(result: Result) -> list[tuple[str, Percentiles]]:
    """Return every latency that a result tells, with its name."""
    found = [(label, getattr(result.latency_ms, name)) for name, label in LABELS.items()]
    if result.load is not None:
        if result.load.queryable_ms is not None:
            found.append(("found by a query (of a sample)", result.load.queryable_ms))
        if (sending := result.load.latency_from_sent_ms) is not None:
            names = ("publish", "broker", "end_to_end")
            found += [(f"{LABELS[name]}, from sending", getattr(sending, name)) for name in names]
    return found


def rates(load: LoadTest) -> Chart:
    names = {"due": "due_per_s", "published": "published_per_s", "stored": "written_per_s", "dropped": "dropped_per_s"}
    if not any(load.seconds.get("dropped_per_s", ())):
        del names["dropped"]
    return over_time(load, "rate", "Messages a second", "/s", names)


def latencies_over_time(result: Result, load: LoadTest) -> Chart:
    names = {
        "in the store, p50": "end_to_end_p50_ms",
        "in the store, p99": "end_to_end_p99_ms",
        "handed over, p99": "lateness_p99_ms",
        "acknowledged, p99": "publish_p99_ms",
    }
    return over_time(load, "latency", "Milliseconds after a message was due", " ms", names, levels=bounds(result))


def in_flight(load: LoadTest) -> Chart:
    return over_time(load, "in-flight", "Messages on the way", "", {"on the way": "in_flight"})


def over_time(
    load: LoadTest,
    name: str,
    title: str,
    unit: str,
    names: dict[str, str],
    *,
    levels: Sequence[tuple[float, str]] = (),
) -> Chart:
    """Return columns over wall time, stages and faults shaded."""
    at_s = [one or 0.0 for one in load.seconds.get("wall_s", ())]
    lines = [
        Line(label, list(zip(at_s, load.seconds.get(column, ()), strict=False))) for label, column in names.items()
    ]
    shades = [Shade(stage.name, stage.from_s, stage.to_s) for stage in load.stages]
    shades += [Shade(f"{one.kind} {one.target}", one.from_s, one.to_s, is_fault=True) for one in load.disturbances]
    last_s = max([*at_s, *(stage.to_s for stage in load.stages)], default=1.0)
    return Chart(name, title, unit, lines, shades=shades, levels=levels, last_x=last_s)


def bounds(result: Result) -> list[tuple[float, str]]:
    """Return the bounds that thresholds of the whole test set to what reaches the store."""
    found = []
    for one in result.thresholds:
        try:
            threshold = parse_threshold(one.expression, stages={one.expression.rpartition(" in ")[2].strip()})
        except ValueError:  # of another version of parksim
            continue
        if threshold.metric in LATENCIES and threshold.stage is None and threshold.relation.startswith("<"):
            found.append((threshold.bound, one.expression))
    return found


def distribution(result: Result) -> Chart:
    """Return latency over percentiles, each ten times rarer than the one before at the same distance."""
    lines = [
        Line(label, [(float(place), getattr(found, name)) for place, (name, _) in enumerate(PERCENTS)])
        for label, found in latencies_of(result)
        if label.startswith(("in the store", "handed over", "found"))
    ]
    ticks = [(float(place), label) for place, (_, label) in enumerate(PERCENTS)]
    title = "Latency: how many messages were not later"
    return Chart("distribution", title, " ms", lines, x_ticks=ticks, last_x=float(len(ticks) - 1), dots=True)


def searched(load: LoadTest) -> Chart:
    """Return what each rate that was tried came to."""
    search = load.search
    probes = [] if search is None else sorted(search.probes, key=lambda one: one.rate_per_s)
    lines = [
        Line("holds", [(one.rate_per_s, one.end_to_end_p99_ms) for one in probes if one.holds]),
        Line("fails", [(one.rate_per_s, one.end_to_end_p99_ms) for one in probes if not one.holds]),
    ]
    uprights = []
    if search is not None and search.max_per_s is not None:
        uprights.append((search.max_per_s, f"holds {search.max_per_s:,.0f}/s"))
    if search is not None and search.knee_per_s is not None:
        uprights.append((search.knee_per_s, f"knee {search.knee_per_s:,.0f}/s"))
    title = "In the store, p99, at each rate that was tried"
    rates_tried = [one.rate_per_s for one in probes]
    first, last = min(rates_tried, default=0.0) * 0.9, max(rates_tried, default=1.0) * 1.05
    return Chart(
        "search",
        title,
        " ms",
        lines,
        uprights=uprights,
        x_unit="/s",
        first_x=first,
        last_x=last,
        dots=True,
    )
