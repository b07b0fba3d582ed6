"""The farewell: what a run waits for when it has sent its last message, and for how long at most.

From Ctrl-C to the end it takes 30 s at most, whatever hangs: up to 2 s until the publisher stops trying (its
``farewell_s``), SETTLED_S here, and 5 s to have somebody else's broker forget the session of the bridge.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass

from simulator.clock import SECOND_NS, Clock
from simulator.errors import StoreError
from simulator.ingest.store import Store
from simulator.results.verdict import Audit
from simulator.run.hops import Hops, as_parksim_errors
from simulator.run.outcome import Progress

__all__ = ["Deadline", "audited", "settle"]

SETTLED_S = 23.0
"""From the last message to the last word of the store; a store that took everything may count for longer."""
ACKNOWLEDGED_S = 10.0
"""How long the publisher waits for its last acknowledgements."""
GIVEN_UP_S = 1.0
"""The same when the run has failed already."""
CUT_OFF_S = 5.0
"""How long the bridge may write when the publisher could not get rid of its messages."""
CLOSED_S = 2.0
"""How long it may end its last write when it was told to stop."""
COUNTED_S = 3.0
"""How long a store may count at least that is in trouble, or whose run was interrupted."""
MILLISECOND_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant by which everything has to be over."""

    clock: Clock
    at_ns: int

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> Deadline:
        return cls(clock, clock.monotonic_ns() + round(seconds * SECOND_NS))

    def left_s(self, *, keep_s: float = 0.0) -> float:
        """Return how many seconds are left, but for ``keep_s`` for what comes after."""
        return max(0.0, (self.at_ns - self.clock.monotonic_ns()) / SECOND_NS - keep_s)


def settle(hops: Hops, progress: Progress, deadline: Deadline) -> bool:
    """Let everything that is under way arrive, and close the books; return whether the store took all of it."""
    patience_s = ACKNOWLEDGED_S if progress.reason is None else GIVEN_UP_S
    with as_parksim_errors():
        progress.waiting = f"up to {patience_s:g} s for the broker to acknowledge what was sent"
        delivered = hops.publisher.drain(patience_s)
        left_s = deadline.left_s(keep_s=CLOSED_S + COUNTED_S)
        drain_s = left_s if delivered else min(left_s, CUT_OFF_S)
        progress.waiting = f"up to {drain_s:.0f} s for what is still between broker and store"
        is_drained = hops.bridge.drain(drain_s)
        if not is_drained and progress.reason is None:
            silent = "the store has not answered yet" if hops.bridge.backlog else None
            failure = hops.bridge.failure or hops.bridge.trouble or silent
            progress.reason = f"the bridge could not write everything: {failure}" if failure else None
        hops.publisher.abandon(f"not acknowledged within {patience_s:g} s")
    progress.waiting = f"up to {CLOSED_S:g} s for the bridge to end its last write"
    hops.bridge.close(timeout_s=CLOSED_S)
    try:
        spooled = hops.bridge.still_spooled()
    except OSError as error:
        spooled = 0
        progress.reason = progress.reason or f"the spool cannot be read: {error.strerror or error}"
    hops.ledger.finish(*hops.bridge.take_stock(), spooled=spooled)
    return is_drained


def audited(hops: Hops, progress: Progress, deadline: Deadline | None) -> Audit:
    """Ask the store how many rows it holds of the time that was run; without a deadline as long as it takes."""
    limit_s = None if deadline is None else max(COUNTED_S, deadline.left_s())
    progress.waiting = f"{'' if limit_s is None else f'up to {limit_s:.0f} s '}for the store to count its rows"
    early_ms, late_ms = hops.clocks_off_ms
    from_ms = hops.pace.sim_start_ns // MILLISECOND_NS + early_ms
    to_ms = -(-progress.until_ns // MILLISECOND_NS) + late_ms
    try:
        found = counted(hops.store, from_ms, to_ms, limit_s)
    except StoreError as error:
        return Audit(None, hops.rows_before, f"the rows in the store could not be counted: {error}")
    return Audit(found, hops.rows_before)


def counted(store: Store, from_ms: int, to_ms: int, limit_s: float | None) -> int | None:
    """Count in another thread: a store that hangs, or takes its time, shall hold up neither us nor a second Ctrl-C.

    Raises StoreError.
    """
    answers: queue.SimpleQueue[int | Exception | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(store.count(from_ms=from_ms, to_ms=to_ms))
        except Exception as error:  # noqa: BLE001 - raised again where it can be handled
            answers.put(error)

    threading.Thread(target=ask, name="parksim-audit", daemon=True).start()
    try:
        answer = answers.get(timeout=limit_s)
    except queue.Empty:
        message = f"it did not answer within {limit_s:.0f} s"
        raise StoreError(message, retryable=True) from None
    if isinstance(answer, Exception):
        raise answer
    return answer
