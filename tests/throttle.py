"""A broker that takes so many messages a second and no more: a door before a real one, at a pace."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from child_server import HOST

__all__ = ["throttled"]

PUBLISH = 3
AT_ONCE = 1 << 16
MADE_UP_S = 0.1


class Pace:
    """Turns for messages, evenly in time, for all connections together; those that nobody took are gone."""

    def __init__(self, per_s: float) -> None:
        self._between_s = 1.0 / per_s
        self._next_s = time.monotonic()
        self._lock = threading.Lock()

    def wait(self, number: int) -> None:
        """Wait for the turn of that many messages."""
        with self._lock:
            now_s = time.monotonic()
            # whoever sleeps wakes up late, which may be made up for
            self._next_s = max(self._next_s, now_s - MADE_UP_S) + number * self._between_s
            turn_s = self._next_s
        if turn_s > now_s:
            time.sleep(turn_s - now_s)


def packets(data: bytes) -> tuple[int, int]:
    """Return how many bytes of the data are whole packets, at most until the first PUBLISH, and whether that is one."""
    at = 0
    while at < len(data):
        place, length, shift = at + 1, 0, 0
        while True:
            if place >= len(data):
                return at, 0
            byte = data[place]
            length |= (byte & 0x7F) << shift
            place, shift = place + 1, shift + 7
            if byte < 0x80:
                break
        after = place + length
        if after > len(data):
            return at, 0
        if data[at] >> 4 == PUBLISH:
            return after, 1
        at = after
    return at, 0


def carry(source: socket.socket, sink: socket.socket, pace: Pace | None) -> None:
    """Pass on what one side says, messages at a pace; end both when one ends."""
    rest = b""
    with suppress(OSError):
        while data := source.recv(AT_ONCE):
            if pace is None:
                sink.sendall(data)
                continue
            rest += data
            while rest:
                used, number = packets(rest)
                if not used:
                    break
                if number:
                    pace.wait(number)
                sink.sendall(rest[:used])
                rest = rest[used:]
    for one in (source, sink):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@contextmanager
def throttled(broker_port: int, per_s: float) -> Iterator[int]:
    """Stand before a broker; yield the port. Messages of all clients together go in at ``per_s`` at most."""
    pace = Pace(per_s)
    open_ones: list[socket.socket] = []

    def welcome(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                broker = socket.create_connection((HOST, broker_port))
                for one in (client, broker):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    open_ones.append(one)
                threading.Thread(target=carry, args=(client, broker, pace), daemon=True).start()
                threading.Thread(target=carry, args=(broker, client, None), daemon=True).start()

    with socket.create_server((HOST, 0)) as listener:
        threading.Thread(target=welcome, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for one in open_ones:
        one.close()
