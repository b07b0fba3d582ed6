"""Make the pictures of docs/watching.md again: a day in which things go wrong, seen on a screen and on a phone."""

from __future__ import annotations

import tempfile
from pathlib import Path

from browsing import run
from playwright.sync_api import Page, expect, sync_playwright

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
SCREEN, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PICTURES = (
    ("page-en-light", "en", "light", SCREEN),
    ("page-vi-dark", "vi", "dark", SCREEN),
    ("page-vi-light-phone", "vi", "light", PHONE),
    ("page-en-dark-phone", "en", "dark", PHONE),
)
LIVE_MS = 25_000


def act(page: Page) -> None:
    """Do what the charts are to show."""
    form = page.locator("#fault")
    form.locator("select[name=kind]").select_option("breakdown")
    expect(form.locator("input[name=target]")).not_to_have_value("")
    form.locator("input[name=target]").fill("vsip2a/network/fibre-link/east")
    form.locator("input[name=for]").fill("8m")
    form.locator("button.main").click()
    page.wait_for_timeout(5_000)


def main() -> None:
    """Make them."""
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        run(Path(folder), "--for", "1h", scenario="bad-day.yaml") as watched,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for number, (name, language, scheme, size) in enumerate(PICTURES):
            context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(f"{watched.url}?lang={language}")
            page.wait_for_selector("[data-count=written]", timeout=120_000)
            if number == 0:
                page.wait_for_timeout(10_000)
                act(page)
            page.locator(".tile").first.click()
            page.locator(".machines .link").first.click()
            page.wait_for_timeout(LIVE_MS if number == 0 else 6_000)
            page.screenshot(path=FOLDER / f"{name}.png", full_page=True)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
