"""What tests of the page share: a feed with a small park, and a page server of their own."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
from starlette.applications import Starlette
from test_summary import snapshot

from simulator.batch import Asset, Catalog
from simulator.results.snapshot import Snapshot
from simulator.view.feed import About, Feed
from simulator.view.web.address import Address
from simulator.view.web.server import PageServer

__all__ = ["ABOUT", "Browser", "asset", "events", "feed", "listening", "moment", "served"]

ABOUT = About("shop", "A shop", "0a1b2c3d", 7, "2026-03-10T06:00:00.000+07:00", "memory", "sqlite", 1.0)

SITE = {"oee": 0.8, "failures": 3, "mtbf_h": 100.5, "mttr_min": 12.5, "pieces_good": 90, "pieces_bad": 2}
PARTS = {
    "oee": {"site/east": 0.7, "site/west": None},
    "oee_by_type": {"press": 0.7},
    "sites": {"site": SITE | {"energy_kwh": 1.5, "figures": {}}},
}


def asset(factory: str, line: str, cell: str) -> Asset:
    return Asset(("plant", "site", factory, line, cell), "press", {"machine": cell}, 0, (), 0)


def feed() -> Feed:
    """A feed of two factories with three machines."""
    assets = (asset("east", "one", "press-1"), asset("east", "two", "press-2"), asset("west", "one", "press-1"))
    return Feed(ABOUT, Catalog(assets), machines=len(assets))


def moment(wall_s: float = 10, *, states: tuple[int, ...] = (6, 9, 2), **changes: Any) -> Snapshot:
    """A snapshot in which one machine runs, one is broken down and one stands."""
    kept = {"states": bytes(states), "parts": PARTS} | changes
    return replace(snapshot(wall_s), **kept)


class Browser:
    """Asks the application without a server between them, and keeps no cookies."""

    def __init__(self, app: Starlette, host: str) -> None:
        self._app = app
        self._url = f"http://{host}"

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.asked("GET", path, **more)

    def asked(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url=self._url) as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())


@contextmanager
def served(language: str = "en") -> Iterator[PageServer]:
    """A real server on a free port."""
    server = PageServer(Address(port=0, language=language))
    try:
        yield server
    finally:
        server.close()


@contextmanager
def listening(server: PageServer) -> Iterator[socket.socket]:
    """A browser that has asked for events."""
    host = f"{server.place.ip}:{server.place.port}"
    with socket.create_connection((server.place.ip, server.place.port), timeout=10) as browser:
        browser.sendall(f"GET /events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        yield browser


def events(browser: socket.socket) -> Iterator[dict[str, Any]]:
    """What it is told, until the server ends the connection or has told the last."""
    received = b""
    while chunk := browser.recv(65536):
        received += chunk
        *lines, received = received.split(b"\n")
        for line in lines:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])
