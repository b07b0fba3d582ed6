"""HTTP to a server of the InfluxDB family through influxdb-client, with its errors made into ours.

The client's own batching and retries stay off: whoever calls decides, from the StoreError, what to do.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NamedTuple

import orjson
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from urllib3 import exceptions as faults
from urllib3.response import BaseHTTPResponse

from simulator.errors import StoreError
from simulator.ingest.stores.influxdb.address import Address

__all__ = ["Answer", "Connection", "RefusedError", "Scheme"]

CONNECT_TIMEOUT_MS = 5_000
READ_TIMEOUT_MS = 30_000
CONNECTIONS = 17
"""How many are kept: one for each bridge worker, 16 at most, and one for who counts. With the client's own number, five
for each core, further ones would be opened and closed for each write."""
MESSAGE_SHOWN = 300
Scheme = Literal["Bearer", "Token"]
Query = Sequence[tuple[str, str]]
ADVICE = {
    400: "the server did not understand the request",
    401: "the server does not accept who we are; set INFLUXDB_TOKEN (or USER and password), or correct it",
    403: "the token or user may not do this; give it the right to write and read here",
    404: "no such bucket, database or organisation",
    413: "the request is too large for the server",
    422: "the server cannot store this",
    429: "the server asks us to slow down",
    503: "the server is overloaded or starting",
}
SPLIT = frozenset({400, 413, 422})
WAIT = frozenset({408, 425, 429})


class RefusedError(StoreError):
    """The server answered, with a status other than 2xx."""

    status: int = 0


class Answer(NamedTuple):
    """What a server said to a request that it accepted."""

    body: bytes
    headers: Mapping[str, str]


class Connection:
    """Requests to one address. ``scheme`` is how a token is presented; a user always goes with Basic."""

    def __init__(self, address: Address, *, scheme: Scheme = "Bearer") -> None:
        self.address = address
        self.scheme: Scheme = scheme
        self._hidden = hidden_texts(address)
        # Without a token: which scheme a server wants is known only after it was asked, so headers are set per request.
        self._client: Any = InfluxDBClient(
            address.url,
            token="",
            timeout=(CONNECT_TIMEOUT_MS, READ_TIMEOUT_MS),
            retries=False,
            enable_gzip=False,
            connection_pool_maxsize=CONNECTIONS,
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: bytes | dict[str, Any] = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and read the whole answer. Raises StoreError for anything but success."""
        response = self._send(method, path, query, body, headers or {})
        try:
            return Answer(response.data, response.headers)
        except faults.HTTPError as error:
            raise self._unreachable(error) from None

    def lines(self, path: str, *, query: Query) -> Iterator[bytes]:
        """GET an answer of any length, line by line. Raises StoreError."""
        response = self._send("GET", path, query, b"", {})
        rest = b""
        try:
            for chunk in response.stream(1 << 16):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from whole
        except faults.HTTPError as error:
            raise self._unreachable(error) from None
        finally:
            response.release_conn()
        if rest:
            yield rest

    def close(self) -> None:
        self._client.close()

    def _send(
        self, method: str, path: str, query: Query, body: bytes | dict[str, Any], headers: Mapping[str, str]
    ) -> BaseHTTPResponse:
        kind = "application/json" if isinstance(body, dict) else "text/plain; charset=utf-8"
        try:
            # Not preloaded: the client would decode the body as text and hide the headers.
            response: BaseHTTPResponse = self._client.api_client.call_api(
                path,
                method,
                query_params=list(query),
                header_params={"Content-Type": kind} | self.authorisation() | dict(headers),
                body=body,
                _preload_content=False,
                _return_http_data_only=True,
            )
        except ApiException as error:
            raise self._refused(error) from None
        except (faults.HTTPError, OSError, UnicodeError) as error:
            raise self._unreachable(error) from None
        return response

    def authorisation(self) -> dict[str, str]:
        """Return the header that says who we are; none without a secret."""
        secret, user = self.address.secret, self.address.user
        if secret is None:
            return {}
        if user is not None:
            return {"Authorization": f"Basic {basic_credentials(user, secret)}"}
        return {"Authorization": f"{self.scheme} {secret}"}

    def _refused(self, error: ApiException) -> StoreError:
        """Make an error of an HTTP status other than 2xx."""
        status = int(error.status or 0)
        if not status:
            # The client's way to say that TLS failed.
            return StoreError(
                self._text(
                    f"no secure connection: {error.reason}; check the name in the address and the certificate"
                    " (SSL_CERT_FILE names an authority of your own)"
                ),
                retryable=True,
            )
        headers: Mapping[str, str] = error.headers or {}
        said = message_of(error.body, self._mask)
        advice = ADVICE.get(status, "the server failed" if status >= 500 else "is this an InfluxDB?")
        if 300 <= status < 400:
            advice = f"it sends us elsewhere, to {headers.get('Location')}; use that address"
        refused = RefusedError(
            self._text(f"HTTP {status}, {advice}{f': {said}' if said else ''}"),
            retryable=status >= 500 or status in WAIT,
            after_s=retry_after_s(headers),
            split=status in SPLIT,
        )
        refused.status = status
        return refused

    def _unreachable(self, error: Exception) -> StoreError:
        """Make an error of a request that got no answer."""
        if isinstance(error, faults.NameResolutionError):
            what = f"no machine has the name {self.address.host!r}; check the address"
        elif isinstance(error, faults.NewConnectionError):
            what = "nobody listens there; start the server, or check host and port"
        elif isinstance(error, faults.TimeoutError):
            stage, limit = "answer", READ_TIMEOUT_MS
            if isinstance(error, faults.ConnectTimeoutError):
                stage, limit = "accept a connection", CONNECT_TIMEOUT_MS
            what = f"it did not {stage} within {limit / 1_000:g} s; check that it is well and not behind a firewall"
        else:
            what = f"the connection broke ({type(error).__name__}: {error})"
        return StoreError(self._text(what), retryable=True)

    def _text(self, what: str) -> str:
        return self._mask(f"store influxdb at {self.address.shown}: {what}")

    def _mask(self, text: str) -> str:
        """Blot out what nobody shall read: a server or proxy may repeat what it was told."""
        for hidden in self._hidden:
            text = text.replace(hidden, "***")
        return text


def basic_credentials(user: str, secret: str) -> str:
    """Return user and password as RFC 7617 sends them."""
    return base64.b64encode(f"{user}:{secret}".encode()).decode("ascii")


def hidden_texts(address: Address) -> tuple[str, ...]:
    """Return every form in which the secret leaves us or may come back: as it is, inside JSON, and as credentials."""
    secret = address.secret
    if not secret:
        return ()
    forms = {secret, orjson.dumps(secret).decode()[1:-1]}
    if address.user is not None:
        forms.add(basic_credentials(address.user, secret).rstrip("="))
    # The longest first: a short secret may be a part of its other forms and would leave the rest of them.
    return tuple(sorted(forms, key=len, reverse=True))


def message_of(body: object, mask: Callable[[str], str]) -> str:
    """Return what a server says about an error: 1.x and 3.x in ``error``, 2.x in ``message``, others as text.

    It is masked whole, before spaces in it are joined and it is cut: of half a secret nothing would be recognised.
    """
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes):
        return ""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        text = body.decode("utf-8", "replace")
    else:
        found = document.get("message") or document.get("error") if isinstance(document, dict) else None
        text = str(found or orjson.dumps(document).decode())
    return " ".join(mask(text).split())[:MESSAGE_SHOWN]


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks for, RFC 9110 10.2.3: a number, or a date.

    A date is measured from the server's own Date, so that its clock need not agree with ours.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())
