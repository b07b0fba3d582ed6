"""The publisher: messages go to the outlets in blocks, bounded and accounted for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brokers.blocks import Packets
from brokers.errors import BrokerError
from simulator.clock import Clock, Pace
from simulator.errors import OutOfReachError
from simulator.publish.consignment import Consignment
from simulator.publish.credit import Credit
from simulator.publish.gateway_book import GatewayBook
from simulator.publish.on_the_way import OnTheWay
from simulator.publish.outlet import Outlet
from simulator.results.latency import Latency
from simulator.results.ledger import Ledger
from simulator.wire.block import Block

__all__ = ["Latest", "Publisher"]

UNBOUNDED = 1 << 30
POLL_S = 0.002
NOT_SENT = "not sent after a failure"
TOO_LATE = "not sent in time"
TURN_S = 0.05
"""How long to wait in an outlet whose windows are full before the acknowledgements are looked at again."""
SHORT_TURN_S = 0.005
"""The same where it is asked when a message was sent: it is known to that precision."""


class Latest(NamedTuple):
    """The message that was handed over last."""

    asset: int
    time_ns: int
    """The instant that it is dated."""
    due_ns: int
    """Monotonic."""


class Publisher:
    """Sends consignments through outlets, those of a gateway through its own, in order per connection.

    While a window or the credit is used up it waits: in a live run that shows as lateness, never as loss.
    It gives up when the outlets have made no progress for ``patience_s``, or ``farewell_s`` once ``stop`` is set,
    and at once when ``hopeless``, asked while it waits, says why the run cannot go on. In an open loop what could not
    be sent ``late_after_ns`` after it was due is dropped. What gateways of the scenario relayed needs a ``book``. Used
    by one thread.
    """

    def __init__(
        self,
        outlets: Sequence[Outlet],
        *,
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
        late_after_ns: int | None = None,
        book: GatewayBook | None = None,
    ) -> None:
        self._outlets = outlets
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
        self._late_after_ns = late_after_ns
        self._book = book
        # After QoS and version of the protocol; the identifier stands before the properties, which are one byte.
        self._behind = 2 + (outlets[0].version == 5) if qos else 0
        self._on_the_way = [OnTheWay() for _ in outlets]
        self._idle_s = 0.0
        self.latest: Latest | None = None
        """For whoever looks for it elsewhere."""
        self.blocked_ns = 0
        """How long it had messages that were due and the outlets took none, in all."""
        self._turn_s = TURN_S if latency.from_sending is None else SHORT_TURN_S

    def send(self, consignment: Consignment) -> None:
        """Hand over all messages of a consignment.

        Raises OutOfReachError or BrokerError once sending has failed; by then all of it is scheduled, and what could
        not be sent is dropped with the reason, so that the books hold complete windows.
        """
        block = consignment.block
        if consignment.relayed is None:
            self._ledger.schedule(block.asset, block.seq, block.readings, consignment.marks)
        else:
            assert self._book is not None, "what gateways relayed needs a book"
            self._book.take_in(block, consignment.relayed, self._ledger)
            self._ledger.mark(block.asset, block.seq, consignment.marks)
            self._expect(consignment)
        self._hand_over(dict(consignment.gateways()))

    def _expect(self, consignment: Consignment) -> None:
        """Tell those who measure delays of messages that are not due at the instant they are dated."""
        block = consignment.block
        if self._pace.speed is not None:
            for row in np.flatnonzero((block.due_ns != block.time_ns) & ~block.again).tolist():
                self._latency.expect(int(block.asset[row]), int(block.seq[row]), int(block.due_ns[row]))

    def in_flight(self) -> int:
        """Messages handed over whose end is not known yet."""
        return sum(map(len, self._on_the_way))

    def drain(self, deadline_s: float) -> bool:
        """Wait for what is in flight; return False if some of it is still in flight at the deadline."""
        for _ in range(int(deadline_s / POLL_S)):
            self.collect()
            if not self.in_flight():
                return True
            time.sleep(POLL_S)
        return False

    def abandon(self, reason: str) -> None:
        """Give up what is in flight; what arrives all the same is counted as written."""
        self.collect()
        for waiting in self._on_the_way:
            asset, seq = waiting.give_up()
            if len(asset):
                self._ledger.drop(reason, asset, seq)

    def collect(self) -> None:
        """Take the acknowledgements that have come in and book them."""
        for outlet, waiting in zip(self._outlets, self._on_the_way, strict=True):
            settled = outlet.settled()
            for one in settled.refused:
                gone = waiting.take(np.array([one.tag]))
                first = ~gone.again
                self._ledger.drop(f"refused: {one.refused}", gone.asset[first], gone.seq[first])
            if not len(settled.tag):
                continue
            gone = waiting.take(settled.tag)
            first = ~gone.again
            self._idle_s = 0.0
            self._ledger.acknowledge(gone.asset[first], gone.seq[first])
            if self._pace.speed is not None:
                self._latency.publish.record((settled.at_ns - gone.due_ns)[first])
                if (sending := self._latency.from_sending) is not None:
                    sending.record(sending.publish, gone.asset[first], gone.seq[first], settled.at_ns[first])

    def _hand_over(self, queues: dict[int, Consignment]) -> None:
        failure: OutOfReachError | BrokerError | None = None
        while queues:
            self.collect()
            self._shed(queues)
            room = self._credit.room() if self._credit is not None else UNBOUNDED
            alone = len(queues) == 1
            taken, began_ns = 0, self._clock.monotonic_ns()
            try:
                for gateway in list(queues):
                    taken += self._offer(gateway, queues, room - taken, timeout_s=self._turn_s if alone else 0)
            except (OutOfReachError, BrokerError) as error:
                failure = error
                self._drop(queues, NOT_SENT)
                break
            if taken:
                self._idle_s = 0.0
            else:
                self._idle(waited=bool(room) and alone, has_room=bool(room))
                self.blocked_ns += self._clock.monotonic_ns() - began_ns
            if queues:
                self._give_up_in_time(queues, None if taken else self._hopeless())
        if failure is not None:
            raise failure

    def _idle(self, *, waited: bool, has_room: bool) -> None:
        """Let a moment pass, unless an outlet has waited already, and count it against the patience."""
        if waited:
            self._idle_s += self._turn_s
            return
        # without room the store is slow or nobody listens: whether that is for good is not seen from here
        if has_room or self._stop.is_set():
            self._idle_s += POLL_S
        time.sleep(POLL_S)

    def _offer(self, gateway: int, queues: dict[int, Consignment], room: int, *, timeout_s: float) -> int:
        """Hand over as much as there is room for of what waits for a gateway; return how many were taken."""
        block = queues[gateway].block
        offered = block.part(0, min(room, len(block)))
        if not len(offered):
            return 0
        identifier = offered.payload - self._behind if self._behind else None
        packets = Packets(offered.data, offered.start, identifier)
        if (sending := self._latency.from_sending) is not None:
            # before: the bridge may have the message before we hear that it was taken
            sending.departures.note(offered.asset, offered.seq, self._clock.monotonic_ns())
        taken = self._outlets[gateway].offer(packets, offered.asset, qos=self._qos, timeout_s=timeout_s)
        number = int(np.count_nonzero(taken))
        if not number:
            return 0
        self._note(offered, taken, self._on_the_way[gateway])
        if number == len(block):
            del queues[gateway]
        else:
            queues[gateway] = queues[gateway].rest(taken)
        return number

    def _note(self, offered: Block, taken: NDArray[np.bool_], waiting: OnTheWay) -> None:
        """Book the messages that an outlet has just taken."""
        now_ns = self._clock.monotonic_ns()
        asset, seq, again = offered.asset[taken], offered.seq[taken], offered.again[taken]
        due_ns = self._pace.due_each(offered.due_ns[taken])
        waiting.put(asset, seq, due_ns, again)
        repeated = int(np.count_nonzero(again))
        if repeated:
            self._ledger.publish_again(repeated)
        first = ~again
        self._ledger.publish(asset[first], seq[first])
        last = int(np.flatnonzero(taken)[-1])
        self.latest = Latest(int(asset[-1]), int(offered.time_ns[last]), int(due_ns[-1]))
        if self._pace.speed is not None:
            self._latency.lateness.record((now_ns - due_ns)[first])

    def _shed(self, queues: dict[int, Consignment]) -> None:
        """Drop what is too late to be sent: an open loop does not wait for whoever is slow."""
        if self._late_after_ns is None:
            return
        limit_ns = self._clock.monotonic_ns() - self._late_after_ns
        for gateway, left in list(queues.items()):
            late = self._pace.due_each(left.block.due_ns) < limit_ns
            if not late.any():
                continue
            first = late & ~left.block.again
            self._ledger.drop(TOO_LATE, left.block.asset[first], left.block.seq[first])
            if late.all():
                del queues[gateway]
            else:
                queues[gateway] = left.rest(late)

    def _drop(self, queues: dict[int, Consignment], reason: str) -> None:
        for left in queues.values():
            first = ~left.block.again
            self._ledger.drop(reason, left.block.asset[first], left.block.seq[first])
        queues.clear()

    def _give_up_in_time(self, queues: dict[int, Consignment], hopeless: str | None) -> None:
        interrupted = self._stop.is_set()
        patience_s = self._farewell_s if interrupted else self._patience_s
        if hopeless is None and self._idle_s < patience_s:
            return
        if interrupted:
            reason = "not sent before the run was stopped"
        else:
            reason = f"no broker for {patience_s:g} s" if hopeless is None else NOT_SENT
        self._drop(queues, reason)
        if hopeless is not None and not interrupted:
            raise OutOfReachError(hopeless)
        if not interrupted:
            troubles = [trouble for outlet in self._outlets if (trouble := outlet.trouble())]
            message = f"the broker has taken nothing for {patience_s:g} s: {troubles[0] if troubles else 'no answer'}"
            raise OutOfReachError(message)
