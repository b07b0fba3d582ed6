"""The highest rate that a pipeline holds: a load test for each rate that is tried, and a longer one to confirm."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from simulator.clock import SECOND_NS
from simulator.errors import ExitCode, OutOfReachError
from simulator.load.bottleneck import Pressure, pressure_of
from simulator.load.profile import profile_of
from simulator.load.search import highest
from simulator.load.tally import Mark, Tally
from simulator.load.thresholds import Threshold
from simulator.results.load_test import Bottleneck, Probe, Search
from simulator.results.result import Result
from simulator.results.snapshot import Snapshot
from simulator.run.load_test.marks import Marks
from simulator.run.load_test.plan import Prepared
from simulator.run.load_test.play import Players, Setting, calibrated
from simulator.run.load_test.verdict import MOST_SHARE, judged
from simulator.scenario.load import Hold, Level

__all__ = ["FIRST_PER_S", "PROBE_S", "find_max"]

FIRST_PER_S = 1_000.0
PROBE_S = 10.0
CONFIRMATION = 3
"""Times as long as a probe."""
WARM = 1 / 3
"""Of a probe, which is not looked at: connections, caches and queues come to their level."""
ATTEMPTS = 2
"""At a rate that failed by little, or because the generator was late: other work on this machine does that."""
MARKS = 24
"""Of a probe, about."""
FLAT_SHARE = 0.06
"""Of the rate over the seconds that are looked at: what piles up more slowly is not seen for the noise."""
CERTAINLY = 0.1
"""Of the rate: what piles up faster for a third of a probe needs no more looking at."""
LATE_AFTER_NS = 2 * SECOND_NS
"""A probe that is so late drops messages: it has failed, and what is next need not wait for it."""


class Attempt(NamedTuple):
    """A rate that was played once."""

    probe: Probe
    was_late: bool
    """Whether the generator was, by itself."""
    was_given_up: bool
    lost: int
    """Messages."""

    @property
    def may_be_chance(self) -> bool:
        """Whether something else on this machine may be why it failed: the generator, or a moment's delay."""
        piled_up = self.probe.backlog_per_s >= CERTAINLY * self.probe.rate_per_s
        return not self.probe.holds and (self.was_late or not (self.was_given_up or piled_up or self.lost))


@dataclass(slots=True)
class Seeker:
    """Plays one rate after the other through the same pipeline."""

    players: Players
    setting: Setting
    thresholds: Sequence[Threshold]
    ceiling: float
    probe_s: float
    stop: threading.Event
    """Set by whoever has waited long enough."""
    best: Result | None = None
    """Of the last confirmation."""
    last: Result | None = None
    """Of whatever was played last."""
    failed: dict[float, Bottleneck] = field(default_factory=dict)
    """What gave way, by rate."""
    number: int = 0

    def play(self, rate: float, is_confirmation: bool) -> Probe | None:  # noqa: FBT001 - the search calls it so
        """Play a rate, once more if it failed by chance as it may be; None if somebody wants the search to end."""
        number = 1
        while (attempt := self._attempt(rate, is_confirmation=is_confirmation)) is not None:
            if attempt.probe.holds:
                self.failed.pop(rate, None)
            if number == ATTEMPTS or not attempt.may_be_chance:
                return attempt.probe.model_copy(update={"attempts": number})
            self.setting.told("  once more: that may have been chance")
            number += 1
        return None

    def _attempt(self, rate: float, *, is_confirmation: bool) -> Attempt | None:
        if self.stop.is_set():
            return None
        self.number += 1
        length_s = self.probe_s * (CONFIRMATION if is_confirmation else 1)
        name = "confirmation" if is_confirmation else f"probe {self.number}"
        self.setting.told(f"{name}: {rate:,.0f} messages/s for {length_s:g} s")
        hold = Hold.model_construct(kind="hold", name="hold", duration=round(length_s * SECOND_NS), rate=Level(rate))
        profile = profile_of([hold])
        marks = Marks((), threading.Event(), given_up=lambda so_far: self._is_hopeless(so_far, length_s))

        def shown(snapshot: Snapshot) -> None:
            if self.stop.is_set():
                marks.stop.set()
            self.setting.on_snapshot(snapshot)

        quiet = self.setting._replace(
            options=replace(self.setting.options, snapshot_s=min(1.0, self.probe_s / MARKS)),
            told=lambda _: None,
            on_open=self.setting.on_open if self.number == 1 else lambda _: None,
            on_snapshot=shown,
        )
        result = self.players.play(quiet, Prepared(profile, late_after_ns=LATE_AFTER_NS), marks)
        if self.stop.is_set():
            return None
        if result.exit_code == ExitCode.OUT_OF_REACH and not marks.was_given_up:
            message = f"{name} at {rate:,.0f} messages/s: {result.verdict}; {result.reason or 'no reason given'}"
            raise OutOfReachError(message)
        marks.thresholds = self.thresholds
        judgement = judged(result, profile, marks, self.ceiling)
        probe = probed(rate, judgement, marks, length_s, is_confirmation=is_confirmation)
        self.last = judgement
        was_late = judgement.exit_code == ExitCode.GENERATOR_TOO_SLOW
        if probe.holds and is_confirmation:
            self.best = judgement
        if not probe.holds and result.load is not None and result.load.bottleneck is not None:
            blamed = result.load.bottleneck
            if was_late:
                blamed = blamed.model_copy(update={"part": "generator", "because": judgement.verdict})
            self.failed[rate] = blamed
        self.setting.told(
            f"  {'holds' if probe.holds else 'fails'}: {probe.written_per_s:,.0f}/s stored; {probe.why or 'flat'}"
        )
        return Attempt(probe, was_late, marks.was_given_up, lost_of(judgement))

    def _is_hopeless(self, marks: Sequence[Mark], length_s: float) -> bool:
        now_s = marks[-1].wall_s
        recent = [mark for mark in marks if mark.wall_s >= now_s - length_s * WARM]
        if now_s < length_s * 2 * WARM or len(recent) < 3:
            return False
        pressure = pressure_of(recent)
        return pressure.backlog_per_s > CERTAINLY * pressure.rate_per_s


