"""The guard in front of every route: who may ask, and what a browser may do with the answer."""

from __future__ import annotations

import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.view.web.address import HTTP, Place

__all__ = ["HEADERS", "Guard"]

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",  # the first URL has the token in it
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
OPEN_TO_ALL = frozenset({"/healthz"})
"""For those who watch over a container: it tells nothing but that somebody is there."""
BEARER = "bearer "


class Guard:
    """Lets through who came by a name of this computer or, away from loopback, has the token.

    A page of somebody else's in the same browser can ask too. Host foils one whose name was turned to this address
    (DNS rebinding), Origin one that asks from where it is. Away from loopback this server has names that it cannot
    know, and what such a page lacks is the token: cookies belong to a name.
    """

    def __init__(self, app: ASGIApp, place: Place) -> None:
        self._app = app
        self._place = place
        # cookies know no ports, and two runs may be watched at once
        self._cookie = f"parksim_{place.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        answer = self._refused(scope)
        await (answer or self._app)(scope, receive, guarded)

    def _refused(self, scope: Scope) -> Response | None:
        """Return the answer for whom the routes are not; None for all others."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._place.token is None and not self._is_ours(host):
            return PlainTextResponse(f"this page is not served as {host!r}\n", 421)
        origin = headers.get("origin")
        # a proxy in front may speak TLS, of which nothing is known here
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return PlainTextResponse("pages of others may not read this one\n", 403)
        if self._place.token is None or scope["path"] in OPEN_TO_ALL:
            return None
        return self._without_token(scope, headers)

    def _is_ours(self, host: str) -> bool:
        """Say whether a Host is a name of this place."""
        try:
            split = urlsplit(f"//{host}")
            name, port = (split.hostname or "").lower(), split.port or HTTP
        except ValueError:
            return False
        is_bare = split.username is None and not split.path
        return is_bare and port == self._place.port and name in self._place.names()

    def _without_token(self, scope: Scope, headers: Headers) -> Response | None:
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = next((value for name, value in query if name == "token"), None)
        if given is not None and self._is_token(given):
            if scope["path"] != "/":
                return None
            # out of the address line, where it would be seen and bookmarked
            rest = urlencode([pair for pair in query if pair[0] != "token"])
            answer = RedirectResponse(f"/?{rest}" if rest else "/", 303)
            answer.set_cookie(self._cookie, given, httponly=True, samesite="strict", path="/")
            return answer
        authorization = headers.get("authorization", "")
        if authorization.lower().startswith(BEARER) and self._is_token(authorization[len(BEARER) :].strip()):
            return None
        if self._is_token(cookies(headers).get(self._cookie, "")):
            return None
        text = "this page wants its token: open the URL that parksim printed, with ?token= in it\n"
        return PlainTextResponse(text, 401, headers={"www-authenticate": "Bearer"})

    def _is_token(self, given: str) -> bool:
        assert self._place.token is not None
        return secrets.compare_digest(given.encode(errors="replace"), self._place.token.encode())


def cookies(headers: Headers) -> dict[str, str]:
    try:
        return {name: one.value for name, one in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}
