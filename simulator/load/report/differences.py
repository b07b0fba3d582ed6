"""What differs between two results: figures with their change, thresholds, and the settings that were not the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from simulator.load.report.charts import HOPS
from simulator.load.report.figures import NOTHING, change, number
from simulator.load.report.tables import LEDGER, ledger_rows, named
from simulator.load.report.words import localised, t
from simulator.results.result import Result

__all__ = ["Figure", "latencies", "ledgers", "main_figures", "rates", "settings"]

Better = Literal["lower", "higher", ""]
NOTEWORTHY = 0.05
"""A change by less is not called better or worse: two runs of the same test differ by as much."""
PERCENTILES = {"p50": "p50", "p90": "p90", "p99": "p99", "p999": "p99.9", "p9999": "p99.99", "max": "max"}
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

    @property
    def change(self) -> float | None:
        """The share by which the other is more than the one."""
        return change(self.one, self.other)

    @property
    def judgement(self) -> Literal["better", "worse", ""]:
        if self.one is None or self.other is None or not self.better or self.one == self.other:
            return ""
        if self.change is not None and abs(self.change) < NOTEWORTHY:
            return ""
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
        else:
            by = localised(f"{self.change:+.1%}").replace("%", " %")
        return f"{by}, {t(self.judgement)}" if self.judgement else by

    def named(self) -> str:
        """Return the name in the language of the page: that of a hop and its percentile, or of a row of the ledger."""
        hop, comma, percentile = self.name.rpartition(", ")
        return f"{t(hop)}{comma}{percentile}" if hop else named(self.name)

    def shown(self, value: float | None) -> str:
        return NOTHING if value is None else f"{number(value)}{self.unit}"


def rates(one: Result, other: Result) -> list[Figure]:
    """Return means over the test, and the highest rate that holds if both looked for it."""
    found = [
        Figure("published", one.rates.published_per_s, other.rates.published_per_s, "higher", "/s"),
        Figure("at the bridge", one.rates.received_per_s, other.rates.received_per_s, "higher", "/s"),
        Figure(
            "readings written", one.rates.written_readings_per_s, other.rates.written_readings_per_s, "higher", "/s"
        ),
    ]
    searches = [result.load.search if result.load is not None else None for result in (one, other)]
    if searches[0] is not None and searches[1] is not None:
        highest, knees = ([getattr(search, name) for search in searches] for name in ("max_per_s", "knee_per_s"))
        found.append(Figure("highest rate that holds", highest[0], highest[1], "higher", "/s"))
        found.append(Figure("knee", knees[0], knees[1], "higher", "/s"))
    return found


def latencies(one: Result, other: Result) -> list[Figure]:
    """Return every percentile of every hop that at least one of them has."""
    found = [
        Figure(
            f"{label}, {shown}",
            getattr(getattr(one.latency_ms, hop), name),
            getattr(getattr(other.latency_ms, hop), name),
            "lower",
            " ms",
        )
        for hop, label in HOPS.items()
        for name, shown in PERCENTILES.items()
    ]
    return [figure for figure in found if figure.one is not None or figure.other is not None]


def ledgers(one: Result, other: Result) -> list[Figure]:
    """Return every row of the two ledgers; a reason that only one has counts as 0 in the other."""
    ours, theirs = dict(ledger_rows(one.messages)), dict(ledger_rows(other.messages))
    names = dict.fromkeys((*ours, *theirs))
    return [Figure(name, ours.get(name, 0), theirs.get(name, 0), "" if name in LEDGER else "lower") for name in names]


def main_figures(one: Result, other: Result) -> list[Figure]:
    """Return the few that are looked at first."""
    wanted = {"in the store, p50", "in the store, p99", "in the store, p99.99", "acknowledged, p99"}
    lost = ("unaccounted", "dropped: ", "dead-lettered: ")
    return [
        *rates(one, other),
        *(figure for figure in latencies(one, other) if figure.name in wanted),
        *(
            figure
            for figure in ledgers(one, other)
            if figure.name in {"scheduled", "written"} or (figure.name.startswith(lost) and figure.one != figure.other)
        ),
    ]


def settings(one: Result, other: Result) -> list[tuple[str, str, str]]:
    """Return what was set, used or installed otherwise: its name, and how it was in each."""
    ours, theirs = settings_of(one), settings_of(other)
    names = dict.fromkeys((*ours, *theirs))
    pairs = [(name, ours.get(name, NOTHING), theirs.get(name, NOTHING)) for name in names]
    return [(name, first, second) for name, first, second in pairs if first != second]


def settings_of(result: Result) -> dict[str, str]:
    done, made, generator, test = result.simulated, result.machine, result.generator, result.load
    found = {
        "scenario": result.scenario.name,
        "text of the scenario": f"sha256 {result.scenario.sha256[:12]}",
        "seed": str(result.seed),
        "broker": done.broker,
        "store": done.store,
        "processor": f"{made.cores} x {made.model}",
        "memory": f"{made.memory_bytes / 1e9:,.1f} GB",
        "system": made.os,
        # measured anew each time, so only a difference that one would notice
        "the generator can at most": digits(generator.calibrated_max_per_s),
    }
    if test is None:
        found["kind"], found["speed"] = "run", str(done.speed)
    else:
        found["kind"], found["processes that publish"] = "load", str(test.workers)
        spans = [f"{stage.name} ({stage.kind}) {stage.from_s:g} to {stage.to_s:g} s" for stage in test.stages]
        found["stages"] = "; ".join(spans)
        faults = [f"{one.kind} of {one.target} {one.from_s:g} to {one.to_s:g} s" for one in test.disturbances]
        found["disturbances"] = "; ".join(faults) or "none"
    return found | result.versions


def digits(per_s: float | None) -> str:
    """Return a rate with one digit and zeros."""
    if per_s is None or per_s <= 0:
        return NOTHING
    power = 10.0 ** math.floor(math.log10(per_s))
    return f"about {number(round(per_s / power) * power)}/s"
