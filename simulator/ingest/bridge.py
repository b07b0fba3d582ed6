"""The bridge: takes messages from a broker, writes them into a store, and only then acknowledges them."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from brokers.endpoint import Delivery, Session
from brokers.errors import BrokerError
from simulator.batch import Catalog
from simulator.clock import SECOND_NS, Clock, Pace
from simulator.errors import StoreError
from simulator.ingest.dead_letters import DeadLetters
from simulator.ingest.decode import Decoder, Refusal
from simulator.ingest.shipment import Shipment
from simulator.ingest.store import Row, Store
from simulator.results.histogram import Histogram, Latency
from simulator.results.ledger import Ledger

__all__ = ["Bridge"]

MOST_AT_ONCE = 5_000
"""Messages of one batch. Memory holds one batch; the rest waits in the session's window and at the broker."""
RECEIVE_TIMEOUT_S = 0.1
FIRST_WAIT_S = 0.1
LONGEST_BACK_OFF_S = 10.0
LONGEST_WAIT_S = 60.0
"""What a store may ask us to wait, at most."""
REFUSED_WAIT_S = 3.0
"""Between two attempts while the store refuses us (wrong token, missing bucket): a person has to mend it."""
SHIPMENTS_BEFORE_GROWTH = 64
QUIET_S = 3.0
"""A connected broker that has sent nothing for so long has nothing more."""
POLL_NS = SECOND_NS // 50


