"""What leaves for servers that cannot be started here, and what becomes of every answer that one may give.

A local HTTP server records each request and answers as InfluxDB 2.x and 3.x document it.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
import traceback
from base64 import b64decode, b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler

import pytest
from http_recorder import Recorder, Reply, Request, listening, ping
from presses import START_MS, catalog_of, rows_of

from simulator.errors import OutOfReachError, StoreError
from simulator.ingest.open import open_store
from simulator.ingest.store import Store

CATALOG = catalog_of(presses=2, testers=0)
ROWS = rows_of(CATALOG, 3)
CANARY = "canary-7f3a"
PRESS_1 = {"province": "binh-duong", "park": "vsip-2", "factory": "wiring", "line": "line-1", "machine": "press-1"}


def opened(server: Recorder, rest: str = "park?org=plant") -> Store:
    return open_store(f"influxdb://127.0.0.1:{server.port}/{rest}", CATALOG, run_id="run-1")


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every store has a token that must show nowhere."""
    monkeypatch.setenv("INFLUXDB_TOKEN", CANARY)


NO_POINTS = Reply(400, '{"code":"invalid","message":"writing requires points"}')


def takes(request: Request) -> Reply:
    """As 2.x does: an empty body is a mistake, after bucket and token were looked at."""
    return Reply(204) if request.body else NO_POINTS


def test_influxdb2_gets_its_documented_write() -> None:
    """POST /api/v2/write with org, bucket, milliseconds and the token scheme; the body is plain line protocol."""
    with listening(ping=ping("v2.7.6"), api__v2__write=takes) as server, opened(server) as store:
        store.write(ROWS[:1])
        shown = store.describe()
    request = server.to("/api/v2/write")[-1]
    assert request.query == {"org": ["plant"], "bucket": ["park"], "precision": ["ms"]}
    assert request.headers["Authorization"] == f"Token {CANARY}"
    assert request.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "Content-Encoding" not in request.headers
    tags = ",".join(f"{name}={value}" for name, value in PRESS_1.items())
    assert request.body == f"press,{tags} seq=0i,state=0i,power_kw=1,barrel_c=2,parts=3i {START_MS}"
    assert shown == f"InfluxDB 2.7.6 at http://127.0.0.1:{server.port}, park"


def test_as_many_writers_as_there_may_be_each_keep_a_connection(caplog: pytest.LogCaptureFixture) -> None:
    """Sixteen write at the same time, twice, while somebody counts; no connection is thrown away in between."""
    all_here = threading.Barrier(17, timeout=30)

    def together(_: Request) -> Reply:
        all_here.wait()
        return Reply(204)

    with listening(ping=ping("v2.7.10"), api__v2__write=Reply(204)) as server, opened(server) as store:
        server.replies["/api/v2/write"] = server.replies["/api/v2/query"] = together
        for _ in range(2):
            with ThreadPoolExecutor(17) as people:
                done = [people.submit(store.write, ROWS[:1]) for _ in range(16)]
                counted = people.submit(store.count, from_ms=0, to_ms=1)
            assert [one.result() for one in done] == [None] * 16
            assert counted.result() == 0
    assert [record.getMessage() for record in caplog.records if "pool" in record.getMessage()] == []


