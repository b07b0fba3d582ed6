"""A session with a broker in memory."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from brokers.blocks import Arrivals, Packets, Settled, arrived, check_qos
from brokers.endpoint import Acknowledgement, Delivery, Outgoing
from brokers.errors import BrokerError, RefusedError
from brokers.frames import MQTT_5
from brokers.mailbox import Mailbox
from brokers.splitter import unpacked
from brokers.subscriptions import is_pattern

if TYPE_CHECKING:
    from brokers.memory import MemoryBroker

__all__ = ["MemorySession"]

NOT_ALLOWED = "Not authorized"


class MemorySession:
    """A session with a MemoryBroker, as the Session protocol has it."""

    def __init__(
        self, broker: MemoryBroker, mailbox: Mailbox, client_id: str, *, window: int, keep_session: bool
    ) -> None:
        self._broker = broker
        self._mailbox = mailbox
        self._client_id = client_id
        self._window = window
        self._keep_session = keep_session
        self._counters: Counter[str] = Counter()
        self._posted: deque[tuple[int, Outgoing]] = deque()
        self._taken = 0
        self._acknowledged: list[Acknowledgement] = []
        self._arrived: deque[Delivery] = deque()
        self._epoch = 0
        self._trouble: str | None = "not connected yet"
        self._closed = False

    @property
    def version(self) -> int:
        return MQTT_5  # refusals come with a reason

    def publish_packets(self, packets: Packets, *, qos: int, timeout_s: float) -> int:
        check_qos(packets, qos)
        arrivals = unpacked(packets, version=self.version)
        with self._broker.change:
            first = self._taken
            messages = [
                Outgoing(arrivals.topic(row).decode(errors="replace"), arrivals.payload(row), first + row)
                for row in range(arrivals.number)
            ]
            return self.publish(messages, qos=qos, timeout_s=timeout_s)

    def settled(self) -> Settled:
        told = self.acknowledgements()
        took = [ack for ack in told if ack.refused is None]
        tag, at_ns = (np.array([ack[place] for ack in took], np.int64) for place in (0, 2))
        return Settled(tag, at_ns, [ack for ack in told if ack.refused is not None])

    def receive_block(self, *, limit: int, timeout_s: float) -> Arrivals:
        return arrived(self.receive(limit=limit, timeout_s=timeout_s))

    def acknowledge_block(self, arrivals: Arrivals, count: int) -> None:
        self.acknowledge(arrivals.rows(slice(0, count)).deliveries())

    def publish(self, messages: Sequence[Outgoing], *, qos: int, timeout_s: float) -> int:
        deadline = time.monotonic() + timeout_s
        taken = 0
        with self._broker.change:
            while taken < len(messages):
                self._check_open()
                room = self._window - len(self._posted)
                if room > 0:
                    part = messages[taken : taken + room]
                    self._posted.extend((qos, message) for message in part)
                    taken += len(part)
                    self._taken += len(part)
                    self.send()
                elif (left := deadline - time.monotonic()) > 0:
                    self._broker.change.wait(left)
                else:
                    break
        return taken

    def acknowledgements(self) -> list[Acknowledgement]:
        with self._broker.change:
            taken, self._acknowledged = self._acknowledged, []
        return taken

    def in_flight(self) -> int:
        return len(self._posted)

    def subscribe(self, *patterns: str, qos: int) -> None:
        with self._broker.change:
            self._check_open()
            for pattern in patterns:
                reason = None if is_pattern(pattern) else "Topic filter invalid"
                if self._broker.is_refused(pattern):
                    reason = NOT_ALLOWED
                if reason is not None:
                    what = f"the subscription {pattern!r} with QoS {qos} is refused: {reason}"
                    advice = "check the pattern, and what the broker allows this user"
                    raise RefusedError(what, address="memory", advice=advice)
                self._mailbox.subscriptions[pattern] = qos

    def receive(self, *, limit: int, timeout_s: float) -> list[Delivery]:
        deadline = time.monotonic() + timeout_s
        with self._broker.change:
            while not self._arrived and not self._closed and (left := deadline - time.monotonic()) > 0:
                self._broker.change.wait(left)
            return [self._arrived.popleft() for _ in range(min(limit, len(self._arrived)))]

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        with self._broker.change:
            for delivery in deliveries:
                if delivery.qos == 0:
                    continue
                if delivery.epoch != self._epoch or self._trouble is not None:
                    self._counters["stale_acks"] += 1
                elif self._mailbox.unacknowledged.pop(delivery.mid, None) is None:
                    self._counters["repeated_acks"] += 1
            self.fetch()

    def is_connected(self) -> bool:
        return self._trouble is None

    def trouble(self) -> str | None:
        return self._trouble

    def counters(self) -> dict[str, int]:
        return dict(self._counters)

    def close(self, *, timeout_s: float = 5.0) -> None:
        deadline = time.monotonic() + timeout_s
        with self._broker.change:
            if self._closed:
                return
            self._closed = True
            while self._posted and (left := deadline - time.monotonic()) > 0:
                self._broker.change.wait(left)
            self.hang_up("the session is closed")
            if self._mailbox.session is self:
                self._mailbox.session = None
                if not self._keep_session:
                    self._broker.forget(self._client_id, self._mailbox)

    def _check_open(self) -> None:
        if self._closed:
            what = "the session is closed"
            raise BrokerError(what, address="memory", advice="open a new one")

    # What the broker does with it, holding ``change``

    def send(self) -> None:
        """Let the broker have what was posted, unless it holds or is away."""
        while self._posted and self._trouble is None and not self._broker.is_held:
            qos, message = self._posted.popleft()
            refused = NOT_ALLOWED if self._broker.is_refused(message.topic) else None
            if not message.topic or set(message.topic) & set("+#\0") or len(message.topic.encode()) > 65_535:
                refused = "Topic name invalid"
            if refused is None:
                self._broker.deliver(message.topic, message.payload, qos)
            else:
                self._counters["refused"] += 1
            self._acknowledged.append(Acknowledgement(message.tag, refused, time.monotonic_ns()))
            self._broker.change.notify_all()

    def fetch(self) -> None:
        """Take letters from the mailbox while the window has room."""
        mailbox = self._mailbox
        while mailbox.waiting and self._trouble is None:
            letter = mailbox.waiting[0]
            if letter.qos and len(mailbox.unacknowledged) >= self._window:
                return
            mailbox.waiting.popleft()
            mid = mailbox.next_mid() if letter.qos else 0
            if letter.qos:
                mailbox.unacknowledged[mid] = letter
            self._arrived.append(Delivery(letter.topic, letter.payload, letter.qos, self._epoch, mid))
            self._broker.change.notify_all()

    def hang_up(self, why: str) -> None:
        """Lose the connection; what was not acknowledged waits to be sent again, but for QoS 2, which we have."""
        if self._trouble is None:
            again = [letter for letter in self._mailbox.unacknowledged.values() if letter.qos == 1]
            self._mailbox.unacknowledged.clear()
            self._mailbox.waiting.extendleft(reversed(again))
        self._trouble = why
        self._broker.change.notify_all()

    def come_back(self) -> None:
        """Connect, if not connected, and go on where the connection broke off."""
        if self._trouble is None or self._closed:
            return
        if self._epoch:
            self._counters["reconnects"] += 1
        if not self._keep_session:
            self._mailbox.waiting.clear()
        self._epoch += 1
        self._trouble = None
        self.fetch()
        self.send()
