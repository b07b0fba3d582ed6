"""What the page is made of, by path, and what can be done through it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from simulator.errors import ScenarioError
from simulator.languages import LANGUAGES, LOCALE
from simulator.view.systems import GROUPS
from simulator.view.web.address import Place
from simulator.view.web.guard import Guard
from simulator.view.web.hub import MOST_LISTENERS, Hub
from simulator.view.web.metrics import exposition

__all__ = ["PAGE_OF_MACHINES", "application"]

HERE = Path(__file__).parent
STATIC = HERE / "static"
PAGE_OF_MACHINES = 50
MOST_ALARMS = 100
MOST_BYTES = 16_384
"""Of what is sent to the page."""


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
        points = [] if self._hub.feed is None else self._hub.feed.points()
        return as_json({name: [point[name] for point in points] for name in (points[0] if points else ())})

    async def machines(self, request: Request) -> Response:
        offset = offset_of(request)
        if isinstance(offset, Response):
            return offset
        if self._hub.feed is None:
            return as_json({"total": 0, "offset": 0, "machines": []})
        factory = request.query_params.get("factory", "")
        return as_json(self._hub.feed.machines_of(factory, offset=offset, limit=PAGE_OF_MACHINES))

    async def systems(self, request: Request) -> Response:
        offset, group = offset_of(request), request.query_params.get("group", "")
        if isinstance(offset, Response):
            return offset
        if group not in GROUPS:
            return problem(404, f"group {group}: there is no such group; there are {', '.join(GROUPS)}")
        if self._hub.feed is None:
            return as_json({"total": 0, "offset": 0, "sensors": GROUPS[group], "systems": []})
        return as_json(self._hub.feed.systems(group, offset=offset, limit=PAGE_OF_MACHINES))

    async def alarms(self, _: Request) -> Response:
        return as_json([] if self._hub.feed is None else self._hub.feed.alarms(MOST_ALARMS))

    async def machine(self, request: Request) -> Response:
        topic = request.query_params.get("topic", "")
        found = None if self._hub.feed is None else self._hub.feed.machine(topic)
        return problem(404, f"{topic}: there is no machine of that topic") if found is None else as_json(found)

    async def offers(self, _: Request) -> Response:
        steering = None if self._hub.feed is None else self._hub.feed.steering
        return as_json(None if steering is None else steering.offers())

    async def act(self, request: Request) -> Response:
        """Do something to the run; it has been ordered when this is answered, and marks tell when it came true."""
        asked = await body_of(request)
        feed = self._hub.feed
        if isinstance(asked, Response):
            return asked
        if feed is None or feed.steering is None:
            return problem(409, "nothing can be done to this run: it has not begun, or is a load test")
        try:
            # a target with many stars takes a while to be looked through
            await run_in_threadpool(feed.steering.do, asked)
        except ScenarioError as error:
            return problem(400, *error.problems)
        return as_json({"ordered": asked})

    async def acknowledge(self, request: Request) -> Response:
        asked = await body_of(request)
        if isinstance(asked, Response):
            return asked
        topic = asked.get("topic") if isinstance(asked, dict) else None
        if self._hub.feed is None or not isinstance(topic, str) or not self._hub.feed.acknowledge(topic):
            return problem(404, f"{topic}: there is no alarm of that topic")
        return as_json({"acknowledged": topic})

    async def timeline(self, _: Request) -> Response:
        feed = self._hub.feed
        if feed is None or feed.steering is None:
            return problem(404, "there is nothing to repeat yet, or this is a load test")
        headers = {"content-disposition": f'attachment; filename="{feed.about.name}-timeline.yaml"'}
        text = await run_in_threadpool(feed.steering.timeline)
        return Response(text, media_type="application/yaml", headers=headers)

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
            Route("/machine.json", routes.machine),
            Route("/systems.json", routes.systems),
            Route("/offers.json", routes.offers),
            Route("/act", routes.act, methods=["POST"]),
            Route("/acknowledge", routes.acknowledge, methods=["POST"]),
            Route("/timeline.yaml", routes.timeline),
            Route("/metrics", routes.metrics),
            Route("/healthz", routes.healthz),
            Mount("/static", StaticFiles(directory=STATIC)),
            Mount("/locale", StaticFiles(directory=LOCALE)),
        ],
        middleware=[Middleware(Guard, place=place)],
    )


def offset_of(request: Request) -> int | Response:
    """Return where a page of a list begins, or the answer to whom asked for something else."""
    asked = request.query_params.get("offset", "0")
    # Python reads digits of any script, and as many as it is given
    if not (asked.isascii() and asked.isdecimal() and len(asked) <= 9):
        return problem(400, "offset must be a number from 0")
    return int(asked)


async def body_of(request: Request) -> Any:
    """Return what was sent as JSON, or the answer to whom sent something else.

    The content type is asked for since a page of somebody else's cannot send it without asking first.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return problem(415, "send JSON, with the content type application/json")
    sent = b""
    async for chunk in request.stream():
        sent += chunk
        if len(sent) > MOST_BYTES:
            return problem(413, f"that is longer than {MOST_BYTES:,} bytes")
    try:
        return orjson.loads(sent)
    except orjson.JSONDecodeError as error:
        return problem(400, f"that is no JSON: {error}")


def problem(status: int, *sentences: str) -> Response:
    """Return the answer to what cannot be done."""
    return Response(orjson.dumps({"problems": sentences}), status, media_type="application/json")


def as_json(what: object) -> Response:
    return Response(orjson.dumps(what, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
