"""Reports in a real browser: in both languages, on a phone or a screen, nothing is cut off and nothing is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Parksim, parksim
from load_results import load_test, loaded
from parks import CONFIGS
from playwright.sync_api import Browser, expect

from simulator.results.result import Result
from simulator.results.result_file import write_result

__all__ = ["parksim"]
WIDTHS = [1280, 360]
CUT_OFF = """[...document.querySelectorAll("main *")]
  .filter(one => one.clientWidth && one.scrollWidth > one.clientWidth + 1 && !one.matches(".scroll, pre, svg, svg *"))
  .map(one => one.outerHTML.slice(0, 200))"""

AXE = Path(__file__).parent / "vendor" / "axe" / "axe.min.js"
LEAST_PX = 10
"""Smaller text is hard to read on a phone."""
BADLY_WRITTEN = """least => [...document.querySelectorAll("svg[role=img]")].flatMap(chart => {
  const edge = chart.getBoundingClientRect()
  const scale = edge.width / chart.viewBox.baseVal.width
  const texts = [...chart.querySelectorAll("text")].filter(one => getComputedStyle(one).display !== "none")
  const boxes = texts.map(one => [one, one.getBoundingClientRect()])
  const outside = boxes.filter(([, b]) =>
    b.left < edge.left - 1 || b.right > edge.right + 1 || b.top < edge.top - 1 || b.bottom > edge.bottom + 1)
  const small = boxes.filter(([one]) => parseFloat(getComputedStyle(one).fontSize) * scale < least)
  const over = boxes.filter(([, a], n) => boxes.slice(n + 1).some(([, b]) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4))
  return [["outside", outside], ["small", small], ["over another", over]].flatMap(([what, found]) =>
    found.map(([one]) => `${what}: ${one.textContent}`))
})"""


def crowded() -> Result:
    """A test with faults and limits close beside each other, and names of stages that fit a wide screen only."""
    faults = [
        {"kind": "delay", "target": "publishers", "from_s": at, "to_s": at + 1, "recovered_s": None, "lost": 0}
        for at in (1, 2, 3, 50, 55, 60, 100, 112, 119)
    ]
    stages = [
        {"name": f"stage-no-{number}", "kind": "hold", "from_s": number * 15, "to_s": number * 15 + 15}
        for number in range(8)
    ]
    limits = [
        {"expression": f"end_to_end {limit}", "value": 1.0, "pass": True}
        for limit in ("p99 < 250 ms", "p50 < 245 ms", "p99.9 < 255 ms", "p99.99 < 1200 ms", "max < 1190 ms")
    ]
    found = load_test().model_dump(mode="json")["search"] | {"max_per_s": 39_990, "knee_per_s": 39_000}
    return loaded(load_test(stages=stages, disturbances=faults, search=found), thresholds=limits)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("reports")
    write_result(loaded(), found / "load.json")
    write_result(loaded(load_test(60)), found / "other.json")
    write_result(crowded(), found / "crowded.json")
    return found


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("load.json",),
        ("load.json", "--compare", "other.json"),
        ("crowded.json",),
        ("crowded.json", "--compare", "load.json"),
        ("run.json",),
    ],
)
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
            assert page.evaluate(BADLY_WRITTEN, LEAST_PX) == []
            assert (asked, complaints) == ([page_file.as_uri()], [])
            if width == WIDTHS[0] and scheme == "light":
                heading = {"en": "Every message", "vi": "Từng thông điệp"}[language]
                expect(page.get_by_role("heading", name=heading)).to_be_visible()
            context.close()


@pytest.mark.parametrize("language", ["en", "vi"])
def test_charts_can_be_read_by_themselves(chromium: Browser, parksim: Parksim, folder: Path, language: str) -> None:
    """As files, with their titles and legends, wide and narrow."""
    charts = folder / language
    options = ["--output", folder / "page.html", "--charts", charts, "--lang", language]
    assert parksim("report", folder / "crowded.json", *options).code == 0
    page = chromium.new_page()
    files = sorted(charts.iterdir())
    assert len(files) == 5
    for file in files:
        page.goto(file.as_uri())
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(BADLY_WRITTEN, LEAST_PX) == [], (file.name, width)
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_violation(chromium: Browser, parksim: Parksim, folder: Path, scheme: str, width: int) -> None:
    """Names, tables, contrast, and what scrolls by keyboard, of one result and of two."""
    for arguments in (("load.json",), ("load.json", "--compare", "crowded.json")):
        given = [folder / one if one.endswith(".json") else one for one in arguments]
        assert parksim("report", *given, "--output", folder / "axe.html", "--lang", "vi").code == 0
        size = {"width": width, "height": 900}
        # a report forbids all scripts
        context = chromium.new_context(viewport=size, color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto((folder / "axe.html").as_uri())
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run()")
        assert [f"{rule['id']}: {[node['html'] for node in rule['nodes']]}" for rule in found["violations"]] == []
        assert len(found["passes"]) > 10
        context.close()
