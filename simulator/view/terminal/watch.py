"""Watching a run that goes on elsewhere: its web server tells by server-sent events what a feed shows."""

from __future__ import annotations

import http.client
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from simulator.errors import OutOfReachError, ParksimError, ScenarioError
from simulator.languages import checked_language
from simulator.view.feed import SCHEMA
from simulator.view.terminal.app import LiveApp
from simulator.view.terminal.picture import Update
from simulator.view.terminal.prompt import told_order

__all__ = ["Page", "news", "watch"]

PATIENCE_S = 30.0
"""How long a server may take to answer."""
REFUSED = {401, 403}
OK = 200
LONGEST = 64 * 1024 * 1024
"""Bytes of an answer or of a line; a document of the largest park has a hundredth of that."""


class Page(NamedTuple):
    """Where a run is shown."""

    scheme: str
    host: str
    port: int | None
    path: str
    token: str | None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read ``http://host:port/path?token=TOKEN``. Raises ScenarioError."""
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            port = parts.port
        except ValueError as error:
            message = f"{without_query(url)}: {error}; write it as http://127.0.0.1:8080"
            raise ScenarioError(message) from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            message = f"{without_query(url)}: is no address of a page; write it as http://127.0.0.1:8080"
            raise ScenarioError(message)
        token = parse_qs(parts.query).get("token", [None])[0]
        return cls(parts.scheme, parts.hostname, port, parts.path.rstrip("/"), token)

    def __str__(self) -> str:
        """Return the address without its token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port is None else f':{self.port}'}{self.path}"

    def get(self, route: str, kind: str, *, is_endless: bool = False) -> http.client.HTTPResponse:
        """Ask for a route that answers with that content type. Raises OutOfReachError, ScenarioError."""
        connect = http.client.HTTPSConnection if self.scheme == "https" else http.client.HTTPConnection
        connection = connect(self.host, self.port, timeout=PATIENCE_S)
        headers = {"Accept": kind, "Connection": "close"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            # to be closed after the answer, which then owns the socket
            connection.request("GET", f"{self.path}{route}", headers=headers)
            sock = connection.sock
            answer = connection.getresponse()
            if is_endless:
                # a park that warms up says nothing for minutes
                sock.settimeout(None)
        except http.client.HTTPException:
            connection.close()
            raise self.no_parksim() from None
        except OSError as error:
            connection.close()
            message = f"{self}: nobody answers there: {error.strerror or error}; is a run with a web page going on?"
            raise OutOfReachError(message) from None
        if answer.status == OK and answer.headers.get_content_type() == kind:
            return answer
        answer.close()
        if answer.status in REFUSED:
            said = "a token is needed" if self.token is None else "the token is refused"
            message = f"{self}: {said}; copy the address with ?token=... that the run printed"
            raise ScenarioError(message)
        raise self.no_parksim()

    def post(self, route: str, what: dict[str, Any]) -> str | None:
        """Send something as JSON; return why it was refused, None if it was not. Raises OSError."""
        connect = http.client.HTTPSConnection if self.scheme == "https" else http.client.HTTPConnection
        headers = {"Content-Type": "application/json", "Connection": "close"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        with closing(connect(self.host, self.port, timeout=PATIENCE_S)) as connection:
            connection.request("POST", f"{self.path}{route}", json.dumps(what), headers)
            answer = connection.getresponse()
            said = answer.read(LONGEST)
        if answer.status == OK:
            return None
        try:
            return "\n".join(json.loads(said)["problems"])
        except (ValueError, KeyError, TypeError):
            return f"{self}: refused, with status {answer.status}"

    def no_parksim(self) -> ScenarioError:
        return ScenarioError(f"{self}: what answers there is no parksim, or not one of this version")


def watch(url: str, *, language: str) -> None:
    """Show the run behind a URL until a key ends it. Raises ScenarioError, OutOfReachError."""
    checked_language(language)
    page = Page.parse(url)
    # what is wrong with an address is told before the screen is taken
    answer = page.get("/events", "text/event-stream", is_endless=True)
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty()):
        answer.close()
        message = "parksim watch needs a terminal"
        raise ScenarioError(message)
    problems: list[ParksimError] = []

    def hand_over(app: LiveApp) -> None:
        with suppress(RuntimeError):  # the app has ended meanwhile
            try:
                for update in news(page, answer):
                    app.call_from_thread(app.take, update)
            except ParksimError as error:
                problems.append(error)
                app.call_from_thread(app.leave)
            except (OSError, http.client.HTTPException):
                pass
            app.call_from_thread(app.gone)

    def begin(app: LiveApp) -> None:
        threading.Thread(target=hand_over, args=(app,), name="parksim-news", daemon=True).start()

    def order(what: dict[str, Any]) -> None:
        threading.Thread(target=pass_on, args=(app, page, what), name="parksim-order", daemon=True).start()

    app = LiveApp(language, on_stop=None, on_order=order, begin=begin)
    app.run()
    if app.is_gone:
        problems.append(OutOfReachError(f"{page}: the connection was lost before the run was over"))
    if problems:
        raise problems[0]


def pass_on(app: LiveApp, page: Page, order: dict[str, Any]) -> None:
    """Have a run do something, and say in the log what came of it."""
    try:
        said = page.post("/act", order) or f"ordered: {told_order(order)}"
    except (ParksimError, OSError, http.client.HTTPException) as error:
        said = str(error)
    with suppress(RuntimeError):  # the app has ended meanwhile
        app.call_from_thread(app.take, Update(said=said.splitlines()))


def news(page: Page, answer: http.client.HTTPResponse) -> Iterator[Update]:
    """Yield each document until the run is over, the history with the first one. Raises ScenarioError."""
    with answer:
        points = points_of(page)
        for data in events(answer):
            try:
                document = json.loads(data)
            except ValueError:
                raise page.no_parksim() from None
            if not isinstance(document, dict) or document.get("schema") != SCHEMA:
                raise page.no_parksim()
            yield Update(document, alarms=alarms_of(page), points=points)
            points = []
            if document["run"]["over"]:
                return


def points_of(page: Page) -> list[dict[str, Any]]:
    """Return the history of a run, from a column for each figure; empty if there is none."""
    found = answer_of(page, "/history.json")
    if not isinstance(found, dict) or not all(isinstance(one, list) for one in found.values()):
        return []
    return [dict(zip(found, row, strict=False)) for row in zip(*found.values(), strict=False)]


def alarms_of(page: Page) -> list[dict[str, Any]]:
    """Return the alarms of a run; empty if there are none."""
    found = answer_of(page, "/alarms.json")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def answer_of(page: Page, route: str) -> Any:
    """Return what a route tells, None if it tells nothing."""
    try:
        with page.get(route, "application/json") as answer:
            return json.loads(answer.read(LONGEST))
    except (ParksimError, http.client.HTTPException, OSError, ValueError):
        return None


def events(answer: http.client.HTTPResponse) -> Iterator[str]:
    """Yield the data of each server-sent event (WHATWG HTML, 9.2.6); comments and other fields are passed over."""
    data: list[str] = []
    while line := answer.readline(LONGEST):
        text = line.decode("utf-8", errors="replace").rstrip("\r\n")
        if not text and data:
            yield "\n".join(data)
            data = []
        name, _, value = text.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))


def without_query(url: str) -> str:
    """Leave out what may be a secret."""
    return url.partition("?")[0]
