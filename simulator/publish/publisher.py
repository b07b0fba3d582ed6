"""The publisher: batches become messages, and messages go to the gateway sessions, bounded and accounted for."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from zlib import crc32

import numpy as np

from brokers.endpoint import Outgoing, Session
from brokers.errors import BrokerError
from simulator.batch import Asset, Batch
from simulator.clock import Clock, Pace
from simulator.errors import OutOfReachError
from simulator.publish.credit import Credit
from simulator.publish.gateway_book import GatewayBook
from simulator.publish.pacing import due_times
from simulator.results.histogram import Latency
from simulator.results.ledger import Ledger
from simulator.wire.json import JsonEncoder, Message

__all__ = ["Publisher", "gateways"]

LEVELS = {"site": 2, "factory": 3, "line": 4}
"""How many levels of an asset's path name its gateway."""
BLOCK = 500
"""Messages made and handed over at a time."""
POLL_S = 0.002
NOT_SENT = "not sent after a failure"
TURN_S = 0.05
"""How long to wait in a session whose window is full before the acknowledgements are looked at again."""


def gateways(assets: Sequence[Asset], per: str) -> tuple[list[str], list[int]]:
    """Return the names of the gateways, and for each asset the number of its gateway.

    ``per`` is ``site``, ``factory`` or ``line``: what shares one MQTT connection. What speaks for more than that, such
    as key figures of a site, does so through the first gateway in it.
    """
    levels = LEVELS[per]
    names = dict.fromkeys("/".join(asset.path[:levels]) for asset in assets if len(asset.path) > levels)
    numbers = {name: number for number, name in enumerate(names)}
    first: dict[str, int] = {}
    for name, number in numbers.items():
        parts = name.split("/")
        for size in range(1, levels + 1):
            first.setdefault("/".join(parts[:size]), number)
    return list(numbers), [first["/".join(asset.path[: min(levels, len(asset.path) - 1)])] for asset in assets]