def test_influxdb2_is_counted_with_flux() -> None:
    """The answer is CSV, a table per series; series of other parks are left out."""
    columns = ["result", "table", "_measurement", "province", "park", "factory", "line", "machine", "_value"]
    mine = ["_result", "0", "press", *PRESS_1.values(), "3"]
    other = ["_result", "1", "press", *PRESS_1.values(), "9"]
    other[-2] = "press-77"
    table = "\r\n".join(",".join(["", *row]) for row in (columns, mine))
    csv = f"{table}\r\n\r\n" + "\r\n".join(",".join(["", *row]) for row in (columns, other)) + "\r\n\r\n"
    with (
        listening(ping=ping("v2.7.6"), api__v2__write=takes, api__v2__query=Reply(200, csv)) as server,
        opened(server, "pa%22rk$%7Bx%7D?org=plant") as store,
    ):
        counted = store.count(from_ms=START_MS, to_ms=START_MS + 1_000)
    (request,) = server.to("/api/v2/query")
    expected = (
        r'from(bucket: "pa\"rk\${x}")'
        f" |> range(start: time(v: {START_MS}000000), stop: time(v: {START_MS + 1_000}000000))"
        ' |> filter(fn: (r) => r._field == "seq" and (r._measurement == "press"))'
        ' |> group(columns: ["_measurement", "province", "park", "factory", "line", "machine"]) |> count()'
    )
    assert (counted, request.body, request.query) == (3, expected, {"org": ["plant"]})
    assert request.headers["Content-Type"] == "application/vnd.flux"


def test_influxdb2_without_an_organisation_is_refused() -> None:
    """The write API of 2.x needs an organisation; nothing is sent without one."""
    with listening(ping=ping("v2.7.6"), api__v2__write=takes) as server:
        with pytest.raises(OutOfReachError, match=r"needs an organisation; add \?org=ORG"):
            opened(server, "park")
        assert server.to("/api/v2/write") == []


def test_influxdb2_without_the_bucket_says_how_to_create_it() -> None:
    """404 at the door, with the command to type."""
    lost = Reply(404, '{"code":"not found","message":"bucket \\"park\\" not found"}')
    with (
        listening(ping=ping("v2.7.6"), api__v2__write=lost) as server,
        pytest.raises(OutOfReachError, match="influx bucket create --name park --org plant"),
    ):
        opened(server)


def test_influxdb_cloud_has_no_version_and_is_recognised() -> None:
    """Cloud answers with a build only."""
    cloud = Reply(204, headers={"X-Influxdb-Build": "Cloud"})
    with listening(ping=cloud, api__v2__write=takes) as server, opened(server) as store:
        assert store.describe().startswith("InfluxDB Cloud at")


def v3_ping(request: Request) -> Reply:
    """As 3.x does: even a ping wants the token."""
    if request.headers.get("Authorization") != f"Bearer {CANARY}":
        return Reply(401, '{"error":"the request was not authenticated"}')
    return Reply(200, '{"version":"3.8.0"}', {"x-influxdb-version": "3.8.0", "x-influxdb-build": "Core"})


def test_influxdb3_gets_its_documented_write() -> None:
    """POST /api/v3/write_lp, all or nothing, on disk before it answers, with a bearer token."""
    with listening(ping=v3_ping, api__v3__write_lp=takes) as server, opened(server, "park") as store:
        store.write(ROWS[:2])
        shown = store.describe()
    request = server.to("/api/v3/write_lp")[-1]
    assert request.query == {
        "db": ["park"],
        "precision": ["millisecond"],
        "accept_partial": ["false"],
        "no_sync": ["false"],
    }
    assert request.headers["Authorization"] == f"Bearer {CANARY}"
    assert request.body.count("\n") == 1
    assert shown == f"InfluxDB 3.8.0 at http://127.0.0.1:{server.port}, park"


def test_influxdb3_is_counted_with_sql() -> None:
    """Only tables that exist are asked."""

    def answer(request: Request) -> Reply:
        if "information_schema" in json.loads(request.body)["q"]:
            return Reply(200, '[{"table_name":"press"},{"table_name":"cpu"}]')
        return Reply(200, json.dumps([PRESS_1 | {"n": 5}, PRESS_1 | {"machine": "press-77", "n": 9}]))

    with (
        listening(ping=v3_ping, api__v3__write_lp=takes, api__v3__query_sql=answer) as server,
        open_store(f"influxdb://127.0.0.1:{server.port}/park", catalog_of(), run_id="run-1") as store,
    ):
        counted = store.count(from_ms=START_MS, to_ms=START_MS + 1_000)
    asked = [json.loads(request.body) for request in server.to("/api/v3/query_sql")]
    tags = '"province", "park", "factory", "line", "machine"'
    expected = (
        f'SELECT {tags}, count("seq") AS n FROM "press" WHERE time >= to_timestamp_millis({START_MS})'
        f" AND time < to_timestamp_millis({START_MS + 1_000}) GROUP BY {tags}"
    )
    assert (counted, asked[1:]) == (5, [{"db": "park", "q": expected, "format": "json"}])


