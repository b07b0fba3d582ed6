"""The view of a run that is a page; on standard error the run says as much as without it."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import Self

from simulator.results.result import Result
from simulator.results.snapshot import Snapshot
from simulator.view.feed import Feed
from simulator.view.live import View
from simulator.view.web.address import Address
from simulator.view.web.server import PageServer

__all__ = ["PageView"]


class PageView:
    """Feeds the page with snapshots, and another view beside it."""

    wants_feed = True

    def __init__(self, beside: View, address: Address) -> None:
        """Serve the page at once. Raises ScenarioError where that cannot be."""
        self._beside = beside
        self._server = PageServer(address)
        self.url = self._server.place.url()
        self._feed: Feed | None = None

    def follow(self, feed: Feed) -> None:
        self._feed = feed
        self._server.hub.follow(feed)

    def show(self, snapshot: Snapshot) -> None:
        if self._feed is not None:
            self._feed.show(snapshot)
        with suppress(OSError):  # the terminal may be gone; the page stays
            self._beside.show(snapshot)

    def say(self, text: str) -> None:
        self._beside.say(text)

    def end(self, result: Result) -> None:
        if self._feed is not None:
            self._feed.end(result)

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
