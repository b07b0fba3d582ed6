"""The verdict: what the counts of a run mean for whoever started it."""

from __future__ import annotations

from simulator.errors import ExitCode
from simulator.results.ledger import Counts

__all__ = ["judge"]


def judge(counts: Counts, *, interrupted: bool, reason: str | None, rows_found: int | None) -> tuple[str, ExitCode]:
    """Return one sentence and the exit code.

    A run that somebody interrupted is 105, whatever it left behind; the sentence tells that. Then loss goes before
    the reason for which a run ended early. Every message that is not in the store is a loss: nothing in a scenario
    asks for drops today.
    """
    loss = described_loss(counts, rows_found)
    if interrupted:
        return f"interrupted; {loss or 'all that was sent is in the store'}", ExitCode.INTERRUPTED
    if loss:
        return f"data lost: {loss}", ExitCode.DATA_LOSS
    if reason:
        return "ended early; all that was sent is in the store", ExitCode.OUT_OF_REACH
    return "all that was scheduled is in the store", ExitCode.PASS


def described_loss(counts: Counts, rows_found: int | None) -> str:
    """Say what is not in the store, and where it went; empty if all is there."""
    parts = [f"{n} dropped ({why})" for why, n in counts.dropped.items()]
    parts += [f"{n} dead-lettered ({why})" for why, n in counts.dead_lettered.items()]
    parts += [f"{n} {name}" for name, n in (("in flight", counts.in_flight), ("unaccounted", counts.unaccounted)) if n]
    if rows_found is not None and rows_found < counts.written:
        parts.append(f"{counts.written - rows_found} written and not found in the store")
    return f"{' and '.join(parts)} of {counts.scheduled} messages" if parts else ""
