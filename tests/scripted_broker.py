"""A broker that says what a test has written down: a plain socket, so that it can break every rule.

with ScriptedBroker() as broker, closing(broker.session()) as session:
    line = broker.accept()          # the client's CONNECT is read, CONNACK sent
    line.send(b"...")               # anything
    line.packets(2)                 # what the client sends, packet by packet
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from queue import Queue
from types import TracebackType
from typing import Any, Self

from brokers.endpoint import Endpoint
from brokers.session import LineSession

__all__ = ["ScriptedBroker", "ScriptedLine"]

HOST = "127.0.0.1"
DEADLINE_S = 20.0


class ScriptedLine:
    """One connection, seen from the broker."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        door.settimeout(DEADLINE_S)

    def send(self, data: bytes) -> None:
        self._door.sendall(data)

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._door.recv(size - len(data))
            if not part:
                raise ConnectionResetError
            data += part
        return data

    def packet(self) -> bytes:
        """The next packet of the client, PINGREQs left out. Raises ConnectionError at the end, TimeoutError."""
        while True:
            head = self._read(2)
            size, place = head[1] & 0x7F, 7
            while head[-1] & 0x80:
                head += self._read(1)
                size |= (head[-1] & 0x7F) << place
                place += 7
            data = head + self._read(size)
            if data != b"\xc0\x00":
                return data

    def packets(self, number: int) -> list[bytes]:
        return [self.packet() for _ in range(number)]

    def is_ended(self) -> bool:
        """Wait for the client to hang up."""
        until_s = time.monotonic() + DEADLINE_S
        try:
            while time.monotonic() < until_s:
                self._read(1)
        except ConnectionError:
            return True
        except TimeoutError:
            pass
        return False

    def is_silent(self, for_s: float) -> bool:
        """Say whether the client sends nothing for so long."""
        self._door.settimeout(for_s)
        try:
            self._read(1)
        except TimeoutError:
            return True
        finally:
            self._door.settimeout(DEADLINE_S)
        return False

    def cut(self) -> None:
        """Break the connection as a crash does."""
        self._door.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._door.close()

    def close(self) -> None:
        self._door.close()


class ScriptedBroker:
    """Listens on a free port; answers CONNECT with the CONNACK that is due, and leaves the rest to the test."""

    def __init__(self, *, version: int = 5) -> None:
        self.version = version
        self.connacks: Queue[bytes] = Queue()
        """What to answer next; an accepted new session if there is nothing."""
        self._listener = socket.create_server((HOST, 0))
        self._lines: list[ScriptedLine] = []
        self._session: LineSession | None = None

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("mqtt", HOST, self._listener.getsockname()[1], version=self.version)  # type: ignore[arg-type]

    def will_answer(self, *, session_present: bool = False, properties: bytes = b"", code: int = 0) -> None:
        """Have one of the next CONNECTs answered so."""
        tail = bytes([len(properties)]) + properties if self.version == 5 else b""
        self.connacks.put(bytes([0x20, 2 + len(tail), session_present, code]) + tail)

    def accept(self) -> ScriptedLine:
        """Take the next connection and answer its CONNECT."""
        self._listener.settimeout(DEADLINE_S)
        line = ScriptedLine(self._listener.accept()[0])
        self._lines.append(line)
        assert line.packet()[0] == 0x10
        if self.connacks.empty():
            self.will_answer()
        line.send(self.connacks.get())
        return line

    def open(self, *, window: int = 10, keep: bool = False) -> tuple[LineSession, ScriptedLine]:
        """A session, and the broker's end of its connection."""
        lines: list[ScriptedLine] = []
        thread = threading.Thread(target=lambda: lines.append(self.accept()))
        thread.start()
        self._session = LineSession(self.endpoint, "scripted", window=window, keep_session=keep)
        thread.join()
        return self._session, lines[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self._lines:
            line.close()
        self._listener.close()
        if self._session is not None:
            self._session.close(timeout_s=0)


def in_thread(work: Callable[[], Any]) -> threading.Thread:
    """Start something beside the test."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
