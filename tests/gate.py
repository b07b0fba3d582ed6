"""A gate before a real database: lets requests through, refuses them, or never answers, as a test says."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from child_server import HOST

__all__ = ["Answer", "Asked", "Gate", "gate"]

HOP_HEADERS = {"connection", "transfer-encoding", "content-length", "host"}


class Asked(NamedTuple):
    """A request as it came, and when, in seconds of the monotonic clock."""

    path: str
    body: bytes
    at_s: float


class Answer(NamedTuple):
    """What is answered instead of the database."""

    status: int
    body: str = "refused by the gate"
    headers: Mapping[str, str] = {}


@dataclass
class Gate:
    """What stands between a bridge and a database; ``writes`` answers those it does not want to let through."""

    port: int
    target: int
    writes: Callable[[Asked], Answer | None] = lambda _: None
    asked: list[Asked] = field(default_factory=list)
    """Every write."""
    let_through: int = 0
    hangs: bool = False
    """Whether nothing is answered any more."""
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def gate(target: int) -> Iterator[Gate]:  # noqa: C901 - a class inside
    """Listen on a free port, before the database at that port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._pass_on(b"")

        def do_HEAD(self) -> None:
            self._pass_on(b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if "write" in self.path:
                asked = Asked(self.path, body, time.monotonic())
                one.asked.append(asked)
                if one.hangs:
                    one.over.wait()
                    self.close_connection = True
                    return
                answer = one.writes(asked)
                if answer is not None:
                    self._say(answer.status, answer.body.encode(), answer.headers)
                    return
                one.let_through += 1
            self._pass_on(body)

        def _pass_on(self, body: bytes) -> None:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_HEADERS}
            database = http.client.HTTPConnection(HOST, target, timeout=30)
            try:
                database.request(self.command, self.path, body or None, headers)
                found = database.getresponse()
                told = {name: value for name, value in found.getheaders() if name.lower() not in HOP_HEADERS}
                self._say(found.status, found.read(), told)
            except OSError:
                self._say(502, b"no database", {})
            finally:
                database.close()

        def _say(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status != 204 and self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    class Listening(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Whoever hung up knows why."""

    with Listening((HOST, 0), Handler) as server:
        one = Gate(server.server_address[1], target)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield one
        finally:
            one.over.set()
            server.shutdown()
            thread.join()
