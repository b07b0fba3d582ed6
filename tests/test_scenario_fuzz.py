"""No file, whatever its bytes, makes the loader do anything but load it or raise a ScenarioError."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from scenario_texts import PARK

from simulator.errors import ScenarioError
from simulator.plan import plan
from simulator.scenario.loader import load_scenario
from simulator.scenario.reader import read_document

WORDS = st.sampled_from(
    ["parksim", "name", "sites", "factories", "lines", "machines", "takes", "gives", "count", "type", "press", "kind"]
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS | st.sampled_from(["10s", "1k", "now"])
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(), inner, max_size=4)
)
YAML_PIECES = st.lists(
    st.sampled_from(
        ["- ", "? ", ": ", "a: ", "&a ", "*a ", "!!str ", "!", "|", ">", "'", '"', "[", "]", "{", "}", ",", "#", "%",
         "---\n", "...\n", "\n", "\n  ", "\n\t", "\\", "\r", "\ufeff", "\x85", "\u2028", "<<: ", "@", "`", "0", "1e9",
         "%YAML 1.1\n", "- - ", "|2-\n", "\x00", "é", '"\\ud800', '"\\U00110000']
    ),
    max_size=60,
).map("".join)  # fmt: skip


def loads_or_says_why(data: bytes) -> None:
    """Load the bytes as a file; every problem must be one printable line that begins with the file's name."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fuzz.yaml"
        file.write_bytes(data)
        problems: tuple[str, ...] = (f"{file}: none",)
        try:
            plan(load_scenario(file))
        except ScenarioError as error:
            problems = error.problems
    assert problems
    assert all(one.startswith(f"{file}:") and one.isprintable() for one in problems), problems


@given(st.binary(max_size=300))
@example(b"")
@example(b"\xff\xfe")
def test_any_bytes(data: bytes) -> None:
    """Bytes of any kind."""
    loads_or_says_why(data)


@given(st.text(max_size=300) | YAML_PIECES)
@settings(max_examples=400)
def test_any_text(text: str) -> None:
    """Text of any kind, and pieces of YAML in any order."""
    loads_or_says_why(text.encode("utf-8", "surrogatepass"))


@given(TREES)
@settings(max_examples=200)
def test_any_tree(tree: object) -> None:
    """YAML of any shape, with the keys of scenarios in wrong places."""
    loads_or_says_why(json.dumps(tree).encode())


@given(st.data())
@settings(max_examples=300)
def test_a_scenario_with_anything_in_one_place(data: st.DataObject) -> None:
    """A right scenario in which one value, at any depth, is replaced by anything."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "small.yaml"
        file.write_text(PARK)
        tree = read_document(file).root.plain()
    where: Any = tree
    while True:
        step = data.draw(st.sampled_from(sorted(where) if isinstance(where, dict) else range(len(where))))
        if not isinstance(where[step], dict | list) or not where[step] or data.draw(st.integers(0, 3)) == 0:
            break
        where = where[step]
    where[step] = data.draw(SCALARS | TREES | st.floats(allow_nan=False) | st.integers(-(10**30), 10**30))
    loads_or_says_why(json.dumps(tree).encode())


@given(st.data())
@settings(max_examples=200)
def test_a_scenario_with_a_piece_cut_out(data: st.DataObject) -> None:
    """A right scenario that lost a part of its text."""
    start = data.draw(st.integers(0, len(PARK)))
    loads_or_says_why((PARK[:start] + PARK[start + data.draw(st.integers(1, 80)) :]).encode())
