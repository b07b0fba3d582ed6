"""What a broker in memory keeps for a client, and whom a topic concerns."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from brokers.memory_session import MemorySession

__all__ = ["Letter", "Mailbox", "matches"]


def matches(pattern: str, topic: str) -> bool:
    """Say whether a topic falls under a subscription: ``+`` is one level, ``#`` at the end any number of them."""
    wanted, given = pattern.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in {"+", "#"}:
        return False
    for position, level in enumerate(wanted):
        if level == "#":
            return True
        if position >= len(given) or level not in {"+", given[position]}:
            return False
    return len(wanted) == len(given)


class Letter(NamedTuple):
    """A message at the broker."""

    topic: str
    payload: bytes
    qos: int


@dataclass
class Mailbox:
    """What the broker keeps for one client: subscriptions, letters that wait, letters not acknowledged."""

    subscriptions: dict[str, int] = field(default_factory=dict)
    waiting: deque[Letter] = field(default_factory=deque)
    unacknowledged: dict[int, Letter] = field(default_factory=dict)
    last_mid: int = 0
    session: MemorySession | None = None

    def next_mid(self) -> int:
        while True:
            self.last_mid = self.last_mid % 65_535 + 1
            if self.last_mid not in self.unacknowledged:
                return self.last_mid
