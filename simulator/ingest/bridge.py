"""The bridge: takes messages from a broker, writes them into a store, and only then acknowledges them."""

from __future__ import annotations

import random
import threading
from collections import Counter
from contextlib import suppress
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from brokers.blocks import Arrivals
from brokers.endpoint import Session
from brokers.errors import BrokerError
from simulator.batch import Catalog
from simulator.clock import SECOND_NS, Clock, Pace
from simulator.errors import StoreError
from simulator.ingest.cargo import Cargo, LineReader, Reader, Refused, RowReader
from simulator.ingest.dead_letters import DeadLetters
from simulator.ingest.decode import Refusal
from simulator.ingest.shipment import Shipment
from simulator.ingest.store import Store
from simulator.results.histogram import Histogram, Latency
from simulator.results.ledger import Ledger
from simulator.wire.line_blocks import LineBlock

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
MS = 1_000_000
NOTHING = Cargo(LineBlock.joined([]), (), np.empty(0, dtype=np.int64))


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
        self._reader: Reader = RowReader(catalog) if store.lines is None else LineReader(catalog)
        self._arrivals = Arrivals.none()
        """What came last and is not acknowledged."""
        self._shipment = Shipment(NOTHING)
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
        return self._arrivals.number

    def stuck_s(self) -> float:
        """Return for how long the store has taken nothing of what waits for it; 0 while nothing waits."""
        return (self._clock.monotonic_ns() - self._moved_ns) / SECOND_NS if self.backlog else 0.0

    def take_stock(self) -> tuple[list[int], list[int]]:
        """Return asset and sequence number of every message that has come and is neither written nor a dead letter.

        For the end, after close(): what the session still has waiting is looked at too, and stays unacknowledged.
        """
        waiting: list[tuple[list[int], list[int]]] = []
        with suppress(BrokerError):  # a session that broke has nothing more to tell
            while (part := self._session.receive_block(limit=MOST_AT_ONCE, timeout_s=0)).number:
                cargo, refused = self._read(part)
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

    def drain(self, deadline_s: float) -> bool:
        """Go on until everything that the broker acknowledged is written; return False if something is not.

        Ends early when nothing more comes: the thread has failed, or a connected broker has been quiet for 3 s.
        Steps itself if the thread was never started.
        """
        began_ns = self._clock.monotonic_ns()
        while not self._is_done():
            now = self._clock.monotonic_ns()
            # A broker that we are cut off from is silent and may have a lot.
            if self.backlog or not self._session.is_connected():
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
        return not self.backlog and self._ledger.unwritten() == 0

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self.step()
        except Exception as error:  # noqa: BLE001 - kept for the run, which ends on it; a dead thread tells nobody
            self.failure = error

    def _take(self, arrivals: Arrivals) -> None:
        """Turn arrivals into a new shipment; those that are no rows become dead letters."""
        now = self._heard_ns = self._clock.monotonic_ns()
        cargo, refused = self._read(arrivals)
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

    def _read(self, arrivals: Arrivals) -> tuple[Cargo, list[Refused]]:
        """Read the messages; what this run has not sent is refused, a good row too.

        Another run or a device speaks on the same topics: written, its row could replace a true one.
        """
        cargo, refused = self._reader.read(arrivals)
        places, assets, numbers = named(cargo, refused)
        ours = self._ledger.is_scheduled(assets, numbers)
        data = memoryview(arrivals.data)
        ends = zip(arrivals.payload_start[places].tolist(), arrivals.payload_end[places].tolist(), strict=True)
        marks = np.fromiter((crc32(data[low:high]) for low, high in ends), dtype=np.int64, count=len(places))
        same = ours.copy()
        same[ours] = self._ledger.is_marked(assets[ours], numbers[ours], marks[ours])
        if same.all():
            return cargo, refused
        strange = strangers(places[~same], numbers[~same], ours[~same])
        others = {one.place for one in strange}
        refused = [one for one in refused if one.place not in others]
        return cargo.only(same[: len(cargo)]), sorted(refused + strange, key=lambda one: one.place)

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
        self.dead_letters.add(refusal.reason, refusal.detail, topic, arrivals.payload(place))
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


def named(cargo: Cargo, refused: list[Refused]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return place, asset and number of each message that says whose it is: first of the cargo, then of the refused."""
    known = [
        (one.place, one.refusal.asset, one.refusal.seq)
        for one in refused
        if one.refusal.asset is not None and one.refusal.seq is not None
    ]
    place, asset, seq = np.array(known, dtype=np.int64).reshape(-1, 3).T
    return (
        np.concatenate((cargo.place, place)),
        np.concatenate((cargo.asset, asset)),
        np.concatenate((cargo.seq, seq)),
    )


def strangers(place: NDArray[np.int64], seq: NDArray[np.int64], known: NDArray[np.bool_]) -> list[Refused]:
    """Return the refusals of messages that are none of this run; without an asset they stay out of the balance.

    ``known`` says of which of them the run has sent the number, with another content.
    """
    found = []
    for where, number, is_known in zip(place.tolist(), seq.tolist(), known.tolist(), strict=True):
        what = f"n(={number}) with this content" if is_known else f"n(={number})"
        detail = f"{what} was not sent by this run; does another run or a device speak on the same topics?"
        reason = "content of no message of this run" if is_known else "sequence number of no message of this run"
        found.append(Refused(where, Refusal(reason, detail)))
    return found
