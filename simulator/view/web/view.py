"""The view `web`: a server beside the run, and the line of the plain view as well."""

from __future__ import annotations

import secrets
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self, TextIO

import uvicorn

from simulator.errors import ScenarioError
from simulator.results.snapshot import Snapshot
from simulator.view.feed import Feed
from simulator.view.live import View, open_view
from simulator.view.web.guard import Guard, is_loopback
from simulator.view.web.routes import Pages

__all__ = ["HOST", "PORT", "WebView", "open_web"]

HOST, PORT = "127.0.0.1", 8080
STOPPED_S = 5.0
BACKLOG = 128


class WebView:
    """Shows the feed of a run over HTTP, in a thread of its own that nobody waits for."""

    def __init__(self, base: View, host: str, port: int, language: str) -> None:
        """Bind the port. Raises ScenarioError when that is not possible."""
        self._base = base
        self._pages = Pages(language)
        self._socket = bound(host, port)
        self._port: int = self._socket.getsockname()[1]
        self._host = host
        self._token = None if is_loopback(host) else secrets.token_urlsafe(24)
        names = {"localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host}
        hosts = [f"{name}:{self._port}" for name in names] + (sorted(names) if self._port == 80 else [])
        app = Guard(self._pages.application(), hosts=hosts, token=self._token)
        config = uvicorn.Config(
            app, log_level="critical", access_log=False, lifespan="off", server_header=False, date_header=False
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="parksim-web", daemon=True)

    @property
    def url(self) -> str:
        """The address of the page, with the token where one is needed."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/" + ("" if self._token is None else f"?token={self._token}")

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])

    def show(self, snapshot: Snapshot) -> None:
        self._base.show(snapshot)

    def say(self, text: str) -> None:
        self._base.say(text)

    def follow(self, feed: Feed) -> None:
        self._pages.feed = feed
        self._base.follow(feed)

    def end(self, stop: threading.Event) -> None:
        self._base.end(stop)

    def __enter__(self) -> Self:
        self._base.__enter__()
        self._thread.start()
        self.say(f"page:   {self.url}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pages.is_closing = True
        self._server.should_exit = True
        self._thread.join(STOPPED_S)
        with suppress(OSError):
            self._socket.close()
        self._base.__exit__(kind, error, trace)


def bound(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises ScenarioError that says what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host.strip("[]"), port))
        found.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        found.close()
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = (
            f"--view web: cannot listen on {host}, port {port}: {why}; choose with --host and --port, 0 is any free"
        )
        raise ScenarioError(message) from None
    return found


def open_web(stream: TextIO, *, host: str = HOST, port: int = PORT, language: str = "en") -> View:
    """Return the view, bound to its port; the line of the plain view goes to ``stream``. Raises ScenarioError."""
    return WebView(open_view(None, stream), host, port, language)
