"""A session over paho: a bounded window, manual acknowledgements, reconnecting by itself."""

from __future__ import annotations

import time
from collections.abc import Sequence

from brokers.endpoint import Acknowledgement, Delivery, Endpoint, Outgoing
from brokers.errors import BrokerError, RefusedError, UnreachableError
from brokers.inbox import Inbox
from brokers.line import Line
from brokers.outbox import Outbox
from brokers.subscriptions import Wish

__all__ = ["PahoSession"]

INBOX_MESSAGES = 50_000
INBOX_BYTES = 64 * 1024 * 1024
GRANT_S = 10.0
"""How long subscribe() waits for SUBACK."""
QOS_2_WINDOW = 20
"""What every broker takes of QoS 2 at once. With more, mosquitto loses messages or stops answering, and MQTT 3.1.1,
other than 5, has no Receive Maximum to tell us the bound."""


class PahoSession:
    """One MQTT connection, as the Session protocol has it.

    After a reconnect, messages with QoS 1 and 2 that were in flight are sent again, those with QoS 0 if they had not
    left yet. Acknowledgements must be fetched: with 100,000 of them waiting, publish() takes nothing. When 50,000
    messages or 64 MiB wait to be received, QoS 0 is dropped and counted as ``receive_overflow``, and with QoS 1 and
    2 the socket is not read.

    An incoming QoS 2 message is taken over when PUBREC goes out, before the caller acknowledges it: exactly once
    holds while this process lives. Whoever must survive a crash uses QoS 1 and acknowledges after the commit.
    Over MQTT 3.1.1 the first outgoing QoS 2 message narrows the window to 20.
    """

    def __init__(self, endpoint: Endpoint, client_id: str, *, window: int, keep_session: bool = False) -> None:
        """Connect and wait for CONNACK. Raises BrokerError."""
        if not 1 <= window <= 65_535:
            message = f"window(={window}) must be in 1..65535: MQTT numbers messages in flight with 16 bits"
            raise ValueError(message)
        self._address = str(endpoint)
        self._closed = False
        self._outbox = Outbox(window)
        self._inbox = Inbox(max_messages=max(INBOX_MESSAGES, window), max_bytes=INBOX_BYTES)
        self._line = Line(endpoint, client_id, self._outbox, self._inbox, window=window, keep_session=keep_session)

    def publish(self, messages: Sequence[Outgoing], *, qos: int, timeout_s: float) -> int:
        until_s = time.monotonic() + timeout_s
        taken = 0
        if qos == 2 and not self._line.knows_receive_maximum:
            self._outbox.narrow(QOS_2_WINDOW)
        while taken < len(messages):
            self._check_open()
            part = self._outbox.post(messages[taken:] if taken else messages, qos=qos, until_s=until_s)
            if not part:
                self._check_open()
                break
            taken += part
            self._line.wake()
        return taken

    def acknowledgements(self) -> list[Acknowledgement]:
        return self._outbox.acknowledgements()

    def in_flight(self) -> int:
        return self._outbox.in_flight()

    def subscribe(self, pattern: str, *, qos: int) -> None:
        self._check_open()
        wish = Wish(pattern, qos)
        self._line.ask(wish)
        if not wish.answered.wait(GRANT_S):
            what = f"no answer to the subscription {pattern!r} within {GRANT_S:g} s"
            raise UnreachableError(what, address=self._address, advice=self.trouble() or "look into the broker's log")
        if wish.refused is not None:
            what = f"the subscription {pattern!r} with QoS {qos} is refused: {wish.refused}"
            advice = "check the pattern, and what the broker allows this user"
            raise RefusedError(what, address=self._address, advice=advice)

    def receive(self, *, limit: int, timeout_s: float) -> list[Delivery]:
        was_full = self._inbox.is_full()
        taken = self._inbox.take(limit=limit, timeout_s=timeout_s)
        if was_full:
            self._line.wake()
        if not taken and not self._closed:
            self._check_open()
        return taken

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self._inbox.accept(deliveries)
        self._line.wake()

    def is_connected(self) -> bool:
        return self._line.trouble is None

    def trouble(self) -> str | None:
        return self._line.trouble

    def counters(self) -> dict[str, int]:
        return dict(self._line.counters)

    def close(self, *, timeout_s: float = 5.0) -> None:
        if self._closed:
            return
        self._closed = True
        until_s = time.monotonic() + timeout_s
        self._outbox.wait_settled(until_s)
        # A second is left for DISCONNECT in any case.
        self._line.close(max(1.0, until_s - time.monotonic()))

    def _check_open(self) -> None:
        if self._closed or not self._line.is_open():
            what = "the session is closed" if self._closed else f"the session broke: {self.trouble()}"
            raise BrokerError(what, address=self._address, advice="open a new one")
