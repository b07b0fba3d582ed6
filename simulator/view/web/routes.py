"""What the page is made of, by path; all of it is only read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from simulator.view.languages import LANGUAGES, LOCALE
from simulator.view.web.address import Place
from simulator.view.web.guard import Guard
from simulator.view.web.hub import MOST_LISTENERS, Hub
from simulator.view.web.metrics import exposition

__all__ = ["STATIC", "application"]

STATIC = Path(__file__).parent / "static"
PAGE_OF_MACHINES, MOST_MACHINES = 200, 500
MOST_DIGITS = 9
MOST_ALARMS = 100


class EventStream(StreamingResponse):
    """What a listener gets; it counts as one until it is answered to the end, or has gone."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub.listen(), media_type="text/event-stream")
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._hub.listener():
            await super().__call__(scope, receive, send)


class Routes:
    """What is answered, by path; ``language`` is that of who names none."""

    def __init__(self, hub: Hub, language: str) -> None:
        self._hub = hub
        self._language = language
        self._page = (STATIC / "index.html").read_text(encoding="utf-8")

    async def index(self, request: Request) -> Response:
        asked = request.query_params.get("lang")
        wanted = asked if asked in LANGUAGES else self._language
        return Response(self._page.replace("{{lang}}", wanted), media_type="text/html")

    async def events(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        if self._hub.listeners >= MOST_LISTENERS:
            return PlainTextResponse(f"{MOST_LISTENERS} pages are open already; close one\n", 503)
        return EventStream(self._hub)

    async def live(self, _: Request) -> Response:
        return as_json(self._document())

    async def history(self, _: Request) -> Response:
        return as_json([] if self._hub.feed is None else self._hub.feed.points())

    async def machines(self, request: Request) -> Response:
        query = request.query_params
        offset, limit = (whole(query.get(*one)) for one in (("offset", "0"), ("limit", str(PAGE_OF_MACHINES))))
        if offset is None or limit is None:
            return PlainTextResponse("offset and limit must be numbers from 0\n", 400)
        if self._hub.feed is None:
            return as_json({"total": 0, "offset": offset, "machines": []})
        limit = min(limit, MOST_MACHINES)
        return as_json(self._hub.feed.machines_of(query.get("factory", ""), offset=offset, limit=limit))

    async def alarms(self, _: Request) -> Response:
        return as_json([] if self._hub.feed is None else self._hub.feed.alarms(MOST_ALARMS))

    async def metrics(self, request: Request) -> Response:
        text, content_type = exposition(self._document, request.headers.get("accept", ""))
        return Response(text, headers={"content-type": content_type})

    async def healthz(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    def _document(self) -> dict[str, Any]:
        return {} if self._hub.feed is None else self._hub.feed.document()


def application(hub: Hub, place: Place, language: str) -> Starlette:
    """Return the application, behind its guard."""
    routes = Routes(hub, language)
    return Starlette(
        routes=[
            Route("/", routes.index),
            Route("/events", routes.events),
            Route("/live.json", routes.live),
            Route("/history.json", routes.history),
            Route("/machines.json", routes.machines),
            Route("/alarms.json", routes.alarms),
            Route("/metrics", routes.metrics),
            Route("/healthz", routes.healthz),
            Mount("/static", StaticFiles(directory=STATIC)),
            Mount("/locale", StaticFiles(directory=LOCALE)),
        ],
        middleware=[Middleware(Guard, place=place)],
    )


def whole(asked: str) -> int | None:
    """Return a number from 0, None for what is none: Python reads digits of any script, and as many as it is given."""
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= MOST_DIGITS else None


def as_json(what: object) -> Response:
    return Response(orjson.dumps(what, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
