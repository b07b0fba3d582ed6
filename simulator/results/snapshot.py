"""A snapshot: where a run stands at one moment, for whoever watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.results.counts import Counts

__all__ = ["Snapshot"]

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The counts of a run at one moment; the difference of two of them is a rate."""

    wall_ns: int
    """Since the first message was due; below 0 before that."""
    simulated_ns: int
    """Since the start of the run."""
    duration_ns: int | None
    """Simulated time that the run is to take; None: until somebody stops it."""
    counts: Counts
    end_to_end_ms: float | None
    """99th percentile from due to committed, since the start; None at full speed, where nothing is due."""
    trouble: str | None
    """What is wrong at this moment; None while all is well."""
    park: Mapping[str, float | int | None]
    """The key figures of the park; empty before the first window."""
    states: bytes = b""
    """PackML states of machines: byte n is that of asset n of the catalogue; empty where nobody looks at them."""
    parts: Mapping[str, Any] = field(default_factory=dict)
    """OEE of factories and machine types, and the figures of each site; empty where nobody looks at them."""
    latency_ms: Mapping[str, Mapping[str, float | int | None]] = field(default_factory=dict)
    """As in a result, since the start."""
    waiting: str | None = None
    """What a run that sends no more waits for, and how long at most; None while it sends."""

    def per_s(self, before: Snapshot | None, count: str) -> float:
        """Return how fast a field of ``counts`` rose since ``before``, per second of wall time; 0 without time."""
        passed_ns = self.wall_ns - (before.wall_ns if before else 0)
        risen = getattr(self.counts, count) - (getattr(before.counts, count) if before else 0)
        return risen * SECOND_NS / passed_ns if passed_ns > 0 else 0.0
