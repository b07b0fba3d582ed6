"""The wheel holds the whole product: installed elsewhere, without the checkout, the command works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
QUICKSTART = ROOT / "configs" / "quickstart.yaml"
# No network: what is asked for has to be here already.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

Command = Callable[..., subprocess.CompletedProcess[str]]


def done(command: list[str], *, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run to the end; what it printed is in the failure if it fails."""
    ended = subprocess.run(command, cwd=cwd, env=env, check=False, capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
    return ended


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done(build, cwd=folder, env=os.environ | OFFLINE)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Run a program of a fresh environment that has the wheel, in an empty folder unless told where."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home / "venv", with_pip=False)
    python = home / "venv" / "bin" / "python"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))} | OFFLINE
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)]
    done(pip, cwd=home, env=env)
    # The libraries come from the environment of the tests. As a plain line of a .pth it is searched, but its own .pth
    # files are not read: the editable install of the checkout in there has no effect.
    (site,) = (home / "venv").glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text("\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))

    def run(program: str, *arguments: str, cwd: Path = home) -> subprocess.CompletedProcess[str]:
        return done([str(home / "venv" / "bin" / program), *arguments], cwd=cwd, env=env)

    return run


def test_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    """Code, machine types and markers are all in the wheel, and nothing that is not part of the packages."""
    expected = {
        str(file.relative_to(ROOT))
        for package in ("simulator", "brokers")
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        actual = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert expected == actual


def test_installed_modules_are_those_of_the_wheel(installed: Command) -> None:
    """What is imported comes from the fresh environment, so that the tests below cannot pass on the checkout."""
    printed = installed("python", "-c", "import simulator, brokers; print(simulator.__file__, brokers.__file__)").stdout
    assert [ROOT in Path(file).parents for file in printed.split()] == [False, False]


def test_help_lists_the_commands(installed: Command) -> None:
    """`parksim --help` names the commands that there are."""
    lines = installed("parksim", "--help").stdout.splitlines()
    listed = {line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if line.strip()}
    assert {"run", "check", "schema", "init"} - listed == set()


def test_check_prints_the_plan(installed: Command) -> None:
    """`parksim check --json` prints how much the quickstart will send."""
    plan = json.loads(installed("parksim", "check", str(QUICKSTART), "--json").stdout)
    assert [key for key in ("assets", "sensors", "messages_per_s", "readings_per_s") if not plan[key] > 0] == []


def test_a_scenario_of_one_s_own_starts_with_init(installed: Command, tmp_path: Path) -> None:
    """What `parksim init` writes passes `parksim check`."""
    installed("parksim", "init", "mine", cwd=tmp_path)
    (written,) = tmp_path.glob("*.yaml")
    installed("parksim", "check", str(written), cwd=tmp_path)


def test_quickstart_runs_from_the_wheel(installed: Command, tmp_path: Path) -> None:
    """Ten simulated seconds of the quickstart, through the embedded broker into SQLite, lose nothing."""
    options = ["--for", "10s", "--speed", "max", "--view", "none", "--summary", "r.json"]
    options += ["--broker", "embedded", "--store", "sqlite:readings.db"]
    installed("parksim", "run", str(QUICKSTART), *options, cwd=tmp_path)
    result = json.loads((tmp_path / "r.json").read_text())
    messages = result["messages"]
    assert (result["schema"], messages["unaccounted"]) == ("parksim.result/1", 0)
    assert messages["written"] == messages["scheduled"] > 0
