"""A proxy before a server: connections go through it, and it can be shut, held, or made slow, as a network can be."""

from __future__ import annotations

import queue
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

__all__ = ["Proxy"]

AT_ONCE = 1 << 16
MOST_WAITING = 256
"""Pieces of one direction that may be under way: 16 MiB at most, then the sender is held up as by TCP."""
CONNECT_S = 5.0
LOOK_S = 0.05


class Proxy:
    """Listens on a free port of the loopback interface and passes everything on to ``host`` and ``port``."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._open = threading.Event()
        self._flowing = threading.Event()
        self._flowing.set()
        self._open.set()
        self._delay_s = 0.0
        self._over = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def shut(self) -> None:
        """Break all connections, and let nobody in until ``release``."""
        self._open.clear()
        self._break()

    def hold(self) -> None:
        """Leave the connections, and pass nothing on until ``release``."""
        self._flowing.clear()

    def slow(self, delay_s: float) -> None:
        """Have everything, in both directions, arrive so much later, until ``release``."""
        self._delay_s = delay_s

    def release(self) -> None:
        """Pass everything on at once, as at first."""
        self._delay_s = 0.0
        self._flowing.set()
        self._open.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._welcome, name="parksim-proxy", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self.release()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._break()

    def _break(self) -> None:
        with self._lock:
            sockets = list(self._sockets)
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _welcome(self) -> None:
        with suppress(OSError):
            while not self._over.is_set():
                client, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with client:
            if not self._open.is_set():
                return
            with suppress(OSError), socket.create_connection(self._target, CONNECT_S) as server:
                server.settimeout(None)
                self._join(client, server)

    def _join(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on both ways until either end is closed."""
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._sockets |= {client, server}
        threads = []
        for source, sink in ((client, server), (server, client)):
            waiting: queue.Queue[tuple[float, bytes]] = queue.Queue(MOST_WAITING)
            threads.append(threading.Thread(target=self._take, args=(source, waiting), daemon=True))
            threads.append(threading.Thread(target=self._give, args=(waiting, sink), daemon=True))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with self._lock:
            self._sockets -= {client, server}

    def _take(self, source: socket.socket, waiting: queue.Queue[tuple[float, bytes]]) -> None:
        data = b"-"
        while data:
            data = b""
            with suppress(OSError):
                data = source.recv(AT_ONCE)
            waiting.put((time.monotonic() + self._delay_s, data))

    def _give(self, waiting: queue.Queue[tuple[float, bytes]], sink: socket.socket) -> None:
        is_well = True
        while True:
            at_s, data = waiting.get()
            if not data:
                break
            left_s = min(at_s - time.monotonic(), self._delay_s)
            while left_s > 0 and not self._over.is_set():
                time.sleep(min(LOOK_S, left_s))
                left_s = min(at_s - time.monotonic(), self._delay_s)
            while not self._flowing.wait(LOOK_S) and self._open.is_set() and not self._over.is_set():
                pass
            if is_well:
                try:
                    sink.sendall(data)
                except OSError:
                    is_well = False  # what still comes is taken, or its reader would hang
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
