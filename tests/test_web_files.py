"""What the page is made of: words that there are, libraries of others as they came, and nothing from elsewhere."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from simulator.view.languages import words
from simulator.view.web.routes import STATIC

OWN = sorted(file for file in STATIC.glob("*") if file.is_file())
VENDORED = [STATIC / "vendor", Path(__file__).parent / "e2e" / "vendor"]
STATES = {f"state_{number}" for number in range(18)}


@pytest.mark.parametrize("folder", VENDORED, ids=["page", "tests"])
def test_libraries_of_others_are_as_they_came(folder: Path) -> None:
    """Each file has the hash that is written down, each library a licence, and there is no other file."""
    listed = json.loads((folder / "vendored.json").read_text())
    expected = {name: digest for library in listed.values() for name, digest in library["files"].items()}
    actual = {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*/*")
    }
    assert actual == expected
    assert all(library["version"] and library["licence"] for library in listed.values())
    assert all(any("LICENSE" in name for name in library["files"]) for library in listed.values())


def test_the_page_says_nothing_that_has_no_word() -> None:
    """Every word that the modules ask for is there, and every word is asked for."""
    code = "\n".join(file.read_text(encoding="utf-8") for file in OWN if file.suffix == ".js")
    asked = set(re.findall(r'\bt\("(\w+)"', code))
    known = set(words("page", "en"))
    assert asked - known == set()
    by_name = {key for key in known if f'"{key}"' in code}
    assert known - asked - by_name - STATES - {"legend_alarm", "legend_other", "legend_running"} == set()
    assert known >= STATES


def test_nothing_comes_from_elsewhere() -> None:
    """No own file names an address, but that of the SVG format."""
    found = {
        file.name: re.findall(
            r"""(?:https?:)?//[\w.]+[.][\w./]+""", re.sub(r"^\s*//.*", "", file.read_text(), flags=re.MULTILINE)
        )
        for file in OWN
    }
    assert {name: each for name, each in found.items() if each} == {"icon.svg": ["http://www.w3.org/2000/svg"]}
