"""Bottleneck: which part of a pipeline gave way, from where messages piled up and how each part spent its time.

A queue that grows stands before the part that is too slow, or before one that waits for a slower part behind it: a
bridge whose database is slow receives nothing meanwhile, and its messages pile up at the broker. So the parts are
asked from the end to the beginning, each how much of its time it was busy itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from simulator.load.tally import Mark, Tally
from simulator.results.load_test import Bottleneck

__all__ = ["Pressure", "bottleneck_of", "pressure_of"]

FLAT_SHARE = 0.01
"""Of the rate: a backlog that grows slower is flat. A queue of 1 % of a second more each second shows in any test."""
BUSY_SHARE = 0.8
"""Of its time, from which on a part is the one that cannot do more."""
BLOCKED_SHARE = 0.5
"""Of its time that the publisher found no room, from which on the broker holds it up."""
DUE_LATE_S = 0.005
"""A publisher that is later than that at the median has messages waiting."""


@dataclass(frozen=True, slots=True)
class Pressure:
    """How fast messages pile up before each part, messages/s, and how busy the parts are."""

    rate_per_s: float
    """That came into the pipeline, dropped ones included."""
    before: dict[str, float]
    """Growth before generator, bridge and database: due and not sent, acknowledged and not received, received and not
    written."""
    lost_per_s: float
    """Dropped by the generator because it was too late for them."""
    blocked: float
    writing: float
    working: float
    """Shares of the time of the publisher, and of the lanes."""
    cpu: dict[str, float]
    """Cores that each process used, where known."""

    @property
    def backlog_per_s(self) -> float:
        """How fast all of it grows, lost messages included; never below 0 for one part that catches up."""
        return sum(max(0.0, slope) for slope in self.before.values()) + self.lost_per_s

    @property
    def is_flat(self) -> bool:
        return self.backlog_per_s <= FLAT_SHARE * max(1.0, self.rate_per_s)


def pressure_of(marks: Sequence[Mark]) -> Pressure:
    """Return what the marks of a stretch say; at least two. Raises ValueError for fewer."""
    if len(marks) < 2:
        message = "two marks at least are needed to see whether anything grows"
        raise ValueError(message)
    whole = Tally(marks[0], marks[-1])
    before = {
        "generator": slope([(mark.wall_s, unsent(earlier, mark)) for earlier, mark in pairwise(marks)]),
        "bridge": slope([(m.wall_s, float(m.counts.acknowledged - m.counts.received)) for m in marks]),
        "database": slope([(m.wall_s, float(m.counts.received - m.counts.written - buried(m))) for m in marks]),
    }
    first, last = marks[0].effort, marks[-1].effort
    seconds = max(1e-9, whole.seconds)
    lanes_s = seconds * last.lanes
    writing = (last.writing_s - first.writing_s) / lanes_s
    listening = (last.listening_s - first.listening_s) / lanes_s
    cpu = {"generator and bridge": (last.cpu_s - first.cpu_s) / seconds}
    if last.broker_cpu_s is not None and first.broker_cpu_s is not None:
        cpu["broker"] = (last.broker_cpu_s - first.broker_cpu_s) / seconds
    return Pressure(
        rate_per_s=(whole.count("published") + whole.count("dropped")) / seconds,
        before=before,
        lost_per_s=whole.count("dropped") / seconds,
        blocked=min(1.0, (last.blocked_s - first.blocked_s) / seconds / last.publishers),
        writing=min(1.0, writing),
        working=min(1.0, max(0.0, 1.0 - writing - listening)),
        cpu=cpu,
    )


def buried(mark: Mark) -> int:
    return sum(mark.counts.dead_lettered.values())


def unsent(before: Mark, after: Mark) -> float:
    """Return about how many messages are due and not sent: those of the time by which the publisher is late."""
    tally = Tally(before, after)
    late_s = (tally.percentile_ms("lateness", 50.0) or 0.0) / 1_000
    return 0.0 if late_s < DUE_LATE_S else late_s * tally.per_s("scheduled")


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return how fast a value rises, per second, by least squares."""
    at_s = np.array([point[0] for point in points])
    if len(at_s) < 2 or np.ptp(at_s) == 0:
        return 0.0
    return float(np.polyfit(at_s, np.array([point[1] for point in points]), 1)[0])


def bottleneck_of(marks: Sequence[Mark]) -> Bottleneck | None:
    """Say which part gave way; ``none`` if nothing piled up. None if the test was too short to say."""
    if len(marks) < 3:
        return None
    found = pressure_of(marks)
    part, because = "none", f"nothing piled up at {found.rate_per_s:,.0f} messages/s"
    if not found.is_flat:
        part, because = named(found)
        because = f"{because}; {where(found)}"
    busy = {
        "publisher held up by the broker": found.blocked,
        "bridge at work": found.working,
        "bridge waiting for the database": found.writing,
        **{f"cores: {name}": share for name, share in found.cpu.items()},
    }
    return Bottleneck(
        part=part,
        because=because,
        backlog_per_s={name: round(value, 3) for name, value in found.before.items()}
        | {"dropped": round(found.lost_per_s, 3)},
        busy={name: round(value, 4) for name, value in busy.items()},
    )


def named(found: Pressure) -> tuple[str, str]:
    if found.writing + found.working >= BUSY_SHARE:
        said = f"of its time the bridge waited {found.writing:.0%} for the database and was at work {found.working:.0%}"
        return "database" if found.writing >= found.working else "bridge", said
    if found.blocked >= BLOCKED_SHARE:
        return "broker", f"it took nothing more {found.blocked:.0%} of the time"
    behind = max(found.before, key=lambda name: found.before[name])
    if behind == "generator" or found.lost_per_s > found.before[behind]:
        said = f"it was late though the broker held it up only {found.blocked:.0%} of the time"
        return "generator", said
    if behind == "bridge":
        idle = 1.0 - found.writing - found.working
        return "broker", f"it delivered too slowly: the bridge waited for messages {idle:.0%} of the time"
    return "database", "rows waited for it"


def where(found: Pressure) -> str:
    names = {"generator": "due and not sent", "bridge": "at the broker", "database": "at the bridge"}
    grown = [f"{slope:,.0f}/s more {names[name]}" for name, slope in found.before.items() if slope > 1]
    grown += [f"{found.lost_per_s:,.0f}/s dropped"] if found.lost_per_s else []
    return ", ".join(grown) or "queues grew"
