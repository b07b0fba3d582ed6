"""A lane of the bridge: takes messages from a session, writes them into a store, and only then acknowledges them."""

from __future__ import annotations

import errno
import random
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brokers.blocks import Arrivals
from brokers.endpoint import Session
from brokers.errors import BrokerError
from simulator.batch import Catalog
from simulator.clock import SECOND_NS, Clock, Pace
from simulator.errors import StoreError
from simulator.ingest.books import Books
from simulator.ingest.cargo import Cargo, Reader, Refused, named
from simulator.ingest.dead_letters import DeadLetters
from simulator.ingest.decode import Refusal
from simulator.ingest.hours import Hours
from simulator.ingest.shipment import Shipment
from simulator.ingest.spool import Spool, SpoolFullError
from simulator.ingest.store import Store
from simulator.results.latency import Latency
from simulator.results.ledger import UNDATED
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
TAKE_IN_NS = SECOND_NS // 10
"""Between two looks at the session while the store is away."""
FULL = {errno.ENOSPC, errno.EDQUOT}
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

    With a spool, what the store does not take goes there, is acknowledged, and what comes goes there too, until all of
    it is written: oldest first, so that the messages of an asset keep their order. When the spool is full, or its disk
    fails, it is as without one.
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
        books: Books,
        latency: Latency,
        dead_letters: DeadLetters,
        pace: Pace,
        clock: Clock,
        stop: threading.Event,
        spool: Spool | None = None,
    ) -> None:
        self.retries: Counter[str] = Counter()
        """Writes that did not go through and were or will be tried again, by kind of reason."""
        self.trouble: str | None = None
        """What the store says while it does not take the batch; None when all is well."""
        self.hours = Hours(clock)
        """How its thread spends its time."""
        self.spool_trouble: str | None = None
        """Why the spool takes nothing; None when all is well."""
        self._session = session
        self._topics = topics
        self._qos = qos
        self._catalog = catalog
        self._reader = reader
        self._store = store
        self._books = books
        self._latency = latency
        self._dead_letters = dead_letters
        self._pace = pace
        self._clock = clock
        self._stop = stop
        self._spool = spool
        self._arrivals = Arrivals.none()
        """What is in hand: it came last and is not acknowledged, or is the oldest of the spool."""
        self._is_spooled = False
        """Whether what is in hand is of the spool."""
        self._unsafe, self._wanted = Arrivals.none(), np.zeros(0, dtype=bool)
        """What came behind the spool, does not fit into it and is not acknowledged; and what of it is to be kept."""
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
        """Messages received and not yet acknowledged, and those in the spool."""
        in_hand = 0 if self._is_spooled else self._arrivals.number
        return in_hand + self._unsafe.number + self.spooled

    @property
    def spooled(self) -> int:
        """Messages in the spool."""
        return 0 if self._spool is None else len(self._spool)

    @property
    def damage(self) -> dict[str, int]:
        """What of the spool could not be read back, by kind."""
        return {} if self._spool is None else self._spool.damage.told()

    def stuck_s(self) -> float:
        """Return for how long the store has taken nothing of what waits for it; 0 while nothing waits.

        What is safe in a spool that takes more does not wait.
        """
        waits = self._unsafe.number or (self._arrivals.number and not self._is_spooled)
        return (self._clock.monotonic_ns() - self._moved_ns) / SECOND_NS if waits else 0.0

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
        parts: list[tuple[Cargo, list[Refused]]] = []
        with suppress(BrokerError):  # a session that broke has nothing more to tell
            while (part := self._session.receive_block(limit=MOST_AT_ONCE, timeout_s=0)).number:
                parts.append(self._reader.read(part))
                self._books.receive(*named(*parts[-1])[1:], UNDATED)
        parts.append(self._reader.read(self._unsafe))
        if not self._is_spooled:
            parts.append((self._shipment.left, []))
        columns = [named(*part) for part in parts]
        assets, numbers = ([one for column in columns for one in column[place].tolist()] for place in (1, 2))
        return assets, numbers

    def still_spooled(self) -> int:
        """Return how many messages of the spool are sound and not written; for the end, after the last step.

        Raises OSError.
        """
        if self._spool is None:
            return 0
        number = 0
        for part in self._spool.parts():
            cargo, _ = self._reader.read(part)
            number += int(np.count_nonzero(~self._books.is_written(cargo.asset, cargo.seq)))
        return number

    def left(self) -> dict[str, int]:
        """Return how many received messages are neither written nor in the spool, by topic."""
        rows = Counter(self._shipment.left.asset.tolist())
        return {self._catalog.assets[asset].topic: n for asset, n in sorted(rows.items())}

    def step(self) -> int:
        """Receive a batch, or try again to write the one in hand. Return how many messages were written or buried.

        Waits for the first message at most 0.1 s, and for the time that the store has asked for.
        """
        if self._clock.monotonic_ns() < self._not_before_ns:
            with self.hours.spent("writing"):
                if not self._may_go_on():
                    return 0
        if not self._arrivals.number and not self._load():
            return 0
        if not self._write():
            self._detour()
            return 0
        # Also what became a dead letter: it is recorded, and sending it again would not better it.
        self._dead_letters.sync()
        done, self._arrivals = self._arrivals, Arrivals.none()
        if self._is_spooled:
            self._leave_spool()
        else:
            self._session.acknowledge_block(done, done.number)
        return done.number

    def _may_go_on(self) -> bool:
        """Wait until the store may be asked again, and bring what comes meanwhile into the spool; False: stop."""
        while (now := self._clock.monotonic_ns()) < self._not_before_ns:
            if self._spool is None or self._arrivals.number:
                return self._clock.wait_until(self._not_before_ns, self._stop)
            if self._stop.is_set():
                return False
            if not self._take_in():
                self._clock.wait_until(min(self._not_before_ns, now + TAKE_IN_NS), self._stop)
        return True

    def _load(self) -> bool:
        """Take in hand what comes next: the oldest of the spool before what the session has. False: nothing."""
        if self._spool is not None and (self.spooled or self._unsafe.number):
            return self._load_spooled(self._spool)
        with self.hours.spent("listening"):
            arrivals = self._session.receive_block(limit=MOST_AT_ONCE, timeout_s=RECEIVE_TIMEOUT_S)
        if arrivals.number:
            self._hand(arrivals, self._admit(arrivals)[0], is_spooled=False)
            self._moved_ns = self._heard_ns
        return bool(arrivals.number)

    def _load_spooled(self, spool: Spool) -> bool:
        self._take_in()
        before = len(spool)
        try:
            oldest = spool.front(MOST_AT_ONCE)
        except OSError as error:
            self.trouble = f"the spool cannot be read: {error.strerror or error}"
            self._hold("spool not readable", REFUSED_WAIT_S)
            return False
        # less those that turned out to be damaged
        self._books.spool(len(spool) - before)
        is_spooled = bool(oldest.number)
        if not is_spooled:
            oldest, self._unsafe = self._unsafe, Arrivals.none()
        self._hand(oldest, self._unwritten(oldest), is_spooled=is_spooled)
        return bool(oldest.number)

    def _hand(self, arrivals: Arrivals, cargo: Cargo, *, is_spooled: bool) -> None:
        self._arrivals, self._is_spooled = arrivals, is_spooled
        self._shipment = Shipment(cargo, cap=self._cap)

    def _admit(self, arrivals: Arrivals) -> tuple[Cargo, NDArray[np.bool_]]:
        """Book what has come; return what is to be written, and what of it came for the first time.

        What is no row becomes a dead letter.
        """
        now = self._heard_ns = self._clock.monotonic_ns()
        cargo, refused = self._reader.read(arrivals)
        places, assets, numbers = named(cargo, refused)
        dated = np.concatenate((cargo.time_ms, np.full(len(places) - len(cargo), UNDATED)))
        # sent again though it is in the store already: there is nothing to do but to acknowledge it
        done = self._books.is_written(assets, numbers)
        order = np.argsort(places, kind="stable")
        new = np.empty(len(order), dtype=bool)
        new[order] = self._books.receive(assets[order], numbers[order], dated[order])
        for one in refused:
            self._bury(arrivals, one.place, one.refusal)
        many = len(cargo)
        self._record("broker", cargo, new[:many] & ~done[:many], now)
        return cargo.only(~done[:many]), new[:many][~done[:many]]

    def _unwritten(self, arrivals: Arrivals) -> Cargo:
        """Return what is to be written of messages that were admitted before."""
        cargo, _ = self._reader.read(arrivals)
        return cargo.only(~self._books.is_written(cargo.asset, cargo.seq))

    def _take_in(self) -> int:
        """Bring what the session has into the spool; return how many messages found room there."""
        if not self._unsafe.number:
            arrivals = self._session.receive_block(limit=MOST_AT_ONCE, timeout_s=0)
            if not arrivals.number:
                return 0
            self._moved_ns = self._clock.monotonic_ns()
            self._wanted = np.zeros(arrivals.number, dtype=bool)
            cargo, new = self._admit(arrivals)
            # what comes again and is not written is in the spool already
            self._wanted[cargo.place[new]] = True
            self._unsafe = arrivals
        if not self._secure(self._unsafe, self._wanted):
            return 0
        done, self._unsafe = self._unsafe.number, Arrivals.none()
        return done

    def _detour(self) -> None:
        """Put what is in hand into the spool, for the store does not take it."""
        if self._spool is None:
            return
        self._learn_cap(self._shipment.cap, whole=False)
        if not self._is_spooled:
            wanted = np.zeros(self._arrivals.number, dtype=bool)
            wanted[self._shipment.left.place] = True
            if not self._secure(self._arrivals, wanted):
                return
        # what is of the spool stays there
        self._arrivals, self._shipment, self._is_spooled = Arrivals.none(), Shipment(NOTHING), False

    def _secure(self, arrivals: Arrivals, wanted: NDArray[np.bool_]) -> bool:
        """Put messages into the spool and acknowledge all; False: there is no room, or the disk fails."""
        assert self._spool is not None
        try:
            self._spool.append(arrivals.rows(wanted))
        except OSError as error:
            full = isinstance(error, SpoolFullError) or error.errno in FULL
            self.retries["spool full" if full else "spool not writable"] += 1
            said = error.strerror or str(error)
            self.spool_trouble = f"nothing is received any more, for the spool takes nothing: {said}"
            return False
        self.spool_trouble = None
        self._books.spool(int(np.count_nonzero(wanted)))
        self._dead_letters.sync()
        self._session.acknowledge_block(arrivals, arrivals.number)
        return True

    def _leave_spool(self) -> None:
        """Forget the oldest of the spool, which are written."""
        assert self._spool is not None
        before = len(self._spool)
        self._is_spooled = False
        try:
            self._spool.remove()
        except OSError as error:
            # a file too many costs room, and rows of it are written again by a later bridge, which changes nothing
            self.retries["spool not deletable"] += 1
            self.spool_trouble = f"a file of the spool cannot be deleted: {error.strerror or error}"
        self._books.spool(len(self._spool) - before)

    def _write(self) -> bool:
        """Write what is left of the shipment; return False if the store wants us to come back later."""
        shipment = self._shipment
        whole = True
        while len(cargo := shipment.next()):
            try:
                with self.hours.spent("writing"):
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
        new = self._books.write(asset, seq, cargo.readings)
        self._record("end_to_end", cargo, new, now)
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
        self.trouble = str(error)
        self._hold(reason, wait_s)

    def _hold(self, reason: str, wait_s: float) -> None:
        self.retries[reason] += 1
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
            self._books.dead_letter(refusal.reason, [refusal.asset], [refusal.seq])
        else:
            self._books.foreign(refusal.reason, 1)

    def _record(
        self, hop: Literal["broker", "end_to_end"], cargo: Cargo, which: NDArray[np.bool_], now_ns: int
    ) -> None:
        """Note how long after they were due, and sent, some messages came to a hop."""
        if self._pace.speed is None or not which.any():
            return
        if (sending := self._latency.from_sending) is not None:
            sending.record(getattr(sending, hop), cargo.asset[which], cargo.seq[which], now_ns)
        dated_ns = cargo.time_ms[which] * MS
        if self._latency.expects:
            messages = zip(cargo.asset[which].tolist(), cargo.seq[which].tolist(), dated_ns.tolist(), strict=True)
            dated_ns = np.array([self._latency.due_ns(*one) for one in messages], dtype=np.int64)
        getattr(self._latency, hop).record(now_ns - self._pace.due_each(dated_ns))
