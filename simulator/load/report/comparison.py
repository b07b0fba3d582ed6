"""Two results side by side, and by how much they differ."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import NamedTuple

from simulator.load.report.charts import Chart, Line
from simulator.load.report.figures import charts_of, latencies_of
from simulator.load.report.page import page
from simulator.load.report.tables import marked, messages_of, table
from simulator.results.result import Result

__all__ = ["Difference", "compared_text", "differences"]


class Difference(NamedTuple):
    """A figure of two results."""

    name: str
    one: float | None
    other: float | None

    @property
    def percent(self) -> float | None:
        """By how much the other one is more, percent of the one; None if that means nothing."""
        if self.one is None or self.other is None or not self.one:
            return None
        return (self.other - self.one) / self.one * 100.0

    def cells(self) -> tuple[str, str, str, str]:
        """Return it as text: name, one, other, difference."""
        one, other = ("-" if value is None else f"{value:,.6g}" for value in (self.one, self.other))
        return self.name, one, other, "" if self.percent is None else f"{self.percent:+,.1f} %"


def differences(one: Result, other: Result) -> list[Difference]:
    """Return rates, latencies and messages of both."""
    found = [
        Difference(name.replace("_", " "), getattr(one.rates, name), getattr(other.rates, name))
        for name in type(one.rates).model_fields
    ]
    if one.load is not None and other.load is not None and (one.load.search or other.load.search):
        most = [None if each.search is None else each.search.max_per_s for each in (one.load, other.load)]
        found.append(Difference("highest rate that holds, messages/s", *most))
    theirs = dict(latencies_of(other))
    for label, mine in latencies_of(one):
        if label in theirs:
            found += [
                Difference(f"{label}, {shown}, ms", getattr(mine, name), getattr(theirs[label], name))
                for name, shown in (("p50", "p50"), ("p99", "p99"), ("p999", "p99.9"), ("max", "max"))
            ]
    counts = messages_of(one), messages_of(other)
    names = dict.fromkeys((*counts[0], *counts[1]))
    return found + [Difference(f"messages {name}", *(float(each.get(name, 0)) for each in counts)) for name in names]


def compared_text(one: Result, other: Result, *, names: tuple[str, str]) -> str:
    """Return a page with both."""
    verdicts = [
        (
            escape(name),
            marked("PASS" if each.exit_code == 0 else f"EXIT {each.exit_code}", well=each.exit_code == 0),
            escape(each.verdict),
        )
        for name, each in zip(names, (one, other), strict=True)
    ]
    rows = [tuple(map(escape, difference.cells())) for difference in differences(one, other)]
    charts = [f"<h2>{escape(chart.title)}</h2>{chart.svg()}" for chart in together(one, other, names)]
    parts = [
        f"<h1>{escape(names[0])} and {escape(names[1])}</h1>",
        table(("", "", "verdict"), verdicts),
        thresholds(one, other, names),
        *charts,
        "<h2>Figures</h2>",
        table(("", *names, "difference"), rows),
        settings(one, other, names),
    ]
    return page(f"parksim: {names[0]} and {names[1]}", parts)


def together(one: Result, other: Result, names: tuple[str, str]) -> list[Chart]:
    """Return the charts that both have, with the first two lines of each."""
    theirs = {chart.name: chart for chart in charts_of(other)}
    found = []
    for chart in charts_of(one):
        if chart.name not in theirs:
            continue
        lines = [
            Line(f"{name}: {line.name}", line.points)
            for name, each in zip(names, (chart, theirs[chart.name]), strict=True)
            for line in picked(each)
        ]
        last = max((each.last_x or 0.0 for each in (chart, theirs[chart.name])), default=0.0) or None
        found.append(replace(chart, lines=lines, last_x=last, uprights=()))
    return found


def picked(chart: Chart) -> list[Line]:
    """Return two lines that say most: the last published and stored rate, p50 and p99, and so on."""
    wanted = {"rate": ("published", "stored")}.get(chart.name)
    if wanted is None:
        return list(chart.lines[:2])
    return [line for line in chart.lines if line.name in wanted]


def thresholds(one: Result, other: Result, names: tuple[str, str]) -> str:
    found = [{each.expression: each for each in result.thresholds} for result in (one, other)]
    expressions = dict.fromkeys((*found[0], *found[1]))
    if not expressions:
        return ""
    rows = []
    for expression in expressions:
        cells = []
        for each in found:
            if expression not in each:
                cells.append("-")
                continue
            outcome = each[expression]
            value = "-" if outcome.value is None else f"{outcome.value:,.4g}"
            cells.append(f"{value} {marked('holds' if outcome.passed else 'FAILS', well=outcome.passed)}")
        rows.append((f"<code>{escape(expression)}</code>", *cells))
    return "<h2>Thresholds</h2>" + table(("threshold", *names), rows)


def settings(one: Result, other: Result, names: tuple[str, str]) -> str:
    """Return what is not the same about how both were made."""
    told = [made(each) for each in (one, other)]
    rows = [
        (escape(name), escape(told[0].get(name, "-")), escape(told[1].get(name, "-")))
        for name in dict.fromkeys((*told[0], *told[1]))
        if told[0].get(name) != told[1].get(name)
    ]
    heading = "<h2>What is not the same about them</h2>"
    return heading + (table(("", *names), rows) if rows else "<p>Nothing that is known.</p>")


def made(result: Result) -> dict[str, str]:
    """Return how a result was made."""
    return {
        "scenario": f"{result.scenario.name}, {result.scenario.sha256[:12]}",
        "seed": str(result.seed),
        "machine": f"{result.machine.cores} cores, {result.machine.model}",
        "broker": result.simulated.broker,
        "store": result.simulated.store,
        "workers": "1" if result.load is None else str(result.load.workers),
        **result.versions,
    }
