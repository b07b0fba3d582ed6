"""What keys of the terminal view do to a run: pause it, begin a fault, set its speed; and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from live_documents import documents, snapshot
from terminals import InTerminal
from test_terminal_screen import played, screen
from textual.pilot import Pilot
from web import feed, moment
from web import served as page_served

from simulator.view.terminal.app import LiveApp
from simulator.view.terminal.picture import Update
from simulator.view.terminal.prompt import Prompt, order_of, told_order
from simulator.view.terminal.watch import Page

PRESS = "vsip2a/wiring-devices/moulding/press-1"
FAULT = {"do": "fault", "kind": "drift", "target": f"{PRESS}/oil_c", "for": "5m", "per_hour": 40.0}


def steerable(**run: Any) -> dict[str, Any]:
    """Return a document of a run that can be steered."""
    (document,) = documents(snapshot(4))
    return document | {"run": document["run"] | {"steerable": True} | run}


def ordered(document: dict[str, Any], *keys: str, words: str = "", size: tuple[int, int] = (80, 24)) -> list[Any]:
    """Press keys, and return what was ordered; ``words`` are on the screen in the end."""
    orders: list[Any] = []

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        app.take(Update(document))
        await pilot.press(*keys)
        rows = "\n".join(await screen(app, pilot))
        assert words in rows, rows

    played(script, size=size, on_order=orders.append)
    return orders


def test_p_pauses_and_lets_go_on() -> None:
    """As the run is when it is pressed; the key is called what it does."""
    assert ordered(steerable(), "p", words="p pause") == [{"do": "pause"}]
    assert ordered(steerable(paused=True), "p", words="p go on") == [{"do": "resume"}]
    assert ordered(steerable(paused=True), words="paused ") == []


def test_a_run_that_is_not_steered_has_no_such_keys() -> None:
    """Nor do they do anything."""
    (document,) = documents(snapshot(4))
    assert ordered(document, "p", "x", words="q stop  l log") == []


def test_x_asks_for_a_line() -> None:
    """Its letters are letters, q among them; Enter orders, and the log is shown."""
    line = told_order(FAULT).replace(" ", "\0")
    keys = ["space" if one == "\0" else one for one in line]
    assert ordered(steerable(), "x", *keys, "enter", words="Log") == [FAULT]
    assert ordered(steerable(), "x", *"qpxg", words="qpxg") == []
    assert ordered(steerable(), "x", *"speed", "space", *"60", "enter") == [{"do": "speed", "speed": 60.0}]
    assert ordered(steerable(), "x", *"stop", "escape") == []


def test_a_line_that_is_too_short_says_what_to_write_and_is_there_again() -> None:
    """To be mended."""
    assert ordered(steerable(), "x", *"breakdown", "enter", words="write a kind of fault, a target and a time") == []
    assert ordered(steerable(), "x", *"breakdown", "enter", "x", words="breakdown") == []


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_question_fits_the_screen(language: str, size: tuple[int, int]) -> None:
    """All of its help is there."""

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        app.take(Update(steerable()))
        await pilot.press("x")
        rows = "".join(await screen(app, pilot)).replace(" ", "").replace("│", "")
        assert isinstance(app.screen, Prompt)
        assert app.words["act_help"].replace(" ", "") in rows, rows

    played(script, language=language, size=size)


def test_what_is_written_is_read() -> None:
    """Names and numbers; what is no number stays as it is, for the run to say."""
    assert order_of(told_order(FAULT)) == FAULT
    assert order_of("rate 500/s") == {"do": "rate", "rate": "500/s"}
    assert order_of(f"reorder {PRESS} 1m chance=0.5 within=3s")["within"] == "3s"
    assert order_of("speed fast") == {"do": "speed", "speed": "fast"}
    for short in ("stop", f"stop {PRESS}"):
        with pytest.raises(ValueError, match=short):
            order_of(short)


def test_a_watcher_elsewhere_sends_its_orders_to_the_page() -> None:
    """And hears why they were refused."""

    class Refusing:
        def do(self, asked: object) -> None:
            del asked

    shown = feed()
    shown.show(moment(1))
    with page_served() as server:
        server.hub.follow(shown)
        page = Page.parse(server.place.url())
        assert "or is a load test" in (page.post("/act", {"do": "pause"}) or "")
        shown.steering = Refusing()  # type: ignore[assignment]
        assert page.post("/act", {"do": "pause"}) is None
        assert page.post("/acknowledge", {"topic": "none"}) == "none: there is no alarm of that topic"


def test_keys_reach_a_real_run(tmp_path: Path) -> None:
    """A pause is seen, a mistake is told, and the saved timeline has what was done."""
    arguments = ("configs/quickstart.yaml", "--for", "10h", "--broker", "memory", "--store", "none")
    command = ("run", *arguments, "--view", "terminal", "--save-timeline", str(tmp_path / "timeline.yaml"))
    with InTerminal(*command, cwd=Path(__file__).parent.parent) as terminal:
        terminal.waits_for(" pause")
        terminal.press("x")
        terminal.waits_for("What is to be done?")
        terminal.press(f"stop {PRESS} 1m\r")
        terminal.waits_for("ordered: stop")
        terminal.press("p")
        terminal.waits_for("ordered: pause")
        terminal.waits_for("go on")
        terminal.press("p")
        terminal.waits_for("ordered: resume")
        terminal.press("q")
        terminal.waits_for("press any key")
        terminal.press("q")
        terminal.ended()
    text = (tmp_path / "timeline.yaml").read_text(encoding="utf-8")
    assert ("pause:" in text, "by_hand: true" in text, "kind: stop" in text) == (True, True, True)
