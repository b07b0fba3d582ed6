"""What a load test found: thresholds, what gave way, and whether the measurement is worth anything."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from simulator.errors import ExitCode
from simulator.load.bottleneck import bottleneck_of
from simulator.load.clocks import bent
from simulator.load.files import seconds, series
from simulator.load.profile import Profile
from simulator.load.recovery import lost_between, recovered_s
from simulator.load.tally import Mark, Tally
from simulator.load.thresholds import Threshold
from simulator.results.histogram import Histogram
from simulator.results.load_test import Disturbance, LoadTest, StageSpan, Uncorrected
from simulator.results.part import Percentiles
from simulator.results.result import Generator, Result, ThresholdOutcome
from simulator.run.load_test.chaos import Happened
from simulator.run.load_test.marks import Marks

__all__ = ["MOST_SHARE", "judged", "peak_per_s", "told_of", "verdict_of"]

MOST_SHARE = 0.8
"""Of what the generator can at most: above it measures itself."""
LEAST_BLOCKED = 0.01
"""Of the time: what is late at p99 is one message of a hundred."""
MOST_LATENESS_MS = 100.0
"""At p99, above which the generator was too slow to say anything about what is behind it."""


def told_of(
    result: Result,
    profile: Profile,
    marks: Marks,
    happened: Sequence[Happened],
    *,
    sending: Mapping[str, object] | None = None,
) -> Result:
    """Return the result with what happened second by second, and what gave way.

    ``sending``: the latencies from sending, if they are not those of the hops of the marks.
    """
    if sending is None and marks.hops is not None and marks.hops.latency.from_sending is not None:
        sending = marks.hops.latency.from_sending.as_ms()
    found = LoadTest(
        stages=tuple(StageSpan(name=s.name, kind=s.kind, from_s=s.from_s, to_s=s.to_s) for s in profile.spans),
        seconds=series(seconds(marks.marks, profile)),
        latency_from_sent_ms=None if sending is None else Uncorrected.model_validate(sending),
        queryable_ms=percentiles(Histogram.unpacked(marks.marks[-1].histograms["queryable"])),
        bottleneck=bottleneck_of(marks.at_work(profile.duration_s)),
        servers=marks.servers,
        clocks=marks.clocks.found(marks.offset),
        disturbances=tuple(disturbance(one, marks.marks) for one in sorted(happened, key=lambda one: one.from_s)),
    )
    return result.model_copy(update={"load": found})


def disturbance(one: Happened, marks: Sequence[Mark]) -> Disturbance:
    """Return what came of a disturbance, its recovery included."""
    after_s = recovered_s(marks, one.from_s, one.to_s)
    end_s = math.inf if after_s is None else one.to_s + after_s
    return Disturbance(
        kind=one.what.kind,
        target=one.what.target,
        from_s=one.from_s,
        to_s=one.to_s,
        recovered_s=after_s,
        lost=lost_between(marks, one.from_s, end_s),
    )


def percentiles(found: Histogram) -> Percentiles | None:
    return Percentiles.model_validate(found.as_ms()) if len(found) else None


def peak_per_s(profile: Profile) -> float:
    """Return the most messages that are due in any second."""
    seconds = np.arange(max(1, int(profile.duration_s)))
    due = np.interp(np.append(seconds, seconds[-1] + 1), profile.at_s, profile.due)
    return float(np.diff(due).max()) / min(1.0, profile.duration_s)


def judged(result: Result, profile: Profile, marks: Marks, ceiling: float) -> Result:
    """Return the result with thresholds, the share of the ceiling, and the verdict that follows."""
    spans = {span.name: span for span in profile.spans}
    whole = Tally(marks.marks[0], marks.marks[-1])
    outcomes = []
    for one in marks.thresholds:
        tally = whole if one.stage is None else marks.between(spans[one.stage].from_s, spans[one.stage].to_s)
        value = one.value(tally)
        outcomes.append(
            ThresholdOutcome.model_validate({"expression": one.expression, "value": value, "pass": one.holds(value)})
        )
    share = peak_per_s(profile) / ceiling
    generator = Generator(cpu=result.generator.cpu, calibrated_max_per_s=ceiling, share_of_max=share)
    verdict, code = verdict_of(result, outcomes, share, marks.lost, blocked=whole.blocked)
    if result.load is not None and result.load.clocks is not None:
        verdict = "; ".join((verdict, *bent(result.load.clocks)))
    return result.model_copy(
        update={"thresholds": tuple(outcomes), "generator": generator, "verdict": verdict, "exit_code": int(code)}
    )


def verdict_of(
    result: Result, outcomes: Sequence[ThresholdOutcome], share: float | None, lost: Threshold | None, *, blocked: float
) -> tuple[str, ExitCode]:
    """Return one sentence and the exit code: what makes the measurement itself worthless goes first.

    A generator that the broker held up, for the share ``blocked`` of the time, was not late by itself.
    """
    if result.exit_code == ExitCode.OUT_OF_REACH or (result.exit_code == ExitCode.INTERRUPTED and lost is None):
        return result.verdict, ExitCode(result.exit_code)
    lateness = result.latency_ms.lateness.p99 or 0.0
    if share is not None and share > MOST_SHARE:
        said = f"invalid: the generator had to give {share:.0%} of what it can, more than {MOST_SHARE:.0%}"
        return f"{said}; what was measured may be its own limit", ExitCode.GENERATOR_TOO_SLOW
    failed = [one.expression for one in outcomes if not one.passed]
    is_late = lateness > MOST_LATENESS_MS and blocked < LEAST_BLOCKED
    if not failed and is_late and not result.messages.dropped:
        said = f"invalid: the generator was late by {lateness:,.0f} ms at p99, more than {MOST_LATENESS_MS:g} ms"
        return said, ExitCode.GENERATOR_TOO_SLOW
    if failed:
        early = ", and was ended early" if lost is not None else ""
        number = f"{len(failed)} of {len(outcomes)} thresholds failed"
        return f"{number}: {'; '.join(failed)}{early}", ExitCode.THRESHOLD_FAILED
    if outcomes:
        before = "" if result.exit_code == ExitCode.PASS else f"{result.verdict}; "
        return f"{before}all {len(outcomes)} thresholds hold", ExitCode(result.exit_code)
    return result.verdict, ExitCode(result.exit_code)
