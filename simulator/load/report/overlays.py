"""The charts of two results laid over each other: A in whole lines and one colour, B in dashes and another."""

from __future__ import annotations

from dataclasses import replace

from simulator.load.report.axes import of_percentiles, of_values
from simulator.load.report.chart import Band, Chart, Level, Line, Upright
from simulator.load.report.charts import (
    HOPS,
    LONG,
    MIXED,
    SHORT,
    bands,
    column,
    curve,
    drawn,
    levels_of,
    log_scale,
    time_axis,
    tried,
    values_of,
)
from simulator.load.report.figures import short
from simulator.load.report.words import t
from simulator.results.load_test import LoadTest, Search
from simulator.results.result import Result

__all__ = ["overlaid"]

SAME_S = 0.5
"""Faults that begin and end so close to one another are the same in both tests."""


def overlaid(one: Result, other: Result) -> tuple[Chart, ...]:
    """Return the charts for which both results have something to show."""
    found = [distribution(one, other)]
    if one.load is not None and other.load is not None:
        pair = Pair(one.load, other.load)
        levels = both(levels_of(one, one.load), levels_of(other, other.load))
        found = [pair.rates(), pair.latencies(levels), pair.in_flight(), *found, pair.search()]
    return tuple(chart for chart in found if chart is not None)


def both(ours: tuple[Level, ...], theirs: tuple[Level, ...]) -> tuple[Level, ...]:
    """Return the limits of both tests: once if they are the same, else by the letter of their test."""
    if [(level.name, level.value) for level in ours] == [(level.name, level.value) for level in theirs]:
        return ours
    return tuple(
        replace(level, name=f"{letter} {level.name}")
        for letter, found in (("A", ours), ("B", theirs))
        for level in found
    )


class Pair:
    """Two load tests."""

    def __init__(self, one: LoadTest, other: LoadTest) -> None:
        self.one = one
        self.other = other

    def rates(self) -> Chart | None:
        lines = self.lines("written_per_s", t("written"), "", LONG) + self.lines("due_per_s", t("due"), SHORT, MIXED)
        return self.over_time("rates", t("Messages a second"), lines)

    def latencies(self, levels: tuple[Level, ...]) -> Chart | None:
        lines = self.lines("end_to_end_p99_ms", t("in the store, p99"), "", LONG)
        lines += self.lines("end_to_end_p50_ms", "p50", SHORT, MIXED)
        if lines:
            return self.over_time("latencies", t("Milliseconds after a message was due"), lines, levels)
        # without a store both may still have been acknowledged
        lines = self.lines("publish_p99_ms", t("acknowledged, p99"), "", LONG)
        return self.over_time("latencies", t("Milliseconds after a message was due"), lines)

    def in_flight(self) -> Chart | None:
        return self.over_time("in-flight", t("Messages on the way"), self.lines("in_flight", t("in flight"), "", LONG))

    def lines(self, name: str, label: str, *dashes: str) -> tuple[Line, ...]:
        """Return a column of both; nothing if one of them does not have it."""
        lines = drawn(
            Line(f"A {label}", column(self.one, name), "a", dashes[0]),
            Line(f"B {label}", column(self.other, name), "b", dashes[1]),
        )
        return lines if len(lines) == 2 else ()

    def over_time(self, name: str, title: str, lines: tuple[Line, ...], levels: tuple[Level, ...] = ()) -> Chart | None:
        if not lines:
            return None
        axis = of_values([*values_of(lines), *(level.value for level in levels)], may_be_log=name == "latencies")
        title += log_scale(axis)
        time = max(time_axis(self.one), time_axis(self.other), key=lambda axis: axis.high)
        return Chart(name, title, time, axis, lines, self.bands(), levels)

    def bands(self) -> tuple[Band, ...]:
        """Return stages and faults where both tests had the same, else the faults by the letter of their test."""
        ours, theirs = bands(self.one), bands(self.other)
        if len(ours) == len(theirs) and all(map(alike, ours, theirs)):
            return ours
        return tuple(
            replace(band, name=f"{letter} {band.name}")
            for letter, found in (("A", ours), ("B", theirs))
            for band in found
            if band.is_fault
        )

    def search(self) -> Chart | None:
        if self.one.search is None or self.other.search is None:
            return None
        lines = drawn(searched("A", self.one.search, "a", ""), searched("B", self.other.search, "b", LONG))
        if len(lines) < 2:
            return None
        uprights = tuple(
            Upright(t("{letter} holds {rate}/s", letter=letter, rate=short(search.max_per_s)), search.max_per_s, dash)
            for letter, search, dash in (("A", self.one.search, ""), ("B", self.other.search, LONG))
            if search.max_per_s is not None
        )
        y = of_values(values_of(lines), may_be_log=True)
        x = of_values([*(x for line in lines for x, _ in line.points), *(upright.at for upright in uprights)])
        title = t("Milliseconds until the store, p99, by messages a second") + log_scale(y)
        return Chart("search", title, x, y, lines, uprights=uprights)


def alike(one: Band, other: Band) -> bool:
    """Say whether two tests had the same stage or fault; no fault begins to the millisecond."""
    same = (one.name, one.is_fault) == (other.name, other.is_fault)
    return same and abs(one.low - other.low) < SAME_S and abs(one.high - other.high) < SAME_S


def searched(letter: str, search: Search, color: str, dash: str) -> Line:
    points = [(probe.rate_per_s, p99) for p99, probe in tried(search)]
    return Line(f"{letter} {t('in the store, p99')}", points, color, dash, is_marked=True)


def distribution(one: Result, other: Result) -> Chart | None:
    """Draw latency by percentile at the last hop that messages of both came to."""
    for hop in ("end_to_end", "broker", "publish", "lateness"):
        lines = drawn(
            Line(f"A {t(HOPS[hop])}", curve(getattr(one.latency_ms, hop)), "a", is_marked=True),
            Line(f"B {t(HOPS[hop])}", curve(getattr(other.latency_ms, hop)), "b", LONG, is_marked=True),
        )
        if len(lines) == 2:
            axis = of_values(values_of(lines), may_be_log=True)
            title = t("Milliseconds by percentile") + log_scale(axis)
            return Chart("distribution", title, of_percentiles(), axis, lines)
    return None
