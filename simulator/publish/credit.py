"""Credit: what may queue in the broker between our publisher and our bridge."""

from __future__ import annotations

from collections.abc import Callable

from simulator.results.ledger import Ledger

__all__ = ["Credit"]

LIMIT = 1000
"""mosquitto keeps 1000 messages for each client (``max_queued_messages``) and drops further ones without a word."""
PATIENCE_POLLS = 2500


class Credit:
    """Bounds the messages that were handed over and are not in the store yet.

    ``bridge_is_idle`` says whether the bridge is connected and holds nothing. Messages that a connected, idle bridge
    has not seen for long are lost; they are written off, so that a loss does not hold up the run for ever.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        bridge_is_idle: Callable[[], bool],
        limit: int = LIMIT,
        patience_polls: int = PATIENCE_POLLS,
    ) -> None:
        self._ledger = ledger
        self._bridge_is_idle = bridge_is_idle
        self._limit = limit
        self._patience_polls = patience_polls
        self._written_off = 0
        self._stuck_at = -1
        self._polls = 0

    def room(self) -> int:
        """How many messages may be handed over now; ask again every 2 ms or so while it is 0."""
        waiting = self._ledger.unwritten()
        self._written_off = min(self._written_off, waiting)
        room = self._limit - (waiting - self._written_off)
        if room > 0 or waiting != self._stuck_at or not self._bridge_is_idle():
            self._stuck_at, self._polls = waiting, 0
            return max(0, room)
        self._polls += 1
        if self._polls >= self._patience_polls:
            self._written_off, self._polls = waiting, 0
        return 0
