"""The verdict: what the counts of a run, and what its store says, mean for whoever started it."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.errors import ExitCode
from simulator.results.counts import Counts

__all__ = ["Audit", "judge"]

OTHER_RUN = "of no message of this run"
"""How the reasons end by which the bridge counts what looks like a message of ours, and this run has not sent."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What the store itself counted in the simulated time of a run."""

    rows_found: int | None = None
    """When the run was over; None if it could not say."""
    rows_before: int | None = None
    """Before the first message, of the whole time that was planned; None if it could not say."""
    problem: str | None = None
    """Why it could not be asked in the end; None if it was, or if it keeps nothing to ask for."""

    def covers(self, written: int) -> bool:
        """Say whether it proves that ``written`` rows are in the store.

        An earlier row of the same asset and instant was replaced by ours. So as many rows as both together prove
        that none was replaced and none is missing; fewer prove nothing, unless there were none before.
        """
        return None not in {self.rows_found, self.rows_before} and self.excess(written) >= 0

    def excess(self, written: int) -> int:
        """Return how many rows were found beyond those that were there before and ``written``; below 0: too few."""
        return (self.rows_found or 0) - (self.rows_before or 0) - written


def judge(counts: Counts, *, interrupted: bool, reason: str | None, audit: Audit) -> tuple[str, ExitCode]:
    """Return one sentence and the exit code.

    A run that somebody interrupted is 105, whatever it left behind; the sentence tells that. Then loss goes before
    the reason for which a run ended early. Every message that is not in the store is a loss, but for those that
    gateways of the scenario dropped or still keep: that is what was to be seen. What a store cannot prove is no loss,
    and is not called proven.
    """
    loss = described_loss(counts, audit)
    if not counts.scheduled and not loss:
        return nothing(interrupted=interrupted, reason=reason or audit.problem)
    arrived = "is in the store" if audit.covers(counts.rows) else "was written"
    if counts.spooled:
        arrived += f" or, {counts.spooled:,} messages, is safe in the spool"
    remark = (
        described_gateways(counts)
        + described_audit(counts, audit)
        + described_overwrites(counts)
        + described_strangers(counts)
    )
    if interrupted:
        return f"interrupted; {loss or f'all that was sent {arrived}'}{remark}", ExitCode.INTERRUPTED
    if loss:
        return f"data lost: {loss}{remark}", ExitCode.DATA_LOSS
    if reason:
        return f"ended early; all that was sent {arrived}{remark}", ExitCode.OUT_OF_REACH
    exit_code = ExitCode.OUT_OF_REACH if audit.problem or counts.spooled else ExitCode.PASS
    return f"all that was scheduled {arrived}{remark}", exit_code


def nothing(*, interrupted: bool, reason: str | None) -> tuple[str, ExitCode]:
    """Judge a run that sent nothing, which proves nothing."""
    if interrupted:
        return "interrupted; nothing was scheduled until then", ExitCode.INTERRUPTED
    if reason:
        return "ended early; nothing was scheduled until then", ExitCode.OUT_OF_REACH
    return "nothing was scheduled: --for is shorter than the time to the first reading; run for longer", ExitCode.PASS


def described_loss(counts: Counts, audit: Audit) -> str:
    """Say what is not in the store, and where it went; empty if nothing is known to be missing."""
    parts = [f"{n} dropped ({why})" for why, n in counts.dropped.items() if why not in counts.spilled]
    parts += [f"{n} dead-lettered ({why})" for why, n in counts.dead_lettered.items()]
    under_way = counts.in_flight - counts.kept
    parts += [f"{n} {name}" for name, n in (("in flight", under_way), ("unaccounted", counts.unaccounted)) if n]
    if audit.rows_found is not None and audit.rows_found < counts.rows:
        # some of those that were found may be older than the run
        least = "" if audit.rows_before == 0 else "at least "
        parts.append(f"{least}{counts.rows - audit.rows_found} written and not found in the store")
    return f"{' and '.join(parts)} of {counts.scheduled} messages" if parts else ""


def described_gateways(counts: Counts) -> str:
    """Say, as the end of a sentence, what gateways of the scenario did not let through; empty if they did."""
    parts = [f"{n:,} dropped ({why})" for why, n in counts.spilled.items()]
    parts += [f"{counts.kept:,} still kept"] if counts.kept else []
    return f", but for what gateways of the scenario did: {' and '.join(parts)}" if parts else ""


def described_audit(counts: Counts, audit: Audit) -> str:
    """Say, as the end of a sentence, what is odd about the count of the store; empty if nothing is."""
    if audit.problem:
        return "; the store could not be asked what it holds"
    if audit.rows_found is None or audit.rows_found < counts.rows:
        return ""
    if audit.rows_before is None:
        return "; what the store held of that time before is unknown, so this could not be audited"
    excess = audit.excess(counts.rows)
    if excess > 0:
        return f"; it holds {rows(excess)} of that time more than it confirmed: does something else write there?"
    if excess < 0:
        return f"; the store held {rows(audit.rows_before)} of that time already, so this could not be audited"
    return ""


def described_overwrites(counts: Counts) -> str:
    """Say, as the end of a sentence, which rows stand for two messages; empty if none does."""
    if not counts.overwritten:
        return ""
    return f"; {rows(counts.overwritten)} replaced by a later message of the same asset and instant"


def described_strangers(counts: Counts) -> str:
    """Say, as the end of a sentence, who else speaks on the topics of the run; empty if nobody does."""
    if not any(reason.endswith(OTHER_RUN) for reason in counts.foreign):
        return ""
    return "; another run publishes on these topics: its messages were not stored"


def rows(n: int) -> str:
    return f"{n:,} row{'' if n == 1 else 's'}"
