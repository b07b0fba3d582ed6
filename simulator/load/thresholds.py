"""Thresholds: what must hold, parsed before the first message.

    threshold  = metric [statistic] relation number [unit] ["in" stage]
    relation   = "<" | "<=" | ">" | ">=" | "=="

| metric | of what | statistic | unit |
| --- | --- | --- | --- |
| lateness | handed over after it was due: the generator itself | p50 p90 p99 p99.9 p99.99 max | ms, s |
| publish | acknowledged after it was due | the same | ms, s |
| broker | at the subscriber after it was due | the same | ms, s |
| end_to_end | in the store after it was due | the same | ms, s |
| queryable | found by a query after it was due, of a sample | the same | ms, s |
| rate, received_rate, written_rate | messages a second | | /s, k/s, M/s |
| delivered | written of all that were due, 0 to 1 | | none, % |
| unaccounted, dropped, dead_lettered, duplicates, reordered | messages | | none |
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from simulator.load.tally import Tally

__all__ = ["Threshold", "parse_threshold"]

LATENCIES = ("lateness", "publish", "broker", "end_to_end", "queryable")
RATES = {"rate": "published", "received_rate": "received", "written_rate": "written"}
COUNTS = ("unaccounted", "dropped", "dead_lettered", "duplicates", "reordered")
STATISTICS = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9, "p99.99": 99.99, "max": 100.0}
UNITS = {
    "latency": {"ms": 1.0, "s": 1_000.0},
    "rate": {"/s": 1.0, "k/s": 1e3, "M/s": 1e6},
    "share": {"": 1.0, "%": 0.01},
}
GRAMMAR = re.compile(
    r"\s*(?P<metric>[a-z_]+)(?:\s+(?P<statistic>p[0-9.]+|max))?\s*(?P<relation><=|>=|==|<|>)"
    r"\s*(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>%|ms|s|/s|k/s|M/s)?(?:\s+in\s+(?P<stage>[a-z0-9_-]+))?\s*"
)


@dataclass(frozen=True, slots=True)
class Threshold:
    """One condition."""

    expression: str
    metric: str
    statistic: str | None
    relation: str
    bound: float
    """Milliseconds, messages a second, a share or a number of messages."""
    stage: str | None

    def value(self, tally: Tally) -> float | None:
        """Return what is compared with the bound; None if there is nothing to compare."""
        if self.metric in LATENCIES:
            assert self.statistic is not None
            return tally.percentile_ms(self.metric, STATISTICS[self.statistic])
        if self.metric in RATES:
            return tally.per_s(RATES[self.metric])
        if self.metric == "delivered":
            return tally.delivered
        return float(tally.count(self.metric))

    def holds(self, value: float | None) -> bool:
        """Say whether a value is within the bound; without one nothing was shown, and it is not."""
        if value is None:
            return False
        return {
            "<": value < self.bound,
            "<=": value <= self.bound,
            ">": value > self.bound,
            ">=": value >= self.bound,
            "==": value == self.bound,
        }[self.relation]

    def is_lost(self, tally: Tally) -> bool:
        """Say whether it cannot be met any more, however it goes on: counts and maxima never fall."""
        grows = self.metric in {"dropped", "dead_lettered", "duplicates", "reordered"} or self.statistic == "max"
        value = self.value(tally)
        if not grows or value is None:
            return False
        return value > self.bound if self.relation in {"==", "<="} else self.relation == "<" and value >= self.bound


def parse_threshold(text: str, *, stages: Collection[str] = ()) -> Threshold:
    """Read one threshold. Raises ValueError that says what is wrong and what could be written."""
    found = GRAMMAR.fullmatch(text)
    if found is None:
        message = f"{text!r} is no threshold; write such as `end_to_end p99 < 250 ms` or `unaccounted == 0`"
        raise ValueError(message)
    metric, statistic, unit, stage = (found[name] for name in ("metric", "statistic", "unit", "stage"))
    scale = scale_of(text, metric, statistic, unit or "")
    if stage is not None and stage not in stages:
        known = f"stages have these names: {', '.join(sorted(stages))}" if stages else "no stage has a name"
        message = f"{text!r}: there is no stage {stage!r}; {known}"
        raise ValueError(message)
    return Threshold(text.strip(), metric, statistic, found["relation"], float(found["number"]) * scale, stage)


def scale_of(text: str, metric: str, statistic: str | None, unit: str) -> float:
    """Return what a number in that unit has to be multiplied by. Raises ValueError."""
    kind = next(
        (
            kind
            for kind, names in (
                ("latency", LATENCIES),
                ("rate", tuple(RATES)),
                ("share", ("delivered",)),
                ("count", COUNTS),
            )
            if metric in names
        ),
        None,
    )
    if kind is None:
        known = ", ".join((*LATENCIES, *RATES, "delivered", *COUNTS))
        message = f"{text!r}: there is no metric {metric!r}; there are {known}"
        raise ValueError(message)
    if (kind == "latency") != (statistic is not None) or (statistic is not None and statistic not in STATISTICS):
        advice = f"write one of {', '.join(STATISTICS)} after it" if kind == "latency" else "leave the statistic out"
        message = f"{text!r}: {metric}: {advice}"
        raise ValueError(message)
    units = UNITS.get(kind, {"": 1.0})
    if unit not in units:
        shown = " or ".join(one or "no unit" for one in units)
        message = f"{text!r}: {metric} is told in {shown}"
        raise ValueError(message)
    return units[unit]
