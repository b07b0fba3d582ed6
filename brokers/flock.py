"""The connections of a swarm: opened, greeted, read, written, kept alive and opened again, on one epoll loop.

A connection costs a socket, a file descriptor and some numbers in columns; buffers exist only while they hold
something.
"""

from __future__ import annotations

import errno
import os
import random
import select
import socket
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brokers.endpoint import Endpoint
from brokers.ends import Ends
from brokers.errors import BrokerError, LimitError, ProtocolError, RefusedError, UnreachableError
from brokers.frames import CONNACK, DISCONNECT, PINGREQ, connect
from brokers.limits import Sources
from brokers.paho_client import explain
from brokers.reasons import REFUSAL, reason
from brokers.slots import Slots
from brokers.splitter import PUBACK, SERVER_DISCONNECT, Answers, Splitter

__all__ = ["UP", "Flock"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

AWAY, KNOCKING, GREETED, UP = 0, 1, 2, 3
MOST_KNOCKING = 100
"""Connections that are being opened at once: more than brokers let wait (mosquitto: 100) cost a second each."""
EVENTS = 1024
CHUNK = 16 * 1024
MOST_PACKET = 64 * 1024
"""Bytes of the largest packet that a device is sent: none is subscribed to anything."""
ANSWER_S = 20.0
BACK_OFF_FIRST_S = 0.2
BACK_OFF_MOST_S = 15.0
HOPELESS = 20
"""Connections in a row that failed in the same way: the next ones would too."""
LOOK_S = 0.5
"""How often silence is looked for."""
BROKEN = "not sent: the connection broke"
NO_ROOM = {0x03: "server unavailable", 0x88: "server unavailable", 0x89: "server busy", 0x97: "quota exceeded"}
"""CONNACK codes of a broker that is full: of MQTT 3.1.1 the first, of MQTT 5 the others."""
NOTHING = np.zeros(0, np.int64)


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
        self.up = self.unwritten = 0
        self.trouble: str | None = "not connected yet"
        self.counters: Counter[str] = Counter()
        self._endpoint = endpoint
        self._client_ids = client_ids
        self._slots = slots
        self._ends = ends
        self._version = version
        self._keepalive_s = keepalive_s
        self._spread_s = spread_s
        self._sources = Sources(endpoint.host, address=str(endpoint))
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)[0]
        self._family, self._where = found[0], found[4]
        self._doors: list[socket.socket | None] = [None] * number
        self._device_of: dict[int, int] = {}
        self._knocking = 0
        self._due_s = np.full(number, np.inf)
        self._tries = np.zeros(number, np.int64)
        self._sent_s = np.zeros(number)
        self._heard_s = np.zeros(number)
        self._backlog: dict[int, tuple[memoryview, Ints]] = {}
        """Bytes that a socket has not taken yet, and the tags that are settled when it has."""
        self._has_backlog = np.zeros(number, bool)
        self._begun: dict[int, bytes] = {}
        self._splitters: dict[int, Splitter] = {}
        self._failed_in_a_row = 0
        self._failure: BrokerError | None = None
        self._looked_s = 0.0
        self._sleeper = sleeper
        self._epoll = select.epoll()
        self._epoll.register(sleeper, select.EPOLLIN)

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
        free: Mask = (self.state[device] == UP) & ~self._has_backlog[device]
        return free

    def send(self, data: bytes, device: Ints, start: Ints, first: Ints, settles: Ints | None) -> None:
        """Send each device its part of the data; those that are away get theirs when they come back.

        With QoS 0 ``settles`` are the tags of all packets, and ``first`` is where those of each device begin.
        """
        view, now = memoryview(data), time.monotonic()
        bounds = start.tolist()
        tags = [NOTHING] * len(device) if settles is None else np.split(settles, first[1:])
        whole: list[Ints] = [NOTHING]
        for one, begin, end, mine in zip(device.tolist(), bounds[:-1], bounds[1:], tags, strict=True):
            if self.state[one] == UP and self._write(one, view[begin:end], mine, now):
                whole.append(mine)
        self._ends.settle(np.concatenate(whole))

    def turn(self, timeout_s: float) -> None:
        """Open what is due, wait for something to happen, and deal with it."""
        now = time.monotonic()
        if self.up < len(self):
            timeout_s = min(timeout_s, self._knock(now))
        pubacks: list[tuple[int, bytes]] = []
        for number, mask in self._epoll.poll(timeout_s, EVENTS):
            device = self._device_of.get(number)
            if device is None:
                self._sleeper.recv(4096)
            elif mask & select.EPOLLOUT:
                self._go_on(device)
            elif (chunk := self._read(device)) is not None:
                if chunk[0] == PUBACK << 4 and len(chunk) == 2 + chunk[1] and device not in self._splitters:
                    pubacks.append((device, chunk))
                else:
                    self._hear(device, chunk)
        if pubacks:
            self._hear_pubacks(pubacks)
        if now - self._looked_s > LOOK_S:
            self._look_for_silence(now)

    def close(self) -> None:
        """Say goodbye on all that are up, and close them."""
        for device in np.flatnonzero(self.state != AWAY).tolist():
            if self.state[device] == UP and device not in self._backlog:
                self._write(device, memoryview(DISCONNECT), NOTHING, 0.0)
            self._lose(device)
        self._epoll.close()

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
        while True:
            try:
                door = socket.socket(self._family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            except OSError as error:
                what = f"the system opens no more sockets ({error.strerror}) while {self.up:,} connections are up"
                advice = "raise the limit of open files (ulimit -n, fs.file-max), or use fewer connections"
                self._fail(device, LimitError(what, address=str(self._endpoint), advice=advice))
                return
            self._sources.bind(door)
            error_number = door.connect_ex(self._where)
            if error_number != errno.EADDRNOTAVAIL:
                break
            door.close()
            self._sources.next()
        self._doors[device] = door
        if error_number not in {0, errno.EINPROGRESS}:
            self._fail(device, explain(OSError(error_number, os.strerror(error_number)), self._endpoint))
            return
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._device_of[door.fileno()] = device
        self.state[device] = KNOCKING
        self._knocking += 1
        self._sent_s[device] = self._heard_s[device] = now
        self._epoll.register(door.fileno(), select.EPOLLIN if self._greet(device) else select.EPOLLOUT)

    def _greet(self, device: int) -> bool:
        """Send CONNECT as soon as the connection stands, which on one machine is at once; return whether it does."""
        packet = connect(
            self._client_ids[device],
            version=self._version,
            keepalive_s=self._keepalive_s,
            username=self._endpoint.username,
            password=self._endpoint.password,
        )
        door = self._doors[device]
        assert door is not None
        try:
            door.send(packet)
        except BlockingIOError:
            return False
        except OSError:
            return True  # reading will tell
        self.state[device] = GREETED
        return True

    def _go_on(self, device: int) -> None:
        """Go on where a socket would not take more."""
        door = self._doors[device]
        assert door is not None
        if self.state[device] != KNOCKING:
            view, tags = self._backlog.pop(device)
            self._has_backlog[device] = False
            self.unwritten -= len(tags)
            if self._write(device, view, tags, time.monotonic()):
                self._ends.settle(tags)
                if self.state[device] == UP:
                    self._epoll.modify(door.fileno(), select.EPOLLIN)
            return
        error_number = door.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error_number:
            self._fail(device, explain(OSError(error_number, os.strerror(error_number)), self._endpoint))
        elif self._greet(device):
            self._epoll.modify(door.fileno(), select.EPOLLIN)

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
            self._write(device, memoryview(again), NOTHING, time.monotonic())

    # Reading

    def _read(self, device: int) -> bytes | None:
        """Return what has come in; None if that is nothing, or the end."""
        door = self._doors[device]
        assert door is not None
        try:
            chunk = door.recv(CHUNK)
        except BlockingIOError:
            return None
        except OSError as error:
            chunk, why = b"", error.strerror
        else:
            why = "the broker hung up"
        if chunk:
            self._heard_s[device] = time.monotonic()
            return chunk
        if self.state[device] == UP:
            self.trouble = f"{self._endpoint}: a connection is lost ({why}); trying again"
            self.counters["connections_lost"] += 1
            self._lose(device)
        else:
            what = f"the broker hangs up on new connections while {self.up:,} are up"
            advice = (
                "is it an MQTT broker, and is that its limit? (mosquitto: max_connections, ulimit -n of its process)"
            )
            self._fail(device, LimitError(what, address=str(self._endpoint), advice=advice))
        return None

    def _hear(self, device: int, chunk: bytes) -> None:
        """Take what is not just an acknowledgement."""
        if self.state[device] == GREETED:
            chunk = self._begun.pop(device, b"") + chunk
            if len(chunk) < 2 or len(chunk) < 2 + chunk[1]:
                self._begun[device] = chunk
                return
            answer, chunk = chunk[: 2 + chunk[1]], chunk[2 + chunk[1] :]
            if answer[0] != CONNACK or len(answer) < 4:
                self._fail(device, self._not_mqtt("it answers CONNECT with something else"))
                return
            if answer[3]:
                self._fail(device, self._refusal(answer[3]))
                return
            self._rise(device)
        if chunk:
            self._split(device, chunk)

    def _split(self, device: int, chunk: bytes) -> None:
        splitter = self._splitters.pop(device, None) or Splitter(
            version=self._version, epoch=0, address=str(self._endpoint), max_packet=MOST_PACKET
        )
        try:
            split = splitter.feed(chunk)
        except ProtocolError as error:
            self.counters["protocol_errors"] += 1
            self.trouble = str(error)
            self._lose(device)
            return
        if not splitter.is_between_packets():
            self._splitters[device] = splitter
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
        data = b"".join(chunk if len(chunk) > 4 else chunk + b"\0" for _, chunk in pubacks)
        if len(data) != 5 * len(pubacks):
            for device, chunk in pubacks:
                self._split(device, chunk)
            return
        rows = np.frombuffer(data, np.uint8).reshape(-1, 5).astype(np.int64)
        devices = np.array([device for device, _ in pubacks], np.int64)
        self._settle(devices, Answers(PUBACK, rows[:, 2] << 8 | rows[:, 3], rows[:, 4]))

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

    # Writing

    def _write(self, device: int, data: memoryview, tags: Ints, now: float) -> bool:
        """Write behind what a socket has not taken yet; return whether all has gone out."""
        door = self._doors[device]
        assert door is not None
        self._sent_s[device] = now
        sent = 0
        if device not in self._backlog:
            try:
                sent = door.send(data)
            except BlockingIOError:
                pass
            except OSError:
                return True if not len(tags) else self._cannot_write(tags)
            if sent == len(data):
                return True
            self._epoll.modify(door.fileno(), select.EPOLLIN | select.EPOLLOUT)
        before, their_tags = self._backlog.get(device, (memoryview(b""), NOTHING))
        self._backlog[device] = memoryview(b"".join([before, data[sent:]])), np.concatenate([their_tags, tags])
        self._has_backlog[device] = True
        self.unwritten += len(tags)
        return False

    def _cannot_write(self, tags: Ints) -> bool:
        for tag in tags.tolist():
            self._ends.refuse(tag, BROKEN)
        return False

    # Ending

    def _lose(self, device: int) -> None:
        """Close a connection; it comes back, the later the more often it has failed."""
        door = self._doors[device]
        if door is not None:
            self._device_of.pop(door.fileno(), None)
            door.close()  # epoll forgets it by itself
            self._doors[device] = None
        if self.state[device] == UP:
            self.up -= 1
        elif self.state[device] != AWAY:
            self._knocking -= 1
        self.state[device] = AWAY
        self._begun.pop(device, None)
        self._splitters.pop(device, None)
        if device in self._backlog:
            _, tags = self._backlog.pop(device)
            self._has_backlog[device] = False
            self.unwritten -= len(tags)
            self._cannot_write(tags)
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

    def _refusal(self, code: int) -> BrokerError:
        if code in NO_ROOM:
            what = f"the broker refuses new connections while {self.up:,} are up: {NO_ROOM[code]}"
            return LimitError(what, address=str(self._endpoint), advice="raise its limit of connections")
        what = f"the broker refuses a connection: reason code 0x{code:02X}"
        return RefusedError(what, address=str(self._endpoint), advice="look into the broker's log for the reason")

    def _not_mqtt(self, what: str) -> BrokerError:
        return ProtocolError(what, address=str(self._endpoint), advice="is it an MQTT broker?")

    def _look_for_silence(self, now: float) -> None:
        """Ping where nothing was sent for long, and give up where nothing comes back."""
        self._looked_s = now
        up = self.state == UP
        waiting = (self.state == KNOCKING) | (self.state == GREETED)
        late = waiting & (now - self._sent_s > ANSWER_S)
        if self._keepalive_s:
            late |= up & (now - self._heard_s > 1.5 * self._keepalive_s)
            for device in np.flatnonzero(up & (now - self._sent_s > self._keepalive_s / 2)).tolist():
                self._write(device, memoryview(PINGREQ), NOTHING, now)
            # Whoever is only written to hears nothing: ask, to know whether the broker is there.
            for device in np.flatnonzero(up & ~late & (now - self._heard_s > self._keepalive_s)).tolist():
                if not self._has_backlog[device]:
                    self._write(device, memoryview(PINGREQ), NOTHING, now)
        for device in np.flatnonzero(late).tolist():
            self.counters["no_answer"] += 1
            self.trouble = f"{self._endpoint}: no answer on a connection; trying again"
            if self.state[device] == UP:
                self._lose(device)
            else:
                what, advice = f"no answer within {ANSWER_S:g} s", "check the broker's load, and its log"
                self._fail(device, UnreachableError(what, address=str(self._endpoint), advice=advice))
