"""The page in a real browser: it shows what the result says, in both languages, by keyboard, and asks nobody else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from child_server import until
from playwright.sync_api import Browser, Page, expect, sync_playwright

PARKSIM = shutil.which("parksim", path=str(Path(sys.executable).parent)) or "parksim"
SCENARIO = Path(__file__).parents[2] / "configs" / "quickstart.yaml"
CHROMIUM = shutil.which("chromium")
HOPS = ("scheduled", "published", "acknowledged", "received", "written")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is not installed: make servers")
        pytest.skip("chromium is not installed: make servers")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Run:
    """A run with a page."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.result = folder / "result.json"
        self._log = folder / "log"
        command = [PARKSIM, "run", str(SCENARIO), "--broker", "embedded", "--store", f"sqlite:{folder / 'park.db'}"]
        command += ["--view", "web", "--port", "0", "--summary", str(self.result), *more]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)

    def url(self) -> str:
        """Where its page is, once it says so."""
        until(lambda: re.search(r"page: +(\S+)", self._log.read_text()), deadline_s=60, what="the address of the page")
        found = re.search(r"page: +(\S+)", self._log.read_text())
        assert found is not None
        return found[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def watched(page: Page) -> tuple[list[str], list[str]]:
    """What the page complains of, and what it asks for."""
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    return complaints, asked


def test_the_page_shows_what_the_result_says(browser: Browser, tmp_path: Path) -> None:
    """At the end, number for number; no complaint of the browser, no request to anywhere else."""
    with Run(tmp_path, "--for", "8s") as run:
        page = browser.new_page()
        complaints, asked = watched(page)
        url = run.url()
        page.goto(url)
        expect(page.locator("#news")).to_have_text(re.compile("^over"), timeout=120_000)
        assert run.process.wait(60) == 0
    found = json.loads(run.result.read_text())
    shown = {hop: int(page.locator(f"[data-hop={hop}]").inner_text().replace(",", "")) for hop in HOPS}
    assert shown == {hop: found["messages"][hop] for hop in HOPS}
    assert page.locator("[data-count=unaccounted]").inner_text() == str(found["messages"]["unaccounted"])
    assert found["verdict"] in page.locator("#news").inner_text()
    assert complaints == []
    assert {address.startswith((url, "data:")) for address in asked} == {True}
    page.close()


def test_the_keyboard_reaches_the_machines_in_vietnamese_and_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    """Tab, Enter, and the machines of a factory are there; no word is missing, nothing is wider than the phone."""
    with Run(tmp_path, "--for", "10m") as run:
        page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
        complaints, _ = watched(page)
        page.goto(f"{run.url()}?lang=vi")
        page.wait_for_selector("[data-factory]", timeout=120_000)
        assert page.locator("html").get_attribute("lang") == "vi"
        page.locator("[data-factory]").first.focus()
        name = page.evaluate("document.activeElement.dataset.factory")
        page.keyboard.press("Enter")
        page.wait_for_selector("#machines li")
        assert name in page.locator("#machines h3").inner_text()
        # the table is drawn anew each second, and the keyboard stays
        number = page.locator("[data-hop=written]").inner_text()
        expect(page.locator("[data-hop=written]")).not_to_have_text(number, timeout=60_000)
        assert page.evaluate("document.activeElement.dataset.factory") == name
        assert not re.search(r"\?\w+\?", page.locator("body").inner_text())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("main h2").count() >= 5
        assert complaints == []
        page.close()
