"""The messages that the store will never take: counted by reason, and the first of them kept to look at."""

from __future__ import annotations

import threading
from collections import Counter
from typing import NamedTuple

__all__ = ["DeadLetter", "DeadLetters"]

PAYLOAD_SHOWN = 200
TOPIC_SHOWN = 200


class DeadLetter(NamedTuple):
    """One message that was refused, cut to a length that can be shown."""

    reason: str
    detail: str
    topic: str
    payload: bytes


class DeadLetters:
    """Counts all, keeps the first ``most``: a broken device repeats itself, and its first letter tells most.

    Thread-safe.
    """

    def __init__(self, most: int = 100) -> None:
        self.counts: Counter[str] = Counter()
        self.kept: list[DeadLetter] = []
        self._most = most
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self.counts.total()

    def add(self, reason: str, detail: str, topic: str, payload: bytes) -> None:
        """Note a message; ``reason`` comes from a fixed set, so that the counts stay few."""
        with self._lock:
            self.counts[reason] += 1
            if len(self.kept) < self._most:
                self.kept.append(DeadLetter(reason, detail, topic[:TOPIC_SHOWN], payload[:PAYLOAD_SHOWN]))
