"""The view `web`: a page beside the run; on standard error the run says as much as without it."""

from __future__ import annotations

import threading
from contextlib import suppress
from types import TracebackType
from typing import Self, TextIO

from simulator.results.snapshot import Snapshot
from simulator.view.feed import Feed
from simulator.view.live import View, open_view
from simulator.view.web import HOST, PORT
from simulator.view.web.address import Address
from simulator.view.web.server import PageServer

__all__ = ["PageView", "open_web"]


class PageView:
    """Serves the feed of a run, and shows another view beside it."""

    def __init__(self, beside: View, address: Address) -> None:
        """Serve the page at once. Raises ScenarioError where that cannot be."""
        self._beside = beside
        self._server = PageServer(address)
        self.url = self._server.place.url()

    def follow(self, feed: Feed) -> None:
        self._server.hub.follow(feed)
        self._beside.follow(feed)

    def show(self, snapshot: Snapshot) -> None:
        with suppress(OSError):  # the terminal may be gone; the page stays
            self._beside.show(snapshot)

    def say(self, text: str) -> None:
        self._beside.say(text)

    def end(self, stop: threading.Event) -> None:
        self._server.hub.hurry()
        self._beside.end(stop)

    def __enter__(self) -> Self:
        self._beside.__enter__()
        with suppress(OSError):
            self.say(f"page:   {self.url}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self._beside.__exit__(kind, error, trace)


def open_web(stream: TextIO, *, host: str = HOST, port: int = PORT, language: str = "en") -> View:
    """Return the view, bound to its port; what a run says goes to ``stream`` as well. Raises ScenarioError."""
    return PageView(open_view(None, stream), Address(host, port, language))
