"""The web server of a run: who may ask, what is told, and that nobody who looks on holds up the run."""

from __future__ import annotations

import io
import json
import re
import socket
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from live_documents import ABORTED, BUSY, EXECUTE, feed, snapshot
from prometheus_client.parser import text_string_to_metric_families
from test_result import result

from simulator.errors import ScenarioError
from simulator.view.languages import LANGUAGES, words
from simulator.view.live import NoView
from simulator.view.web.guard import is_loopback
from simulator.view.web.metrics import metrics_text
from simulator.view.web.view import WebView

STATIC = Path(__file__).parents[1] / "simulator" / "view" / "web" / "static"


@contextmanager
def page(host: str = "127.0.0.1", *, language: str = "en") -> Iterator[tuple[WebView, str]]:
    """A server on a free port, and its address on the loopback interface."""
    with WebView(NoView(io.StringIO()), host, 0, language) as view:
        yield view, f"http://127.0.0.1:{httpx.URL(view.url).port}"


def test_the_page_tells_what_the_feed_shows() -> None:
    """Documents, history, machines a page at a time, alarms; empty before the run has begun."""
    with page() as (view, url), httpx.Client(base_url=url) as browser:
        assert browser.get("/live.json").json() == {}
        assert browser.get("/machines.json?factory=x").json()["total"] == 0
        shown = feed()
        view.follow(shown)
        shown.show(snapshot(4, counts=BUSY, states=[EXECUTE, EXECUTE, ABORTED, EXECUTE]))
        assert browser.get("/live.json").json() == json.loads(json.dumps(shown.document()))
        assert browser.get("/history.json").json() == shown.points()
        found = browser.get("/machines.json?factory=vsip/plant-1&limit=1").json()
        assert (found["total"], [one["cell"] for one in found["machines"]]) == (2, ["press-2"])
        assert [one["state"] for one in browser.get("/alarms.json").json()] == [ABORTED]
        assert browser.get("/machines.json?offset=x").status_code == 400
        assert browser.get("/healthz").json() == {"status": "ok"}
        assert "<main" in browser.get("/").text
        for file in STATIC.iterdir():
            assert browser.get(f"/static/{file.name}").status_code == 200


def test_only_who_asks_for_this_server_is_told_anything() -> None:
    """Another name, as after DNS rebinding, another page, and anything but reading."""
    with page() as (_, url):
        port = httpx.URL(url).port
        for host, code in ((f"localhost:{port}", 200), (f"127.0.0.1:{port}", 200), ("evil.example", 421)):
            assert httpx.get(f"{url}/live.json", headers={"Host": host}).status_code == code
        assert httpx.get(f"{url}/live.json", headers={"Origin": "http://evil.example"}).status_code == 403
        assert httpx.get(f"{url}/live.json", headers={"Origin": url}).status_code == 200
        assert httpx.post(f"{url}/live.json").status_code == 405
        assert httpx.get(f"{url}/static/../guard.py").status_code == 404
        headers = httpx.get(url).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")


def test_beyond_this_machine_a_token_is_needed() -> None:
    """Once in the address, from then on in a cookie that no script sees; it is in no page."""
    with page("0.0.0.0") as (view, url), httpx.Client(base_url=url) as browser:
        token = httpx.URL(view.url).params["token"]
        assert len(token) >= 32
        assert browser.get("/live.json").status_code == 401
        assert browser.get("/live.json?token=wrong").status_code == 401
        assert browser.get("/healthz").status_code == 200
        answer = browser.get(f"/?token={token}")
        assert answer.status_code == 200
        assert "HttpOnly" in answer.headers["Set-Cookie"]
        assert "SameSite=Strict" in answer.headers["Set-Cookie"]
        assert browser.get("/live.json").status_code == 200
        assert token not in browser.get("/").text + browser.get("/live.json").text


