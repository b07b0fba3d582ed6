"""The hub: the latest document for every browser that listens. One that is slow skips; nothing queues."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import orjson

from simulator.view.feed import Feed

__all__ = ["MOST_LISTENERS", "Hub"]

MOST_LISTENERS = 64
BETWEEN_S = 1.0
"""Between two documents, however often the feed has one."""
ALIVE_S = 5.0
"""Without a document something is said so often, for a browser that is gone is only noticed when it is spoken to."""


class Hub:
    """Takes the documents of a feed in a thread of its own, writes each down once, and hands them to listeners.

    ``listen`` belongs to the loop of the server; everything else may be called from anywhere.
    """

    def __init__(self) -> None:
        self.listeners = 0
        self._feed: Feed | None = None
        self._latest: tuple[int, bytes] = (0, b"")
        self._is_over = False
        self._hurry = threading.Event()
        self._begun = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._pump = threading.Thread(target=self._carry, name="parksim-hub", daemon=True)

    @property
    def feed(self) -> Feed | None:
        """What is watched; None before the run has begun."""
        return self._feed

    @property
    def latest(self) -> int:
        """The number of the document that listeners have or are about to get; 0 before the first."""
        return self._latest[0]

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to carry; called in the loop that listens."""
        self._loop = loop
        self._pump.start()

    def follow(self, feed: Feed) -> None:
        """Carry the documents of this feed from now on."""
        self._feed = feed
        self._begun.set()

    def hurry(self) -> None:
        """Carry what there is without waiting for the second to pass; the run is over."""
        self._hurry.set()

    def close(self, timeout_s: float) -> None:
        """Let every listener have the last document, and end; one that takes longer than this is left alone."""
        self._hurry.set()
        self._begun.set()
        if self._pump.ident is not None:
            self._pump.join(timeout_s)
            self._idle.wait(timeout_s)

    @contextmanager
    def listener(self) -> Iterator[None]:
        """Count one more listener for as long as it is answered."""
        self.listeners += 1
        self._idle.clear()
        try:
            yield
        finally:
            self.listeners -= 1
            if not self.listeners:
                self._idle.set()

    async def listen(self) -> AsyncIterator[bytes]:
        """Yield the latest document as a server-sent event whenever there is a newer one, until the run is over."""
        yield b"retry: 2000\n\n"
        seen = 0
        while True:
            changed, (number, text) = self._changed, self._latest
            if number > seen:
                seen = number
                yield text
            elif self._is_over:
                return
            elif not await came(changed):
                yield b": waiting\n\n"

    def _carry(self) -> None:
        """Carry documents until the run is over."""
        self._begun.wait()
        feed, number = self._feed, 0
        while feed is not None:
            is_last = self._hurry.is_set()
            document = feed.wait(number, 0 if is_last else BETWEEN_S)
            if document is not None:
                number = document["number"]
                self._tell(self._publish, number, event(document))
                self._hurry.wait(BETWEEN_S)
            elif is_last:
                break
        self._tell(self._end)

    def _tell(self, what: Callable[..., None], *arguments: object) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop may have ended, and nobody listens any more
            self._loop.call_soon_threadsafe(what, *arguments)

    def _publish(self, number: int, text: bytes) -> None:
        self._latest = (number, text)
        self._wake()

    def _end(self) -> None:
        self._is_over = True
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


async def came(changed: asyncio.Event) -> bool:
    try:
        await asyncio.wait_for(changed.wait(), ALIVE_S)
    except TimeoutError:
        return False
    return True


def event(document: dict[str, Any]) -> bytes:
    """Return a document as a server-sent event; orjson writes no line breaks."""
    return b"id: %d\ndata: %b\n\n" % (document["number"], orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))
