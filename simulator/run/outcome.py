"""The outcome: from the books of a run that is over to its result."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC
from zoneinfo import ZoneInfo

from brokers.endpoint import Broker
from simulator.publish.source import Ending, Glimpse
from simulator.results.result import SCHEMA, Result, machine, versions
from simulator.results.snapshot import Readings
from simulator.results.verdict import Audit, judge
from simulator.run.hops import Hops
from simulator.run.options import Options
from simulator.scenario.loader import Loaded
from simulator.scenario.quantities import instant_text

__all__ = ["SHOWN_DEAD_LETTERS", "SHOWN_GAPS", "Progress", "Spent", "broker_named", "outcome"]

SHOWN_GAPS = 10
MOST_WINDOWS = 1_000
SHOWN_DEAD_LETTERS = 10


@dataclass(slots=True)
class Progress:
    """How far a run has come; written by the run, read by whoever watches."""

    until_ns: int
    """All readings before this simulated instant were handed over or accounted for."""
    park: dict[str, float | int | None] = field(default_factory=dict)
    """The key figures of the park; empty before the first window."""
    glimpse: Glimpse | None = None
    """The machines, where somebody looks at them."""
    windows: int = 0
    """Those that were asked for."""
    left_out: int = 0
    """Readings of these that the wire cannot carry."""
    cpu_s: float = 0.0
    """What making them took, in a process of its own."""
    reason: str | None = None
    """Why the run ends before its time."""
    readings: deque[Readings] = field(default_factory=lambda: deque(maxlen=MOST_WINDOWS))
    """Those that somebody looks at, and that no snapshot has told of."""
    waiting: str | None = None
    """What the run waits for when it has sent all, and how long at most; None while it sends."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run took."""

    started_ns: int
    """Wall clock, since the Unix epoch."""
    finished_ns: int
    busy_s: float
    """Wall time from the first due message to the last commit."""
    cpu_s: float


def broker_named(options: Options, broker: Broker) -> str:
    """Return what ran between publisher and bridge; of an address the scheme only: it may name a host."""
    return options.broker.partition(":")[0] if "://" in options.broker else broker.profile


def outcome(
    loaded: Loaded,
    options: Options,
    hops: Hops,
    progress: Progress,
    ending: Ending,
    *,
    origin_ns: int,
    audit: Audit,
    spent: Spent,
    interrupted: bool,
) -> Result:
    """Make the result of a run whose books are closed."""
    counts = hops.ledger.counts()
    verdict, exit_code = judge(counts, interrupted=interrupted, reason=progress.reason, audit=audit)
    scenario = loaded.scenario
    zone = ZoneInfo(scenario.timezone)
    gaps = hops.ledger.gaps(SHOWN_GAPS) if counts.unaccounted else []
    return Result.model_validate(
        {
            "schema": SCHEMA,
            "scenario": {"name": scenario.name, "sha256": loaded.sha256, "text": loaded.text},
            "seed": options.seed,
            "run_id": hops.run_id,
            "started": instant_text(spent.started_ns, UTC),
            "finished": instant_text(spent.finished_ns, UTC),
            "verdict": verdict,
            "exit_code": int(exit_code),
            "reason": progress.reason or audit.problem,
            "simulated": {
                "start": instant_text(hops.pace.sim_start_ns, zone),
                "origin": instant_text(origin_ns, zone),
                "until": instant_text(progress.until_ns, zone),
                "speed": "max" if options.speed is None else options.speed,
                "broker": broker_named(options, hops.broker),
                "store": options.store.partition(":")[0],
                "rows_found": audit.rows_found,
                "rows_before": audit.rows_before,
            },
            "machine": machine(),
            "versions": versions(),
            "messages": counts.messages(),
            "readings": counts.readings() | {"left_out": progress.left_out},
            "rates": {
                "published_per_s": counts.published / spent.busy_s,
                "received_per_s": counts.received / spent.busy_s,
                "written_readings_per_s": counts.readings_written / spent.busy_s,
            },
            "latency_ms": hops.latency.as_ms(),
            "gateways": None
            if hops.book is None
            else {
                "kept": counts.kept,
                "dropped": counts.spilled,
                "sent_again": hops.book.sent_again,
                "waited_ms": hops.book.waited.as_ms(),
            },
            "retries": hops.retries(),
            "thresholds": [],
            "actions": () if hops.steering is None else hops.steering.actions(),
            "faults": [
                {
                    "kind": one.kind,
                    "target": one.target,
                    "from": instant_text(one.from_ns, zone),
                    "to": None if one.to_ns is None else instant_text(one.to_ns, zone),
                    "cause": one.cause,
                }
                for one in ending.faults
            ],
            "faults_not_listed": ending.faults_not_listed,
            "generator": {"cpu": spent.cpu_s / spent.busy_s, "calibrated_max_per_s": None, "share_of_max": None},
            "park": ending.park,
            "dead_letters": [
                {"topic": one.topic, "reason": one.reason, "payload": one.payload.decode(errors="backslashreplace")}
                for one in hops.bridge.dead_letters.kept[:SHOWN_DEAD_LETTERS]
            ],
            "gaps": [{"topic": hops.catalog.assets[a].topic, "first": first, "last": last} for a, first, last in gaps],
        }
    )
