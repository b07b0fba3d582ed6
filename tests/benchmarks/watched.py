"""What it costs to look on: 31,295 sensors with nobody, and with the page in a real browser, alternating. No test.

Of the browser: the longest time between two updates of the page, how long it takes from a document to the figures on
the screen, and the processor time of all its processes; of the run: its rate, its lateness and its own processor time.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROUNDS = 3
SCENARIO = Path(__file__).parents[2] / "configs" / "binh-duong.yaml"
SPEED = 1
RUN_S = 60
LOOKED_AT_S = 30.0
WARM_UP_MS = 300_000
TICKS_S = os.sysconf("SC_CLK_TCK")
WATCH = """() => {
  window.seen = [];
  new MutationObserver(() => window.seen.push(performance.now())).observe(
    document.querySelector("[data-count=written]"), { characterData: true, subtree: true });
  window.took = [];
  const stream = new EventSource("/events");
  stream.onmessage = () => {
    const at = performance.now();
    requestAnimationFrame(() => setTimeout(() => window.took.push(performance.now() - at)));
  };
}"""


def command(*more: str) -> list[str]:
    length = f"{RUN_S * SPEED}s"
    return [
        *(sys.executable, "-m", "simulator", "run", str(SCENARIO), "--for", length, "--speed", str(SPEED)),
        *("--broker", "mosquitto", "--store", "none", *more),
    ]


def tree(root: int) -> Iterator[int]:
    """Yield a process and all that it has started."""
    yield root
    for file in Path(f"/proc/{root}/task").glob("*/children"):
        for child in file.read_text().split():
            yield from tree(int(child))


def cpu_s(root: int) -> float:
    """Return the processor time of a process and all that it has started."""
    total = 0.0
    for number in tree(root):
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS_S
    return total


def looked(page: Page, browser_pid: int) -> dict[str, float]:
    """Look on for a while, with the machines of a factory and one of them open."""
    page.locator(".tile").first.click()
    page.locator(".machines .link").first.click()
    page.wait_for_timeout(3_000)
    page.evaluate(WATCH)
    before = cpu_s(browser_pid)
    page.wait_for_timeout(LOOKED_AT_S * 1_000)
    spent = cpu_s(browser_pid) - before
    seen: list[float] = page.evaluate("window.seen")
    took: list[float] = page.evaluate("window.took")
    return {
        "browser_cores": spent / LOOKED_AT_S,
        "longest_between_updates_s": max(later - earlier for earlier, later in pairwise(seen)) / 1e3,
        "document_to_screen_s": statistics.median(took) / 1e3,
    }


def figures(summary: Path) -> dict[str, float]:
    result: dict[str, Any] = json.loads(summary.read_text())
    return {
        "published_per_s": result["rates"]["published_per_s"],
        "readings_per_s": result["rates"]["written_readings_per_s"],
        "lateness_p99_ms": result["latency_ms"]["lateness"]["p99"],
        "run_cores": result["generator"]["cpu"],
        "unaccounted": result["messages"]["unaccounted"],
    }


def alone(folder: Path) -> dict[str, float]:
    summary = folder / "alone.json"
    subprocess.run(command("--view", "none", "--summary", str(summary)), check=True, capture_output=True, cwd=folder)
    return figures(summary)


def watched(folder: Path) -> dict[str, float]:
    summary = folder / "watched.json"
    with subprocess.Popen(
        command("--view", "web", "--port", "0", "--summary", str(summary)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    ) as process:
        assert process.stderr is not None
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found is not None
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            try:
                page = browser.new_page()
                page.goto(found.group(0))
                page.wait_for_selector("[data-count=written]", timeout=WARM_UP_MS)
                seen = looked(page, chromium())
            finally:
                browser.close()
        process.communicate()
    return figures(summary) | seen


def chromium() -> int:
    """Return the process of the browser that this one has started."""
    for number in tree(os.getpid()):
        if "chromium" in Path(f"/proc/{number}/cmdline").read_text().partition("\0")[0]:
            return number
    message = "no browser"
    raise ProcessLookupError(message)


def main() -> None:
    """Measure and print."""
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            rounds.append({"alone": alone(Path(name)), "watched": watched(Path(name))})
            print(json.dumps(rounds[-1]), file=sys.stderr)
        time.sleep(1)
    medians = {
        who: {key: statistics.median(one[who][key] for one in rounds) for key in rounds[0][who]} for who in rounds[0]
    }
    change = medians["watched"]["published_per_s"] / medians["alone"]["published_per_s"] - 1
    result = {
        "bench": "watched",
        "median": medians,
        "rate_change": change,
        "rounds": rounds,
        "cpu_cores": os.cpu_count(),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