class Bridge:
    """Carries one subscription into one store, in its own thread or step by step.

    A batch is what has arrived when the last write ended: it is never waited for, because a broker that sends at most
    W unacknowledged messages would wait for us as we wait for it. While the store cannot take the batch nothing is
    received, so that the broker queues, and in the end the publishers wait. Nothing is dropped: a message is written,
    or it is a dead letter with a reason, or it stays unacknowledged and the broker sends it again, to this session
    or, with a persistent session, to the next. What ``close`` leaves behind is therefore in flight, not lost.
    """

    def __init__(
        self,
        *,
        session: Session,
        catalog: Catalog,
        store: Store,
        ledger: Ledger,
        latency: Latency,
        pace: Pace,
        clock: Clock,
        pattern: str,
        qos: int,
    ) -> None:
        self.dead_letters = DeadLetters()
        self.retries: Counter[str] = Counter()
        """Writes that did not go through and were or will be tried again, by kind of reason."""
        self.trouble: str | None = None
        """What the store says while it does not take the batch; None when all is well."""
        self.failure: Exception | None = None
        """What ended the thread, if it was not close()."""
        self._session = session
        self._catalog = catalog
        self._store = store
        self._ledger = ledger
        self._latency = latency
        self._pace = pace
        self._clock = clock
        self._pattern = pattern
        self._qos = qos
        self._decoder = Decoder(catalog)
        self._origin: list[Delivery] = []
        """Where each row of the shipment comes from."""
        self._deliveries: Sequence[Delivery] = ()
        self._shipment = Shipment(())
        self._cap: int | None = None
        self._unbroken = 0
        self._failures = 0
        self._not_before_ns = 0
        self._heard_ns = self._moved_ns = clock.monotonic_ns()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Subscribe and carry in an own thread until close(). Raises BrokerError when the broker refuses."""
        self.subscribe()
        self._thread = threading.Thread(target=self._run, name="bridge", daemon=True)
        self._thread.start()

    def subscribe(self) -> None:
        """Subscribe only, for a caller of step(). Raises BrokerError when the broker refuses."""
        self._session.subscribe(self._pattern, qos=self._qos)

    @property
    def backlog(self) -> int:
        """Messages received and not yet acknowledged."""
        return len(self._deliveries)

    def stuck_s(self) -> float:
        """Return for how long the store has taken nothing of what waits for it; 0 while nothing waits."""
        return (self._clock.monotonic_ns() - self._moved_ns) / SECOND_NS if self._deliveries else 0.0

    def take_stock(self) -> tuple[list[int], list[int]]:
        """Return asset and sequence number of every message that has come and is neither written nor a dead letter.

        For the end, after close(): what the session still has waiting is looked at too, and stays unacknowledged.
        """
        waiting: list[Delivery] = []
        with suppress(BrokerError):  # a session that broke has nothing more to tell
            while part := self._session.receive(limit=MOST_AT_ONCE, timeout_s=0):
                waiting += part
        _, assets, numbers = named(self._decoded(waiting)).T
        self._ledger.receive(assets, numbers)
        left = self._shipment.left
        return [*assets.tolist(), *(row.asset for row in left)], [*numbers.tolist(), *(row.seq for row in left)]

    def left(self) -> dict[str, int]:
        """Return how many received messages are not written yet, by topic."""
        rows = Counter(row.asset for row in self._shipment.left)
        return {self._catalog.assets[asset].topic: n for asset, n in sorted(rows.items())}

    def step(self) -> int:
        """Receive a batch, or try again to write the one in hand. Return how many messages were acknowledged.

        Waits for the first message at most 0.1 s, and for the time that the store has asked for.
        """
        if not self._deliveries:
            deliveries = self._session.receive(limit=MOST_AT_ONCE, timeout_s=RECEIVE_TIMEOUT_S)
            if not deliveries:
                return 0
            self._take(deliveries)
        elif not self._clock.wait_until(self._not_before_ns, self._stop):
            return 0
        if not self._write():
            return 0
        # Also what became a dead letter: it is recorded, and sending it again would not better it.
        done, self._deliveries = self._deliveries, ()
        self._session.acknowledge(done)
        return len(done)

    def drain(self, deadline_s: float) -> bool:
        """Go on until everything that the broker acknowledged is written; return False if something is not.

        Ends early when nothing more comes: the thread has failed, or a connected broker has been quiet for 3 s.
        Steps itself if the thread was never started.
        """
        began_ns = self._clock.monotonic_ns()
        while not self._is_done():
            now = self._clock.monotonic_ns()
            # A broker that we are cut off from is silent and may have a lot.
            if self._deliveries or not self._session.is_connected():
                self._heard_ns = now
            quiet = now - max(self._heard_ns, began_ns) > QUIET_S * SECOND_NS
            if quiet or self.failure is not None or now - began_ns >= deadline_s * SECOND_NS:
                return False
            if self._thread is None:
                self.step()
            self._clock.wait_until(now + POLL_NS)
        return True

    def close(self, *, timeout_s: float = 40.0) -> None:
        """Stop after the write that is under way. Twice is once.

        What is not written then stays unacknowledged: see left(). Session and store belong to who opened them.
        """
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _is_done(self) -> bool:
        return not self._deliveries and self._ledger.unwritten() == 0

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self.step()
        except Exception as error:  # noqa: BLE001 - kept for the run, which ends on it; a dead thread tells nobody
            self.failure = error

    def _take(self, deliveries: Sequence[Delivery]) -> None:
        """Turn deliveries into the rows of a new shipment; those that are no rows become dead letters."""
        now = self._heard_ns = self._clock.monotonic_ns()
        decoded = self._decoded(deliveries)
        came = named(decoded)
        where, assets, numbers = came.T
        # sent again though it is in the store already: there is nothing to do but to acknowledge it
        done = set(where[self._ledger.is_written(assets, numbers)].tolist())
        new = set(where[self._ledger.receive(assets, numbers)].tolist())
        rows, fresh, self._origin = [], [], []
        for place, (delivery, found) in enumerate(zip(deliveries, decoded, strict=True)):
            if place in done:
                continue
            if isinstance(found, Refusal):
                self._bury(delivery, found)
                continue
            self._origin.append(delivery)
            rows.append(found)
            if place in new:
                fresh.append(found)
        self._record(self._latency.broker, fresh, now)
        self._shipment = Shipment(rows, cap=self._cap)
        self._moved_ns = now
        self._deliveries = deliveries

    def _decoded(self, deliveries: Sequence[Delivery]) -> list[Row | Refusal]:
        """Read the messages; what this run has not sent is refused, a good row too.

        Another run or a device speaks on the same topics: written, its row could replace a true one.
        """
        found = [self._decoder.decode(delivery.topic, delivery.payload) for delivery in deliveries]
        places, assets, numbers = named(found).T
        ours = self._ledger.is_scheduled(assets, numbers)
        for place, seq in zip(places[~ours].tolist(), numbers[~ours].tolist(), strict=True):
            found[place] = stranger("sequence number of no message of this run", f"n(={seq})")
        places, assets, numbers = places[ours], assets[ours], numbers[ours]
        marks = [crc32(deliveries[place].payload) for place in places.tolist()]
        theirs = ~self._ledger.is_marked(assets, numbers, marks)
        for place, seq in zip(places[theirs].tolist(), numbers[theirs].tolist(), strict=True):
            found[place] = stranger("content of no message of this run", f"n(={seq}) with this content")
        return found

    def _write(self) -> bool:
        """Write what is left of the shipment; return False if the store wants us to come back later."""
        shipment = self._shipment
        whole = True
        while rows := shipment.next():
            try:
                self._store.write(rows)
            except StoreError as error:
                if not error.split:
                    self._postpone(error)
                    return False
                whole = False
                self._set_aside(shipment.refused(), str(error))
            else:
                self._committed(shipment.written())
        self._failures, self.trouble = 0, None
        self._learn_cap(shipment.cap, whole=whole)
        return True

    def _learn_cap(self, cap: int | None, *, whole: bool) -> None:
        """Keep the size that a store takes, and try a larger one after a while: it may have been a bad moment."""
        self._cap = cap
        self._unbroken = self._unbroken + 1 if whole else 0
        if cap is not None and self._unbroken >= SHIPMENTS_BEFORE_GROWTH:
            self._cap, self._unbroken = (cap * 2 if cap * 2 < MOST_AT_ONCE else None), 0

    def _committed(self, rows: Sequence[Row]) -> None:
        self._moved_ns = self._clock.monotonic_ns()
        numbers = np.array([(row.asset, row.seq, len(row.fields)) for row in rows], np.int64)
        new = np.flatnonzero(self._ledger.write(*numbers.T)).tolist()
        self._record(self._latency.end_to_end, [rows[place] for place in new], self._clock.monotonic_ns())
        if self._latency.expects:
            for row in rows:
                self._latency.settle(row.asset, row.seq)

    def _postpone(self, error: StoreError) -> None:
        """Set the time of the next attempt: when the store asked, else later and later, never at the same beat."""
        self._failures += 1
        spread = random.random()  # noqa: S311 - many bridges shall not come back at once
        if error.after_s is not None:
            reason, wait_s = "store asked to wait", min(error.after_s, LONGEST_WAIT_S) * (1 + spread / 10)
        elif error.retryable:
            longest_s = min(LONGEST_BACK_OFF_S, FIRST_WAIT_S * 2.0 ** min(self._failures, 16))
            reason, wait_s = "store out of reach", longest_s * (1 + spread) / 2
        else:
            reason, wait_s = "store refuses us", REFUSED_WAIT_S * (1 + spread / 10)
        self.retries[reason] += 1
        self.trouble = str(error)
        self._not_before_ns = self._clock.monotonic_ns() + round(wait_s * SECOND_NS)

    def _set_aside(self, number: int | None, detail: str) -> None:
        if number is None:
            self.retries["batch split"] += 1
            return
        self._moved_ns = self._clock.monotonic_ns()
        row = self._shipment.rows[number]
        self._bury(self._origin[number], Refusal("store refuses the row", detail, row.asset, row.seq))

    def _bury(self, delivery: Delivery, refusal: Refusal) -> None:
        self.dead_letters.add(refusal.reason, refusal.detail, delivery.topic, delivery.payload)
        if refusal.asset is not None and refusal.seq is not None:
            self._ledger.dead_letter(refusal.reason, [refusal.asset], [refusal.seq])
        else:
            self._ledger.foreign(refusal.reason, 1)

    def _record(self, histogram: Histogram, rows: Sequence[Row], now_ns: int) -> None:
        if self._pace.speed is not None and rows:
            due_ns = [self._latency.due_ns(row.asset, row.seq, row.time_ms * 1_000_000) for row in rows]
            histogram.record([now_ns - self._pace.due_ns(one) for one in due_ns])


def named(found: Sequence[Row | Refusal]) -> NDArray[np.int64]:
    """Return (place, asset, sequence number) of every message that says whose it is, int64[N, 3]."""
    known = [(n, one.asset, one.seq) for n, one in enumerate(found) if one.asset is not None and one.seq is not None]
    return np.array(known, np.int64).reshape(-1, 3)


def stranger(reason: str, what: str) -> Refusal:
    """Return the refusal of a message that is none of this run; without an asset it stays out of the balance."""
    return Refusal(reason, f"{what} was not sent by this run; does another run or a device speak on the same topics?")