def probed(rate: float, result: Result, marks: Marks, length_s: float, *, is_confirmation: bool) -> Probe:
    """Say what came of a rate: flat queues, thresholds and books."""
    warm = [mark for mark in marks.at_work(length_s) if mark.wall_s >= length_s * WARM]
    if len(warm) < 3:
        warm = marks.marks
    pressure, tally = pressure_of(warm), Tally(warm[0], warm[-1])
    reasons = ["given up early"] if marks.was_given_up else []
    reasons += broken(result, pressure, max(0.01, FLAT_SHARE / max(1.0, tally.seconds)))
    return Probe(
        rate_per_s=rate,
        written_per_s=tally.per_s("written"),
        holds=not reasons,
        why="; ".join(reasons),
        backlog_per_s=pressure.backlog_per_s,
        end_to_end_p99_ms=tally.percentile_ms("end_to_end", 99.0),
        is_confirmation=is_confirmation,
    )


def broken(result: Result, pressure: Pressure, flat_share: float) -> list[str]:
    """Return why a rate does not hold."""
    found = [f"{one.expression} failed" for one in result.thresholds if not one.passed]
    if pressure.backlog_per_s > flat_share * pressure.rate_per_s:
        found.append(f"{pressure.backlog_per_s:,.0f}/s piled up")
    if lost := lost_of(result):
        found.append(f"{lost:,} messages lost or dropped")
    if not found and result.exit_code not in {ExitCode.PASS, ExitCode.INTERRUPTED}:
        found.append(result.verdict)
    return found


def lost_of(result: Result) -> int:
    """Return messages that were lost or dropped."""
    return result.messages.unaccounted + sum(result.messages.dropped.values())


def find_max(
    players: Players,
    setting: Setting,
    thresholds: Sequence[Threshold],
    *,
    start_per_s: float | None,
    probe_s: float | None,
    stop: threading.Event,
) -> Result | None:
    """Search, and return the result of the hold that confirmed the rate, or of none: what was tried stands in it.

    Thresholds of a rate or of a stage mean nothing here and are left out. None if it was stopped before anything was
    known. Raises ScenarioError and OutOfReachError.
    """
    ceiling = calibrated(players, setting)
    limit = ceiling * MOST_SHARE
    usable = [one for one in thresholds if one.stage is None and not one.metric.endswith("rate")]
    seeker = Seeker(players, setting, usable, ceiling, probe_s or PROBE_S, stop)
    search = highest(seeker.play, start_per_s=start_per_s or FIRST_PER_S, limit_per_s=limit)
    found = seeker.best or seeker.last
    return None if found is None else concluded(found, search, seeker.failed, limit, stopped=stop.is_set())


def concluded(found: Result, search: Search, failed: dict[float, Bottleneck], limit: float, *, stopped: bool) -> Result:
    """Return the result of the confirmation, or of the last probe, with the search and what gave way above it."""
    assert found.load is not None
    # a rate that failed and held later was no failure
    failed = {rate: blamed for rate, blamed in failed.items() if rate > (search.max_per_s or 0.0) * 0.99}
    gave_way = blamed_for(failed) if failed else found.load.bottleneck
    verdict, code = verdict_of_search(search, gave_way, limit, stopped=stopped)
    load = found.load.model_copy(update={"search": search, "bottleneck": gave_way})
    return found.model_copy(update={"verdict": verdict, "exit_code": int(code), "load": load})


def blamed_for(failed: dict[float, Bottleneck]) -> Bottleneck:
    """Return what gave way: the generator if it was late at the lowest rate that failed; else what the highest shows.

    A little above what a pipeline holds little piles up, and where it does is chance.
    """
    lowest = failed[min(failed)]
    return lowest if lowest.because.startswith("invalid") else failed[max(failed)]


def verdict_of_search(
    search: Search, gave_way: Bottleneck | None, limit: float, *, stopped: bool
) -> tuple[str, ExitCode]:
    """Return one sentence and the exit code. A search that its own generator ended proves nothing: 111."""
    if search.max_per_s is None and stopped:
        held = max((one.rate_per_s for one in search.probes if one.holds), default=0.0)
        return f"interrupted before a rate was confirmed; {held:,.0f} messages/s held so far", ExitCode.INTERRUPTED
    blamed = "" if gave_way is None else f": {gave_way.part} gave way, {gave_way.because}"
    if search.max_per_s is None:
        last = search.probes[-1]
        return f"no rate holds: {last.rate_per_s:,.0f} messages/s failed, {last.why}{blamed}", ExitCode.THRESHOLD_FAILED
    verdict = f"holds {search.max_per_s:,.0f} messages/s"
    if search.first_failed_per_s is None:
        more = f"{verdict}, and more: {limit:,.0f}/s is the most that this generator may judge"
        return more, ExitCode.PASS
    verdict += f", not {search.first_failed_per_s:,.0f}/s{blamed}"
    if gave_way is not None and gave_way.part == "generator":
        return f"invalid: {verdict}; the pipeline may hold more", ExitCode.GENERATOR_TOO_SLOW
    return verdict, ExitCode.PASS
