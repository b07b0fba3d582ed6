"""A session over a line: a bounded window, acknowledgements of one's own, reconnecting by itself."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from brokers.blocks import Arrivals, Packets, Settled, arrived, check_qos
from brokers.connection import Worth
from brokers.endpoint import Acknowledgement, Delivery, Endpoint, Outgoing
from brokers.errors import BrokerError, RefusedError, UnreachableError
from brokers.frames import LONGEST, LONGEST_TOPIC, MQTT_5, packed
from brokers.inbox import Inbox
from brokers.line import Line
from brokers.outbox import Outbox
from brokers.subscriptions import Wish

__all__ = ["LineSession"]

INBOX_MESSAGES = 50_000
INBOX_BYTES = 64 * 1024 * 1024
SHARE = 4
"""What part of the window is filled again at a time: the broker has the rest to go on with meanwhile."""
MOST_WORTH = 64 * 1024
"""Bytes, which fit into what the system keeps for a socket."""
WORTH_MESSAGES, WORTH_S = 500, 0.01
"""Messages that are worth waking up for in a busy stream, and for how long fewer are waited with: whoever takes them
works for a few as long as for two hundred."""
ANSWER = 4
"""Bytes of an acknowledgement."""
GRANT_S = 10.0
"""How long subscribe() waits for the last SUBACK."""
QOS_2_WINDOW = 20
"""What every broker takes of QoS 2 at once. With more, mosquitto loses messages or stops answering, and MQTT 3.1.1,
other than 5, has no Receive Maximum to tell us the bound."""


class LineSession:
    """One MQTT connection, as the Session protocol has it.

    After a reconnect, messages with QoS 1 and 2 that were in flight are sent again, those with QoS 0 if they had not
    left yet. Acknowledgements must be fetched: with 100,000 of them waiting, nothing is taken. When 50,000 messages
    or 64 MiB wait to be received, QoS 0 is dropped and counted as ``receive_overflow``, and with QoS 1 and 2 the
    socket is not read.

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
        self._window = window
        self._taken = 0
        """How many messages were taken the last time."""
        self._outbox = Outbox(window)
        self._inbox = Inbox(max_messages=max(INBOX_MESSAGES, window), max_bytes=INBOX_BYTES)
        self._line = Line(endpoint, client_id, self._outbox, self._inbox, window=window, keep_session=keep_session)

    @property
    def version(self) -> int:
        return self._line.version

    def publish_packets(self, packets: Packets, *, qos: int, timeout_s: float) -> int:
        check_qos(packets, qos)
        until_s = time.monotonic() + timeout_s
        self._begin(qos)
        taken = 0
        while taken < packets.number:
            self._check_open()
            part = self._outbox.post(packets, taken, qos=qos)
            taken += part
            if part:
                self._line.flush()
            elif not self._wait_for_room(qos, until_s):
                break
        return taken

    def settled(self) -> Settled:
        if self._outbox.in_flight():
            self._line.flush()
        return self._outbox.settled()

    def publish(self, messages: Sequence[Outgoing], *, qos: int, timeout_s: float) -> int:
        until_s = time.monotonic() + timeout_s
        self._begin(qos)
        taken = 0
        while taken < len(messages):
            self._check_open()
            part = self._post(messages[taken : taken + self._outbox.room(qos)], qos)
            taken += part
            if part:
                self._line.flush()
            elif not self._wait_for_room(qos, until_s):
                break
        return taken

    def _begin(self, qos: int) -> None:
        if qos > self._line.max_qos:
            what = f"the broker takes QoS {self._line.max_qos} at most, not {qos}"
            raise RefusedError(what, address=self._address, advice="publish with a lower QoS")
        if qos == 2 and self._line.version != MQTT_5:
            self._outbox.narrow(QOS_2_WINDOW)

    def _post(self, messages: Sequence[Outgoing], qos: int) -> int:
        """Post up to the first message that MQTT cannot carry, or settle that one as refused."""
        valid = 0
        for message in messages:
            wrong = _wrong_with(message)
            if wrong is not None:
                if not valid:
                    self._outbox.refuse(message.tag, wrong)
                    return 1
                break
            valid += 1
        if not valid:
            return 0
        messages = messages[:valid]
        tags = np.array([message.tag for message in messages], np.int64)
        return self._outbox.post(packed(messages, qos=qos, version=self._line.version), qos=qos, tags=tags)

    def _wait_for_room(self, qos: int, until_s: float) -> bool:
        """Wait for room for a message, or for the end of the session; return False if the time is over."""
        worth = ANSWER * (self._outbox.in_flight() // SHARE) if qos else 1
        self._line.work(lambda: self._outbox.room(qos) > 0, until_s, self._outbox.change, worth=Worth(max(1, worth)))
        return self._outbox.room(qos) > 0 or not self._line.is_open()

    def acknowledgements(self) -> list[Acknowledgement]:
        tags, times, refused = self.settled()
        took = zip(tags.tolist(), times.tolist(), strict=True)
        told = [Acknowledgement(tag, None, at_ns) for tag, at_ns in took]
        return sorted(told + refused, key=lambda ack: ack.at_ns) if refused else told

    def in_flight(self) -> int:
        return self._outbox.in_flight()

    def subscribe(self, *patterns: str, qos: int) -> None:
        self._check_open()
        wishes = [Wish(pattern, qos) for pattern in patterns]
        until_s = time.monotonic() + GRANT_S
        for wish in wishes:
            self._line.ask(wish)
        for wish in wishes:
            if not wish.answered.wait(max(0.0, until_s - time.monotonic())):
                what = f"no answer to the subscription {wish.pattern!r} within {GRANT_S:g} s"
                advice = self.trouble() or "look into the broker's log"
                raise UnreachableError(what, address=self._address, advice=advice)
            if wish.refused is not None:
                what = f"the subscription {wish.pattern!r} with QoS {qos} is refused: {wish.refused}"
                advice = "check the pattern, and what the broker allows this user"
                raise RefusedError(what, address=self._address, advice=advice)

    def receive_block(self, *, limit: int, timeout_s: float) -> Arrivals:
        if timeout_s <= 0 or self._inbox.has_arrivals():
            self._line.flush(hears=True)
        else:
            until_s = time.monotonic() + timeout_s
            self._line.work(self._inbox.has_arrivals, until_s, self._inbox.change, worth=self._line.worth)
        taken = self._inbox.take(limit=limit)
        if taken.number:
            self._line.worth = self._worth(taken)
        if not taken.number and not self._closed:
            self._check_open()
        return taken

    def _worth(self, taken: Arrivals) -> Worth:
        """Return what is worth waking up for after these messages."""
        number, before, self._taken = taken.number, self._taken, taken.number
        size = taken.size // number
        if not taken.qos.any():
            return Worth(min(MOST_WORTH, WORTH_MESSAGES * size), WORTH_S)
        if number == before:
            # as many each time: perhaps the broker sends no more before we acknowledge them
            return Worth(self._window)
        return Worth(max(1, min(MOST_WORTH, WORTH_MESSAGES * size, self._window // SHARE * size)), WORTH_S)

    def acknowledge_block(self, arrivals: Arrivals, count: int) -> None:
        self._inbox.accept(arrivals.rows(slice(0, count)))
        self._line.flush()

    def receive(self, *, limit: int, timeout_s: float) -> list[Delivery]:
        block = self.receive_block(limit=limit, timeout_s=timeout_s)
        try:
            return block.deliveries()
        except UnicodeDecodeError:
            return self._readable(block)

    def _readable(self, block: Arrivals) -> list[Delivery]:
        """Return the messages whose topics can be read; acknowledge the others, which nobody else will."""
        deliveries = []
        for row in range(block.number):
            one = block.rows(slice(row, row + 1))
            try:
                deliveries += one.deliveries()
            except UnicodeDecodeError:
                self._line.counters["receive_malformed_topic"] += 1
                self.acknowledge_block(one, 1)
        return deliveries

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self.acknowledge_block(arrived(deliveries), len(deliveries))

    def is_connected(self) -> bool:
        return self._line.trouble is None

    def trouble(self) -> str | None:
        return self._line.trouble

    def counters(self) -> dict[str, int]:
        counters = dict(self._line.counters)
        if self._outbox.refusals:
            counters["refused"] = self._outbox.refusals
        return counters

    def close(self, *, timeout_s: float = 5.0) -> None:
        if self._closed:
            return
        self._closed = True
        until_s = time.monotonic() + timeout_s
        self._line.work(lambda: not self._outbox.in_flight(), until_s, self._outbox.change)
        # A second is left for DISCONNECT in any case.
        self._line.close(max(1.0, until_s - time.monotonic()))

    def _check_open(self) -> None:
        if self._closed or not self._line.is_open():
            what = "the session is closed" if self._closed else f"the session broke: {self.trouble()}"
            raise BrokerError(what, address=self._address, advice="open a new one")


def _wrong_with(message: Outgoing) -> str | None:
    """Say why MQTT cannot carry a message: the broker would hang up on it, after every reconnect again."""
    topic = message.topic
    if not topic or "\0" in topic:
        return "Topic name invalid: empty, or with the character U+0000"
    if "+" in topic or "#" in topic:
        return "Topic name invalid: + and # are for subscriptions"
    try:
        size = len(topic.encode())
    except UnicodeEncodeError as error:
        return f"Topic name invalid: {error.reason}"
    if size > LONGEST_TOPIC:
        return f"Topic name invalid: {size} bytes, at most {LONGEST_TOPIC}"
    if len(message.payload) + size + 5 > LONGEST:
        return f"Packet too large: {len(message.payload)} bytes of payload"
    return None