def test_victoria_metrics_is_never_asked_the_same_twice() -> None:
    """It would answer the second count of a run from what it remembers of the first, made before there were rows."""
    victoria = Reply(204, headers={"X-Server-Hostname": "vm"})
    with (
        listening(ping=victoria, metrics=Reply(200), api__v2__write=takes, api__v1__export=Reply(200)) as server,
        opened(server) as store,
    ):
        counts = [store.count(from_ms=START_MS, to_ms=START_MS + 1_000) for _ in range(2)]
    selectors = [request.query["match[]"] for request in server.to("/api/v1/export")]
    plain = [re.sub(r',asked!="\w+"', "", selector) for (selector,) in selectors]
    assert (counts, plain) == ([0, 0], ['{__name__="press_seq",db="park"}'] * 2)
    assert selectors[0] != selectors[1]


def refusal(reply: Reply) -> StoreError:
    """What a write of two rows raises when the server answers so."""

    def answer(request: Request) -> Reply:
        return reply if request.body else NO_POINTS

    with listening(ping=ping("v2.7.6"), api__v2__write=answer) as server, opened(server) as store:
        with pytest.raises(StoreError) as caught:
            store.write(ROWS[:2])
        assert len(server.to("/api/v2/write")) == 2, "the door and one attempt: the client must not retry"
        return caught.value


@pytest.mark.parametrize(
    ("status", "retryable", "split"),
    [
        (400, False, True),
        (401, False, False),
        (403, False, False),
        (404, False, False),
        (405, False, False),
        (408, True, False),
        (413, False, True),
        (422, False, True),
        (429, True, False),
        (500, True, False),
        (502, True, False),
        (503, True, False),
        (504, True, False),
        (507, True, False),
    ],
)
def test_each_status_says_whether_to_retry_or_to_split(status: int, retryable: bool, split: bool) -> None:  # noqa: FBT001
    """The bridge decides from these two, never from the text."""
    error = refusal(Reply(status, '{"message":"the words of the server"}'))
    assert (error.retryable, error.split) == (retryable, split)
    assert f"HTTP {status}, " in str(error)
    assert "the words of the server" in str(error)


@pytest.mark.parametrize(
    ("headers", "after_s"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "99999"}, 99_999.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "²"}, None),
        ({"Retry-After": "Thu, 01 Jan 2099 00:00:00 GMT"}, 2_272_147_200.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], after_s: float | None
) -> None:
    """A date counts from the server's own clock; nonsense is no wish at all."""
    monkeypatch.setattr(
        BaseHTTPRequestHandler, "date_time_string", lambda *_: "Fri, 01 Jan 2027 00:00:00 GMT", raising=True
    )
    assert refusal(Reply(503, headers=headers)).after_s == after_s


def test_a_server_that_repeats_the_token_does_not_get_it_shown() -> None:
    """Even when the answer holds the secret the error does not."""
    error = refusal(Reply(401, json.dumps({"message": f"unknown token {CANARY}"})))
    assert "unknown token ***" in str(error)
    assert CANARY not in "".join(traceback.format_exception(error))


PASSWORD = f'{CANARY}  "quoted"'
BASIC = b64encode(f"ana:{PASSWORD}".encode()).decode()


def headers_as_json(request: Request) -> str:
    return json.dumps({"got": dict(request.headers)})


def headers_as_text(request: Request) -> str:
    return "".join(f"{name}: {value}\n" for name, value in request.headers.items())


