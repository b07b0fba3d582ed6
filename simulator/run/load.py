"""A load test: calibrated, played after a profile in an open loop, and judged by thresholds."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from brokers import Sink
from simulator.bench.live import Live
from simulator.clock import SECOND_NS, Clock
from simulator.errors import ExitCode, ScenarioError, TooSlowError
from simulator.load.bottleneck import bottleneck_of
from simulator.load.clocks import bent
from simulator.load.files import seconds, series
from simulator.load.profile import Profile, profile_of
from simulator.load.recovery import lost_between, recovered_s
from simulator.load.tally import Mark, Tally
from simulator.load.thresholds import Threshold, parse_threshold
from simulator.plan import plan
from simulator.results.histogram import Histogram
from simulator.results.load_test import Disturbance, LoadTest, StageSpan, Uncorrected
from simulator.results.part import Percentiles
from simulator.results.result import Generator, Result, ThresholdOutcome
from simulator.results.snapshot import Snapshot
from simulator.run.chaos import Chaos, Happened
from simulator.run.execute import execute
from simulator.run.freshness import Freshness
from simulator.run.hops import Hops
from simulator.run.marks import Marks
from simulator.run.options import Load, Options
from simulator.scenario import load as scenario_load
from simulator.scenario.load import LATE_AFTER_NS, Hold, Stage
from simulator.scenario.loader import Loaded

__all__ = ["Prepared", "calibrated", "judged", "load", "play", "prepared", "verdict_of"]

RATE_FOR_S = 60.0
CALIBRATION_S = 3.0
"""Wall time for which the generator shows what it can, about."""
TRIAL_MESSAGES = 20_000
MOST_SHARE = 0.8
"""Of what the generator can at most: above it measures itself."""
LEAST_BLOCKED = 0.01
"""Of the time: what is late at p99 is one message of a hundred."""
MOST_LATENESS_MS = 100.0
"""At p99, above which the generator was too slow to say anything about what is behind it."""


class Prepared(NamedTuple):
    """What is to be played, and how it is judged."""

    profile: Profile
    thresholds: tuple[Threshold, ...] = ()
    late_after_ns: int = LATE_AFTER_NS
    """After which a message is too late, and dropped."""
    disturbances: tuple[scenario_load.Disturbance, ...] = ()


def prepared(loaded: Loaded, *, rate: float | None, duration_s: float | None) -> Prepared:
    """Read what a scenario wants to be loaded with. Raises ScenarioError.

    ``rate`` for ``duration_s`` takes the place of the stages of the file.
    """
    wanted = loaded.scenario.load
    if rate is not None:
        length_ns = round((duration_s or RATE_FOR_S) * 1_000) * 1_000_000
        stages: tuple[Stage, ...] = (Hold.model_construct(kind="hold", name="hold", duration=length_ns, rate=rate),)
    elif wanted is None:
        message = f"{loaded.path}: there is no `load:` in it; write one with stages, or say --rate 5k/s --for 60s"
        raise ScenarioError(message)
    else:
        stages = wanted.stages
    profile = profile_of(stages)
    names = {span.name for span in profile.spans}
    thresholds, problems = [], []
    for text in wanted.thresholds if wanted else ():
        try:
            found = parse_threshold(text, stages=names if rate is None else names | {_stage(text)})
        except ValueError as error:
            problems.append(f"{loaded.path}: load.thresholds: {error}")
        else:
            # a threshold of a stage means nothing to a single rate
            if rate is None or found.stage is None:
                thresholds.append(found)
    # faults belong to the stages of the file as well
    disturbances = wanted.disturbances if wanted is not None and rate is None else ()
    problems += [f"{loaded.path}: {problem}" for problem in untimely(disturbances, profile)]
    if problems:
        raise ScenarioError(*problems)
    return Prepared(profile, tuple(thresholds), wanted.late_after if wanted else LATE_AFTER_NS, disturbances)


def untimely(disturbances: Sequence[scenario_load.Disturbance], profile: Profile) -> list[str]:
    """Return what is wrong with disturbances that outlast the test."""
    return [
        f"load.disturbances: {one.kind} of {one.target} at {one.at / SECOND_NS:g} s for {one.duration / SECOND_NS:g} s"
        f" is not over when the test ends, after {profile.duration_s:g} s"
        for one in disturbances
        if one.at + one.duration >= profile.duration_s * SECOND_NS
    ]


def _stage(text: str) -> str:
    return text.rpartition(" in ")[2].strip()


def calibrated_per_s(loaded: Loaded) -> float:
    """Return messages a second that this generator hands over at most, with a sink behind it that forgets them."""
    messaging = loaded.scenario.messaging
    with (
        Sink() as sink,
        Live(sink, loaded, qos=messaging.qos, version=5, window=messaging.window) as live,
    ):
        per_s = live.measure(TRIAL_MESSAGES).per_s
        return live.measure(max(TRIAL_MESSAGES, round(per_s * CALIBRATION_S))).per_s


def load(
    loaded: Loaded,
    options: Options,
    wanted: Prepared,
    *,
    clock: Clock,
    stop: threading.Event,
    on_open: Callable[[Hops], None],
    on_snapshot: Callable[[Snapshot], None],
    told: Callable[[str], object],
) -> tuple[Result, Marks]:
    """Calibrate, play the profile, and judge. Raises ScenarioError, OutOfReachError, TooSlowError."""
    ceiling = calibrated(loaded, told)
    peak = peak_per_s(wanted.profile)
    if peak > ceiling:
        message = (
            f"the profile asks for {peak:,.0f} messages/s, and this generator can hand over"
            f" {ceiling:,.0f}/s at most: nothing behind it could be judged; ask for less, or use a faster machine"
        )
        raise TooSlowError(message)
    marks = Marks(wanted.thresholds, stop)
    result = play(loaded, options, wanted, marks, clock=clock, on_open=on_open, on_snapshot=on_snapshot, told=told)
    return judged(result, wanted.profile, marks, ceiling), marks


def calibrated(loaded: Loaded, told: Callable[[str], object]) -> float:
    """Return what ``calibrated_per_s`` finds, and tell it."""
    told("calibrating: what this generator hands over at most, into a sink")
    ceiling = calibrated_per_s(loaded)
    told(f"calibrated: {ceiling:,.0f} messages/s at most")
    return ceiling


def play(
    loaded: Loaded,
    options: Options,
    wanted: Prepared,
    marks: Marks,
    *,
    clock: Clock,
    on_open: Callable[[Hops], None],
    on_snapshot: Callable[[Snapshot], None],
    told: Callable[[str], object],
) -> Result:
    """Play a profile until its end or that of ``marks.stop``; not judged yet. Raises as ``execute`` does."""
    profile, natural = wanted.profile, plan(loaded).messages_per_s
    duration_s = profile.simulated_s(natural)
    chaos = Chaos(wanted.disturbances, clock) if wanted.disturbances else None
    played = replace(
        options,
        chaos=chaos,
        load=Load(profile, natural, wanted.late_after_ns),
        speed=duration_s / profile.duration_s,
        duration_ns=round(duration_s * 1_000) * 1_000_000,
    )
    probes: list[Freshness] = []

    def opened(hops: Hops) -> None:
        marks.opened(hops)
        stored = loaded.scenario.stored if options.audits else None
        fresh = Freshness(
            options.store,
            hops.catalog,
            stored,
            publisher=hops.publisher,
            found=hops.latency.queryable,
            clock=clock,
        )
        fresh.start()
        probes.append(fresh)
        on_open(hops)

    def seen(snapshot: Snapshot) -> None:
        marks.seen(snapshot)
        on_snapshot(snapshot)

    try:
        result = execute(loaded, played, clock=clock, stop=marks.stop, on_open=opened, on_snapshot=seen, told=told)
    finally:
        for one in probes:
            one.close()
            marks.offset = one.offset
    early = marks.lost is not None or marks.was_given_up
    marks.ended(marks.marks[-1].wall_s if early else profile.duration_s)
    return told_of(result, profile, marks, () if chaos is None else chaos.happened)


def told_of(result: Result, profile: Profile, marks: Marks, happened: Sequence[Happened]) -> Result:
    """Return the result with what happened second by second, and what gave way."""
    sending = None if marks.hops is None else marks.hops.latency.from_sending
    found = LoadTest(
        stages=tuple(StageSpan(name=s.name, kind=s.kind, from_s=s.from_s, to_s=s.to_s) for s in profile.spans),
        seconds=series(seconds(marks.marks, profile)),
        latency_from_sent_ms=None if sending is None else Uncorrected.model_validate(sending.as_ms()),
        queryable_ms=percentiles(marks.hops.latency.queryable) if marks.hops is not None else None,
        bottleneck=bottleneck_of(marks.at_work(profile.duration_s)),
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
        rest = "" if result.exit_code == ExitCode.PASS else f"; {result.verdict}"
        return f"all {len(outcomes)} thresholds hold{rest}", ExitCode(result.exit_code)
    return result.verdict, ExitCode(result.exit_code)
