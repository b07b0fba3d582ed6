"""A real browser: Debian's Chromium. Outside CI a test is skipped where it is missing; with CI=true it fails."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from child_server import ServerMissingError, program
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module; each test opens pages of its own."""
    try:
        path = program("chromium", "chromium")
    except ServerMissingError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    with sync_playwright() as playwright:
        # as root, which containers often are, Chromium has no sandbox
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
