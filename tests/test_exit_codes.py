"""The command line ends with parksim's exit codes, keeps stdout for data, and starts quickly."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from commands import Parksim, parksim

from simulator import cli
from simulator.errors import DataLossError, OutOfReachError, ParksimError, ScenarioError

CONFIGS = Path(__file__).parent.parent / "configs"
HEAVY = {"numpy", "scipy", "simpy", "pydantic", "amqtt", "paho", "influxdb_client", "rich", "ruamel", "jsonschema"}
__all__ = ["parksim"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["check"], "Missing argument 'SCENARIO'"),
        (["check", "--jsn", "x.yaml"], "No such option: --jsn"),
        (["chek"], "No such command 'chek'"),
        (["check", "a.yaml", "b.yaml"], "unexpected extra argument"),
        (["--colour"], "No such option: --colour"),
    ],
)
def test_a_wrong_call_is_a_bad_configuration(parksim: Parksim, arguments: list[str], told: str) -> None:
    """Options and arguments that are wrong or missing end in 104, with a hint on stderr."""
    code, out, err = parksim(*arguments)
    assert (code, out, told in err) == (104, "", True)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ScenarioError("a: wrong", "b: wrong"), 104),
        (OutOfReachError("nobody listens"), 106),
        (DataLossError("3 readings are lost"), 107),
    ],
)
def test_an_error_of_ours_is_its_message_and_code(
    parksim: Parksim, monkeypatch: pytest.MonkeyPatch, error: ParksimError, code: int
) -> None:
    """No traceback: the message on stderr, and the exit code that the error bears."""
    monkeypatch.setattr("simulator.scenario.json_schema.schema_text", raising(error))
    assert (code, "", f"{error}\n") == parksim("schema")


def test_an_error_nobody_foresaw_keeps_its_traceback(parksim: Parksim, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in parksim is not dressed up as the user's."""
    monkeypatch.setattr("simulator.scenario.json_schema.schema_text", raising(ZeroDivisionError("oops")))
    with pytest.raises(ZeroDivisionError):
        parksim("schema")


def test_an_interrupt_has_its_own_code(parksim: Parksim, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends in 105, whatever command it hits."""
    monkeypatch.setattr("simulator.scenario.json_schema.schema_text", raising(KeyboardInterrupt()))
    assert parksim("schema").code == 105


def raising(error: BaseException) -> object:
    def instead() -> str:
        raise error

    return instead


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_is_data(parksim: Parksim, arguments: list[str]) -> None:
    """Help that was asked for, or called for by a bare `parksim`, goes to stdout with code 0."""
    code, out, err = parksim(*arguments)
    assert (code, err, "parksim check my-park.yaml" in out) == (0, "", True)


@pytest.mark.parametrize("command", ["check", "schema", "init", "run"])
def test_each_command_shows_an_example(parksim: Parksim, command: str) -> None:
    """Help says what to type."""
    assert f"parksim {command}" in parksim(command, "--help").out.partition("Example")[2]


def test_version_is_that_of_the_package(parksim: Parksim) -> None:
    """One line on stdout."""
    assert (0, f"parksim {version('parksim')}\n", "") == parksim("--version")


def test_the_command_line_imports_nothing_heavy() -> None:
    """`parksim --help` is quick since libraries are imported by the commands that need them."""
    script = "import sys, simulator.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    ended = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert set(ended.stdout.split()) & HEAVY == set()


def run_parksim(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run parksim in a process of its own."""
    script = f"import sys; sys.argv[0] = 'parksim'; from {cli.__name__} import main; main()"
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
    )


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}])
def test_nothing_is_coloured(environment: dict[str, str]) -> None:
    """There is no escape sequence to filter, whatever the environment asks for."""
    ended = [run_parksim(*arguments, **environment) for arguments in (["--help"], ["check"], ["check", "none.yaml"])]
    assert [one.returncode for one in ended] == [0, 104, 104]
    assert "\x1b" not in "".join(one.stdout + one.stderr for one in ended)


def test_a_reader_that_leaves_early_is_no_error() -> None:
    """`parksim schema | head -1` prints no traceback."""
    script = "from simulator.__main__ import main; main()"
    command = [sys.executable, "-c", script, "schema"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
