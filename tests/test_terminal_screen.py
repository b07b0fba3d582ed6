"""What the terminal view has on the screen, and what keys do, by Textual's own pilot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from live_documents import ABORTED, BUSY, EXECUTE, documents, feed, snapshot
from test_result import HEALTHY, result
from textual.pilot import Pilot

from simulator.view.terminal.app import LiveApp
from simulator.view.terminal.picture import Update

SMALL, LARGE = (80, 24), (160, 50)
ALARM = {"topic": "binh-duong/vsip/plant-1/moulding/press-2", "kind": "injection-moulding", "state": ABORTED}
BROKEN = [EXECUTE, EXECUTE, ABORTED, EXECUTE]
Script = Callable[[LiveApp, "Pilot[None]"], Coroutine[Any, Any, None]]


class Clock:
    """A clock that a test sets."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def played(
    script: Script, *, size: tuple[int, int] = SMALL, language: str = "en", is_own: bool = True, **more: Any
) -> list[str]:
    """Run the app through a script; return how often q asked the run to stop, as one entry each."""
    asked: list[str] = []
    app = LiveApp(language, on_stop=(lambda: asked.append("stop")) if is_own else None, **more)

    async def play() -> None:
        async with app.run_test(size=size) as pilot:
            await script(app, pilot)

    asyncio.run(play())
    return asked


async def screen(app: LiveApp, pilot: Pilot[None]) -> list[str]:
    """Return the rows of the screen once all is drawn."""
    await pilot.pause()
    await pilot.pause()
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


async def colours(app: LiveApp, pilot: Pilot[None]) -> set[str]:
    """Return the colours on the screen other than the default one."""
    await screen(app, pilot)
    strips = app.screen._compositor.render_strips()
    styles = [segment.style for strip in strips for segment in strip if segment.style and segment.text.strip()]
    return {style.color.name for style in styles if style.color and not style.color.is_default}


def shows(*documents: dict[str, Any], words: list[str], keys: str = "", **more: Any) -> None:
    """Hold that all words are on the screen after the documents and keys."""
    updates = [Update(one, alarms=[ALARM]) for one in documents]

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        for update in updates:
            app.take(update)
        await pilot.press(*keys)
        rows = "\n".join(await screen(app, pilot))
        missing = [word for word in words if word not in rows]
        assert not missing, rows

    played(script, **more)


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_figures_of_a_document_are_on_the_screen(size: tuple[int, int], language: str) -> None:
    """Every hop with count and rate, lag, in flight, lost and unaccounted, on the smallest screen and a large one."""
    before = snapshot(10, counts=replace(BUSY, **dict.fromkeys(HOPS, 100_000), unaccounted=4))
    after = snapshot(20, counts=replace(BUSY, unaccounted=4))
    words = ["123,460", "123,456", "123,450", "123,440", "123,430"]
    words += ["2,346.0/s", "2,345.6/s", "2,345.0/s", "2,344.0/s", "2,343.0/s", "4.4 ms", " 26 ", "shop", "20s", "1h"]
    words += ["! lost 4", "! unaccounted 4"] if language == "en" else ["! mất 4", "! chưa đối soát 4"]
    shows(*documents(before, after), words=words, size=size, language=language)


def test_each_figure_stands_below_its_hop() -> None:
    """Label, count and rate begin in the same column, and hops stand in the order in which messages pass them."""
    before = snapshot(10, counts=replace(BUSY, **dict.fromkeys(HOPS, 100_000)))
    rows: list[str] = []

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        for one in documents(before, snapshot(20, counts=BUSY)):
            app.take(Update(one))
        rows.extend(await screen(app, pilot))

    played(script)
    columns = [[row[place : place + 16].split()[0] for place in range(0, 80, 16)] for row in rows[1:4]]
    assert columns == [
        ["scheduled", "published", "broker", "bridge", "written"],
        ["123,460", "123,456", "123,450", "123,440", "123,430"],
        ["2,346.0/s", "2,345.6/s", "2,345.0/s", "2,344.0/s", "2,343.0/s"],
    ]


