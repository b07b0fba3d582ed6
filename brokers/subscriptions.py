"""What a session has subscribed to, and what it still waits for."""

from __future__ import annotations

import threading
from collections import deque

from brokers.frames import LONGEST_TOPIC, MQTT_5, subscribe
from brokers.outbox import MOST_IN_FLIGHT
from brokers.reasons import REFUSAL, reason

__all__ = ["Subscriptions", "Wish", "is_pattern"]

IDENTIFIERS = range(MOST_IN_FLIGHT + 1, 1 << 16)


def is_pattern(text: str) -> bool:
    """Say whether MQTT knows such a topic filter (section 4.7)."""
    levels = text.split("/")
    wild = all(level in {"+", "#"} or not set(level) & set("+#\0") for level in levels)
    return 0 < len(text.encode()) <= LONGEST_TOPIC and wild and "#" not in levels[:-1]


class Wish:
    """A subscription asked for, until SUBACK grants or refuses it; ``answered`` says that it has come."""

    def __init__(self, pattern: str, qos: int) -> None:
        self.pattern = pattern
        self.qos = qos
        self.answered = threading.Event()
        self.refused: str | None = None

    def answer(self, refused: str | None) -> None:
        self.refused = refused
        self.answered.set()


class Subscriptions:
    """A list of wishes: unsent, sent, granted. All but ``ask`` is for one thread."""

    def __init__(self) -> None:
        self._unsent: deque[Wish] = deque()
        self._sent: dict[int, Wish] = {}
        self._granted: dict[str, Wish] = {}

    def ask(self, wish: Wish) -> None:
        if is_pattern(wish.pattern):
            self._unsent.append(wish)
        else:
            wish.answer("Topic filter invalid")

    def has_unsent(self) -> bool:
        return bool(self._unsent)

    def next_packets(self, version: int) -> bytes:
        """Return the packets that ask for what is not asked for yet, as many as there are identifiers for."""
        packets = bytearray()
        free = (one for one in IDENTIFIERS if one not in self._sent)
        while self._unsent and (identifier := next(free, None)) is not None:
            wish = self._sent[identifier] = self._unsent.popleft()
            packets += subscribe(identifier, wish.pattern.encode(), qos=wish.qos, version=version)
        return bytes(packets)

    def heard(self, body: bytes, version: int) -> Wish | None:
        """Take the body of a SUBACK; return the wish if it was granted before, and now, after a reconnect, refused.

        Raises IndexError if there is no answer in it.
        """
        wish = self._sent.pop(int.from_bytes(body[:2], "big"), None)
        granted = body[-1] if version == MQTT_5 else body[2]
        if wish is None:
            return None
        refused = None
        if granted >= REFUSAL:
            refused = reason(granted)
        elif granted < wish.qos:
            refused = f"only QoS {granted} is granted"
        if refused is None:
            self._granted[wish.pattern] = wish
        wish.answer(refused)
        return self._granted.pop(wish.pattern, None) if refused is not None else None

    def lose_connection(self) -> None:
        """Ask again for what was sent and not answered."""
        self._unsent.extend(self._sent.values())
        self._sent.clear()

    def lose_session(self) -> None:
        """Ask again for everything: the broker has forgotten us."""
        self._unsent.extendleft(reversed(self._granted.values()))
