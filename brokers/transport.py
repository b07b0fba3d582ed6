"""Bytes over an open connection, never waiting: TCP, TLS, and either of them under a WebSocket (RFC 6455)."""

from __future__ import annotations

import os
import socket
import ssl
from typing import NoReturn

import numpy as np

from brokers.errors import ProtocolError

__all__ = ["Transport", "WebSocket"]

CHUNK = 256 * 1024
"""Bytes read at once."""
RECORDS = 16
"""TLS gives one record of 16 KiB at a time; how many are read at once."""
FRAME = 64 * 1024
"""Bytes of one WebSocket frame that we send, at most."""
BINARY, CLOSE, PING, PONG = 2, 8, 9, 10
CONTROL = 8
"""Frame types from here on are not data."""
MOST_CONTROL = 125
FINAL, MASKED = 0x80, 0x80


class Transport:
    """A TCP or TLS connection."""

    def __init__(self, door: socket.socket, *, first: bytes = b"") -> None:
        """Take over an open, connected socket; ``first`` has been read from it already."""
        self._door = door
        self._tls = door if isinstance(door, ssl.SSLSocket) else None
        self._first = first
        door.setblocking(False)

    def fileno(self) -> int:
        return self._door.fileno()

    def wake_at(self, least: int) -> None:
        """Have poll() report something to read only from so many bytes on."""
        self._door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, least)

    def pending(self) -> bool:
        """Say whether there is something to read that poll() cannot see."""
        return bool(self._first) or (self._tls is not None and self._tls.pending() > 0)

    def receive(self) -> bytes:
        """Return what has come in, nothing if there is nothing yet. Raises ConnectionError at the end, OSError."""
        if self._first:
            first, self._first = self._first, b""
            return first
        if self._tls is not None:
            return self._records(self._tls)
        try:
            chunk = self._door.recv(CHUNK)
        except BlockingIOError:
            return b""
        if not chunk:
            raise ConnectionResetError
        return chunk

    def _records(self, tls: ssl.SSLSocket) -> bytes:
        records: list[bytes] = []
        try:
            while len(records) < RECORDS:
                record = tls.recv(CHUNK)
                if not record:
                    if records:
                        break  # it is told again next time
                    raise ConnectionResetError
                records.append(record)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        return b"".join(records)

    def send(self, data: memoryview) -> int:
        """Return how many bytes went out. After 0 the same bytes must come again. Raises OSError."""
        try:
            return self._door.send(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0

    def close(self) -> None:
        self._door.close()


class WebSocket(Transport):
    """MQTT packets in binary frames, wherever the frames may be cut."""

    def __init__(self, door: socket.socket, *, address: str, first: bytes = b"", skip: int = 0) -> None:
        """As for a transport; of the first frame ``skip`` bytes are already read."""
        super().__init__(door, first=first)
        self._address = address
        self._skip = skip
        self._head = b""
        """The beginning of a frame that cannot be read yet: its head, or all of it if it is no data."""
        self._left = 0
        """Bytes of the present data frame still to come."""
        self._frame = memoryview(b"")
        self._framed = 0
        self._answers = bytearray()

    def receive(self) -> bytes:
        stream, parts, place = self._head + super().receive(), [], 0
        while place < len(stream):
            if self._left:
                parts.append(stream[place : place + self._left])
                place += len(parts[-1])
                self._left -= len(parts[-1])
                continue
            head = self._read_head(stream, place)
            if head is None:
                break
            kind, begin, size = head
            if kind < CONTROL:
                self._left, place = size, begin
                continue
            if begin + size > len(stream) or (kind == CLOSE and parts):
                break  # what came before the end is read first
            if kind == CLOSE:
                raise ConnectionResetError
            if kind == PING:
                self._answers += _framed(PONG, stream[begin : begin + size])
            place = begin + size
        self._head = stream[place:]
        data = b"".join(parts)
        if self._skip:
            data, self._skip = data[self._skip :], max(0, self._skip - len(data))
        if self._answers and not self._frame:
            self._answer()
        return data

    def _read_head(self, stream: bytes, place: int) -> tuple[int, int, int] | None:
        """Return type of the frame that begins there, where its payload begins, and its size; None if incomplete."""
        if len(stream) < place + 2:
            return None
        kind, size, begin = stream[place] & 0x0F, stream[place + 1], place + 2
        if size & MASKED or stream[place] & 0x70 or kind not in {0, BINARY, CLOSE, PING, PONG}:
            self._fail("a WebSocket frame that is masked, of text, or extended")
        if size > MOST_CONTROL:
            if kind >= CONTROL:
                self._fail("a long WebSocket control frame")
            wide = 2 if size == MOST_CONTROL + 1 else 8
            if len(stream) < begin + wide:
                return None
            size, begin = int.from_bytes(stream[begin : begin + wide], "big"), begin + wide
        return kind, begin, size

    def _fail(self, what: str) -> NoReturn:
        said, advice = f"the broker sent {what}", "is it MQTT over WebSocket, with nothing in between that changes it?"
        raise ProtocolError(said, address=self._address, advice=advice)

    def _answer(self) -> None:
        self._frame, self._framed = memoryview(bytes(self._answers)), 0
        self._answers.clear()
        self._flush()

    def send(self, data: memoryview) -> int:
        if self._frame:
            return self._flush()
        if self._answers:
            self._answer()
            if self._frame:
                return 0
        part = data[:FRAME]
        self._frame, self._framed = memoryview(_framed(BINARY, part)), len(part)
        return self._flush()

    def _flush(self) -> int:
        """Send the frame; only once all of it is out its bytes count."""
        self._frame = self._frame[super().send(self._frame) :]
        return 0 if self._frame else self._framed


def _framed(kind: int, data: bytes | memoryview) -> bytes:
    """Return a frame as clients must send it, masked with a random key."""
    size = len(data)
    if size <= MOST_CONTROL:
        head = bytes([FINAL | kind, MASKED | size])
    elif size < 1 << 16:
        head = bytes([FINAL | kind, MASKED | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([FINAL | kind, MASKED | 127]) + size.to_bytes(8, "big")
    key = os.urandom(4)
    mask = np.resize(np.frombuffer(key, np.uint8), size)
    return b"".join([head, key, (np.frombuffer(data, np.uint8) ^ mask).tobytes()])