def test_on_this_machine_no_token_is_needed() -> None:
    """Nor anywhere in the address."""
    assert [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "[::1]", "127.9.9.9")] == [True] * 5
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.2", "example.org")] == [False] * 4
    with page() as (view, _):
        assert "token" not in view.url


def test_a_port_that_is_taken_is_told_before_the_run() -> None:
    """With what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ScenarioError, match="choose with --host and --port"):
            WebView(NoView(io.StringIO()), "127.0.0.1", port, "en")
    with pytest.raises(ScenarioError, match=r"cannot listen on nowhere\.invalid"):
        WebView(NoView(io.StringIO()), "nowhere.invalid", 0, "en")


def events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """What server-sent events say."""
    yield from (json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: "))


def test_events_end_with_the_last_document() -> None:
    """Also where the server closes at once."""
    shown = feed()
    shown.show(snapshot(4))
    with page() as (view, url):
        view.follow(shown)
        with httpx.stream("GET", f"{url}/events") as answer:
            told = events(answer)
            assert next(told) == json.loads(json.dumps(shown.document()))
            shown.show(snapshot(5))
            assert next(told)["number"] == 2
            shown.end(result(exit_code=0))
            last = next(told)
            assert (last["run"]["over"], last["run"]["exit_code"]) == (True, 0)
            assert next(told, None) is None


def test_a_browser_that_never_reads_holds_up_nobody() -> None:
    """The feed goes on, and another browser gets the latest; what was between is not kept for the slow one."""
    shown = feed()
    shown.show(snapshot(1))
    with page() as (view, url):
        view.follow(shown)
        address = httpx.URL(url)
        with socket.create_connection((address.host, address.port or 0)) as lazy:
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
            lazy.sendall(f"GET /events HTTP/1.1\r\nHost: {address.host}:{address.port}\r\n\r\n".encode())
            for second in range(2, 1_002):
                shown.show(snapshot(second))
            with httpx.stream("GET", f"{url}/events") as answer:
                assert next(events(answer))["number"] == 1_001


def test_metrics_are_those_of_the_document() -> None:
    """In the text that Prometheus reads, with the names of the documentation."""
    shown = feed()
    shown.show(snapshot(4, counts=BUSY, states=[EXECUTE, EXECUTE, ABORTED, EXECUTE]))
    text = metrics_text(shown.document()).decode()
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["parksim_messages_total", "written"] == BUSY.written
    assert found["parksim_messages_unaccounted",] == BUSY.unaccounted
    assert found["parksim_machines", "vsip/plant-1", "alarm"] == 1
    assert found["parksim_park_oee_ratio",] == pytest.approx(0.834)
    documented = (STATIC.parents[3] / "docs" / "watching.md").read_text()
    missing = {name for name, *_ in found if not name.endswith("_created") and f"`{name}`" not in documented}
    assert missing == set()
    assert metrics_text({}) == b""


def test_both_languages_have_every_word_of_the_page() -> None:
    """In NFC, and with the same places for values."""
    source = "".join((STATIC / name).read_text() for name in ("index.html", "page.js"))
    used = set(re.findall(r'data-word="(\w+)"', source)) | set(re.findall(r'word\("(\w+)"', source))
    used |= {"scheduled", "published", "acknowledged", "received", "written", "in_flight", "lost", "lag", "energy"}
    catalogs = {language: words("page", language) for language in LANGUAGES}
    for language, catalog in catalogs.items():
        assert used - set(catalog) == set(), language
        assert set(catalog) == set(catalogs["en"]), language
        assert all(unicodedata.is_normalized("NFC", text) and text for text in catalog.values()), language
        for key, text in catalog.items():
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", catalogs["en"][key])), (
                language,
                key,
            )


def test_the_page_asks_nobody_else() -> None:
    """There is no address in it but the name of SVG."""
    source = "".join(file.read_text() for file in STATIC.iterdir())
    assert set(re.findall(r"https?://[^\"' )]+", source)) <= {"http://www.w3.org/2000/svg"}