@pytest.mark.parametrize("size", [(40, 10), (20, 5), (80, 24)])
def test_a_run_that_is_over_at_once_has_a_verdict(size: tuple[int, int]) -> None:
    """There was no snapshot before; and a terminal that is too small shows what it can."""
    shown = feed()
    shown.end(result())

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        app.take(Update(shown.document()))
        rows = "".join(await screen(app, pilot))
        assert "PASS" in rows or size == (20, 5)
        for one in documents(snapshot(5, states=BROKEN)):
            app.take(Update(one, alarms=[ALARM]))
        await screen(app, pilot)

    played(script, size=size)


HOPS = ("scheduled", "published", "acknowledged", "received", "written")


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("language", ["en", "vi"])
def test_nothing_that_matters_is_cut(size: tuple[int, int], language: str) -> None:
    """Billions of messages, a long name, a backlog in the spool and losses fit, and so do all keys."""
    most = 9_876_543_210
    counts = replace(BUSY, **dict.fromkeys(HOPS, most), in_flight=98_765, spooled=98_765, unaccounted=98_765)
    rows: list[str] = []

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        for one in documents(snapshot(1, counts=HEALTHY), snapshot(100_000, counts=counts, end_to_end_ms=98_765_432.1)):
            app.take(Update(one))
        rows.extend(await screen(app, pilot))
        assert all(strip.cell_length == size[0] for strip in app.screen._compositor.render_strips())

    played(script, size=size, language=language)
    assert rows[2].count("9,876,543,210") == len(HOPS)
    assert "98,765.4 s" in rows[4]
    # in flight, in the spool, lost, unaccounted
    assert rows[4].count("98,765" if size == LARGE else "99k") == 4 + (size == LARGE)
    assert rows[4].rstrip().endswith("98,765" if size == LARGE else "99k")
    assert "1d 3h" in rows[0]
    last = {"en": "? help", "vi": "? giúp"}
    assert last[language] in rows[-1]


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_an_alarm_is_told_by_sign_and_text(size: tuple[int, int]) -> None:
    """In the title, at its factory, at its line, and in the list with the state of the machine."""
    (document,) = documents(snapshot(5, states=BROKEN))
    factory = ["! alarms: 1", "vsip/plant-1", "1 of 2 run", "moulding 1/2 !1"]
    shows(document, words=factory, size=size)
    shows(document, words=["! Alarms: 1", "! aborted", "vsip/plant-1/moulding/press-2"], keys="a", size=size)


WAY = "binh-duong/a-site/a-factory-with-a-long-name/a-line/press-1"


@pytest.mark.parametrize(
    ("topic", "shown"),
    [(WAY, "a-site/a-factory-with-a-long-name/a-line/press-1 "), (f"x/{'y' * 80}{WAY}", "/press-1 ")],
)
def test_a_long_way_to_a_machine_is_cut_before_it(topic: str, shown: str) -> None:
    """The kind goes first, then the site; the machine stays."""

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        (document,) = documents(snapshot(5, states=BROKEN))
        app.take(Update(document, alarms=[ALARM | {"topic": topic}]))
        await pilot.press("a")
        assert shown in (await screen(app, pilot))[9]

    played(script)


def test_colour_is_for_alarms_only() -> None:
    """A park in which all is well has no coloured character."""

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        (well,) = documents(snapshot(5))
        app.take(Update(well | {"park": well["park"] | {"alarms": 0}}))
        assert await colours(app, pilot) == set()
        app.take(Update(documents(snapshot(6, states=BROKEN))[0], alarms=[ALARM]))
        assert await colours(app, pilot) == {"color(1)"}, "the red of the terminal"

    played(script)


def test_keys_go_to_factories_alarms_and_log() -> None:
    """On a small screen one list is shown at a time; f once more hides the lines."""

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        (document,) = documents(snapshot(5, trouble="the store is away"))
        app.take(Update(document, alarms=[ALARM], said=["broker: mosquitto"]))
        await pilot.press("l")
        rows = await screen(app, pilot)
        assert [row.split(maxsplit=1)[1].strip() for row in rows[9:11]] == [
            "! trouble: the store is away",
            "broker: mosquitto",
        ]
        await pilot.press("f")
        assert "moulding 2/2" in "\n".join(await screen(app, pilot))
        await pilot.press("f")
        text = "\n".join(await screen(app, pilot))
        assert "vsip/plant-0" in text
        assert "moulding 2/2" not in text

    played(script)


