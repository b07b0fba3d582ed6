"""The feed: what a run looks like from outside, as one document a second, for web page, terminal and Prometheus.

Whoever looks on reads the feed and nothing of the run: a reader that is slow, or gone, holds up nobody.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from simulator.batch import Catalog
from simulator.results.counts import Counts
from simulator.results.result import Result
from simulator.results.snapshot import Snapshot

__all__ = ["SCHEMA", "About", "Feed"]

SCHEMA = "parksim.live/1"
SECOND_NS = 1_000_000_000
MOST_POINTS = 2_000
"""Of the history that a page gets: more than half an hour; later on every second one is left out, and so on."""
RATES = ("published", "received", "written", "readings_written")
ALARM_STATES = frozenset({8, 9, 1})
"""PackML: Aborting, Aborted, Clearing."""
EXECUTE = 6
NOTHING = Snapshot(0, 0, None, Counts(0, 0, 0, 0, 0, {}, {}, 0, 0, 0, 0, 0, 0), None, None, {})
"""A short run is over before anybody has looked."""


@dataclass(frozen=True, slots=True)
class About:
    """What does not change during a run."""

    name: str
    title: str
    run_id: str
    seed: int
    start: str
    """The first simulated instant, ISO 8601."""
    broker: str
    """Its profile, without an address."""
    store: str
    """Its kind."""
    speed: float | str


@dataclass(slots=True)
class Feed:
    """The latest document, and what the charts need of those before. Thread-safe."""

    about: About
    catalog: Catalog
    machines: int
    """So many assets at the beginning of the catalogue are machines."""
    history: deque[dict[str, float | None]] = field(default_factory=deque)
    _document: dict[str, Any] = field(default_factory=dict)
    _before: Snapshot | None = None
    _states: bytes = b""
    _number: int = 0
    _step: int = 1
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def show(self, snapshot: Snapshot) -> None:
        """Take in where the run stands; called about once a second by the run."""
        point = self._point(snapshot)
        document = self._drawn(snapshot, point)
        with self._changed:
            self._number += 1
            self._document, self._before, self._states = document, snapshot, snapshot.states
            if self._number % self._step == 0:
                self.history.append(point)
            if len(self.history) > MOST_POINTS:
                self.history = deque(list(self.history)[::2])
                self._step *= 2
            self._changed.notify_all()

    def end(self, result: Result) -> None:
        """Say how the run ended: the figures are those of the result, and machines stay as they were last seen."""
        document, done = result.document(), result.simulated
        passed = datetime.fromisoformat(done.until) - datetime.fromisoformat(done.start)
        over: dict[str, Any] = {
            "over": True,
            "verdict": result.verdict,
            "exit_code": result.exit_code,
            "trouble": None,
            "waiting": None,
            "simulated_s": passed.total_seconds(),
        }
        with self._changed:
            self._number += 1
            last = self._document or self._drawn(NOTHING, self._point(NOTHING))
            self._document = last | {
                "number": self._number,
                "run": last["run"] | over,
                "messages": document["messages"],
                "readings": document["readings"],
                "latency_ms": document["latency_ms"],
                **(park_of(document["park"]) if document["park"] is not None else {}),
            }
            self._changed.notify_all()

    def document(self) -> dict[str, Any]:
        """Return the latest document; empty before the first."""
        with self._changed:
            return self._document

    def wait(self, after: int, timeout_s: float) -> dict[str, Any] | None:
        """Return the latest document as soon as its number is more than ``after``; None if none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > after, timeout_s)
            return self._document if self._number > after else None

    def points(self) -> list[dict[str, float | None]]:
        """Return the history, oldest first; at most 2,000 points."""
        with self._changed:
            return list(self.history)

    def machines_of(self, factory: str, *, offset: int = 0, limit: int = 200) -> dict[str, Any]:
        """Return machines of a factory, ``SITE/FACTORY``, with their states, a page at a time."""
        with self._changed:
            states = self._states
        found = [
            {"topic": asset.topic, "kind": asset.kind, "line": asset.path[3], "cell": asset.path[4], "state": state}
            for asset, state in zip(self.catalog.assets[: self.machines], states, strict=False)
            if "/".join(asset.path[1:3]) == factory
        ]
        return {"total": len(found), "offset": offset, "machines": found[offset : offset + limit]}

    def alarms(self, limit: int = 100) -> list[dict[str, Any]]:
        """Return machines that are broken down, at most so many."""
        with self._changed:
            states = self._states
        found = (
            {"topic": asset.topic, "kind": asset.kind, "state": state}
            for asset, state in zip(self.catalog.assets[: self.machines], states, strict=False)
            if state in ALARM_STATES
        )
        return [one for one, _ in zip(found, range(limit), strict=False)]

    def _drawn(self, snapshot: Snapshot, point: dict[str, float | None]) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "number": self._number + 1,
            "run": self._run(snapshot),
            "messages": snapshot.counts.messages(),
            "readings": snapshot.counts.readings(),
            "rates": {f"{name}_per_s": point[f"{name}_per_s"] for name in RATES},
            "latency_ms": {name: dict(one) for name, one in snapshot.latency_ms.items()},
            "park": dict(snapshot.park),
            "parts": dict(snapshot.parts),
            "factories": self._factories(snapshot.states, snapshot.parts),
            "point": point,
        }

    def _point(self, snapshot: Snapshot) -> dict[str, float | None]:
        counts = snapshot.counts
        lost = counts.unaccounted + sum(counts.dropped.values()) + sum(counts.dead_lettered.values())
        return {
            "wall_s": snapshot.wall_ns / SECOND_NS,
            **{f"{name}_per_s": snapshot.per_s(self._before, name) for name in RATES},
            "in_flight": float(counts.in_flight),
            "lost": float(lost - sum(counts.spilled.values())),
            "end_to_end_p99_ms": snapshot.end_to_end_ms,
        }

    def _run(self, snapshot: Snapshot) -> dict[str, Any]:
        about = self.about
        return {
            "name": about.name,
            "title": about.title,
            "run_id": about.run_id,
            "seed": about.seed,
            "start": about.start,
            "broker": about.broker,
            "store": about.store,
            "speed": about.speed,
            "wall_s": snapshot.wall_ns / SECOND_NS,
            "simulated_s": snapshot.simulated_ns / SECOND_NS,
            "duration_s": None if snapshot.duration_ns is None else snapshot.duration_ns / SECOND_NS,
            "trouble": snapshot.trouble,
            "waiting": snapshot.waiting,
            "over": False,
            "verdict": None,
            "exit_code": None,
        }

    def _factories(self, states: bytes, parts: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return each factory with its lines, and how many machines of each run or are broken down."""
        oee = parts.get("oee", {})
        found = []
        pairs = list(zip(self.catalog.assets[: self.machines], states, strict=False))
        for path, group in groupby(pairs, key=lambda pair: pair[0].path[1:3]):
            lines: dict[str, list[int]] = {}
            for asset, state in group:
                lines.setdefault(asset.path[3], []).append(state)
            name = "/".join(path)
            found.append(
                {
                    "name": name,
                    "oee": oee.get(name),
                    "lines": [{"name": line, **tallied(each)} for line, each in lines.items()],
                    **tallied([state for each in lines.values() for state in each]),
                }
            )
        return found


def tallied(states: list[int]) -> dict[str, int]:
    return {
        "machines": len(states),
        "running": sum(state == EXECUTE for state in states),
        "alarms": sum(state in ALARM_STATES for state in states),
    }


def park_of(told: dict[str, Any]) -> dict[str, Any]:
    """Return ``park`` of a result as a document has it, with ``parts`` beside it."""
    by_factory = {name: value for name, value in told["oee"].items() if name != "park"}
    parts = {"oee": by_factory, "oee_by_type": told["oee_by_type"], "sites": told["sites"]}
    park = {name: value for name, value in told.items() if name not in parts}
    return {"park": park | {"oee": told["oee"]["park"]}, "parts": parts}
