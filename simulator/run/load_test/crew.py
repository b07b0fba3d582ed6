"""The crew: several workers that send a park together, each its own machines, and a result that is their sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from itertools import zip_longest
from multiprocessing.connection import Connection, wait
from typing import Any

from simulator.clock import SECOND_NS, Clock
from simulator.errors import ScenarioError, SourceError
from simulator.load.profile import Profile
from simulator.load.tally import Mark
from simulator.publish.child import Child
from simulator.publish.source import first_instant_ns
from simulator.results.histogram import Histogram, Packed
from simulator.results.latency import HOPS
from simulator.results.result import Result
from simulator.results.snapshot import Snapshot
from simulator.results.verdict import Audit, judge
from simulator.run.hops import enter_broker
from simulator.run.load_test.marks import Marks
from simulator.run.load_test.plan import Prepared
from simulator.run.load_test.play import Setting
from simulator.run.load_test.verdict import told_of
from simulator.run.load_test.worker import Calibrate, Met, Order, Report
from simulator.run.outcome import SHOWN_DEAD_LETTERS, SHOWN_GAPS, broker_named
from simulator.scenario.loader import Loaded

__all__ = ["Crew"]

WORKER = "simulator.run.load_test.worker"
LEAD_NS = SECOND_NS // 2
ENDED_S = 10.0
LOOK_S = 0.2


class Crew:
    """Several processes that do the same at once; new ones each time that something is to be done."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    @contextmanager
    def _at_work(self) -> Iterator[list[Connection]]:
        """Start the processes; yield the lines to them, and end them."""
        with ExitStack() as stack:
            children = [Child(WORKER, ended_s=ENDED_S) for _ in range(self._workers)]
            for child in children:
                stack.callback(child.close)
            yield [child.line for child in children]

    def calibrated_per_s(self, loaded: Loaded) -> float:
        """Return messages a second that all of them together hand over at most, each into a sink of its own."""
        with self._at_work() as lines:
            for line in lines:
                line.send(Calibrate(loaded))
            return sum(float(answer(line)) for line in lines)

    def play(self, setting: Setting, wanted: Prepared, marks: Marks) -> Result:
        """Play a profile together until its end or that of ``marks.stop``; not judged yet.

        Raises ScenarioError, OutOfReachError, SourceError.
        """
        loaded, options, clock = setting.loaded, setting.options, setting.clock
        if wanted.disturbances or options.audits:
            message = "--workers: not together with load.disturbances or --bridge none; leave it out"
            raise ScenarioError(message)
        with ExitStack() as stack:
            broker = enter_broker(stack, options.broker, loaded.scenario)
            if broker.endpoint is None:
                message = f"--workers: they cannot share the broker {options.broker!r}; use mosquitto or an address"
                raise ScenarioError(message)
            shared = options.broker if "://" in options.broker else str(broker.endpoint)
            fixed, orders = with_start(loaded, clock), replace(options, broker=shared)
            lines = stack.enter_context(self._at_work())
            for number, line in enumerate(lines):
                line.send(Order(fixed, orders, wanted, number, len(lines)))
            for line in lines:
                answer(line)
            begin_ns = clock.monotonic_ns() + LEAD_NS
            for line in lines:
                line.send(Met(begin_ns))
            setting.told(f"broker: {broker.profile}")
            reports = followed(lines, marks, setting.on_snapshot)
            return together(reports, marks, wanted.profile, broker_named(options, broker))


def followed(lines: Sequence[Connection], marks: Marks, on_snapshot: Callable[[Snapshot], None]) -> list[Report]:
    """Show what the workers tell until all have ended; pass on a wish to end before."""
    latest: dict[int, Snapshot] = {}
    reports: dict[int, Report] = {}
    is_told = False
    while len(reports) < len(lines):
        if marks.stop.is_set() and not is_told:
            is_told = True
            for line in lines:
                line.send("stop")
        ready = wait([one for n, one in enumerate(lines) if n not in reports], LOOK_S)
        for number, line in enumerate(lines):
            if line not in ready:
                continue
            said = answer(line)
            if isinstance(said, Report):
                reports[number] = said
            else:
                latest[number] = said
                if number == 0 and len(latest) == len(lines):
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
    start = datetime.fromtimestamp(first_instant_ns(loaded.scenario, clock) // SECOND_NS, UTC)
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
    left_out = sum(one.readings.left_out for one in results)
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
            "readings": type(base.readings).model_validate(counts.readings() | {"left_out": left_out}),
            "rates": type(base.rates).model_validate(rates),
            "latency_ms": type(base.latency_ms).model_validate(
                {name: Histogram.unpacked(final.histograms[name]).as_ms() for name in HOPS}
            ),
            "retries": dict(sum((Counter(one.retries) for one in results), Counter())),
            "generator": base.generator.model_copy(update={"cpu": sum(one.generator.cpu or 0.0 for one in results)}),
            "dead_letters": tuple(one for each in results for one in each.dead_letters)[:SHOWN_DEAD_LETTERS],
            "gaps": tuple(one for each in results for one in each.gaps)[:SHOWN_GAPS],
        }
    )
    told = told_of(result, profile, marks, (), sending=sending)
    assert told.load is not None
    assert base.load is not None
    # all of them are on this machine, and ask the same database
    load = told.load.model_copy(update={"workers": len(reports), "clocks": base.load.clocks})
    return told.model_copy(update={"load": load})


def merged(parts: Sequence[Packed]) -> dict[str, float | int | None]:
    """Return the percentiles of histograms together."""
    return reduce(lambda a, b: a + b, map(Histogram.unpacked, parts), Histogram()).as_ms()


def total(parts: Sequence[int | None]) -> int | None:
    return None if None in parts else sum(part or 0 for part in parts)
