"""A file that would hurt is refused before it does: too large, too deep, a bomb, a tag, no file at all."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from scenario_texts import load, park, problems

from simulator.errors import ExitCode, ScenarioError
from simulator.scenario.loader import load_scenario
from simulator.scenario.reader import MAX_DEPTH, MAX_NODES
from simulator.scenario.source import MAX_BYTES

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 5_000))
DEEP_BLOCK = "".join(" " * depth + "a:\n" for depth in range(1_000))

REFUSED = [
    ("bomb", LAUGHS, f"small.yaml:6:8: more than {MAX_NODES:,} values"),
    ("chain of aliases", CHAIN, f"small.yaml:{MAX_DEPTH}:12: nested deeper than {MAX_DEPTH} levels"),
    ("brackets", "[" * 10_000, f"small.yaml:1:{MAX_DEPTH + 1}: nested deeper than {MAX_DEPTH} levels"),
    ("a million brackets", "[" * 1_000_000, f"small.yaml:1:{MAX_DEPTH + 1}: nested deeper"),
    ("braces", "{a: " * 10_000, f"small.yaml:1:{4 * MAX_DEPTH + 1}: nested deeper"),
    ("dashes", "- " * 10_000, f"small.yaml:1:{2 * MAX_DEPTH + 1}: nested deeper"),
    ("question marks", "? " * 10_000, "small.yaml:1:3: a key must be a word"),
    ("indents", DEEP_BLOCK, f"small.yaml:{MAX_DEPTH + 1}:{MAX_DEPTH + 1}: nested deeper"),
    ("python tag", 'a: !!python/object/apply:os.system ["true"]\n', "small.yaml:1:4: tags (!) are not allowed"),
    ("str tag", "a: 1\nb: !!str 5\n", "small.yaml:2:4: tags (!) are not allowed"),
    ("local tag", "!x\na: 1\n", "small.yaml:1:1: tags (!) are not allowed"),
    ("exclamation marks", "!" * 1_000_000, "small.yaml:1:1: tags (!) are not allowed"),
    ("digits", f"a: {'9' * 5_000}\n", "small.yaml:1:4: a number of 5,000 digits"),
    ("large", "a" * (MAX_BYTES + 1), f"small.yaml:1:1: the file has {MAX_BYTES + 1:,} bytes"),
]


@pytest.mark.parametrize(("text", "start"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_hostile_file_is_refused_at_its_place(tmp_path: Path, text: str, start: str) -> None:
    """One problem says what and where, and the exit code is that of a bad configuration."""
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path, text)
    (problem,) = caught.value.problems
    assert (start, ExitCode.BAD_CONFIGURATION) == (
        problem.removeprefix(f"{tmp_path}/")[: len(start)],
        caught.value.exit_code,
    )


@pytest.mark.parametrize(("text", "start"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refusing_takes_less_than_a_tenth_of_a_second_of_work(tmp_path: Path, text: str, start: str) -> None:
    """The processor time of the best of three is under 100 ms: limits are met before the work is done."""
    spent = []
    for _ in range(3):
        begin = time.process_time()
        problems(tmp_path, text)
        spent.append(time.process_time() - begin)
    assert min(spent) < 0.1, start


def test_many_values_are_refused_where_they_become_too_many(tmp_path: Path) -> None:
    """A file within the size limit may still hold too many values."""
    (problem,) = problems(tmp_path, "a: [" + "1," * (MAX_NODES + 10) + "]")
    assert problem.startswith(f"small.yaml:1:{2 * MAX_NODES + 1}: more than {MAX_NODES:,} values")


def test_the_largest_nesting_is_read(tmp_path: Path) -> None:
    """MAX_DEPTH levels are allowed: it is the model that refuses this one."""
    text = park() + "x: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    (problem,) = problems(tmp_path, text)
    assert problem.startswith("small.yaml:35:1 x: unknown key")


def test_a_huge_file_is_read_no_further_than_the_limit(tmp_path: Path) -> None:
    """100 MB are refused, and told in full."""
    file = tmp_path / "huge.yaml"
    with file.open("wb") as sparse:
        sparse.truncate(100_000_000)
    with pytest.raises(ScenarioError, match=r"huge.yaml:1:1: the file has 100,000,000 bytes; .* 1,048,576 bytes"):
        load_scenario(file)


def test_a_device_without_end_is_read_up_to_the_limit() -> None:
    """The limit holds for what has no size, too."""
    with pytest.raises(ScenarioError, match=r"/dev/zero:1:1: the file has more; a scenario has at most"):
        load_scenario(Path("/dev/zero"))


def test_a_directory_is_no_scenario(tmp_path: Path) -> None:
    """The message says what the path is."""
    with pytest.raises(ScenarioError, match="is a directory; name the scenario file in it"):
        load_scenario(tmp_path)


def test_a_missing_file_brings_up_similar_names(tmp_path: Path) -> None:
    """A slip in the name is the usual reason; the ending may be forgotten."""
    (tmp_path / "quickstart.yaml").touch()
    for slip in ("quickstrat.yaml", "quickstart", "quickstart.yml"):
        with pytest.raises(ScenarioError, match=r"there is no such file; did you mean '.*/quickstart.yaml'\?"):
            load_scenario(tmp_path / slip)


def test_a_scenario_in_configs_is_found_by_its_bare_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`parksim check quickstart.yaml` in the checkout points to configs."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "quickstart.yaml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScenarioError, match=r"did you mean 'configs/quickstart.yaml'\?"):
        load_scenario(Path("quickstart"))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """The system's reason is passed on."""
    file = tmp_path / "file.yaml"
    file.write_text(park())
    with pytest.raises(ScenarioError, match=r"file.yaml/inside.yaml: cannot be read: Not a directory"):
        load_scenario(file / "inside.yaml")


@pytest.mark.parametrize("name", ["a\0b.yaml", "x" * 5_000, "new\nline\x1b[2J.yaml"])
def test_a_path_that_cannot_be_is_told_on_one_line(name: str) -> None:
    """No name ends in a traceback, and none reaches the terminal as a control character."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario(Path(name))
    assert str(caught.value).isprintable()
