"""A broker in this process, for tests: the whole contract, no thread, no socket, nothing late but what a test holds."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Self

from brokers.endpoint import Acknowledgement, Delivery, Outgoing
from brokers.errors import BrokerError, RefusedError, UnreachableError

__all__ = ["MemoryBroker", "MemorySession", "matches"]

NOT_ALLOWED = "Not authorized"


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


def _is_pattern(text: str) -> bool:
    levels = text.split("/")
    wild = all(level in {"+", "#"} or not set(level) & set("+#") for level in levels)
    return bool(text) and wild and "#" not in levels[:-1]


class _Letter(NamedTuple):
    topic: str
    payload: bytes
    qos: int


@dataclass
class _Mailbox:
    """What the broker keeps for one client: subscriptions, letters that wait, letters not acknowledged."""

    subscriptions: dict[str, int] = field(default_factory=dict)
    waiting: deque[_Letter] = field(default_factory=deque)
    unacknowledged: dict[int, _Letter] = field(default_factory=dict)
    last_mid: int = 0
    session: MemorySession | None = None

    def next_mid(self) -> int:
        while True:
            self.last_mid = self.last_mid % 65_535 + 1
            if self.last_mid not in self.unacknowledged:
                return self.last_mid


class MemoryBroker:
    """A post office on a table: what can happen to a message happens when the test says so.

    ``hold()`` leaves published messages in flight until ``release()``; ``refuse(topic)`` denies a topic as an access
    list would; ``drop_connections()`` breaks every connection; they are back at once, or with ``stay_down`` after
    ``let_back()``. One client may have ``max_queued`` messages waiting; the rest counts as ``queue_overflow``.
    """

    profile = "In-memory broker of this process, for tests: keeps nothing when the process ends."

    def __init__(self, *, max_queued: int = 100_000) -> None:
        self.counters: Counter[str] = Counter()
        self.change = threading.Condition(threading.RLock())
        self.is_held = False
        self.is_down = False
        self._max_queued = max_queued
        self._mailboxes: dict[str, _Mailbox] = {}
        self._refused: set[str] = set()

    def connect(self, client_id: str, *, window: int, keep_session: bool = False) -> MemorySession:
        if not 1 <= window <= 65_535:
            message = f"window(={window}) must be in 1..65535: MQTT numbers messages in flight with 16 bits"
            raise ValueError(message)
        with self.change:
            if self.is_down:
                what = "nobody listens there"
                raise UnreachableError(what, address="memory", advice="call let_back()")
            mailbox = self._mailboxes.get(client_id)
            if mailbox is not None and mailbox.session is not None:
                mailbox.session.hang_up("another client took over the name")
            if mailbox is None or not keep_session:
                mailbox = self._mailboxes[client_id] = _Mailbox()
            mailbox.session = MemorySession(self, mailbox, client_id, window=window, keep_session=keep_session)
            mailbox.session.come_back()
            return mailbox.session

    def death(self) -> str | None:
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._sessions():
            session.close(timeout_s=0)
        self._mailboxes.clear()

    # What a test does to it

    def refuse(self, topic: str) -> None:
        """Refuse from now on what is published to the topic, and subscriptions that are exactly it."""
        self._refused.add(topic)

    def hold(self) -> None:
        """Leave what is published in flight, unseen by subscribers, until ``release()``."""
        self.is_held = True

    def release(self) -> None:
        """Deliver and acknowledge in order all that was held, and hold no longer."""
        with self.change:
            self.is_held = False
            for session in self._sessions():
                session.send()

    def drop_connections(self, *, stay_down: bool = False) -> None:
        """Break every connection; sessions that are kept get again what they had not acknowledged."""
        with self.change:
            self.is_down = True
            for session in self._sessions():
                session.hang_up("the connection is lost; trying again")
            if not stay_down:
                self.let_back()

    def let_back(self) -> None:
        """Let the sessions connect again."""
        with self.change:
            self.is_down = False
            for session in self._sessions():
                session.come_back()

    def _sessions(self) -> list[MemorySession]:
        return [mailbox.session for mailbox in self._mailboxes.values() if mailbox.session is not None]

    # What its sessions do with it, holding ``change``

    def is_refused(self, topic: str) -> bool:
        return topic in self._refused

    def deliver(self, topic: str, payload: bytes, qos: int) -> None:
        """Put a letter into every mailbox with a subscription for it, once each."""
        for mailbox in self._mailboxes.values():
            granted = [most for pattern, most in mailbox.subscriptions.items() if matches(pattern, topic)]
            if not granted:
                continue
            letter = _Letter(topic, payload, min(qos, max(granted)))
            if mailbox.session is not None and mailbox.session.is_connected():
                pass
            elif letter.qos == 0:
                continue  # as with every broker: QoS 0 is for those who listen
            if len(mailbox.waiting) >= self._max_queued:
                self.counters["queue_overflow"] += 1
                continue
            mailbox.waiting.append(letter)
            if mailbox.session is not None:
                mailbox.session.fetch()

    def forget(self, client_id: str, mailbox: _Mailbox) -> None:
        """Throw a mailbox away whose session was not to be kept."""
        if self._mailboxes.get(client_id) is mailbox:
            del self._mailboxes[client_id]


class MemorySession:
    """A session with a MemoryBroker, as the Session protocol has it."""

    def __init__(
        self, broker: MemoryBroker, mailbox: _Mailbox, client_id: str, *, window: int, keep_session: bool
    ) -> None:
        self._broker = broker
        self._mailbox = mailbox
        self._client_id = client_id
        self._window = window
        self._keep_session = keep_session
        self._counters: Counter[str] = Counter()
        self._posted: deque[tuple[int, Outgoing]] = deque()
        self._acknowledged: list[Acknowledgement] = []
        self._arrived: deque[Delivery] = deque()
        self._epoch = 0
        self._trouble: str | None = "not connected yet"
        self._closed = False

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

    def subscribe(self, pattern: str, *, qos: int) -> None:
        with self._broker.change:
            self._check_open()
            reason = None if _is_pattern(pattern) else "Topic filter invalid"
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
