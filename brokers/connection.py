"""One open connection: packets out, packets in, and the keep-alive."""

from __future__ import annotations

import select
import socket
import time
from typing import NamedTuple

import numpy as np

from brokers.frames import PINGREQ
from brokers.outbox import Outbox
from brokers.paho_client import MOST_PACKET, Door
from brokers.slips import Piece
from brokers.splitter import Split, Splitter

__all__ = ["ANYTHING", "Connection", "Worth"]


class Worth(NamedTuple):
    """In a busy stream: how many bytes are waited for before waking up, which is dear, and for how long at most."""

    least: int = 1
    within_s: float = 0.001


ANYTHING = Worth()


class Connection:
    """A telephone call: what has been said and heard on it ends with it. For one thread at a time.

    Every method may raise OSError, and read() a ProtocolError, when the connection cannot go on.
    """

    def __init__(
        self, door: Door, outbox: Outbox, *, sleeper: socket.socket, version: int, epoch: int, address: str
    ) -> None:
        """Go on with an open connection; ``sleeper`` is a socket that interrupts wait() when something comes."""
        self.max_qos = door.max_qos
        self.current: Piece | None = None
        """What goes out at the moment, partly written perhaps."""
        self.looked_s = self.began_s = time.monotonic()
        """When it was last looked whether something has come."""
        self._transport = door.transport
        self._keepalive_s = door.keepalive_s
        self._splitter = Splitter(version=version, epoch=epoch, address=address, max_packet=MOST_PACKET)
        self._outbox = outbox
        self._control = bytearray()
        self._is_blocked = False
        self._sleeper = sleeper
        self._poll = select.poll()  # select.select() fails from file descriptor 1024 on
        self._poll.register(sleeper, select.POLLIN)
        self._interest = -1
        self._least = 1
        self._is_busy = False
        self._sent_s = self._heard_s = self._pinged_s = self.began_s
        self._unanswered_s: float | None = None

    def say(self, packets: bytes) -> None:
        """Have packets that are no messages written before the next messages."""
        self._control += packets

    def is_written(self) -> bool:
        """Say whether all that was begun or is no message has gone out."""
        return not self._control and self.current is None

    def write(self) -> None:
        """Write what there is, as much as the socket takes."""
        while True:
            piece = self.current
            if piece is None:
                piece = self.current = self._next_piece()
                if piece is None:
                    self._is_blocked = False
                    return
            sent = self._transport.send(piece.view[piece.written :])
            if not sent:
                self._is_blocked = True
                return
            piece.written += sent
            self._sent_s = time.monotonic()
            if not piece.has_slips:
                self._outbox.wrote(piece)
            if piece.written == len(piece.view):
                self.current = None

    def _next_piece(self) -> Piece | None:
        if not self._control:
            return self._outbox.next_piece()
        piece = Piece(np.frombuffer(bytes(self._control), np.uint8))
        self._control.clear()
        return piece

    def wait(self, timeout_s: float, *, reading: bool, worth: Worth = ANYTHING) -> bool:
        """Wait until something happens; return whether there may be something to read."""
        least = worth.least if self._is_busy else 1
        if least != self._least:
            self._transport.wake_at(least)
            self._least = least
        if least > 1:
            timeout_s = min(timeout_s, worth.within_s)
        interest = (select.POLLIN if reading else 0) | (select.POLLOUT if self._is_blocked else 0)
        if interest != self._interest:
            self._poll.register(self._transport.fileno(), interest)
            self._interest = interest
        hears = reading and self._transport.pending()
        events = self._poll.poll(0 if hears else timeout_s * 1000)
        if not events and least > 1:
            return reading
        for number, mask in events:
            if number == self._sleeper.fileno():
                self._sleeper.recv(4096)
            elif mask & (select.POLLERR | select.POLLHUP | select.POLLNVAL) and not reading:
                raise ConnectionResetError
            else:
                hears |= bool(mask & ~select.POLLOUT)
        return hears

    def read(self) -> Split | None:
        """Return what has come in; None if nothing has."""
        chunk = self._transport.receive()
        self.looked_s = time.monotonic()
        self._is_busy = bool(chunk)
        if not chunk:
            return None
        self._heard_s, self._unanswered_s = self.looked_s, None
        return self._splitter.feed(chunk)

    def stay_alive(self, *, reading: bool) -> None:
        """Ping in time. While nothing is read, answers neither, a silent broker has the benefit of the doubt."""
        if not self._keepalive_s:
            return
        now = time.monotonic()
        if not reading:
            self._unanswered_s = None
        elif self._unanswered_s is not None and now - self._unanswered_s > self._keepalive_s:
            message = f"no answer to a ping within {self._keepalive_s:g} s"
            raise TimeoutError(message)
        quiet_s = now - (min(self._sent_s, self._heard_s) if reading else self._sent_s)
        if min(quiet_s, now - self._pinged_s) > self._keepalive_s / 2:
            self._pinged_s = now
            self._unanswered_s = self._unanswered_s or now
            self.say(PINGREQ)
            self.write()

    def close(self) -> None:
        self._transport.close()
