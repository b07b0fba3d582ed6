"""`parksim report`: which files it writes, what it prints, and what it does not overwrite."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from commands import Parksim, parksim
from load_results import loaded
from report_pages import ALL, slower

from simulator.load.report import report_text
from simulator.results.result_file import write_result

__all__ = ["parksim"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two results, in which the command is called."""
    monkeypatch.chdir(tmp_path)
    write_result(loaded(), Path("before.json"))
    write_result(slower(), Path("after.json"))
    return tmp_path


def test_the_command_writes_a_page_beside_the_result(folder: Path, parksim: Parksim) -> None:
    """RESULT.html, which a second call replaces; nothing on standard output, and exit code 0 for a test that failed."""
    assert parksim("report", "before.json") == (0, "", "wrote before.html\n")
    assert (folder / "before.html").read_text(encoding="utf-8") == report_text(loaded())
    assert parksim("report", "before.json").code == 0
    assert sorted(file.name for file in folder.iterdir()) == ["after.json", "before.html", "before.json"]


def test_the_command_writes_each_chart(folder: Path, parksim: Parksim) -> None:
    """One SVG for each, in a folder that is made; a second call replaces them."""
    for _ in range(2):
        assert parksim("report", "before.json", "--charts", "a/b", "--output", "page.html").code == 0
    assert {file.name for file in (folder / "a/b").iterdir()} == {f"{name}.svg" for name in ALL}
    for file in (folder / "a/b").iterdir():
        ET.parse(file)
    assert (folder / "page.html").exists()
    assert not (folder / "before.html").exists()


def test_the_command_compares(folder: Path, parksim: Parksim) -> None:
    """The main differences on standard output, both results in the page; no folder is told."""
    code, out, err = parksim("report", folder / "before.json", "--compare", folder / "after.json")
    assert code == 0
    assert re.search(r"^in the store, p99 +56 ms +84 ms +\+50.0 %, worse$", out, re.MULTILINE)
    assert "\nA  " not in err
    assert out.startswith("A  before.json: EXIT 99, 1 of 3 thresholds failed")
    text = (folder / "before.html").read_text(encoding="utf-8")
    assert "before.json and after.json" in text
    assert str(folder) not in text + out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.json"], "nowhere.json: cannot be read: No such file or directory; give what parksim run or load"),
        (["."], ".: cannot be read: Is a directory; give what"),
        (["text.json"], "text.json: is no parksim.result/1: the file: Invalid JSON"),
        (["list.json"], "list.json: is no parksim.result/1: the file: Input should be an object"),
        (["newer.json"], "newer.json: is no parksim.result/1: schema: Input should be 'parksim.result/1'; give what"),
        (["evil.json"], "evil.json: is no parksim.result/1: \\x1b[2J: Extra inputs are not permitted"),
        (["before.json", "--compare", "text.json"], "text.json: is no parksim.result/1"),
        (["before.json", "--output", "text.json"], "text.json: is there, and no report of parksim's; move it away"),
        (["before.json", "--output", "no/such/page.html"], "--output no/such/page.html: No such file or directory"),
        (["before.json", "--charts", "text.json"], "--charts text.json: File exists; name a folder that can be made"),
        (["mine.json"], "mine.html: is there, and no report of parksim's"),
        (["before.json", "--charts", "drawings"], "drawings/rates.svg: is there, and no report of parksim's"),
    ],
)
def test_what_cannot_be_done_says_why(folder: Path, parksim: Parksim, arguments: list[str], said: str) -> None:
    """Exit code 104 with the file, what is wrong and what to do; nothing is written."""
    (folder / "text.json").write_text("no JSON")
    (folder / "list.json").write_text("[1]")
    document = json.loads((folder / "before.json").read_text())
    (folder / "newer.json").write_text(json.dumps(document | {"schema": "parksim.result/2"}))
    (folder / "evil.json").write_text(json.dumps(document | {"\x1b[2J": 1}))
    (folder / "mine.json").write_text(json.dumps(document))
    (folder / "mine.html").write_text("<!doctype html>\n<p>of somebody else")
    (folder / "drawings").mkdir()
    (folder / "drawings/rates.svg").write_text("<svg/>")
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    code, out, err = parksim("report", *arguments)
    assert (code, out) == (104, "")
    assert said in err
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before
