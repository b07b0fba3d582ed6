"""Credit: what may queue in the broker between our publisher and our bridge."""

from __future__ import annotations

from collections.abc import Callable

from simulator.results.ledger import Ledger

__all__ = ["Credit"]

MOST = 10_000
"""More would make nothing faster, and everything later."""
PATIENCE_POLLS = 2500
"""Of 2 ms each."""
ONCE_BITTEN = 50
"""How many times shorter the patience is once messages were lost: a broker that denies a topic without a word, as MQTT
3.1.1 has it, takes every message of it, and 5 s for each thousand would make the run crawl."""


class Credit:
    """Bounds the messages that were handed over and are not in the store yet, to ``limit``.

    ``bridge_is_idle`` says whether the bridge is connected and holds nothing. Messages that a connected, idle bridge
    has not seen for long are lost; they are written off, so that a loss does not hold up the run for ever. From then
    on it takes much less patience, until one of them comes all the same.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        bridge_is_idle: Callable[[], bool],
        limit: int,
        patience_polls: int = PATIENCE_POLLS,
    ) -> None:
        self._ledger = ledger
        self._bridge_is_idle = bridge_is_idle
        self._limit = limit
        self._patience_polls = self._most_polls = patience_polls
        self._written_off = 0
        self._stuck_at = -1
        self._polls = 0

    def room(self) -> int:
        """How many messages may be handed over now; ask again every 2 ms or so while it is 0."""
        waiting = self._ledger.unwritten()
        if waiting < self._written_off:
            self._written_off, self._patience_polls = waiting, self._most_polls
        room = self._limit - (waiting - self._written_off)
        if room > 0 or waiting != self._stuck_at or not self._bridge_is_idle():
            self._stuck_at, self._polls = waiting, 0
            return max(0, room)
        self._polls += 1
        if self._polls >= self._patience_polls:
            self._written_off, self._polls = waiting, 0
            self._patience_polls = max(1, self._most_polls // ONCE_BITTEN)
        return 0
