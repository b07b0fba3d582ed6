"""What differs between two results: figures with their change, thresholds, and the settings that were not the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from simulator.load.report.charts import HOPS, from_sending
from simulator.load.report.figures import NOTHING, change, count, number, tenths
from simulator.load.report.pipeline import LEDGER, ledger_rows, named
from simulator.load.report.words import localised, t
from simulator.results.result import Result

__all__ = ["NOTEWORTHY", "Figure", "figures_told", "latencies", "ledgers", "rates", "settings"]

Better = Literal["lower", "higher", ""]
NOTEWORTHY = 0.05
"""A change by less is not called better or worse: two runs of the same test differ by as much."""
PERCENTILES = {"p50": "p50", "p90": "p90", "p99": "p99", "p999": "p99.9", "p9999": "p99.99", "max": "max"}
MAIN = {("end_to_end", "p50"), ("end_to_end", "p99"), ("end_to_end", "p9999"), ("publish", "p99")}
"""Latencies that are looked at first."""
LARGEST_CHANGE = 100.0
"""A change by more is told as a factor."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that both results have, or one of them."""

    name: str
    one: float | None
    other: float | None
    better: Better = ""
    """Which way is better; of some figures neither is."""
    unit: str = ""
    is_main: bool = False
    """Whether it is looked at first, also if it is the same."""

    @property
    def change(self) -> float | None:
        """The share by which the other is more than the one."""
        return change(self.one, self.other)

    @property
    def is_notable(self) -> bool:
        """Whether it differs by more than two runs of the same test do."""
        if self.one is None or self.other is None or self.one == self.other:
            return False
        return self.change is None or abs(self.change) >= NOTEWORTHY

    @property
    def judgement(self) -> Literal["better", "worse", ""]:
        if not self.better or not self.is_notable:
            return ""
        assert self.one is not None
        assert self.other is not None
        return "better" if (self.other < self.one) == (self.better == "lower") else "worse"

    def told(self) -> str:
        """Return the change in words: +12.3 %, worse."""
        if self.one is None or self.other is None:
            return NOTHING
        if self.one == self.other:
            return t("same")
        if self.change is None:
            by = t("from 0 to {value}", value=number(self.other))
        elif abs(self.change) > LARGEST_CHANGE:
            by = f"x {number(self.other / self.one)}"
        elif abs(self.change) < 0.0005:
            by = localised("0.0 %")
        else:
            by = localised(f"{self.change:+.1%}").replace("%", " %")
        return f"{by}, {t(self.judgement)}" if self.judgement else by

    def shown(self, value: float | None) -> str:
        return NOTHING if value is None else f"{number(value)}{self.unit}"


def rates(one: Result, other: Result) -> list[Figure]:
    """Return means over the test, and the highest rate that holds if both looked for it."""
    found = [
        rate(t(label), getattr(one.rates, name), getattr(other.rates, name))
        for name, label in (
            ("published_per_s", "published"),
            ("received_per_s", "at the bridge"),
            ("written_readings_per_s", "readings written"),
        )
    ]
    searches = [result.load.search if result.load is not None else None for result in (one, other)]
    if searches[0] is not None and searches[1] is not None:
        found.append(rate(t("highest rate that holds"), searches[0].max_per_s, searches[1].max_per_s))
        found.append(rate(t("knee"), searches[0].knee_per_s, searches[1].knee_per_s))
    return found


def rate(name: str, one: float | None, other: float | None) -> Figure:
    return Figure(name, one, other, "higher", "/s", is_main=True)


def latencies(one: Result, other: Result) -> list[Figure]:
    """Return every percentile of every hop that at least one of them has, from due and from sending."""
    found = []
    for hop, label in HOPS.items():
        for name in PERCENTILES:
            ours, theirs = (getattr(getattr(result.latency_ms, hop), name) for result in (one, other))
            found.append(latency(t(label), name, ours, theirs, is_main=(hop, name) in MAIN))
        sent = [getattr(result.load and result.load.latency_from_sent_ms, hop, None) for result in (one, other)]
        found += [
            latency(from_sending(label), name, *(getattr(each, name, None) for each in sent)) for name in PERCENTILES
        ]
    asked = [result.load and result.load.queryable_ms for result in (one, other)]
    sample = t("found by a query (sample)")
    found += [latency(sample, name, *(getattr(each, name, None) for each in asked)) for name in PERCENTILES]
    return [figure for figure in found if figure.one is not None or figure.other is not None]


def latency(label: str, name: str, one: float | None, other: float | None, *, is_main: bool = False) -> Figure:
    return Figure(f"{label}, {t(PERCENTILES[name])}", one, other, "lower", " ms", is_main)


def ledgers(one: Result, other: Result) -> list[Figure]:
    """Return every row of the two ledgers; a reason that only one has counts as 0 in the other."""
    ours, theirs = dict(ledger_rows(one.messages)), dict(ledger_rows(other.messages))
    return [
        Figure(
            named(name),
            ours.get(name, 0),
            theirs.get(name, 0),
            "" if name in LEDGER else "lower",
            is_main=name in {"scheduled", "written"},
        )
        for name in dict.fromkeys((*ours, *theirs))
    ]


def figures_told(one: Result, other: Result) -> list[Figure]:
    """Return the few that are looked at first, and all others that differ notably."""
    found = [*rates(one, other), *latencies(one, other), *ledgers(one, other)]
    return [figure for figure in found if figure.is_main or figure.is_notable]


def settings(one: Result, other: Result) -> list[tuple[str, str, str]]:
    """Return what was set, used or installed otherwise: its name, and how it was in each."""
    ours, theirs = settings_of(one), settings_of(other)
    names = dict.fromkeys((*ours, *theirs))
    pairs = [(name, ours.get(name, NOTHING), theirs.get(name, NOTHING)) for name in names]
    return [(name, first, second) for name, first, second in pairs if first != second]


def settings_of(result: Result) -> dict[str, str]:
    done, made, generator, test = result.simulated, result.machine, result.generator, result.load
    found = {
        t("scenario"): result.scenario.name,
        t("text of the scenario"): f"sha256 {result.scenario.sha256[:12]}",
        t("seed"): str(result.seed),
        t("broker"): done.broker,
        t("store"): done.store,
        t("processor"): f"{made.cores} x {made.model}",
        t("memory"): f"{number(round(made.memory_bytes / 1e9, 1))} GB",
        t("system"): made.os,
        # measured anew each time, so only a difference that one would notice
        t("the generator can at most"): digits(generator.calibrated_max_per_s),
    }
    if test is None:
        found[t("command")], found[t("speed")] = "run", str(done.speed)
    else:
        found[t("command")], found[t("processes that publish")] = "load", count(test.workers)
        found[t("stages")] = "; ".join(
            f"{stage.name} ({stage.kind}) {span(stage.from_s, stage.to_s)}" for stage in test.stages
        )
        faults = [f"{one.kind} {one.target} {span(one.from_s, one.to_s)}" for one in test.disturbances]
        found[t("disturbances")] = "; ".join(faults) or t("none")
    return found | result.versions


def span(from_s: float, to_s: float) -> str:
    return t("{low} to {high} s", low=tenths(from_s), high=tenths(to_s))


def digits(per_s: float | None) -> str:
    """Return a rate with one digit and zeros."""
    if per_s is None or per_s <= 0:
        return NOTHING
    power = 10.0 ** math.floor(math.log10(per_s))
    return t("about {rate}", rate=f"{number(round(per_s / power) * power)}/s")
