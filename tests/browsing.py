"""A run that is watched in a real browser, for tests."""

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

from parks import CONFIGS
from playwright.sync_api import Browser, ConsoleMessage, Page

__all__ = ["WAIT_MS", "Opened", "Run", "opened", "run"]

WAIT_MS = 30_000


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
def run(folder: Path, *arguments: str, store: str = "none", scenario: str = "quickstart.yaml") -> Iterator[Run]:
    """Run a park with a page on a free port."""
    summary = folder / "result.json"
    command = [sys.executable, "-m", "simulator", "run", str(CONFIGS / scenario), "--broker", "memory"]
    command += ["--store", store, "--view", "web", "--port", "0", "--summary", str(summary), *arguments]
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
