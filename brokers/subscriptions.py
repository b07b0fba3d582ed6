"""What a session has subscribed to, and what it still waits for."""

from __future__ import annotations

import threading
from collections import deque

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from brokers.paho_client import REFUSAL

__all__ = ["Subscriptions", "Wish"]


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
        self._unsent.append(wish)

    def send(self, client: Client) -> None:
        """Send what is not yet sent, as long as the connection takes it."""
        while self._unsent:
            wish = self._unsent.popleft()
            try:
                code, mid = client.subscribe(wish.pattern, wish.qos)
            except ValueError as error:
                wish.answer(str(error))
                continue
            if mid is None or code != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._unsent.appendleft(wish)
                return
            self._sent[mid] = wish

    def heard(self, mid: int, granted: ReasonCode) -> Wish | None:
        """Take SUBACK; return the wish if it was granted before, and now, after a reconnect, is refused."""
        wish = self._sent.pop(mid, None)
        if wish is None:
            return None
        refused = None
        if granted.value >= REFUSAL:
            refused = str(granted)
        elif granted.value < wish.qos:
            refused = f"only QoS {granted.value} is granted"
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
