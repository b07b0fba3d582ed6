"""The page of a real run in a real browser: its numbers, what it asks for, and who can use it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from parks import CONFIGS
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

AXE = Path(__file__).parent / "vendor" / "axe" / "axe.min.js"
SERIOUS = {"serious", "critical"}
WAIT_MS = 30_000
WIDTHS = [1280, 390]
CUT_OFF = """[...document.querySelectorAll("body *")]
  .filter(one => one.clientWidth && one.scrollWidth > one.clientWidth + 1
    && !one.matches(".scroll, .hidden, .hidden *"))
  .map(one => one.outerHTML.slice(0, 200))"""


class Run(NamedTuple):
    """A run that is watched."""

    process: subprocess.Popen[str]
    url: str
    summary: Path

    def ended(self) -> dict[str, Any]:
        """Wait for its end, and return its result."""
        self.process.communicate(timeout=60)
        return json.loads(self.summary.read_text())  # type: ignore[no-any-return]


@contextmanager
def run(folder: Path, *arguments: str) -> Iterator[Run]:
    """Run a park with a page on a free port."""
    summary = folder / "result.json"
    command = [sys.executable, "-m", "simulator", "run", str(CONFIGS / "quickstart.yaml"), "--broker", "memory"]
    command += ["--store", "none", "--view", "web", "--port", "0", "--summary", str(summary), *arguments]
    environment = os.environ | {"PYTHONPATH": str(CONFIGS.parent)}
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=folder, env=environment, **pipes) as process:  # type: ignore[call-overload]
        try:
            said = process.stderr.readline()
            found = re.search(r"^page: +(http://127[.]0[.]0[.]1:\d+/\S*)$", said)
            assert found is not None, said + process.stderr.read()
            yield Run(process, found.group(1), summary)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=60)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run that goes on for as long as the tests of this module look at it."""
    with run(tmp_path_factory.mktemp("run"), "--for", "1h") as found:
        yield found


class Opened(NamedTuple):
    """A page, and what it complained of and asked for."""

    page: Page
    complaints: list[str]
    asked: list[str]


@contextmanager
def opened(browser: Browser, url: str, **settings: Any) -> Iterator[Opened]:
    """Open the page, and wait for its first numbers."""
    context = browser.new_context(**settings)
    page = context.new_page()
    page.clock.install()
    found = Opened(page, [], [])

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            found.complaints.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("request", lambda request: found.asked.append(request.url))
    try:
        page.goto(url)
        page.wait_for_selector("[data-count=written]", timeout=WAIT_MS)
        yield found
    finally:
        context.close()


def numbers(page: Page) -> dict[str, int]:
    """What the page counts, by name."""
    script = "found => Object.fromEntries(found.map(one => [one.dataset.count, Number(one.value)]))"
    return page.eval_on_selector_all("[data-count]", script)  # type: ignore[no-any-return]


def test_in_the_end_its_numbers_are_those_of_the_result(chromium: Browser, tmp_path: Path) -> None:
    """It says how the run ended, complains of nothing, and has asked nobody else for anything."""
    with run(tmp_path, "--for", "8s") as watched, opened(chromium, watched.url) as shown:
        shown.page.wait_for_selector("#verdict", timeout=WAIT_MS)
        result = watched.ended()
        messages = result["messages"]
        expected = {name: messages[name] for name in messages if isinstance(messages[name], int)}
        expected["dropped"] = sum(messages["dropped"].values())
        expected.pop("overwritten")
        assert numbers(shown.page) == expected
        assert expected["written"] > 0
        assert shown.page.inner_text("#verdict") == f"PASS {result['verdict']}"
        oee = shown.page.locator("section[aria-labelledby=oee] b").inner_text()
        assert oee == f"{result['park']['oee']['park']:.1%}"
        # old figures would be hatched
        shown.page.clock.fast_forward(60_000)
        assert shown.page.locator(".stale, .hatched").count() == 0
        assert shown.complaints == []
        assert [url for url in shown.asked if not url.startswith(watched.url)] == []


def test_the_numbers_move(chromium: Browser, running: Run) -> None:
    """A document comes once a second."""
    with opened(chromium, running.url) as shown:
        before = numbers(shown.page)["written"]
        expect(shown.page.locator("[data-count=written]")).not_to_have_attribute("value", str(before), timeout=WAIT_MS)
        assert numbers(shown.page)["written"] > before
        labels = [plot.get_attribute("aria-label") for plot in shown.page.get_by_role("img").all()]
        assert [label for label in labels if label] == labels
        assert len(labels) == 3


