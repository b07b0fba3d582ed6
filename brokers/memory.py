"""A broker in this process, for tests: the whole contract, no thread, no socket, nothing late but what a test holds."""

from __future__ import annotations

import threading
from collections import Counter
from types import TracebackType
from typing import Self

from brokers.errors import UnreachableError
from brokers.mailbox import Letter, Mailbox, matches
from brokers.memory_session import MemorySession

__all__ = ["MemoryBroker", "MemorySession", "matches"]


class MemoryBroker:
    """A post office on a table: what can happen to a message happens when the test says so.

    ``hold()`` leaves published messages in flight until ``release()``; ``refuse(topic)`` denies a topic as an access
    list would; ``drop_connections()`` breaks every connection; they are back at once, or with ``stay_down`` after
    ``let_back()``. One client may have ``max_queued`` messages waiting; the rest counts as ``queue_overflow``.
    """

    endpoint = None
    process_id = None
    profile = "In-memory broker of this process, for tests: keeps nothing when the process ends."

    def __init__(self, *, max_queued: int = 100_000) -> None:
        self.counters: Counter[str] = Counter()
        self.change = threading.Condition(threading.RLock())
        self.is_held = False
        self.is_down = False
        self._max_queued = self.may_wait = max_queued
        self._mailboxes: dict[str, Mailbox] = {}
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
                mailbox = self._mailboxes[client_id] = Mailbox()
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
            letter = Letter(topic, payload, min(qos, max(granted)))
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

    def forget(self, client_id: str, mailbox: Mailbox) -> None:
        """Throw a mailbox away whose session was not to be kept."""
        if self._mailboxes.get(client_id) is mailbox:
            del self._mailboxes[client_id]
