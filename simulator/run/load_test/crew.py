"""The crew: several workers that send a park together, each its own machines, and a result that is their sum."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC
from functools import reduce
from itertools import zip_longest
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Self

from simulator.clock import SECOND_NS, Clock
from simulator.errors import ScenarioError, SourceError
from simulator.load.profile import Profile
from simulator.load.tally import Mark
from simulator.results.histogram import Histogram, Packed
from simulator.results.latency import HOPS
from simulator.results.part import Percentiles
from simulator.results.result import Result
from simulator.results.snapshot import Snapshot
from simulator.results.verdict import Audit, judge
from simulator.run.hops import Hops, enter_broker
from simulator.run.load_test.marks import Marks
from simulator.run.load_test.plan import Prepared
from simulator.run.load_test.verdict import told_of
from simulator.run.load_test.worker import Calibrate, Met, Order, Report
from simulator.run.options import Options
from simulator.scenario.loader import Loaded
from simulator.scenario.quantities import instant_text

__all__ = ["Crew"]

LEAD_NS = SECOND_NS // 2
ENDED_S = 10.0
LOOK_S = 0.2
SHOWN = 10
"""Gaps and dead letters that a result lists."""


class Crew:
    """Processes that do the same at once. A context manager that ends them."""

    def __init__(self, workers: int) -> None:
        self._lines: list[Connection] = []
        self._children: list[subprocess.Popen[bytes]] = []
        for _ in range(workers):
            ours, theirs = Pipe()
            with theirs:
                code = f"from simulator.run.load_test.worker import main; main({theirs.fileno()})"
                child = subprocess.Popen(  # noqa: S603 - a module of ours, by the interpreter that runs it
                    [sys.executable, "-c", code],
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    process_group=0,  # Ctrl-C is for us, who tell them
                )
            self._lines.append(ours)
            self._children.append(child)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self._lines:
            line.close()
        for child in self._children:
            with suppress(subprocess.TimeoutExpired):
                child.wait(ENDED_S)
            child.kill()
            child.wait()

    def calibrated_per_s(self, loaded: Loaded) -> float:
        """Return messages a second that all of them together hand over at most, each into a sink of its own."""
        for line in self._lines:
            line.send(Calibrate(loaded))
        return sum(float(answer(line)) for line in self._lines)

    def play(
        self,
        loaded: Loaded,
        options: Options,
        wanted: Prepared,
        marks: Marks,
        *,
        clock: Clock,
        on_open: Callable[[Hops], None],  # noqa: ARG002 - the hops are open elsewhere
        on_snapshot: Callable[[Snapshot], None],
        told: Callable[[str], object],
    ) -> Result:
        """Play a profile together until its end or that of ``marks.stop``; not judged yet.

        Raises ScenarioError, OutOfReachError, SourceError.
        """
        if wanted.disturbances or options.audits:
            message = "--workers: not together with load.disturbances or --bridge none; leave it out"
            raise ScenarioError(message)
        with ExitStack() as stack:
            broker = enter_broker(stack, options.broker, loaded.scenario)
            if broker.endpoint is None:
                message = f"--workers: they cannot share the broker {options.broker!r}; use mosquitto or an address"
                raise ScenarioError(message)
            shared = options.broker if "://" in options.broker else str(broker.endpoint)
            fixed = with_start(loaded, clock)
            for number, line in enumerate(self._lines):
                line.send(Order(fixed, replace(options, broker=shared), wanted, number, len(self._lines)))
            for line in self._lines:
                answer(line)
            begin_ns = clock.monotonic_ns() + LEAD_NS
            for line in self._lines:
                line.send(Met(begin_ns))
            told(f"broker: {broker.profile}")
            reports = self._followed(marks, on_snapshot)
            return together(reports, marks, wanted.profile, broker.profile)

    def _followed(self, marks: Marks, on_snapshot: Callable[[Snapshot], None]) -> list[Report]:
        """Show what the workers tell until all have ended; pass on a wish to end before."""
        latest: dict[int, Snapshot] = {}
        reports: dict[int, Report] = {}
        is_told = False
        while len(reports) < len(self._lines):
            if marks.stop.is_set() and not is_told:
                is_told = True
                for line in self._lines:
                    line.send("stop")
            ready = wait([one for n, one in enumerate(self._lines) if n not in reports], LOOK_S)
            for number, line in enumerate(self._lines):
                if line not in ready:
                    continue
                said = answer(line)
                if isinstance(said, Report):
                    reports[number] = said
                else:
                    latest[number] = said
                    if number == 0 and len(latest) == len(self._lines):
                        on_snapshot(summed(list(latest.values())))
        return [reports[number] for number in sorted(reports)]


def answer(line: Connection) -> Any:
    """Receive; what went wrong there is raised here. Raises SourceError if nobody is there any more."""
    try:
        said = line.recv()
    except (EOFError, OSError) as error:
        message = "a worker has ended without a word"
        raise SourceError(message) from error
    if isinstance(said, Exception):
        raise said
    return said


def with_start(loaded: Loaded, clock: Clock) -> Loaded:
    """Return the scenario with the first instant fixed, so that all workers live the same park."""
    if loaded.scenario.start != "now":
        return loaded
    start = instant_text(clock.now_ns() // SECOND_NS * SECOND_NS, UTC)
    return replace(loaded, scenario=loaded.scenario.model_copy(update={"start": start}))


def summed(parts: Sequence[Snapshot]) -> Snapshot:
    """Return where all of them stand."""
    first = parts[0]
    late = [one.end_to_end_ms for one in parts if one.end_to_end_ms is not None]
    return replace(
        first,
        counts=reduce(lambda a, b: a + b, (one.counts for one in parts)),
        end_to_end_ms=max(late, default=None),
        trouble=next((one.trouble for one in parts if one.trouble), None),
    )


def together(reports: Sequence[Report], marks: Marks, profile: Profile, broker: str) -> Result:
    """Return the sum of the parts; the marks become theirs."""
    columns = zip_longest(*(report.marks for report in reports))
    last = [report.marks[-1] for report in reports]
    marks.marks = [
        reduce(lambda a, b: a + b, (mark or last[number] for number, mark in enumerate(row))) for row in columns
    ]
    final: Mark = reduce(lambda a, b: a + b, last)
    marks.marks[-1] = replace(final, wall_s=marks.marks[-1].wall_s)
    results = [report.result for report in reports]
    base, counts = results[0], final.counts
    found, before = (total([getattr(one.simulated, name) for one in results]) for name in ("rows_found", "rows_before"))
    reason = next((one.reason for one in results if one.reason), None)
    verdict, code = judge(
        counts, interrupted=marks.stop.is_set() and marks.lost is None, reason=reason, audit=Audit(found, before)
    )
    rates = {name: sum(getattr(one.rates, name) for one in results) for name in type(base.rates).model_fields}
    sending = {name: merged([report.sending[name] for report in reports]) for name in reports[0].sending}
    result = base.model_copy(
        update={
            "finished": max(one.finished for one in results),
            "verdict": verdict,
            "exit_code": int(code),
            "reason": reason,
            "simulated": base.simulated.model_copy(
                update={"rows_found": found, "rows_before": before, "broker": broker}
            ),
            "messages": type(base.messages).model_validate(counts.messages()),
            "readings": type(base.readings).model_validate(counts.readings() | {"left_out": base.readings.left_out}),
            "rates": type(base.rates).model_validate(rates),
            "latency_ms": type(base.latency_ms).model_validate(
                {name: Histogram.unpacked(final.histograms[name]).as_ms() for name in HOPS}
            ),
            "retries": dict(sum((Counter(one.retries) for one in results), Counter())),
            "generator": base.generator.model_copy(update={"cpu": sum(one.generator.cpu or 0.0 for one in results)}),
            "dead_letters": tuple(one for each in results for one in each.dead_letters)[:SHOWN],
            "gaps": tuple(one for each in results for one in each.gaps)[:SHOWN],
        }
    )
    told = told_of(result, profile, marks, (), sending=sending)
    assert told.load is not None
    queryable = Histogram.unpacked(final.histograms["queryable"])
    return told.model_copy(
        update={
            "load": told.load.model_copy(
                update={
                    "workers": len(reports),
                    "clocks": None if base.load is None else base.load.clocks,
                    "queryable_ms": Percentiles.model_validate(queryable.as_ms()) if len(queryable) else None,
                }
            )
        }
    )


def merged(parts: Sequence[Packed]) -> dict[str, float | int | None]:
    """Return the percentiles of histograms together."""
    return reduce(lambda a, b: a + b, map(Histogram.unpacked, parts), Histogram()).as_ms()


def total(parts: Sequence[int | None]) -> int | None:
    return None if None in parts else sum(part or 0 for part in parts)
