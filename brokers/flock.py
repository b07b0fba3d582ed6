"""The connections of a swarm: greeted, heard, kept alive and opened again.

A connection costs a socket and some numbers in columns; buffers exist only while they hold something.
"""

from __future__ import annotations

import random
import socket
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brokers.doors import NOTHING, Doors
from brokers.ears import Ears, wrong_with
from brokers.endpoint import Endpoint
from brokers.ends import Ends
from brokers.errors import BrokerError, LimitError, ProtocolError, UnreachableError
from brokers.frames import DISCONNECT, PINGREQ, connect
from brokers.reasons import REFUSAL, reason
from brokers.slots import Slots
from brokers.splitter import PUBACK, SERVER_DISCONNECT, Answers

__all__ = ["UP", "Flock"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

AWAY, KNOCKING, GREETED, UP = 0, 1, 2, 3
MOST_KNOCKING = 100
"""Connections that are being opened at once: more than brokers let wait (mosquitto: 100) cost a second each."""
ANSWER_S = 20.0
BACK_OFF_FIRST_S = 0.2
BACK_OFF_MOST_S = 15.0
HOPELESS = 20
"""Connections in a row that failed in the same way: the next ones would too."""
LOOK_S = 0.5
"""How often silence is looked for."""
PATIENCE = 1.5
"""Keep-alives without a word from the broker after which a connection is given up."""
BROKEN = "not sent: the connection broke"


class Flock:
    """Birds on a wire, by number. For one thread at a time."""

    def __init__(
        self,
        endpoint: Endpoint,
        client_ids: Sequence[str],
        slots: Slots,
        ends: Ends,
        *,
        version: int,
        keepalive_s: int,
        spread_s: float,
        sleeper: socket.socket,
    ) -> None:
        number = len(client_ids)
        self.state = np.zeros(number, np.uint8)
        self.up = 0
        self.trouble: str | None = "not connected yet"
        self.counters: Counter[str] = Counter()
        self._endpoint = endpoint
        self._client_ids = client_ids
        self._slots = slots
        self._ends = ends
        self._version = version
        self._keepalive_s = keepalive_s
        self._spread_s = spread_s
        self._doors = Doors(endpoint, number, sleeper)
        self._knocking = 0
        self._due_s = np.full(number, np.inf)
        self._tries = np.zeros(number, np.int64)
        self._heard_s = np.zeros(number)
        self._ears = Ears(version=version, address=str(endpoint))
        self._failed_in_a_row = 0
        self._failure: BrokerError | None = None
        self._looked_s = 0.0

    def __len__(self) -> int:
        return len(self._doors)

    # What a swarm asks for

    def call_all(self, within_s: float) -> None:
        """Have all that are away come at random within the time."""
        away = np.flatnonzero(self.state == AWAY)
        self._due_s[away] = time.monotonic() + np.random.default_rng().random(len(away)) * within_s

    def raise_if_hopeless(self) -> None:
        """Raise what the last connections failed of, if none between them came through."""
        if self._failure is not None and self._failed_in_a_row >= min(HOPELESS, len(self) - self.up):
            raise self._failure

    def cut(self, device: Ints, within_s: float) -> None:
        """Cut connections off; they come back at random within the time."""
        for one in device.tolist():
            if self.state[one] != AWAY:
                self._lose(one)
            self._due_s[one] = time.monotonic() + random.random() * within_s  # noqa: S311  # no secret

    def is_free(self, device: Ints) -> Mask:
        """Say which devices would write at once."""
        free: Mask = (self.state[device] == UP) & ~self._doors.is_behind[device]
        return free

    @property
    def unwritten(self) -> int:
        """Messages of QoS 0 that sockets have not taken yet."""
        return self._doors.unwritten

    def send(self, data: bytes, device: Ints, start: Ints, first: Ints, settles: Ints | None) -> None:
        """Send each device its part of the data; those that are away get theirs when they come back.

        With QoS 0 ``settles`` are the tags of all packets, and ``first`` is where those of each device begin.
        """
        view = memoryview(data)
        bounds = start.tolist()
        tags = [NOTHING] * len(device) if settles is None else np.split(settles, first[1:])
        whole: list[Ints] = [NOTHING]
        for one, begin, end, mine in zip(device.tolist(), bounds[:-1], bounds[1:], tags, strict=True):
            if self.state[one] == UP and self._doors.write(one, view[begin:end], mine):
                whole.append(mine)
        self._ends.settle(np.concatenate(whole))

    def turn(self, timeout_s: float) -> None:
        """Open what is due, wait for something to happen, and deal with it."""
        now = time.monotonic()
        if self.up < len(self):
            timeout_s = min(timeout_s, self._knock(now))
        pubacks: list[tuple[int, bytes]] = []
        for device, is_writable in self._doors.events(timeout_s):
            if is_writable:
                self._go_on(device)
            elif (chunk := self._read(device)) is not None:
                if self._ears.is_puback(device, chunk):
                    pubacks.append((device, chunk))
                else:
                    self._hear(device, chunk)
        if pubacks:
            self._hear_pubacks(pubacks)
        if now - self._looked_s > LOOK_S:
            self._look_for_silence(now)

    def close(self) -> None:
        """Say goodbye on all that are up, and close them."""
        for device in np.flatnonzero((self.state == UP) & ~self._doors.is_behind).tolist():
            self._doors.write(device, memoryview(DISCONNECT))
        self._doors.close_all()
        self.state[:] = AWAY
        self.up = 0

    # Opening

    def _knock(self, now: float) -> float:
        """Open connections that are due, a few at a time; return in how many seconds there are more."""
        room = MOST_KNOCKING - self._knocking
        if room <= 0:
            return LOOK_S
        away = np.flatnonzero(self.state == AWAY)
        due = away[self._due_s[away] <= now]
        for device in due[:room].tolist():
            self._open(device, now)
        if len(due) > room or not len(away):
            return LOOK_S
        later = self._due_s[away][self._due_s[away] > now]
        return max(0.0, float(later.min()) - now) if len(later) else LOOK_S

    def _open(self, device: int, now: float) -> None:
        problem = self._doors.open(device, open_now=self.up)
        if problem is not None:
            self._fail(device, problem)
            return
        self.state[device] = KNOCKING
        self._knocking += 1
        self._doors.sent_s[device] = self._heard_s[device] = now
        self._greet(device)

    def _greet(self, device: int) -> None:
        packet = connect(
            self._client_ids[device],
            version=self._version,
            keepalive_s=self._keepalive_s,
            username=self._endpoint.username,
            password=self._endpoint.password,
        )
        if self._doors.greet(device, packet):
            self.state[device] = GREETED

    def _go_on(self, device: int) -> None:
        """Go on where a socket would not take more, or was not connected yet."""
        if self.state[device] != KNOCKING:
            self._ends.settle(self._doors.write_on(device))
            return
        problem = self._doors.trouble(device)
        if problem is not None:
            self._fail(device, problem)
        else:
            self._greet(device)

    def _rise(self, device: int) -> None:
        """Begin with a connection that is accepted; what was in flight on the one before goes out again."""
        self.state[device] = UP
        self._knocking -= 1
        self.up += 1
        self._failed_in_a_row, self._failure = 0, None
        if self._tries[device]:
            self.counters["reconnects"] += 1
        self._tries[device] = 1
        if self._slots.in_flight and (again := self._slots.packets(device)):
            self._doors.write(device, memoryview(again))

    # Hearing

    def _read(self, device: int) -> bytes | None:
        """Return what has come in; None if that is nothing, or the end."""
        try:
            chunk = self._doors.read(device)
        except OSError as error:
            if self.state[device] == UP:
                self.trouble = f"{self._endpoint}: a connection is lost ({error.strerror}); trying again"
                self.counters["connections_lost"] += 1
                self._lose(device)
                return None
            what = f"the broker hangs up on new connections while {self.up:,} are up"
            advice = "is it an MQTT broker, or its limit? (mosquitto: max_connections, and ulimit -n of its process)"
            self._fail(device, LimitError(what, address=str(self._endpoint), advice=advice))
            return None
        if chunk is not None:
            self._heard_s[device] = time.monotonic()
        return chunk

    def _hear(self, device: int, chunk: bytes) -> None:
        """Take what is not just an acknowledgement."""
        if self.state[device] == GREETED:
            answer = self._ears.connack(device, chunk)
            if answer is None:
                return
            problem = wrong_with(answer[0], up=self.up, address=str(self._endpoint))
            if problem is not None:
                self._fail(device, problem)
                return
            self._rise(device)
            chunk = answer[1]
        if chunk:
            self._hear_packets(device, chunk)

    def _hear_packets(self, device: int, chunk: bytes) -> None:
        try:
            split = self._ears.split(device, chunk)
        except ProtocolError as error:
            self.counters["protocol_errors"] += 1
            self.trouble = str(error)
            self._lose(device)
            return
        for answers in split.answers:
            if answers.kind == PUBACK:
                self._settle(np.full(len(answers.identifier), device), answers)
        for kind, body in split.alone:
            if kind == SERVER_DISCONNECT:
                self.trouble = f"{self._endpoint}: the broker ended a connection: {reason(body[0] if body else 0)}"
                self.counters["disconnects"] += 1
                self._lose(device)
                return

    def _hear_pubacks(self, pubacks: list[tuple[int, bytes]]) -> None:
        """Take acknowledgements of many devices, one each."""
        answers = self._ears.pubacks([chunk for _, chunk in pubacks])
        if answers is not None:
            self._settle(np.array([device for device, _ in pubacks], np.int64), answers)
            return
        for device, chunk in pubacks:
            self._hear_packets(device, chunk)

    def _settle(self, device: Ints, answers: Answers) -> None:
        full, tags = self._slots.empty(device, answers.identifier - 1)
        strangers = len(full) - int(np.count_nonzero(full))
        if answers.code is not None:
            refused = answers.code >= REFUSAL
            for place in np.flatnonzero(refused & full).tolist():
                self._ends.refuse(int(tags[place]), reason(int(answers.code[place])))
            full &= ~refused
        self._ends.settle(tags[full])
        if strangers:
            self.counters["unknown_acks"] += strangers

    # Ending

    def _lose(self, device: int) -> None:
        """Close a connection; it comes back, the later the more often it has failed."""
        for tag in self._doors.close(device).tolist():
            self._ends.refuse(tag, BROKEN)
        if self.state[device] == UP:
            self.up -= 1
        elif self.state[device] != AWAY:
            self._knocking -= 1
        self.state[device] = AWAY
        self._ears.forget(device)
        longest_s = min(BACK_OFF_MOST_S, BACK_OFF_FIRST_S * 2.0 ** min(int(self._tries[device]), 10))
        wait_s = longest_s * random.uniform(0.5, 1.0) + self._spread_s * random.random()  # noqa: S311  # only jitter
        self._due_s[device] = time.monotonic() + wait_s

    def _fail(self, device: int, error: BrokerError) -> None:
        """Note why a connection did not come about."""
        self.counters["failed_connects"] += 1
        self._tries[device] += 1
        self._failed_in_a_row += 1
        self._failure = error
        self.trouble = str(error)
        self._lose(device)

    def _look_for_silence(self, now: float) -> None:
        """Ping where nothing was said or heard for long, and give up where nothing comes back."""
        self._looked_s = now
        up = self.state == UP
        late = (self.state != UP) & (self.state != AWAY) & (now - self._doors.sent_s > ANSWER_S)
        if self._keepalive_s:
            late |= up & (now - self._heard_s > PATIENCE * self._keepalive_s)
            quiet = now - np.minimum(self._doors.sent_s, self._heard_s) > self._keepalive_s / 2
            for device in np.flatnonzero(up & quiet & ~late & ~self._doors.is_behind).tolist():
                self._doors.write(device, memoryview(PINGREQ))
        for device in np.flatnonzero(late).tolist():
            self.counters["no_answer"] += 1
            self.trouble = f"{self._endpoint}: no answer on a connection; trying again"
            if self.state[device] == UP:
                self._lose(device)
            else:
                what, advice = f"no answer within {ANSWER_S:g} s", "check the broker's load, and its log"
                self._fail(device, UnreachableError(what, address=str(self._endpoint), advice=advice))