def test_the_keyboard_reaches_the_machines_of_a_factory(chromium: Browser, running: Run) -> None:
    """Tab to a factory, Enter opens it, Escape closes it and leaves the focus where it was."""
    with opened(chromium, running.url) as shown:
        page = shown.page
        for _ in range(10):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.className.startsWith('tile')"):
                break
        tile = page.locator(":focus")
        expect(tile).to_have_attribute("aria-expanded", "false")
        outline = tile.evaluate("one => getComputedStyle(one).outlineStyle")
        page.keyboard.press("Enter")
        table = page.locator(".machines tbody tr")
        table.first.wait_for(timeout=WAIT_MS)
        assert (outline, table.count() > 1) == ("solid", True)
        expect(page.locator("#machines")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator(".machines")).to_have_count(0)
        assert page.evaluate("document.activeElement.className.startsWith('tile')")


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_word_is_there_and_fits(chromium: Browser, running: Run, language: str, width: int) -> None:
    """No key shows, nothing runs out of the window sideways, and each page leads to the other language."""
    size = {"width": width, "height": 900}
    with opened(chromium, f"{running.url}?lang={language}", viewport=size) as shown:
        page = shown.page
        page.locator(".tile").first.click()
        page.locator(".machines tbody tr").first.wait_for(timeout=WAIT_MS)
        assert page.get_attribute("html", "lang") == language
        assert re.findall(r"\[\w+\]", page.inner_text("body")) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CUT_OFF) == []
        other = {"en": "vi", "vi": "en"}[language]
        page.locator(f"header a[hreflang={other}]").click()
        page.wait_for_selector(f"html[lang={other}] [data-count=written]", timeout=WAIT_MS)
        assert shown.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_serious_violation(chromium: Browser, running: Run, scheme: str, width: int) -> None:
    """Landmarks, names, tables, contrast, with a list of machines open."""
    size = {"width": width, "height": 900}
    # the page forbids scripts that are not its own
    with opened(chromium, running.url, viewport=size, color_scheme=scheme, bypass_csp=True) as shown:
        page = shown.page
        page.locator(".tile").first.click()
        page.locator(".machines tbody tr").first.wait_for(timeout=WAIT_MS)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run()")
        serious = [
            f"{rule['id']}: {[node['html'] for node in rule['nodes']]}"
            for rule in found["violations"]
            if rule["impact"] in SERIOUS
        ]
        assert serious == []
        assert len(found["passes"]) > 20


def test_old_figures_are_hatched_with_their_age(chromium: Browser, tmp_path: Path) -> None:
    """A run that is stopped in its tracks looks like it."""
    with run(tmp_path, "--for", "1h") as watched, opened(chromium, watched.url) as shown:
        watched.process.send_signal(signal.SIGSTOP)
        try:
            shown.page.wait_for_selector("main.stale .hatched", timeout=WAIT_MS)
            assert re.search(r"came \d+ s ago", shown.page.inner_text(".hatched"))
        finally:
            watched.process.send_signal(signal.SIGCONT)
        shown.page.wait_for_selector("main:not(.stale)", timeout=WAIT_MS)


def test_with_a_token_the_page_works_and_the_token_leaves_the_address_line(chromium: Browser, tmp_path: Path) -> None:
    """Events and machines come by the cookie; a browser without it sees nothing."""
    with run(tmp_path, "--for", "1h", "--host", "0.0.0.0") as watched:
        bare, _, token = watched.url.partition("?token=")
        assert len(token) == 32
        with opened(chromium, watched.url) as shown:
            assert shown.page.url == bare
            shown.page.locator(".tile").first.click()
            shown.page.locator(".machines tbody tr").first.wait_for(timeout=WAIT_MS)
            assert token not in shown.page.content()
            assert shown.page.evaluate("document.cookie") == ""
            assert shown.complaints == []
        context = chromium.new_context()
        answer = context.new_page().goto(bare)
        assert answer is not None
        assert answer.status == 401
        context.close()


def test_the_pages_of_others_cannot_read_it(chromium: Browser, running: Run) -> None:
    """Neither by asking nor in a frame."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto("data:text/html,<title>elsewhere</title>")
    script = "url => fetch(url).then(() => 'read', () => 'refused')"
    assert page.evaluate(script, f"{running.url}live.json") == "refused"
    context.close()
