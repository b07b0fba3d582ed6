"""The sockets of very many connections, by number, on one epoll: opened, written, read and closed without waiting."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from brokers.endpoint import Endpoint
from brokers.errors import BrokerError, LimitError
from brokers.limits import Sources
from brokers.paho_client import explain

__all__ = ["NOTHING", "Doors"]

Ints = NDArray[np.int64]

EVENTS = 1024
CHUNK = 16 * 1024
NOTHING = np.zeros(0, np.int64)


class Doors:
    """A long corridor. A door costs a socket and its number; what a socket does not take at once is kept for it."""

    def __init__(self, endpoint: Endpoint, number: int, sleeper: socket.socket) -> None:
        """``sleeper`` is a socket that interrupts events() when something comes."""
        self.sent_s = np.zeros(number)
        self.is_behind = np.zeros(number, bool)
        """Which have not taken all that was written yet."""
        self.unwritten = 0
        """Messages of QoS 0 among that."""
        self._endpoint = endpoint
        self._sources = Sources(endpoint.host, address=str(endpoint))
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)[0]
        self._family, self._where = found[0], found[4]
        self._doors: list[socket.socket | None] = [None] * number
        self._device_of: dict[int, int] = {}
        self._backlog: dict[int, tuple[memoryview, Ints]] = {}
        """Bytes that a socket has not taken yet, and the tags that are settled when it has."""
        self._sleeper = sleeper
        self._epoll = select.epoll()
        self._epoll.register(sleeper, select.EPOLLIN)

    def __len__(self) -> int:
        return len(self._doors)

    def open(self, device: int, *, open_now: int) -> BrokerError | None:
        """Begin to connect; return what keeps it from that. ``open_now`` connections are open, for the message."""
        while True:
            try:
                door = socket.socket(self._family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            except OSError as error:
                what = f"the system opens no more sockets ({error.strerror}) while {open_now:,} connections are up"
                advice = "raise the limit of open files (ulimit -n, fs.file-max), or use fewer connections"
                return LimitError(what, address=str(self._endpoint), advice=advice)
            self._sources.bind(door)
            number = door.connect_ex(self._where)
            if number in {0, errno.EINPROGRESS}:
                break
            door.close()
            if number != errno.EADDRNOTAVAIL:
                return explain(OSError(number, os.strerror(number)), self._endpoint)
            try:
                self._sources.next()
            except LimitError as error:
                return error
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._doors[device] = door
        self._device_of[door.fileno()] = device
        self._epoll.register(door.fileno(), select.EPOLLOUT)
        return None

    def greet(self, device: int, packet: bytes) -> bool:
        """Write the first packet as soon as the connection stands, on one machine at once; return whether it does."""
        door = self._door(device)
        try:
            door.send(packet)
        except BlockingIOError:
            return False
        except OSError:
            pass  # reading will tell
        self._epoll.modify(door.fileno(), select.EPOLLIN)
        return True

    def trouble(self, device: int) -> BrokerError | None:
        """Return what keeps a connection from being opened, if anything does."""
        number = self._door(device).getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return explain(OSError(number, os.strerror(number)), self._endpoint) if number else None

    def events(self, timeout_s: float) -> Iterator[tuple[int, bool]]:
        """Wait for something to happen; yield which devices can be written again (True) or read (False)."""
        for number, mask in self._epoll.poll(timeout_s, EVENTS):
            device = self._device_of.get(number)
            if device is not None:
                yield device, bool(mask & select.EPOLLOUT)
            elif number == self._sleeper.fileno():
                self._sleeper.recv(4096)

    def read(self, device: int) -> bytes | None:
        """Return what has come in, None for nothing. Raises OSError at the end."""
        try:
            chunk = self._door(device).recv(CHUNK)
        except BlockingIOError:
            return None
        if not chunk:
            raise ConnectionResetError(errno.ECONNRESET, "the broker hung up")
        return chunk

    def write(self, device: int, data: memoryview, tags: Ints = NOTHING) -> bool:
        """Write behind what the socket has not taken yet; return whether all has gone out.

        ``tags`` are of the messages that are settled when it has; they come back from write_on() or close().
        """
        door = self._door(device)
        self.sent_s[device] = time.monotonic()
        sent = 0
        if not self.is_behind[device]:
            with suppress(OSError):  # full; or broken, which reading will tell
                sent = door.send(data)
            if sent == len(data):
                return True
            self._epoll.modify(door.fileno(), select.EPOLLIN | select.EPOLLOUT)
        before, their_tags = self._backlog.get(device, (memoryview(b""), NOTHING))
        rest = memoryview(b"".join([before, data[sent:]]))
        self._backlog[device] = rest, np.concatenate([their_tags, tags])
        self.is_behind[device] = True
        self.unwritten += len(tags)
        return False

    def write_on(self, device: int) -> Ints:
        """Go on where the socket would not take more; return the tags of messages that have gone out now."""
        data, tags = self._take_backlog(device)
        if not self.write(device, data, tags):
            return NOTHING
        self._epoll.modify(self._door(device).fileno(), select.EPOLLIN)
        return tags

    def close(self, device: int) -> Ints:
        """Close a connection; return the tags of messages that had not gone out."""
        door, self._doors[device] = self._doors[device], None
        if door is not None:
            del self._device_of[door.fileno()]
            door.close()  # epoll forgets it by itself
        return self._take_backlog(device)[1]

    def close_all(self) -> None:
        for device in list(self._device_of.values()):
            self.close(device)
        self._epoll.close()

    def _take_backlog(self, device: int) -> tuple[memoryview, Ints]:
        self.is_behind[device] = False
        data, tags = self._backlog.pop(device, (memoryview(b""), NOTHING))
        self.unwritten -= len(tags)
        return data, tags

    def _door(self, device: int) -> socket.socket:
        door = self._doors[device]
        assert door is not None
        return door