class Publisher:
    """Sends the messages of batches through gateway sessions, in order per asset.

    While a session's window or the credit is used up it waits: in a live run that shows as lateness, never as loss.
    It gives up when the sessions have made no progress for ``patience_s``, or ``farewell_s`` once ``stop`` is set,
    and at once when ``hopeless``, asked while it waits, says why the run cannot go on. Batches that gateways of the
    scenario relayed need a ``book``. Used by one thread.
    """

    def __init__(
        self,
        sessions: Sequence[Session],
        gateway_of: Sequence[int],
        *,
        encoder: JsonEncoder,
        ledger: Ledger,
        latency: Latency,
        pace: Pace,
        clock: Clock,
        qos: int,
        credit: Credit | None,
        stop: threading.Event,
        hopeless: Callable[[], str | None],
        patience_s: float = 30.0,
        farewell_s: float = 2.0,
        book: GatewayBook | None = None,
    ) -> None:
        self._sessions = sessions
        self._gateway_of = gateway_of
        self._encoder = encoder
        self._ledger = ledger
        self._latency = latency
        self._pace = pace
        self._clock = clock
        self._qos = qos
        self._credit = credit
        self._stop = stop
        self._hopeless = hopeless
        self._patience_s = patience_s
        self._farewell_s = farewell_s
        self._book = book
        self._sent: dict[int, tuple[int, int, int]] = {}
        self._again: set[int] = set()
        """Tags of what is in flight for another time; its first time is in the books."""
        self._next_tag = 0
        self._idle_s = 0.0

    def send(self, batch: Batch) -> None:
        """Hand over all messages of a batch.

        Raises OutOfReachError or BrokerError once sending has failed; by then the whole batch is scheduled, and what
        could not be sent is dropped with the reason, so that the books hold complete windows.
        """
        messages = self._encoder.messages(batch)
        failure: OutOfReachError | BrokerError | None = None
        if batch.relayed is not None:
            assert self._book is not None, "what gateways relayed needs a book"
            self._book.take_in(batch, batch.relayed, self._ledger)
        while block := list(islice(messages, BLOCK)):
            asset, seq, marks = [m.asset for m in block], [m.seq for m in block], [crc32(m.payload) for m in block]
            if batch.relayed is None:
                self._ledger.schedule(asset, seq, [m.readings for m in block], marks)
            else:
                self._ledger.mark(asset, seq, marks)
                self._expect(block)
            if failure is None:
                try:
                    self._hand_over(block)
                except (OutOfReachError, BrokerError) as error:
                    failure = error
            else:
                self._ledger.drop(NOT_SENT, [m.asset for m in block], [m.seq for m in block])
        if failure is not None:
            raise failure

    def _expect(self, block: list[Message]) -> None:
        """Tell those who measure delays of messages that are not due at the instant they are dated."""
        if self._pace.speed is not None:
            for message in block:
                if message.due_ns != message.time_ns and not message.again:
                    self._latency.expect(message.asset, message.seq, message.due_ns)

    def in_flight(self) -> int:
        """Messages handed over whose end is not known yet."""
        return len(self._sent)

    def drain(self, deadline_s: float) -> bool:
        """Wait for what is in flight; return False if some of it is still in flight at the deadline."""
        for _ in range(int(deadline_s / POLL_S)):
            self.collect()
            if not self._sent:
                return True
            time.sleep(POLL_S)
        return False

    def abandon(self, reason: str) -> None:
        """Give up what is in flight; what arrives all the same is counted as written."""
        self.collect()
        given_up = [one for tag, one in self._sent.items() if tag not in self._again]
        if given_up:
            asset, seq, _ = zip(*given_up, strict=True)
            self._ledger.drop(reason, asset, seq)
        self._sent.clear()
        self._again.clear()

    def collect(self) -> None:
        """Take the acknowledgements that have come in and book them."""
        took: list[tuple[int, int]] = []
        delays: list[int] = []
        for session in self._sessions:
            for tag, refused, at_ns in session.acknowledgements():
                asset, seq, due_ns = self._sent.pop(tag)
                if tag in self._again:
                    self._again.remove(tag)
                    continue
                if refused is not None:
                    self._ledger.drop(f"refused: {refused}", asset, seq)
                    continue
                took.append((asset, seq))
                delays.append(at_ns - due_ns)
        if not took:
            return
        self._idle_s = 0.0
        self._ledger.acknowledge(*zip(*took, strict=True))
        if self._pace.speed is not None:
            self._latency.publish.record(delays)

    def _hand_over(self, block: list[Message]) -> None:
        due = due_times(self._pace, np.array([m.due_ns for m in block], np.int64)).tolist()
        queues: dict[int, deque[tuple[Message, int]]] = {}
        for message, due_ns in zip(block, due, strict=True):
            queues.setdefault(self._gateway_of[message.asset], deque()).append((message, due_ns))
        while queues:
            self.collect()
            room = self._credit.room() if self._credit is not None else BLOCK
            alone = len(queues) == 1
            taken = 0
            for gateway in list(queues):
                taken += self._offer(gateway, queues[gateway], room - taken, timeout_s=TURN_S if alone else 0)
                if not queues[gateway]:
                    del queues[gateway]
            if taken:
                self._idle_s = 0.0
            elif room and alone:
                self._idle_s += TURN_S
            elif room or self._stop.is_set():
                self._idle_s += POLL_S
            # without room the store is slow or nobody listens: whether that is for good is not seen from here
            if not taken and not (room and alone):
                time.sleep(POLL_S)
            if queues:
                self._give_up_in_time(queues, None if taken else self._hopeless())

    def _offer(self, gateway: int, queue: deque[tuple[Message, int]], room: int, *, timeout_s: float) -> int:
        offered = list(islice(queue, room))
        if not offered:
            return 0
        packets = []
        for tag, (message, due_ns) in enumerate(offered, self._next_tag):
            self._sent[tag] = (message.asset, message.seq, due_ns)
            packets.append(Outgoing(message.topic, message.payload, tag))
        taken = self._sessions[gateway].publish(packets, qos=self._qos, timeout_s=timeout_s)
        for tag in range(self._next_tag + taken, self._next_tag + len(offered)):
            del self._sent[tag]
        if taken:
            now_ns = self._clock.monotonic_ns()
            gone = [queue.popleft() for _ in range(taken)]
            again = [tag for tag, (message, _) in enumerate(gone, self._next_tag) if message.again]
            if again:
                self._again.update(again)
                self._ledger.publish_again(len(again))
                gone = [one for one in gone if not one[0].again]
            self._ledger.publish([m.asset for m, _ in gone], [m.seq for m, _ in gone])
            if self._pace.speed is not None:
                self._latency.lateness.record([now_ns - due_ns for _, due_ns in gone])
        self._next_tag += taken
        return taken

    def _give_up_in_time(self, queues: dict[int, deque[tuple[Message, int]]], hopeless: str | None) -> None:
        interrupted = self._stop.is_set()
        patience_s = self._farewell_s if interrupted else self._patience_s
        if hopeless is None and self._idle_s < patience_s:
            return
        left: Iterable[Message] = [message for queue in queues.values() for message, _ in queue]
        queues.clear()
        if interrupted:
            reason = "not sent before the run was stopped"
        else:
            reason = f"no broker for {patience_s:g} s" if hopeless is None else NOT_SENT
        self._ledger.drop(reason, [m.asset for m in left], [m.seq for m in left])
        if hopeless is not None and not interrupted:
            raise OutOfReachError(hopeless)
        if not interrupted:
            troubles = [trouble for session in self._sessions if (trouble := session.trouble())]
            message = f"the broker has taken nothing for {patience_s:g} s: {troubles[0] if troubles else 'no answer'}"
            raise OutOfReachError(message)
