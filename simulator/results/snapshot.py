"""A snapshot: where a run stands at one moment, for whoever watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.results.counts import Counts

__all__ = ["Latest", "Mark", "Readings", "Snapshot"]

SECOND_NS = 1_000_000_000


class Readings(NamedTuple):
    """What sensors show that somebody looks at; columns of one length."""

    time_ns: NDArray[np.int64]
    """Simulated, since the Unix epoch."""
    sensor: NDArray[np.int32]
    """Number in the catalogue."""
    value: NDArray[np.float64]


class Latest(NamedTuple):
    """The last reading of some sensors; NaN for those that have said nothing yet."""

    sensor: NDArray[np.int64]
    """int64[K]: numbers in the catalogue."""
    value: NDArray[np.float64]


class Mark(NamedTuple):
    """Something that happened during a run, for its charts; seconds of wall time since the first message was due."""

    what: str
    """``fault``, ``pause`` or ``speed``."""
    from_s: float
    to_s: float | None
    """None: not over."""
    kind: str | None
    """Of a fault; of a speed, which one."""
    target: str | None
    cause: str | None


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
    speed: float | None = None
    """Simulated seconds per second as it goes now; None: as fast as it can."""
    is_paused: bool = False
    marks: tuple[Mark, ...] = ()
    """What happened, the last hundred; empty where nobody looks at it."""
    systems: Latest | None = None
    """What the systems of the sites show; None where nobody looks at it."""
    readings: tuple[Readings, ...] = ()
    """Of the assets that somebody looks at, since the snapshot before."""

    def per_s(self, before: Snapshot | None, count: str) -> float:
        """Return how fast a field of ``counts`` rose since ``before``, per second of wall time; 0 without time."""
        passed_ns = self.wall_ns - (before.wall_ns if before else 0)
        risen = getattr(self.counts, count) - (getattr(before.counts, count) if before else 0)
        return risen * SECOND_NS / passed_ns if passed_ns > 0 else 0.0
