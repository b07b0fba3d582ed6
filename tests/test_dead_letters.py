"""Dead letters are kept whole in a file, can be looked at, and are never shown so that they move a cursor."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from commands import Parksim, parksim
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import ScenarioError
from simulator.ingest.dead_letters import DeadLetter, DeadLetters, letters_in, opened_dead_letters

__all__ = ["parksim"]

LETTER = DeadLetter("not JSON", "it ends too early", "park/press-1", b'{"t":1')


@given(st.builds(DeadLetter, st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.binary(max_size=40)))
def test_a_letter_comes_back_from_its_line(letter: DeadLetter) -> None:
    """Whatever the bytes."""
    line = letter.line()
    assert (DeadLetter.of(line), line.count(b"\n")) == (letter, 1)


def test_all_are_in_the_file_whole(tmp_path: Path) -> None:
    """Also those beyond the first hundred, and payloads longer than what is shown; a second bridge adds to them."""
    file = tmp_path / "letters.jsonl"
    for _ in range(2):
        with ExitStack() as stack:
            letters = opened_dead_letters(stack, file)
            for number in range(150):
                letters.add("bad", "why", f"park/{number}", b"x" * 1_000)
            letters.sync()
    found = letters_in(file)
    assert (len(found), len(letters.kept), {len(one.payload) for one in found}) == (300, 100, {1_000})


def test_a_torn_last_line_is_no_letter(tmp_path: Path) -> None:
    """It was never confirmed, so its message comes again."""
    file = tmp_path / "letters.jsonl"
    file.write_bytes(LETTER.line() + LETTER.line()[:-10])
    assert letters_in(file) == [LETTER]


def test_what_is_no_letter_is_said_with_its_line(tmp_path: Path) -> None:
    """A file that is something else."""
    file = tmp_path / "letters.jsonl"
    file.write_bytes(LETTER.line() + b'{"t": 1}\n')
    with pytest.raises(ScenarioError, match=r"letters.jsonl:2: no dead letter"):
        letters_in(file)
    with pytest.raises(ScenarioError, match="No such file"):
        letters_in(tmp_path / "none")


def test_a_disk_that_is_full_is_told_and_all_are_counted() -> None:
    """The bridge lives on."""
    with Path("/dev/full").open("ab", buffering=0) as file:
        letters = DeadLetters(file=file)
        letters.add("bad", "why", "park", b"x")
        letters.sync()
    assert (len(letters), letters.trouble) == (1, "a dead letter could not be written: No space left on device")


def test_the_list_shows_them_by_reason(parksim: Parksim, tmp_path: Path) -> None:
    """The most frequent reason first; nothing that a stranger wrote reaches the terminal as it is."""
    file = tmp_path / "letters.jsonl"
    evil = DeadLetter("store refuses the row", "HTTP 400", "park/\x1b[2J", b"\x1b]0;evil\x07")
    file.write_bytes(evil.line() + LETTER.line() * 2)
    result = parksim("dead-letters", "list", str(file))
    assert result.code == 0
    lines = result.out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["2 not JSON", "1 store refuses the row"]
    assert "\x1b" not in result.out
    assert r"park/\x1b[2J: \x1b]0;evil\x07" in result.out


def test_an_empty_list_says_so(parksim: Parksim, tmp_path: Path) -> None:
    """And a file that is not there is exit code 104."""
    file = tmp_path / "letters.jsonl"
    file.touch()
    assert parksim("dead-letters", "list", str(file)).out == "no dead letters\n"
    missing = parksim("dead-letters", "list", os.devnull + "x")
    assert (missing.code, missing.out) == (104, "")


def test_a_file_belongs_to_one_at_a_time(parksim: Parksim, tmp_path: Path) -> None:
    """Letters that a bridge adds while others are sent again would be lost."""
    file = tmp_path / "letters.jsonl"
    with ExitStack() as stack:
        opened_dead_letters(stack, file).add("bad", "why", "park", b"x")
        with pytest.raises(ScenarioError, match="another parksim uses it"), ExitStack() as other:
            opened_dead_letters(other, file)
        assert parksim("dead-letters", "replay", file, "--broker", "mqtt://127.0.0.1:1").code == 104
    assert len(letters_in(file)) == 1
