"""A bare MQTT connection, the yardstick of benchmarks: bytes that are ready go out, what comes in is counted.

It keeps no window but the one asked for, no messages, no books, and does not come back when it breaks. Nothing written
in Python gets much nearer to what a broker can take or give.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, NoReturn

import numpy as np

from brokers.blocks import Packets
from brokers.endpoint import Endpoint
from brokers.errors import ProtocolError, UnreachableError
from brokers.frames import DISCONNECT, PINGREQ, subscribe
from brokers.paho_client import Opener

__all__ = ["BareLine", "Heard", "bare_line", "numbered_packets"]

PINGRESP = b"\xd0\x00"
SUBACK = 0x90
AT_ONCE = 256 * 1024
"""Bytes that are given to the socket at once."""
MOST_IDENTIFIERS = 65_000
ANSWER_S = 30.0
WORTH = 16 * 1024
"""Bytes that a subscriber is woken for, in the midst of a stream."""
NAP_S = 0.002
"""After which it looks for fewer: the last ones would never be enough."""


class Heard(NamedTuple):
    """How much a subscriber has heard, from its first bytes on."""

    first: int
    """Bytes that came first, and started the clock."""
    bytes: int
    """Bytes that came after that."""
    seconds: float


class BareLine:
    """An open connection, for one thread."""

    def __init__(self, endpoint: Endpoint, client_id: str) -> None:
        """Connect and wait for CONNACK. Raises BrokerError."""
        self._endpoint = endpoint
        opener = Opener(endpoint, client_id, window=MOST_IDENTIFIERS, keep_session=False)
        door = opener.open()
        self._transport = door.transport
        self.version = opener.version
        self.receive_maximum = door.receive_maximum
        self._poll = select.poll()
        self._poll.register(self._transport.fileno(), select.POLLIN)

    def send(self, data: memoryview) -> None:
        """Send all bytes."""
        place = 0
        while place < len(data):
            sent = self._transport.send(data[place : place + AT_ONCE])
            place += sent
            if not sent:
                self._wait(select.POLLOUT)

    def pour(self, data: memoryview) -> None:
        """Send all bytes and wait until the broker has read them: it answers a ping in its turn."""
        self.send(data)
        self.send(memoryview(PINGREQ))
        answer = b""
        while not answer.endswith(PINGRESP):
            answer = answer[-1:] + self._receive()

    def publish(self, data: memoryview, ends: list[int], *, window: int) -> None:
        """Send numbered packets that end at ``ends``, at most ``window`` of them without an answer."""
        window = min(window, self.receive_maximum)
        sent = heard = answered = answer = 0
        while answered < len(ends):
            upto = min(len(ends), answered + window)
            if upto > sent:
                self.send(data[ends[sent - 1] if sent else 0 : ends[upto - 1]])
                sent = upto
            chunk = self._receive()
            # all answers are as long as the first one: type, length, and what the length says
            answer = answer or 2 + chunk[1]
            heard += len(chunk)
            answered = heard // answer

    def subscribe(self, pattern: str, *, qos: int) -> None:
        """Subscribe. Raises ProtocolError for any other answer than a grant."""
        self.send(memoryview(subscribe(1, pattern.encode(), qos=qos, version=self.version)))
        answer = self._receive()
        if answer[0] != SUBACK or answer[-1] >= 0x80:
            self._fail("no grant for a subscription")

    def listen(self, end: bytes, *, on_ready: Callable[[], None]) -> Heard:
        """Count bytes until the stream ends with ``end``; ``on_ready`` is called before the first are waited for."""
        on_ready()
        chunk = self._receive()
        begun, first, total = time.perf_counter(), len(chunk), 0
        tail = chunk[-len(end) :]
        # To be woken for each packet costs a subscriber, and the broker beside it, more than all else.
        self._transport.wake_at(WORTH)
        quiet_s = 0.0
        while tail != end:
            chunk = self._transport.receive()
            if chunk:
                total, quiet_s = total + len(chunk), 0.0
                tail = (tail + chunk)[-len(end) :]
            elif not self._poll.poll(NAP_S * 1000):
                quiet_s += NAP_S
                if quiet_s > ANSWER_S:
                    self._give_up()
        return Heard(first, total, time.perf_counter() - begun)

    def close(self) -> None:
        self._transport.send(memoryview(DISCONNECT))
        self._transport.close()

    def _receive(self) -> bytes:
        while not (chunk := self._transport.receive()):
            if not self._transport.pending():
                self._wait(select.POLLIN)
        return chunk

    def _wait(self, event: int) -> None:
        self._poll.modify(self._transport.fileno(), event)
        if not self._poll.poll(ANSWER_S * 1000):
            self._give_up()

    def _give_up(self) -> NoReturn:
        what, advice = f"nothing moved for {ANSWER_S:g} s", "look into the broker's log"
        raise UnreachableError(what, address=str(self._endpoint), advice=advice)

    def _fail(self, what: str) -> NoReturn:
        raise ProtocolError(what, address=str(self._endpoint), advice="look into the broker's log")


@contextmanager
def bare_line(endpoint: Endpoint, client_id: str) -> Iterator[BareLine]:
    """Open a bare connection, and close it at the end. Raises BrokerError."""
    line = BareLine(endpoint, client_id)
    try:
        yield line
    finally:
        line.close()


def numbered_packets(packets: Packets) -> memoryview:
    """Return the bytes of packets with identifiers that go round, for a line without a session."""
    data = packets.data.copy()
    if packets.identifier is not None:
        mids = np.arange(packets.number) % MOST_IDENTIFIERS + 1
        data[packets.identifier], data[packets.identifier + 1] = mids >> 8, mids & 0xFF
    return data.data