def test_q_asks_a_run_of_ours_to_stop_and_leaves_one_of_others() -> None:
    """As Ctrl-C does, which a raw terminal hands on as a key; a second time means at once, which the run decides."""

    async def ours(app: LiveApp, pilot: Pilot[None]) -> None:
        await pilot.press("q")
        assert "stopping; q once more ends at once" in (await screen(app, pilot))[7]
        await pilot.press("ctrl+c")
        assert app.is_running

    async def of_others(app: LiveApp, pilot: Pilot[None]) -> None:
        assert "q leave" in (await screen(app, pilot))[-1]
        await pilot.press("q")
        await pilot.pause()
        assert app._exit

    assert played(ours) == ["stop", "stop"]
    assert played(of_others, is_own=False) == []


def test_g_changes_the_language_and_the_question_mark_tells_of_keys() -> None:
    """Everything changes at once, what was told in the log as well; any key closes the guide."""

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        app.take(Update(documents(snapshot(5, trouble="kho"))[0]))
        await pilot.press("l", "g")
        text = "\n".join(await screen(app, pilot))
        assert all(word in text for word in ("đến hạn", "cầu nối", "Nhật ký", "! sự cố: kho", "g English"))
        await pilot.press("question_mark")
        assert "nhấn phím bất kỳ để đóng" in "\n".join(await screen(app, pilot))
        await pilot.press("x")
        await pilot.press("g")
        assert "scheduled" in "\n".join(await screen(app, pilot))

    played(script)


@pytest.mark.parametrize("key", ["q", "l", "question_mark", "escape"])
def test_a_key_that_closes_the_guide_does_nothing_else(key: str) -> None:
    """Nobody who reads what q does stops the run by it."""

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        app.take(Update(documents(snapshot(5))[0]))
        await pilot.press("question_mark")
        await pilot.press(key)
        rows = await screen(app, pilot)
        assert "Keys" not in "\n".join(rows)
        assert "Factories" in rows[8]

    assert played(script) == []


def test_data_that_is_old_says_so() -> None:
    """When a run, or the way from it, is stuck, the last figures do not pass for the present."""
    clock = Clock()

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        app.take(Update(documents(snapshot(5))[0]))
        clock.now_s = 5.0
        app.draw()
        assert "old" not in (await screen(app, pilot))[7]
        clock.now_s = 12.4
        app.draw()
        assert "! data is 12 s old" in (await screen(app, pilot))[7]

    played(script, now_s=clock)


@pytest.mark.parametrize(("code", "word"), [(0, " PASS  all"), (105, " EXIT 105  all"), (107, "! EXIT 107  all")])
def test_the_verdict_stays_until_any_key(code: int, word: str) -> None:
    """Nothing else leaves, and no key asks the run to stop any more."""

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        for one in documents(snapshot(5), exit_code=code):
            app.take(Update(one))
        rows = await screen(app, pilot)
        row = rows[7]
        assert "1m of 1h" in rows[0], "as far as the result says"
        assert word in row
        assert ("!" in row) == (code == 107)
        assert "[press any key]" in row
        assert app.is_running
        await pilot.press("q")
        await pilot.pause()
        assert app._exit

    assert played(script) == []


def test_what_strangers_say_cannot_take_the_terminal() -> None:
    """An escape in a name, or in what a run says, is shown as a question mark."""
    (document,) = documents(snapshot(5))
    document["run"]["name"] = "\x1b[2Jshop"
    updates = Update(document, alarms=[ALARM | {"topic": "a/\x1b]0;x\x07"}], said=["\x1b[31mred"])

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        app.take(updates)
        for key in "fal":
            await pilot.press(key)
            assert "\x1b" not in "".join(await screen(app, pilot))
        assert "?[31mred" in "".join(await screen(app, pilot))

    played(script)


def test_without_colours_the_signs_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR leaves no colour at all; sign and word tell of the alarm."""
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(app: LiveApp, pilot: Pilot[None]) -> None:
        app.take(Update(documents(snapshot(5, states=BROKEN))[0], alarms=[ALARM]))
        await pilot.press("a")
        assert await colours(app, pilot) == set()
        assert "! aborted" in "\n".join(await screen(app, pilot))

    played(script)
