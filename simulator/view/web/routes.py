"""What can be asked: the page, its documents, events once a second, metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from simulator.view.feed import Feed
from simulator.view.languages import LANGUAGES, words
from simulator.view.web.metrics import CONTENT_TYPE, metrics_text

__all__ = ["Pages"]

STATIC = Path(__file__).parent / "static"
LOOK_S = 0.25
KEEP_ALIVE_S = 15.0
MOST_MACHINES = 500


@dataclass(slots=True)
class Pages:
    """What is shown: nothing before the hops of the run are open."""

    language: str = "en"
    feed: Feed | None = None
    is_closing: bool = False

    def application(self) -> Starlette:
        """Return what answers."""
        return Starlette(
            routes=[
                Route("/", self._page),
                Route("/live.json", self._live),
                Route("/history.json", self._history),
                Route("/machines.json", self._machines),
                Route("/alarms.json", self._alarms),
                Route("/words.json", self._words),
                Route("/events", self._events),
                Route("/metrics", self._metrics),
                Route("/healthz", self._healthz),
                Mount("/static", StaticFiles(directory=STATIC)),
            ]
        )

    async def news(self) -> AsyncIterator[bytes]:
        """Yield the latest document whenever there is a new one; who reads slowly misses those between."""
        number, quiet_s, is_last = 0, 0.0, False
        while not is_last:
            # looked at before the document, so that the last one is not missed
            is_last = self.is_closing
            document = {} if self.feed is None else self.feed.document()
            if document.get("number", 0) > number:
                number, quiet_s = document["number"], 0.0
                yield b"data: " + orjson.dumps(document) + b"\n\n"
                is_last = is_last or document["run"]["over"]
            elif quiet_s >= KEEP_ALIVE_S:
                quiet_s = 0.0
                yield b": still here\n\n"
            if not is_last:
                await asyncio.sleep(LOOK_S)
                quiet_s += LOOK_S

    async def _page(self, _: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def _live(self, _: Request) -> Response:
        return told({} if self.feed is None else self.feed.document())

    async def _history(self, _: Request) -> Response:
        return told([] if self.feed is None else self.feed.points())

    async def _machines(self, request: Request) -> Response:
        query = request.query_params
        try:
            offset, limit = (max(0, int(query.get(name, default))) for name, default in (("offset", 0), ("limit", 200)))
        except ValueError:
            return told({"error": "offset and limit are whole numbers"}, 400)
        if self.feed is None:
            return told({"total": 0, "offset": offset, "machines": []})
        limit = min(limit, MOST_MACHINES)
        return told(self.feed.machines_of(query.get("factory", ""), offset=offset, limit=limit))

    async def _alarms(self, _: Request) -> Response:
        return told([] if self.feed is None else self.feed.alarms())

    async def _words(self, request: Request) -> Response:
        wanted = request.query_params.get("lang", self.language)
        language = wanted if wanted in LANGUAGES else self.language
        return told({"language": language, "words": dict(words("page", language))})

    async def _events(self, _: Request) -> Response:
        return StreamingResponse(self.news(), media_type="text/event-stream")

    async def _metrics(self, _: Request) -> Response:
        document = {} if self.feed is None else self.feed.document()
        return Response(metrics_text(document), headers={"Content-Type": CONTENT_TYPE})

    async def _healthz(self, _: Request) -> Response:
        return told({"status": "ok"})


def told(what: object, status: int = 200) -> Response:
    return Response(orjson.dumps(what), status, media_type="application/json")
