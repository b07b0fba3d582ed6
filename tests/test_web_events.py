"""Browsers get the latest document and never hold up the run, however slow they are."""

from __future__ import annotations

from itertools import islice

import httpx
import pytest
from servers import until
from test_result import result
from web import events, feed, listening, moment, served

from simulator.view.web import hub as hub_module
from simulator.view.web import routes
from simulator.view.web.server import PageServer

LARGE = {f"figure-{n}": 0.5 for n in range(40_000)}


def address(server: PageServer, path: str) -> str:
    return server.place.url() + path


def test_a_browser_gets_documents_and_in_the_end_the_verdict() -> None:
    """Also one that came before there was anything to see; then the connection ends."""
    with served() as server, listening(server) as browser:
        shown = feed()
        server.hub.follow(shown)
        shown.show(moment(10))
        told = events(browser)
        assert next(told)["run"]["wall_s"] == 10
        shown.end(result())
        server.close()
        last = list(told)[-1]
    assert (last["run"]["over"], last["run"]["exit_code"]) == (True, 0)
    assert last["messages"] == result().document()["messages"]


def test_a_browser_that_comes_late_gets_the_latest_at_once() -> None:
    """The one before is nobody's business any more."""
    with served() as server:
        shown = feed()
        for second in range(1, 4):
            shown.show(moment(second))
        server.hub.follow(shown)
        with listening(server) as browser:
            assert next(events(browser))["number"] == 3


def test_between_two_documents_passes_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the run shows one; those between are left out, and the last one comes without waiting."""
    monkeypatch.setattr(hub_module, "BETWEEN_S", 600.0)
    with served() as server, listening(server) as browser:
        shown = feed()
        server.hub.follow(shown)
        told = events(browser)
        shown.show(moment(1))
        assert next(told)["number"] == 1
        shown.show(moment(2))
        # an answer means that the server was there meanwhile
        assert httpx.get(address(server, "live.json")).json()["number"] == 2
        assert server.hub.latest == 1
        shown.show(moment(3))
        server.close()
        assert [document["number"] for document in told] == [3]


def test_a_browser_that_never_reads_slows_nobody_and_gets_no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another browser sees everything, and what was skipped is never sent."""
    monkeypatch.setattr(hub_module, "BETWEEN_S", 0.0)
    documents = 40
    with served() as server, listening(server) as stuck, listening(server) as brisk:
        shown = feed()
        server.hub.follow(shown)
        told = events(brisk)
        for number in range(documents):
            shown.show(moment(number + 1, park=LARGE))
            assert next(told)["number"] == number + 1
        numbers = [document["number"] for document in islice(events(stuck), 3)]
        stuck.settimeout(5)
        for document in events(stuck):
            numbers.append(document["number"])
            if numbers[-1] == documents:
                break
    assert len(numbers) < documents / 2
    assert numbers[-1] == documents


def test_closing_does_not_wait_for_a_browser_that_never_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of the run has to end."""
    monkeypatch.setattr(hub_module, "BETWEEN_S", 0.0)
    with served() as server, listening(server):
        shown = feed()
        server.hub.follow(shown)
        for number in range(20):
            shown.show(moment(number + 1, park=LARGE))
            until(lambda number=number: server.hub.latest >= number + 1, deadline_s=10, what="the hub")
        server.close()
        assert not server._thread.is_alive()


def test_a_browser_that_has_gone_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place is free for another one; while all are taken, one more is told so."""
    monkeypatch.setattr(routes, "MOST_LISTENERS", 1)
    with served() as server:
        with listening(server):
            until(lambda: server.hub.listeners == 1, deadline_s=10, what="the first browser")
            answer = httpx.get(address(server, "events"))
            assert (answer.status_code, answer.text) == (503, "1 pages are open already; close one\n")
        until(lambda: server.hub.listeners == 0, deadline_s=15, what="the first to be gone")


def test_machines_come_in_pages_and_alarms_by_themselves() -> None:
    """Only what is asked for, and nothing that is not a number."""
    with served() as server:
        shown = feed()
        server.hub.follow(shown)
        shown.show(moment())

        def asked(path: str) -> httpx.Response:
            return httpx.get(address(server, path))

        east = asked("machines.json?factory=site/east&offset=1").json()
        assert (east["total"], [one["cell"] for one in east["machines"]]) == (2, ["press-2"])
        assert [one["topic"] for one in asked("alarms.json").json()] == ["plant/site/east/two/press-2"]
        assert asked("machines.json?factory=nowhere").json()["total"] == 0
        for offset in ("-1", "x", "1e3", "٣", "9" * 400):
            assert asked(f"machines.json?factory=site/east&offset={offset}").status_code == 400
        assert asked("machines.json?factory=site/east&limit=1").json()["machines"][0]["cell"] == "press-1"
        assert asked("machines.json?factory=site/east&limit=x").status_code == 400
        assert asked("history.json").json() == shown.points()
        assert asked("live.json").json() == shown.document()
