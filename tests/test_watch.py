"""`parksim watch`: the view of a run that goes on elsewhere, told by its web server."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from commands import Parksim, parksim  # noqa: F401 - a fixture
from live_documents import documents, snapshot
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from terminals import InTerminal

from simulator.errors import ScenarioError
from simulator.view.terminal.watch import Page, news

RUNNING = documents(snapshot(4), snapshot(5))
OVER = documents(snapshot(4), snapshot(5), exit_code=0)
ALARM = {"topic": "binh-duong/vsip/plant-1/moulding/press-2", "kind": "injection-moulding", "state": 9}
COLUMNS = {"wall_s": [1.0], "written_per_s": [10.0], "end_to_end_p99_ms": [3.0]}
POINTS = [{"wall_s": 1.0, "written_per_s": 10.0, "end_to_end_p99_ms": 3.0}]


def page_app(told: list[dict[str, Any]], token: str | None = None) -> Starlette:
    """Return a page that tells those documents and closes the line."""

    def allowed(request: Request) -> bool:
        return token is None or request.headers.get("authorization") == f"Bearer {token}"

    async def events(request: Request) -> Response:
        async def stream() -> AsyncIterator[str]:
            yield ": hello\n\n"
            for document in told:
                yield f"event: document\nid: {document['number']}\ndata: {json.dumps(document)}\n\n"

        refused = PlainTextResponse("no", 403)
        return StreamingResponse(stream(), media_type="text/event-stream") if allowed(request) else refused

    async def history(request: Request) -> Response:
        return JSONResponse(COLUMNS if allowed(request) else None)

    async def alarms(request: Request) -> Response:
        return JSONResponse([ALARM] if allowed(request) else None)

    routes = {"/events": events, "/history.json": history, "/alarms.json": alarms}
    return Starlette(routes=[Route(path, answer) for path, answer in routes.items()])


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """Serve an app on a port of its own; return its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def test_the_history_comes_with_the_first_document() -> None:
    """And the alarms with each; after the last document there is nothing."""
    with served(page_app(OVER, token="a b&c")) as url:
        page = Page.parse(f"{url}/?token=a%20b%26c")
        found = list(news(page, page.get("/events", "text/event-stream", is_endless=True)))
    assert [update.document for update in found] == OVER
    assert [update.points for update in found] == [POINTS, [], []]
    assert all(update.alarms == [ALARM] for update in found)


def test_the_same_screen_shows_a_run_elsewhere(tmp_path: Path) -> None:
    """Its figures, and its verdict until a key is pressed; watching a run that passed or failed has gone well."""
    with served(page_app(OVER)) as url, InTerminal("watch", url, cwd=tmp_path) as terminal:
        terminal.waits_for(" PASS  ")
        terminal.press("x")
        assert terminal.ended()[0] == 0
        assert "A shop" not in terminal.drawn
        assert "vsip/plant-0" in terminal.drawn


def test_a_connection_that_is_lost_is_told(tmp_path: Path) -> None:
    """The last figures stay until a key is pressed; exit code 106."""
    with served(page_app(RUNNING)) as url, InTerminal("watch", url, "--lang", "vi", cwd=tmp_path) as terminal:
        terminal.waits_for("! đã mất kết nối")
        terminal.press("x")
        assert terminal.ended()[0] == 106
        assert f"{url}: the connection was lost before the run was over" in terminal.drawn


def test_nobody_there_is_told(parksim: Parksim) -> None:  # noqa: F811
    """Exit code 106, with the address and what to look for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    code, out, err = parksim("watch", f"http://127.0.0.1:{port}?token=secret")
    assert (code, out) == (106, "")
    assert err == (
        f"http://127.0.0.1:{port}: nobody answers there: Connection refused; is a run with a web page going on?\n"
    )


@pytest.mark.parametrize(("query", "said"), [("", "a token is needed"), ("?token=wrong", "the token is refused")])
def test_a_token_that_is_refused_is_told(parksim: Parksim, query: str, said: str) -> None:  # noqa: F811
    """Exit code 104; the token itself is not repeated."""
    with served(page_app(RUNNING, token="right")) as url:
        code, _, err = parksim("watch", url + query)
    assert (code, err) == (104, f"{url}: {said}; copy the address with ?token=... that the run printed\n")


async def a_page(_: Request) -> Response:
    return PlainTextResponse("welcome")


@pytest.mark.parametrize("app", [Starlette(), Starlette(routes=[Route("/events", a_page)])], ids=["404", "a page"])
def test_what_is_no_parksim_is_told(parksim: Parksim, app: Starlette) -> None:  # noqa: F811
    """Exit code 104 for a server that has no such events."""
    with served(app) as url:
        code, _, err = parksim("watch", url)
    assert (code, err) == (104, f"{url}: what answers there is no parksim, or not one of this version\n")


def test_events_of_something_else_are_told(tmp_path: Path) -> None:
    """Also when it is seen only after the screen was taken."""
    strange = [{"number": 1, "schema": "parksim.live/2"}]
    with served(page_app(strange)) as url, InTerminal("watch", url, cwd=tmp_path) as terminal:
        assert terminal.ended()[0] == 104
        assert "is no parksim, or not one of this version" in terminal.drawn


def test_what_is_not_http_is_told(parksim: Parksim) -> None:  # noqa: F811
    """A broker's port, say."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with listener.accept()[0] as line:
                line.recv(1000)
                line.sendall(b"\x20\x02\x00\x00\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        code, _, err = parksim("watch", f"127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert code == 104
    assert "is no parksim" in err


def test_watching_takes_a_terminal(parksim: Parksim) -> None:  # noqa: F811
    """There is nothing to read in a pipe."""
    with served(page_app(RUNNING)) as url:
        assert parksim("watch", url)[::2] == (104, "parksim watch needs a terminal\n")


@pytest.mark.parametrize("url", ["ftp://plant7", "http://", "http://plant7:eighty?token=secret"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """The message shows how to write one, and no token."""
    with pytest.raises(ScenarioError, match=r"write it as http://127\.0\.0\.1:8080") as error:
        Page.parse(url)
    assert "secret" not in str(error.value)
