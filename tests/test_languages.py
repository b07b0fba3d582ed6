"""The words of the views: each language has all of them, in NFC, and none is wider than its place."""

from __future__ import annotations

import ast
import re
import string
import unicodedata
from pathlib import Path

import pytest
from rich.cells import cell_len

from simulator import languages
from simulator.errors import ScenarioError
from simulator.languages import LANGUAGES, LOCALE, checked_language, words
from simulator.view.terminal import park
from simulator.view.terminal.app import KEYS
from simulator.view.terminal.strip import NARROWEST, PLACES

SOURCES = Path(languages.__file__).parents[1]
NAMING = ("load/bottleneck.py", "run/load_test/servers.py")
VIEWS = sorted({file.name.split(".")[0] for file in LOCALE.glob("*.json")})


def placeholders(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("view", VIEWS)
def test_every_language_has_every_word(view: str) -> None:
    """The same keys in the same order, and the same figures in each text."""
    english = words(view, "en")
    for language in LANGUAGES:
        other = words(view, language)
        assert list(other) == list(english)
        assert {key: placeholders(text) for key, text in other.items()} == {
            key: placeholders(text) for key, text in english.items()
        }
        assert all(text.strip() for text in other.values())


def test_every_word_is_used() -> None:
    """No text is left over, and the code asks for none that there is not."""
    code = "".join(file.read_text(encoding="utf-8") for file in SOURCES.joinpath("view").rglob("*.py"))
    unused = [key for key in words("terminal", "en") if f'"{key}"' not in code and f"'{key}'" not in code]
    assert unused == []
    asked = set(re.findall(r"words\[[\"'](\w+)[\"']\]", code))
    assert asked <= set(words("terminal", "en"))


def test_every_text_of_a_report_is_there_and_is_used() -> None:
    """Texts are their own keys, so those that the code asks for have to be the very same."""
    code = "".join(file.read_text(encoding="utf-8") for file in SOURCES.joinpath("load", "report").glob("*.py"))
    literal = r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    asked = {ast.literal_eval(found) for found in re.findall(rf"\bt\(\s*{literal}", code)}
    for several in re.findall(r"map\(\s*t, \(([^)]*)\)", code):
        asked |= {ast.literal_eval(found) for found in re.findall(literal, several)}
    known = words("report", "en")
    assert asked - set(known) == set()
    assert all(key == text for key, text in known.items())
    # names of figures are translated where they are shown, and those of parts and servers come with the result
    code += "".join(SOURCES.joinpath(file).read_text(encoding="utf-8") for file in NAMING)
    for key in known.keys() - asked:
        assert re.search(rf"[\"']{key.replace('.', '[.]').replace(' ', '[ _]')}\W", code), key


@pytest.mark.parametrize("file", sorted(LOCALE.glob("*.json")), ids=lambda file: file.name)
def test_the_files_are_in_nfc(file: Path) -> None:
    """One character for a letter with its marks, which terminals and searches both expect."""
    text = file.read_text(encoding="utf-8")
    assert text == unicodedata.normalize("NFC", text)
    assert not any(unicodedata.category(one) in {"Cc", "Cf", "So", "Mn"} for one in text if one != "\n")


OTHERWISE = {"q": ["key_leave"], "p": ["key_resume"]}
"""What a key is called at other times."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_label_is_wider_than_its_place(language: str) -> None:
    """Hops and sparklines have columns of their own, keys share the last row, states and counts have theirs."""
    said = words("terminal", language)
    too_wide = {key: said[key] for key, place in PLACES.items() if cell_len(said[key]) > place}
    assert too_wide == {}
    keys = [
        max((said[word], *(said[one] for one in OTHERWISE.get(key, ()))), key=cell_len) for key, word in KEYS.items()
    ]
    assert 1 + sum(cell_len(text) + 4 for text in keys) - 2 <= NARROWEST
    assert cell_len(said["running"].format(running=9999, machines=9999)) < park.COUNT


def test_a_language_that_there_is_not_is_refused() -> None:
    """The message says which there are."""
    with pytest.raises(ScenarioError, match="--lang fr: there is no such language; there are en and vi"):
        checked_language("fr")
