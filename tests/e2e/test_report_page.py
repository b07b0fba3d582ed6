"""Reports in a real browser: in both languages, on a phone or a screen, nothing is cut off and nothing is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Parksim, parksim
from load_results import load_test, loaded
from parks import CONFIGS
from playwright.sync_api import Browser, expect

from simulator.results.result_file import write_result

__all__ = ["parksim"]
WIDTHS = [1280, 360]
CUT_OFF = """[...document.querySelectorAll("main *")]
  .filter(one => one.clientWidth && one.scrollWidth > one.clientWidth + 1 && !one.matches(".scroll, pre, svg, svg *"))
  .map(one => one.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("reports")
    write_result(loaded(), found / "load.json")
    write_result(loaded(load_test(60)), found / "other.json")
    return found


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("arguments", [("load.json",), ("load.json", "--compare", "other.json"), ("run.json",)])
def test_a_report_fits_and_needs_nothing(
    chromium: Browser, parksim: Parksim, folder: Path, language: str, arguments: tuple[str, ...]
) -> None:
    """Wide and narrow, light and dark; the language is that of the page."""
    if not (folder / "run.json").exists():
        ended = parksim(
            "run",
            CONFIGS / "quickstart.yaml",
            "--for",
            "60s",
            "--speed",
            "max",
            "--broker",
            "memory",
            "--store",
            "none",
            "--summary",
            folder / "run.json",
            "--view",
            "none",
        )
        assert ended.code == 0
    given = [folder / one if one.endswith(".json") else one for one in arguments]
    page_file = folder / "page.html"
    assert parksim("report", *given, "--output", page_file, "--lang", language).code == 0
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
            page = context.new_page()
            asked: list[str] = []
            complaints: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on("console", lambda message, complaints=complaints: complaints.append(message.text))
            page.goto(page_file.as_uri())
            expect(page.locator("html")).to_have_attribute("lang", language)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(CUT_OFF) == []
            assert (asked, complaints) == ([page_file.as_uri()], [])
            if width == WIDTHS[0] and scheme == "light":
                heading = {"en": "Every message", "vi": "Từng thông điệp"}[language]
                expect(page.get_by_role("heading", name=heading)).to_be_visible()
            context.close()
