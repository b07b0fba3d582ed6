"""What can be asked of a run through the page: answered in JSON, refused in sentences, and by nobody else's page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from web import feed, moment, served

from simulator.errors import ScenarioError
from simulator.view.web.routes import MOST_BYTES
from simulator.view.web.server import PageServer

WRONG = ("one thing is wrong", "and another")
TOPIC = "plant/site/east/two/press-2"


class Orders:
    """Takes what is asked, but for one thing."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def offers(self) -> dict[str, Any]:
        return {"faults": [], "speed": None, "messages_per_s": 2.5}

    def do(self, asked: object) -> None:
        if asked == {"do": "harm"}:
            raise ScenarioError(*WRONG)
        self.asked.append(asked)

    def look_at(self, assets: tuple[int, ...]) -> None:
        raise NotImplementedError

    def timeline(self) -> str:
        return "parksim: 1\n"


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest.fixture
def page(orders: Orders) -> Iterator[tuple[PageServer, httpx.Client]]:
    """The page of a run that can be steered."""
    shown = feed()
    shown.steering = orders
    shown.show(moment(1))
    with served() as server, httpx.Client(base_url=server.place.url()) as client:
        server.hub.follow(shown)
        yield server, client


def test_an_order_goes_to_the_run(page: tuple[PageServer, httpx.Client], orders: Orders) -> None:
    """As it was sent."""
    _, client = page
    answer = client.post("/act", json={"do": "pause"})
    assert (answer.status_code, answer.json(), orders.asked) == (200, {"ordered": {"do": "pause"}}, [{"do": "pause"}])
    assert client.get("/offers.json").json()["messages_per_s"] == 2.5
    saved = client.get("/timeline.yaml")
    assert saved.text == "parksim: 1\n"
    assert saved.headers["content-disposition"] == 'attachment; filename="shop-timeline.yaml"'


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"json": {"do": "harm"}}, 400, list(WRONG)),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, None),
        ({"data": {"do": "pause"}}, 415, ["send JSON, with the content type application/json"]),
        ({"content": b'{"do": "pause"}', "headers": {"content-type": "text/plain"}}, 415, None),
        ({"json": {"do": "x" * MOST_BYTES}}, 413, ["that is longer than 16,384 bytes"]),
        ({"json": {"do": "pause"}, "headers": {"origin": "http://evil.example"}}, 403, None),
    ],
)
def test_what_cannot_be_taken_is_refused(
    page: tuple[PageServer, httpx.Client], orders: Orders, sent: dict[str, Any], status: int, said: list[str] | None
) -> None:
    """A form of somebody else's page can send no JSON, and a script of it says where it is from."""
    _, client = page
    answer = client.post("/act", **sent)
    assert (answer.status_code, orders.asked) == (status, [])
    if said is not None:
        assert answer.json() == {"problems": said}
    assert client.get("/act").status_code == 405


def test_an_alarm_is_acknowledged(page: tuple[PageServer, httpx.Client]) -> None:
    """Of a machine that has one."""
    _, client = page
    assert client.post("/acknowledge", json={"topic": TOPIC}).json() == {"acknowledged": TOPIC}
    assert client.get("/alarms.json").json()[0]["acknowledged"] is True
    for wrong in ({"topic": "plant/site/east/one/press-1"}, {"topic": 3}, {}, []):
        assert client.post("/acknowledge", json=wrong).status_code == 404


def test_single_machines_and_systems_are_told(page: tuple[PageServer, httpx.Client]) -> None:
    """And what there is not, is told to be none."""
    _, client = page
    assert client.get("/machine.json", params={"topic": TOPIC}).json()["state"] == 9
    assert client.get("/machine.json", params={"topic": "no"}).json() == {
        "problems": ["no: there is no machine of that topic"]
    }
    assert client.get("/systems.json", params={"group": "network"}).json()["total"] == 0
    assert client.get("/systems.json", params={"group": "gossip"}).status_code == 404
    assert client.get("/systems.json", params={"group": "network", "offset": "-1"}).status_code == 400


def test_before_the_run_begins_and_in_a_load_test_nothing_can_be_done() -> None:
    """With a sentence that says so."""
    with served() as server, httpx.Client(base_url=server.place.url()) as client:
        for shown in (None, feed()):
            if shown is not None:
                server.hub.follow(shown)
            answer = client.post("/act", json={"do": "pause"})
            assert (answer.status_code, client.get("/offers.json").json()) == (409, None)
            assert "it has not begun, or is a load test" in answer.json()["problems"][0]
            assert client.get("/timeline.yaml").status_code == 404
