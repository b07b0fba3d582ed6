"""A lane of the bridge: takes messages from a session, writes them into a store, and only then acknowledges them."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from brokers.blocks import Arrivals
from brokers.endpoint import Session
from brokers.errors import BrokerError
from simulator.batch import Catalog
from simulator.clock import SECOND_NS, Clock, Pace
from simulator.errors import StoreError
from simulator.ingest.cargo import Cargo, Reader, named
from simulator.ingest.dead_letters import DeadLetters
from simulator.ingest.decode import Refusal
from simulator.ingest.shipment import Shipment
from simulator.ingest.store import Store
from simulator.results.histogram import Histogram, Latency
from simulator.results.ledger import Ledger
from simulator.wire.line_blocks import LineBlock

__all__ = ["MOST_AT_ONCE", "Lane"]

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
MS = 1_000_000
NOTHING = Cargo(LineBlock.joined([]), (), np.empty(0, dtype=np.int64))


class Lane:
    """Carries what one session hears into one store, step by step.

    A batch is what has arrived when the last write ended: it is never waited for, because a broker that sends at most
    W unacknowledged messages would wait for us as we wait for it. While the store cannot take the batch nothing is
    received, so that the broker queues, and in the end the publishers wait. Nothing is dropped: a message is written,
    or it is a dead letter with a reason, or it stays unacknowledged and the broker sends it again, to this session
    or, with a persistent session, to the next. What is in hand when the steps end is therefore in flight, not lost.
    """

    def __init__(
        self,
        *,
        session: Session,
        topics: Sequence[str],
        qos: int,
        catalog: Catalog,
        reader: Reader,
        store: Store,
        ledger: Ledger,
        latency: Latency,
        dead_letters: DeadLetters,
        pace: Pace,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self.retries: Counter[str] = Counter()
        """Writes that did not go through and were or will be tried again, by kind of reason."""
        self.trouble: str | None = None
        """What the store says while it does not take the batch; None when all is well."""
        self._session = session
        self._topics = topics
        self._qos = qos
        self._catalog = catalog
        self._reader = reader
        self._store = store
        self._ledger = ledger
        self._latency = latency
        self._dead_letters = dead_letters
        self._pace = pace
        self._clock = clock
        self._stop = stop
        self._arrivals = Arrivals.none()
        """What came last and is not acknowledged."""
        self._shipment = Shipment(NOTHING)
        self._cap: int | None = None
        self._unbroken = 0
        self._failures = 0
        self._not_before_ns = 0
        self._heard_ns = self._moved_ns = clock.monotonic_ns()

    def subscribe(self) -> None:
        """Have the broker send what is ours. Raises BrokerError when it refuses."""
        self._session.subscribe(*self._topics, qos=self._qos)

    @property
    def backlog(self) -> int:
        """Messages received and not yet acknowledged."""
        return self._arrivals.number

    def stuck_s(self) -> float:
        """Return for how long the store has taken nothing of what waits for it; 0 while nothing waits."""
        return (self._clock.monotonic_ns() - self._moved_ns) / SECOND_NS if self.backlog else 0.0

    def is_idle(self) -> bool:
        """Say whether the broker hears us and nothing is in hand."""
        return not self.backlog and self._session.is_connected()

    def silent_s(self) -> float:
        """Return for how long a broker that may have more has sent nothing; 0 while something is in hand.

        One that we are cut off from is silent and may have a lot: it is not called so.
        """
        now = self._clock.monotonic_ns()
        if not self.is_idle():
            self._heard_ns = now
        return (now - self._heard_ns) / SECOND_NS

    def take_stock(self) -> tuple[list[int], list[int]]:
        """Return asset and sequence number of every message that has come and is neither written nor a dead letter.

        For the end, after the last step: what the session still has waiting is looked at too, and stays
        unacknowledged.
        """
        waiting: list[tuple[list[int], list[int]]] = []
        with suppress(BrokerError):  # a session that broke has nothing more to tell
            while (part := self._session.receive_block(limit=MOST_AT_ONCE, timeout_s=0)).number:
                cargo, refused = self._reader.read(part)
                _, assets, numbers = named(cargo, refused)
                self._ledger.receive(assets, numbers)
                waiting.append((assets.tolist(), numbers.tolist()))
        waiting.append((self._shipment.left.asset.tolist(), self._shipment.left.seq.tolist()))
        return [one for assets, _ in waiting for one in assets], [one for _, numbers in waiting for one in numbers]

    def left(self) -> dict[str, int]:
        """Return how many received messages are not written yet, by topic."""
        rows = Counter(self._shipment.left.asset.tolist())
        return {self._catalog.assets[asset].topic: n for asset, n in sorted(rows.items())}

    def step(self) -> int:
        """Receive a batch, or try again to write the one in hand. Return how many messages were acknowledged.

        Waits for the first message at most 0.1 s, and for the time that the store has asked for.
        """
        if not self.backlog:
            arrivals = self._session.receive_block(limit=MOST_AT_ONCE, timeout_s=RECEIVE_TIMEOUT_S)
            if not arrivals.number:
                return 0
            self._take(arrivals)
        elif not self._clock.wait_until(self._not_before_ns, self._stop):
            return 0
        if not self._write():
            return 0
        # Also what became a dead letter: it is recorded, and sending it again would not better it.
        done, self._arrivals = self._arrivals, Arrivals.none()
        self._session.acknowledge_block(done, done.number)
        return done.number

    def _take(self, arrivals: Arrivals) -> None:
        """Turn arrivals into a new shipment; those that are no rows become dead letters."""
        now = self._heard_ns = self._clock.monotonic_ns()
        cargo, refused = self._reader.read(arrivals)
        places, assets, numbers = named(cargo, refused)
        # sent again though it is in the store already: there is nothing to do but to acknowledge it
        done = self._ledger.is_written(assets, numbers)
        order = np.argsort(places, kind="stable")
        new = np.empty(len(order), dtype=bool)
        new[order] = self._ledger.receive(assets[order], numbers[order])
        for one in refused:
            self._bury(arrivals, one.place, one.refusal)
        many = len(cargo)
        self._record(self._latency.broker, cargo, new[:many] & ~done[:many], now)
        self._shipment = Shipment(cargo.only(~done[:many]), cap=self._cap)
        self._moved_ns = now
        self._arrivals = arrivals

    def _write(self) -> bool:
        """Write what is left of the shipment; return False if the store wants us to come back later."""
        shipment = self._shipment
        whole = True
        while len(cargo := shipment.next()):
            try:
                self._put(cargo)
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

    def _put(self, cargo: Cargo) -> None:
        """Write in the form that the store takes. Raises StoreError."""
        if self._store.lines is None:
            self._store.write(cargo.rows)
            return
        try:
            body = cargo.text(self._store.lines)
        except ValueError as error:
            message = f"{len(cargo)} rows were not written: {error}"
            raise StoreError(message, retryable=False, split=True) from error
        self._store.write_lines(body)

    def _committed(self, cargo: Cargo) -> None:
        now = self._moved_ns = self._clock.monotonic_ns()
        asset, seq = cargo.asset, cargo.seq
        new = self._ledger.write(asset, seq, cargo.readings)
        self._record(self._latency.end_to_end, cargo, new, now)
        if self._latency.expects:
            for one in zip(asset.tolist(), seq.tolist(), strict=True):
                self._latency.settle(*one)

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
        bad = self._shipment.cargo.part(number, number + 1)
        place, asset, seq = (int(column[0]) for column in (bad.place, bad.asset, bad.seq))
        self._bury(self._arrivals, place, Refusal("store refuses the row", detail, asset, seq))

    def _bury(self, arrivals: Arrivals, place: int, refusal: Refusal) -> None:
        topic = arrivals.topic(place).decode(errors="backslashreplace")
        self._dead_letters.add(refusal.reason, refusal.detail, topic, arrivals.payload(place))
        if refusal.asset is not None and refusal.seq is not None:
            self._ledger.dead_letter(refusal.reason, [refusal.asset], [refusal.seq])
        else:
            self._ledger.foreign(refusal.reason, 1)

    def _record(self, histogram: Histogram, cargo: Cargo, which: NDArray[np.bool_], now_ns: int) -> None:
        """Note how long after they were due some messages came to a hop."""
        if self._pace.speed is None or not which.any():
            return
        dated_ns = cargo.time_ms[which] * MS
        if self._latency.expects:
            messages = zip(cargo.asset[which].tolist(), cargo.seq[which].tolist(), dated_ns.tolist(), strict=True)
            dated_ns = np.array([self._latency.due_ns(*one) for one in messages], dtype=np.int64)
        histogram.record(now_ns - self._pace.due_each(dated_ns))
