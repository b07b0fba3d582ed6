"""The command line as a test calls it: within this process, through main()."""

from __future__ import annotations

import sys
from typing import NamedTuple

import pytest

from simulator.cli import main


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


class Parksim:
    """Calls parksim with arguments."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: object) -> Ended:
        """Run to the end. An exception that is no exit goes through, as it would to Python's traceback."""
        self._capsys.readouterr()
        self._monkeypatch.setattr(sys, "argv", ["parksim", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        out, err = self._capsys.readouterr()
        return Ended(code, out, err)


@pytest.fixture
def parksim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Parksim:
    """The command line."""
    return Parksim(capsys, monkeypatch)
