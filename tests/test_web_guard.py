"""Who may look at the page: by the right name, with a token away from loopback; and what the page may not do."""

from __future__ import annotations

import socket

import pytest
from web import Browser, served

from simulator.errors import ScenarioError
from simulator.view.web.address import Address, Place, listen
from simulator.view.web.hub import Hub
from simulator.view.web.routes import application

LOOPBACK = Place("127.0.0.1", "127.0.0.1", 8080)
TOKEN = "not-a-word-that-anybody-guesses"
ABROAD = Place("0.0.0.0", "0.0.0.0", 8080, TOKEN)
HTML = "text/html; charset=utf-8"


def browser(place: Place = LOOPBACK, *, host: str = "127.0.0.1:8080") -> Browser:
    """A browser that came by this name."""
    return Browser(application(Hub(), place, "en"), host)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "LOCALHOST:8080"])
def test_loopback_is_open_by_its_own_names(host: str) -> None:
    """No token is asked for."""
    answer = browser(host=host).get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, HTML)


@pytest.mark.parametrize(
    "host", ["evil.example:8080", "127.0.0.1", "127.0.0.1:8081", "192.0.2.1:8080", "", "a@b:8080", "["]
)
def test_another_host_is_turned_away(host: str) -> None:
    """A name that was made to point here (DNS rebinding) reads nothing."""
    for path in ("/", "/live.json", "/metrics", "/healthz", "/static/page.js"):
        assert browser().get(path, headers={"host": host}).status_code == 421, path


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://127.0.0.1:8080", 200), ("http://evil.example", 403), ("null", 403), ("http://127.0.0.1:8081", 403)],
)
def test_a_page_of_somebody_else_reads_nothing(origin: str, status: int) -> None:
    """Only the page itself may ask."""
    assert browser().get("/live.json", headers={"origin": origin}).status_code == status


@pytest.mark.parametrize(
    "path", ["/", "/live.json", "/static/page.js", "/metrics", "/nothing", "/machines.json?offset=x"]
)
def test_every_answer_forbids_what_the_page_does_not_need(path: str) -> None:
    """Scripts from here only, no frames, no storage, no guessing of types; errors too."""
    headers = browser().get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:"
    )
    assert "frame-ancestors 'none'" in policy
    assert [headers[name] for name in ("cache-control", "x-content-type-options", "x-frame-options")] == [
        "no-store",
        "nosniff",
        "DENY",
    ]
    assert "access-control-allow-origin" not in headers


def test_elsewhere_the_token_is_taken_once_and_kept_in_a_cookie() -> None:
    """It leaves the address line at once; a script cannot read it, and no other site sends it."""
    visitor = browser(ABROAD, host="192.0.2.1:8080")
    assert visitor.get("/").status_code == 401
    entry = visitor.get(f"/?lang=vi&token={TOKEN}")
    assert (entry.status_code, entry.headers["location"]) == (303, "/?lang=vi")
    cookie = entry.headers["set-cookie"].lower()
    assert [word in cookie for word in ("parksim_8080=", "httponly", "samesite=strict", "path=/")] == [True] * 4
    kept = {"cookie": f"parksim_8080={TOKEN}"}
    assert [visitor.get(path, headers=kept).status_code for path in ("/", "/live.json", "/metrics")] == [200, 200, 200]


def test_the_token_leads_nowhere_else() -> None:
    """Only the page itself sends on; with a path that would be another host there is nothing."""
    entry = browser(ABROAD, host="192.0.2.1:8080").get(f"http://192.0.2.1:8080//evil.example/?token={TOKEN}")
    assert (entry.status_code, "location" in entry.headers) == (404, False)


def test_a_program_may_say_the_token_in_each_address() -> None:
    """As `parksim watch` does, which follows nowhere and keeps no cookies."""
    answer = browser(ABROAD, host="192.0.2.1:8080").get(f"/live.json?token={TOKEN}")
    assert (answer.status_code, answer.json(), "set-cookie" in answer.headers) == (200, {}, False)


@pytest.mark.parametrize("given", ["", "wrong", TOKEN[:-1], TOKEN + "x", "ố", "%00"])
def test_a_wrong_token_opens_nothing(given: str) -> None:
    """Whatever it is made of, in the URL, a cookie or a header."""
    visitor = browser(ABROAD, host="192.0.2.1:8080")
    assert visitor.get("/", params={"token": given}).status_code == 401
    assert visitor.get("/", headers={"authorization": f"Bearer {given}".encode()}).status_code == 401
    assert visitor.get("/", headers={"cookie": f"parksim_8080={given}".encode()}).status_code == 401


def test_prometheus_brings_the_token_in_a_header() -> None:
    """It keeps no cookies."""
    visitor = browser(ABROAD, host="192.0.2.1:8080")
    assert visitor.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_only_the_health_check_needs_no_token() -> None:
    """It tells nothing but that somebody is there."""
    visitor = browser(ABROAD, host="192.0.2.1:8080")
    assert (visitor.get("/healthz").text, visitor.get("/static/page.js").status_code) == ("ok\n", 401)


def test_where_a_token_is_asked_for_any_name_will_do() -> None:
    """A name in a network, or a port that a container has outside, is not known here; the token is what counts."""
    named = {"host": "plant.example:9000"}
    assert browser(ABROAD).get("/live.json", headers=named).status_code == 401
    assert browser(ABROAD).get(f"/live.json?token={TOKEN}", headers=named).status_code == 200
    wrong = named | {"origin": "http://evil.example"}
    assert browser(ABROAD).get(f"/live.json?token={TOKEN}", headers=wrong).status_code == 403


def test_asking_only_for_the_head_of_events_ends() -> None:
    """There is no body that could go on for ever."""
    assert browser().asked("HEAD", "/events").status_code == 200


def test_nothing_can_be_written() -> None:
    """The page is only read."""
    assert {browser().asked(method, "/live.json").status_code for method in ("POST", "PUT", "DELETE")} == {405}


def test_only_loopback_goes_without_a_token() -> None:
    """A token is in the URL of any other place, another one each time, and in no text of the place itself."""
    with served() as server:
        assert (server.place.token, "token" in server.place.url()) == (None, False)
    places = []
    for _ in range(2):
        listener, place = listen(Address("0.0.0.0", 0))
        listener.close()
        places.append(place)
    assert places[0].token != places[1].token
    assert all(f"?token={place.token}" in place.url() and place.token not in repr(place) for place in places)


def test_a_port_that_is_taken_is_known_before_the_run() -> None:
    """The message says which address and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ScenarioError, match=f"at 127.0.0.1 port {port}: Address already in use; .*--port 0"):
            listen(Address(port=port))


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "a" * 300])
def test_an_address_that_is_not_ours_is_known_before_the_run(host: str) -> None:
    """A name that nobody knows as well."""
    with pytest.raises(ScenarioError, match="--view web: nothing can be served at"):
        listen(Address(host, 0))
