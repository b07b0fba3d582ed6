"""The guard before the page: who may ask, and what a browser may do with the answer."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Sequence
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard", "is_loopback"]

COOKIE = "parksim-token"
OPEN = {"/healthz"}
"""Without a token: it tells nothing but that somebody is there."""
HEADERS = {
    # nothing but what this server has, and no script or style inside a page
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def is_loopback(host: str) -> bool:
    """Say whether an address to listen on is of this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Guard:
    """Lets through who asks for this very server, and knows the token where one is asked for.

    On the loopback interface the name in Host has to be of this machine, or a page elsewhere could have its own name
    resolve to us and read what we show. Everywhere else a token is needed, which such a page does not have.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str], token: str | None) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, self._guarded(send, None))
            return
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [None])[0]
        await self._app(scope, receive, self._guarded(send, given if self._token is not None else None))

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        if scope["method"] not in {"GET", "HEAD"}:
            return PlainTextResponse("this page only shows\n", 405)
        if self._token is None and headers.get("host", "") not in self._hosts:
            return PlainTextResponse("this server has another name\n", 421)
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            return PlainTextResponse("another page may not ask\n", 403)
        if self._token is not None and scope["path"] not in OPEN and not self._knows(scope, headers):
            return PlainTextResponse("a token is needed: open the address that parksim printed\n", 401)
        return None

    def _knows(self, scope: Scope, headers: Headers) -> bool:
        assert self._token is not None
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", []) + ([cookie.value] if cookie else [])
        return any(secrets.compare_digest(one.encode(), self._token.encode()) for one in given)

    @staticmethod
    def _guarded(send: Send, token: str | None) -> Send:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if token is not None:
                    headers.append("Set-Cookie", f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/")
            await send(message)

        return with_headers
