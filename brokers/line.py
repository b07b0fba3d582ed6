"""The line to a broker: reads, writes, keeps alive, and comes back when it breaks."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable

import numpy as np

from brokers.connection import ANYTHING, Connection, Worth
from brokers.endpoint import Endpoint
from brokers.errors import BrokerError, ProtocolError
from brokers.frames import DISCONNECT, released
from brokers.inbox import Inbox
from brokers.outbox import Outbox
from brokers.paho_client import Door, Opener
from brokers.reasons import reason
from brokers.receipts import Receipts
from brokers.seat import Seat
from brokers.splitter import PUBREL, SERVER_DISCONNECT, SUBACK, Answers, Split
from brokers.subscriptions import Subscriptions, Wish

__all__ = ["Line"]

TURN_S = 1.0
"""How often the keep-alive is looked after when nothing happens."""
GLANCE_S = 0.002
"""A caller who only writes reads too when nobody has for so long."""
BACK_OFF_FIRST_S = 0.1
BACK_OFF_MOST_S = 15.0
STEADY_S = 5.0
"""A line that held for so long starts over with the shortest back-off."""
GOODBYE_S = 1.0


class Line:
    """Carries what is in the Outbox to the broker and what comes to the Inbox, as long as it is open.

    One works at a time, whoever has the seat: a caller who waits for something does the work that brings it, without
    a change of threads; when no caller does, a thread of the line's own. What callers hand over waits in the two
    boxes, so the order stands over a reconnect.
    """

    def __init__(
        self, endpoint: Endpoint, client_id: str, outbox: Outbox, inbox: Inbox, *, window: int, keep_session: bool
    ) -> None:
        """Connect with the newest version that the broker speaks. Raises BrokerError."""
        self.trouble: str | None = None
        self.worth = ANYTHING
        """What is worth waking up for to read messages."""
        self.counters: Counter[str] = Counter()
        self._endpoint = endpoint
        self._keep_session = keep_session
        self._outbox = outbox
        self._inbox = inbox
        self._receipts = Receipts()
        self._subscriptions = Subscriptions()
        self._epoch = 0
        self._stop = threading.Event()
        self._back_off_s = BACK_OFF_FIRST_S
        self._opener = Opener(endpoint, client_id, window=window, keep_session=keep_session)
        self._up = self._ended = False
        self._bell, self._sleeper = socket.socketpair()
        self._bell.setblocking(False)
        self._sleeper.setblocking(False)
        try:
            self._adopt(self._opener.open())
        except BaseException:
            self._bell.close()
            self._sleeper.close()
            raise
        self._seat = Seat(self._ring)
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{client_id}", daemon=True)
        self._thread.start()

    # From any thread

    @property
    def version(self) -> int:
        """4 for MQTT 3.1.1, 5 for MQTT 5."""
        return self._opener.version

    @property
    def max_qos(self) -> int:
        """The highest QoS that the broker takes, as far as it has said."""
        return self._connection.max_qos

    def is_open(self) -> bool:
        """Say whether anybody still carries what is in the boxes."""
        return not self._ended

    def ask(self, wish: Wish) -> None:
        """Send a subscription; ``wish.answered`` is set on SUBACK."""
        self._subscriptions.ask(wish)
        self._ring()

    def flush(self, *, hears: bool = False) -> None:
        """Have done what can be done without waiting: at once if the seat is free, else by who has it.

        ``hears`` says that the caller is after what has come in.
        """
        if not self._up:
            return
        if self._seat.take_if_free():
            try:
                self._turn(0, hears=hears)
            finally:
                self._seat.leave()
        else:
            self._ring()

    def work(
        self, is_done: Callable[[], bool], until_s: float, change: threading.Condition, *, worth: Worth = ANYTHING
    ) -> None:
        """Wait until it is done, at most until the monotonic time; do the work if nobody else does.

        ``change`` is notified when somebody else has done something; ``worth`` is what is worth waking up for.
        """
        while not (is_done() or self._ended) and (left := until_s - time.monotonic()) > 0:
            if self._up and self._seat.take(left):
                try:
                    while self._up and not is_done() and (left := until_s - time.monotonic()) > 0:
                        self._turn(min(left, TURN_S), is_done, worth=worth)
                finally:
                    self._seat.leave()
                continue
            with change:
                if not is_done():
                    change.wait(min(left, self._seat.PATIENCE_S))

    def close(self, timeout_s: float) -> None:
        """Say goodbye to the broker. A thread that hangs in a connect ends by itself when that has failed."""
        self._stop.set()
        self._seat.call()
        self._thread.join(timeout_s)

    def _ring(self) -> None:
        with contextlib.suppress(OSError):  # full: it rings already; closed: nobody sleeps
            self._bell.send(b"\0")

    # In the thread

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                if not self._up:
                    self._come_back()
                elif not self._seat.rest(self._stop):
                    with self._seat.of_watchman():
                        while self._up and not self._stop.is_set() and not self._seat.is_wanted():
                            self._turn(TURN_S, worth=self.worth)
            with self._seat.of_watchman():
                self._say_goodbye()
        except BaseException as error:
            self.trouble = f"{type(error).__name__}: {error}"  # publish() and receive() raise it to the callers
            raise
        finally:
            self._ended = True
            self._up = False
            self.trouble = self.trouble or "the session is closed"
            self._connection.close()
            self._bell.close()
            self._sleeper.close()
            self._outbox.close()
            self._inbox.close()

    def _come_back(self) -> None:
        """Connect again, ever less often; on return the line is up, or the session stopped."""
        if time.monotonic() - self._connection.began_s > STEADY_S:
            self._back_off_s = BACK_OFF_FIRST_S
        while not self._stop.wait(self._back_off_s * random.uniform(0.5, 1.0)):  # noqa: S311  # no secret, only jitter
            self._back_off_s = min(self._back_off_s * 2, BACK_OFF_MOST_S)
            try:
                door = self._opener.open()
            except BrokerError as error:
                self.trouble = str(error)
                self.counters["failed_reconnects"] += 1
            else:
                self.counters["reconnects"] += 1
                with self._seat.of_watchman():
                    self._adopt(door)
                return

    def _say_goodbye(self) -> None:
        deadline = time.monotonic() + GOODBYE_S
        if not self._up:
            return
        self._turn(0)
        self._connection.say(DISCONNECT)
        while self._up and not self._connection.is_written() and (left := deadline - time.monotonic()) > 0:
            self._turn(left, self._connection.is_written, reading=False)

    # With the seat

    def _adopt(self, door: Door) -> None:
        """Begin with a new connection."""
        self._epoch += 1
        self._connection = Connection(
            door,
            self._outbox,
            sleeper=self._sleeper,
            version=self.version,
            epoch=self._epoch,
            address=str(self._endpoint),
        )
        self._receipts.connected(session_present=door.session_present)
        if self._epoch > 1 and not door.session_present:
            if self._keep_session:
                self.counters["sessions_lost"] += 1
            self._subscriptions.lose_session()
        # Subscriptions first: what was in flight and is sent again may be for us.
        self._connection.say(self._subscriptions.next_packets(self.version))
        again = self._outbox.resume(
            session_present=door.session_present,
            receive_maximum=door.receive_maximum,
            max_packet=door.max_packet,
        )
        self._connection.say(released(again))
        self.trouble = None
        self._up = True

    def _turn(
        self,
        timeout_s: float,
        is_done: Callable[[], bool] = lambda: False,
        *,
        hears: bool = False,
        reading: bool = True,
        worth: Worth = ANYTHING,
    ) -> None:
        """Write what there is; unless that is all that was wanted, wait for something to happen; read what has come."""
        if not self._up:
            return
        try:
            self._hand_over()
            self._connection.write()
            reading = reading and not self._inbox.is_full()
            if timeout_s > 0 and not is_done():
                hears = self._connection.wait(timeout_s, reading=reading, worth=worth)
            else:
                hears |= self._outbox.in_flight() > 0 or time.monotonic() - self._connection.looked_s > GLANCE_S
            if hears and reading:
                self._read()
            self._connection.stay_alive(reading=reading)
        except (ConnectionError, TimeoutError) as error:
            self._break(f"{self._endpoint}: the connection is lost ({error or type(error).__name__}); trying again")
        except ProtocolError as error:
            self.counters["protocol_errors"] += 1
            self._break(str(error))
        except Exception as error:  # noqa: BLE001  # whatever happens costs the connection, not the session
            self.counters[f"error_{type(error).__name__}"] += 1
            self._break(f"{self._endpoint}: {type(error).__name__}: {error}")
        except BaseException:
            self._break(f"{self._endpoint}: interrupted; trying again")
            raise

    def _break(self, why: str) -> None:
        """Give the connection up; the thread opens the next one."""
        self.trouble = why
        self._up = False
        self._connection.close()
        self._subscriptions.lose_connection()
        self._outbox.lose_connection(self._connection.current)
        self._ring()

    def _hand_over(self) -> None:
        """Turn what callers asked for into packets: subscriptions and acknowledgements."""
        if self._subscriptions.has_unsent():
            self._connection.say(self._subscriptions.next_packets(self.version))
        while (arrivals := self._inbox.next_accepted()) is not None:
            stale = arrivals.epoch != self._epoch
            if stale.any():
                self.counters["stale_acks"] += int(np.count_nonzero(stale))
                arrivals = arrivals.rows(~stale)
            packets, repeated = self._receipts.accept(arrivals.mid, arrivals.qos)
            if repeated:
                self.counters["repeated_acks"] += repeated
            self._connection.say(packets)

    def _read(self) -> None:
        split = self._connection.read()
        if split is None:
            return
        if split.answers:
            for answers in split.answers:
                self._hear(answers)
        if split.arrivals.number:
            arrivals, packets = self._receipts.arrive(split.arrivals)
            self._connection.say(packets)
            dropped = self._inbox.put(arrivals)
            if dropped:
                self.counters["receive_overflow"] += dropped
        if split.alone:
            self._hear_alone(split)

    def _hear(self, answers: Answers) -> None:
        if answers.kind == PUBREL:
            self._connection.say(self._receipts.release(answers.identifier))
            return
        packets, strangers = self._outbox.hear(answers)
        self._connection.say(packets)
        if strangers:
            self.counters["unknown_acks"] += strangers

    def _hear_alone(self, split: Split) -> None:
        for kind, body in split.alone:
            if kind == SUBACK:
                self._hear_suback(body)
            elif kind == SERVER_DISCONNECT:
                why = reason(body[0] if body else 0)
                self.counters["disconnects"] += 1
                message = f"the broker ended it: {why}"
                raise ConnectionResetError(message)

    def _hear_suback(self, body: bytes) -> None:
        if len(body) < 3:
            what, advice = "the broker sent a SUBACK without an answer", "is it an MQTT broker?"
            raise ProtocolError(what, address=str(self._endpoint), advice=advice)
        lost = self._subscriptions.heard(body, self.version)
        if lost is not None:
            self.counters["resubscribe_refused"] += 1
            self.trouble = f"{self._endpoint}: {lost.pattern!r} was refused after a reconnect: {lost.refused}"