def decoded_credentials(request: Request) -> str:
    scheme, _, value = request.headers["Authorization"].partition(" ")
    return b64decode(value).decode() if scheme == "Basic" else value


@pytest.mark.parametrize("reflected", [headers_as_json, headers_as_text, decoded_credentials])
@pytest.mark.parametrize("user", ["", "ana@"])
def test_a_proxy_that_reflects_our_request_does_not_get_its_secret_shown(
    monkeypatch: pytest.MonkeyPatch, reflected: Callable[[Request], str], user: str
) -> None:
    """Neither token nor password, not as base64, not escaped, and not the half of it that a cut leaves."""
    monkeypatch.setenv("INFLUXDB_PASSWORD", PASSWORD)

    fillers = range(0, 301, 3)
    left = iter(fillers)

    def answer(request: Request) -> Reply:
        return Reply(401, "x" * next(left) + " " + reflected(request)) if request.body else NO_POINTS

    said = ""
    with (
        listening(ping=ping("v2.7.6"), api__v2__write=answer) as server,
        open_store(f"influxdb://{user}127.0.0.1:{server.port}/park?org=plant", CATALOG, run_id="run-1") as store,
    ):
        for _ in fillers:
            with pytest.raises(StoreError) as caught:
                store.write(ROWS[:1])
            said += "".join(traceback.format_exception(caught.value))
    assert said.count("HTTP 401") >= len(fillers)
    assert [start for start in (CANARY[:4], BASIC[:4], BASIC[8:16]) if start in said] == []


def test_no_log_shows_the_token(caplog: pytest.LogCaptureFixture) -> None:
    """With every logger at its most talkative the secret is not written."""
    with caplog.at_level(logging.DEBUG):
        refusal(Reply(403, "no"))
    assert CANARY not in caplog.text


@pytest.mark.parametrize("body", ["", "plain words", "<html>" * 1_000, "[1,2]", '{"other":1}', "null"])
def test_any_body_of_an_error_is_shown_in_bounds(body: str) -> None:
    """A proxy's page or nothing at all makes no stack trace and no flood."""
    assert len(str(refusal(Reply(502, body)))) < 500


def test_a_redirect_is_not_followed() -> None:
    """The token goes to the address that the user wrote and to no other."""
    error = refusal(Reply(307, headers={"Location": "http://elsewhere.invalid/write"}))
    assert "sends us elsewhere, to http://elsewhere.invalid/write; use that address" in str(error)


def test_a_web_server_is_no_influxdb() -> None:
    """Something that answers every path with a page is told apart."""
    with (
        listening(ping=Reply(200, "<html>")) as server,
        pytest.raises(OutOfReachError, match=r"neither InfluxDB .* nor VictoriaMetrics"),
    ):
        opened(server)


def test_a_proxy_that_answers_queries_with_a_page_is_an_error_in_words() -> None:
    """An answer that is not what the documentation promises is no stack trace."""
    with (
        listening(ping=v3_ping, api__v3__write_lp=takes, api__v3__query_sql=Reply(200, "<html>")) as server,
        opened(server, "park") as store,
        pytest.raises(StoreError, match="is there a proxy in between"),
    ):
        store.count(from_ms=0, to_ms=1)


@pytest.mark.parametrize("scheme", ["influxdb", "influxdbs"])
def test_a_port_that_speaks_no_http_is_an_error_in_words(scheme: str) -> None:
    """Neither plain nor with TLS does a stranger's greeting become a stack trace."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:

        def greet() -> None:
            peer, _ = stranger.accept()
            with peer:
                peer.sendall(b"SSH-2.0-greeting\r\n")
                peer.recv(1 << 16)

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(OutOfReachError, match=r"no secure connection|the connection broke"):
            open_store(f"{scheme}://127.0.0.1:{stranger.getsockname()[1]}/park", CATALOG, run_id="run-1")
        thread.join()
