"""A tally: what a stretch of a run came to, its counts and its histograms, as the difference of two moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from simulator.load.effort import Effort
from simulator.results.counts import Counts
from simulator.results.histogram import Histogram, Packed
from simulator.results.latency import HOPS, Latency

__all__ = ["Mark", "Tally"]

NAMES = (*HOPS, "queryable")


@dataclass(frozen=True, slots=True)
class Mark:
    """Everything that was counted until a moment."""

    wall_s: float
    counts: Counts
    histograms: dict[str, Packed]
    effort: Effort

    @classmethod
    def of(cls, wall_s: float, counts: Counts, latency: Latency, effort: Effort | None = None) -> Self:
        """Copy what there is now."""
        copies = {name: getattr(latency, name).packed() for name in NAMES}
        return cls(wall_s, counts, copies, effort or Effort())

    def __add__(self, other: Self) -> Self:
        """Return what two workers counted together until about the same moment."""
        both = {
            name: (Histogram.unpacked(mine) + Histogram.unpacked(other.histograms[name])).packed()
            for name, mine in self.histograms.items()
        }
        wall_s = max(self.wall_s, other.wall_s)
        return type(self)(wall_s, self.counts + other.counts, both, self.effort + other.effort)


@dataclass(frozen=True, slots=True)
class Tally:
    """From one mark to a later one."""

    before: Mark
    after: Mark

    @property
    def seconds(self) -> float:
        return self.after.wall_s - self.before.wall_s

    def count(self, name: str) -> int:
        """Return how many messages more a field of the counts has; dropped and dead-lettered ones of all reasons."""
        return total(self.after.counts, name) - total(self.before.counts, name)

    def per_s(self, name: str) -> float:
        return self.count(name) / self.seconds if self.seconds > 0 else 0.0

    @property
    def blocked(self) -> float:
        """The share of the time that the publisher had messages and the broker took none."""
        blocked_s = self.after.effort.blocked_s - self.before.effort.blocked_s
        return blocked_s / max(1e-9, self.seconds) / self.after.effort.publishers

    @property
    def delivered(self) -> float | None:
        """The share of what was due that the store has."""
        scheduled = self.count("scheduled")
        return self.count("written") / scheduled if scheduled else None

    def percentile_ms(self, name: str, percent: float) -> float | None:
        """Return a percentile of the samples that came in between, milliseconds; None without any."""
        before, after = (Histogram.unpacked(mark.histograms[name]) for mark in (self.before, self.after))
        found = (after - before).percentile(percent)
        return None if found is None else found / 1e6


def total(counts: Counts, name: str) -> int:
    value = getattr(counts, name)
    return sum(value.values()) if isinstance(value, dict) else int(value)
