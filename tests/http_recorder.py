"""An HTTP server that keeps what it is asked, and answers as a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

__all__ = ["Recorder", "Reply", "Request", "listening", "ping"]


class Request(NamedTuple):
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: str


class Reply(NamedTuple):
    """What the server answers."""

    status: int
    body: str = ""
    headers: dict[str, str] = {}  # noqa: RUF012 - never written to


@dataclass
class Recorder:
    """A server that keeps what it is asked and answers by path; ``?`` for all others."""

    replies: dict[str, Reply | Callable[[Request], Reply]]
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        reply = self.replies.get(request.path, Reply(404, "404 page not found"))
        return reply if isinstance(reply, Reply) else reply(request)

    def to(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]


@contextmanager
def listening(**replies: Reply | Callable[[Request], Reply]) -> Iterator[Recorder]:
    """Answer at paths given as keywords, __ for /."""
    recorder = Recorder({"/" + path.replace("__", "/"): reply for path, reply in replies.items()})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body leave apart, and would wait 40 ms for one another

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            reply = recorder.answer(Request(self.command, url.path, parse_qs(url.query), dict(self.headers), body))
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body.encode())

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        recorder.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield recorder
        finally:
            server.shutdown()
            thread.join()


def ping(version: str, build: str = "OSS") -> Reply:
    return Reply(204, headers={"X-Influxdb-Version": version, "X-Influxdb-Build": build})
