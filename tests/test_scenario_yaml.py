"""Scenario files are YAML 1.2, and a slip in their form is told with its place in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scenario_texts import park, problems

from simulator.scenario.reader import read_document


def plain(folder: Path, text: str | bytes) -> Any:
    file = folder / "some.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_document(file).root.plain()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("off", "off"),
        ("no", "no"),
        ("y", "y"),
        ("12:30", "12:30"),
        ("1:30:00", "1:30:00"),
        ("2026-01-05", "2026-01-05"),
        ("1_000", "1_000"),
        ("=", "="),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-7", -7),
        ("0.05", 0.05),
        ("1e3", 1000.0),
        (".5", 0.5),
        ('"5"', "5"),
        ("'true'", "true"),
        ('""', ""),
        ("|-\n  5", "5"),
        ('"\\ud83c\\udfed"', "🏭"),
    ],
)
def test_plain_words_are_read_by_the_core_schema(tmp_path: Path, text: str, value: object) -> None:
    """Only what YAML 1.2 calls a number, a truth value or null is one; times and dates stay words."""
    read = plain(tmp_path, f"a: {text}\n")["a"]
    assert (value, type(value)) == (read, type(read))


def test_an_alias_stands_for_its_anchor(tmp_path: Path) -> None:
    """Anchors may be used again, and given anew."""
    assert plain(tmp_path, "a: &x [1]\nb: *x\nc: &x 2\nd: *x\n") == {"a": [1], "b": [1], "c": 2, "d": 2}


def test_a_byte_order_mark_and_windows_line_ends_are_no_matter(tmp_path: Path) -> None:
    """Files from other editors are read the same."""
    assert plain(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: 2\r\n") == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a:\n\tb: 1\n", "small.yaml:2:1: a tab; YAML indents with spaces"),
        ("a: b: c\n", "small.yaml:1:5: a ': ' where none fits; put the value in quotes, or check the indent"),
        ("a:\n    b: 1\n  c: 2\n", "small.yaml:3:3: does not line up with the lines above; check its indent"),
        ('a: "b\n', "small.yaml:2:1: the text ends inside quotes; close them"),
        ("a: *x\n", "small.yaml:1:4: *x: no anchor &x stands above it"),
        ("a: &x [*x]\n", "small.yaml:1:8: *x stands inside &x: the value would contain itself"),
        ("a: 1\n---\nb: 1\n", "small.yaml:2:1: a second document starts here; a file holds one scenario"),
        (
            "%YAML 1.1\n---\na: on\n",
            "small.yaml:1:1: directives (%) are not allowed; remove the line, parksim reads YAML 1.2",
        ),
        ("a:\n  <<: {b: 1}\n", "small.yaml:2:3: merge keys (<<) are not part of YAML 1.2; write the keys out"),
        ("? [a]\n: b\n", "small.yaml:1:3: a key must be a word, not a list, a mapping or an alias"),
        ("a: .inf\n", "small.yaml:1:4: .inf is no finite number"),
        ("a: 1e999\n", "small.yaml:1:4: '1e999' is too large a number"),
        ("a: [1\n", "small.yaml:2:1: no YAML: expected ',' or ']', but got '<stream end>'"),
        ('a: "\\U00110000"\n', "small.yaml:1:7: this \\U escape names no character"),
        ('a: "\\UFFFFFFFF"\n', "small.yaml:1:7: this \\U escape names no character"),
        ('a: "\\ud800"\n', "small.yaml:1:4: half of a character (\\ud800 to \\udfff) stands without its other half"),
        ("a: @b\n", "small.yaml:1:4: no YAML: found character '@' that cannot start any token"),
        (b"a: 1\nb: \xff\n", "small.yaml:2:4: byte 0xff is no UTF-8; save the file as UTF-8"),
        ("a: 1\n".encode("utf-16"), "small.yaml:1:1: byte 0xff is no UTF-8; save the file as UTF-8"),
        (b"a: \x00\n", "small.yaml:1:4: the character U+0000 is not allowed in YAML; remove it"),
        ("a: 1\nb: \x1b[2J\n", "small.yaml:2:4: the character U+001B is not allowed in YAML; remove it"),
        ("", "small.yaml:1:1: the file is empty; `parksim init NAME` writes a scenario to start from"),
        ("# nothing\n", "small.yaml:1:1: the file is empty; `parksim init NAME` writes a scenario to start from"),
        ("- a\n- b\n", "small.yaml:1:1: must be a mapping, lines of `key: value`, at the top"),
        ("just words\n", "small.yaml:1:1: must be a mapping, lines of `key: value`, at the top"),
    ],
)
def test_a_slip_of_form_is_one_problem_with_its_place(tmp_path: Path, text: str | bytes, problem: str) -> None:
    """Text that is no usable YAML gives one sentence."""
    assert [problem] == problems(tmp_path, text)


def test_a_key_written_twice_is_told_with_the_other_mistakes(tmp_path: Path) -> None:
    """Both places of the key are named, and the rest of the file is checked all the same."""
    text = park(("name: small\n", "name: small\nseed: 1\nseed: 2\n"), ("crew: 2", "crew: 0"))
    assert problems(tmp_path, text) == [
        "small.yaml:4:1 seed: written twice, first on line 3; remove one",
        "small.yaml:24:15 sites[0].factories[0].crew: 0 is too small, must be at least 1",
    ]
