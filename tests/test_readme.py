"""What the README says works."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from parks import CONFIGS

from simulator.errors import ExitCode
from simulator.scenario.loader import load_scenario

ROOT = CONFIGS.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
COMMANDS = [
    line.partition("#")[0].strip() for _, block in BLOCKS for line in block.splitlines() if line.startswith("parksim ")
]


def test_its_parksim_commands_work_in_the_order_given(tmp_path: Path) -> None:
    """Each command ends with 0; runs go at full speed here, so that a minute takes a second."""
    assert len(COMMANDS) >= 4
    program = shutil.which("parksim", path=str(Path(sys.executable).parent))
    assert program is not None
    for command in COMMANDS:
        words = [program, *shlex.split(command)[1:]]
        words += ["--speed", "max", "--broker", "embedded"] if words[1] == "run" else []
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"


def test_its_scenario_loads(tmp_path: Path) -> None:
    """The scenario explained line by line has no mistake."""
    (text,) = [block for kind, block in BLOCKS if kind == "yaml"]
    file = tmp_path / "my-park.yaml"
    file.write_text(text, encoding="utf-8")
    assert load_scenario(file).warnings == ()


def test_its_make_targets_exist() -> None:
    """`make demo` and `make test` are in the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for _, block in BLOCKS:
        for target in re.findall(r"^make (\w+)$", block, flags=re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_it_names_every_exit_code() -> None:
    """So that a script knows what to expect."""
    told = {int(code) for code in re.findall(r"(?:^Exit codes:|·)\s*(\d+)", README.replace("\n", " "))}
    told |= {int(re.search(r"Exit codes: (\d+)", README).group(1))}  # type: ignore[union-attr]
    assert told == set(ExitCode)


@pytest.mark.parametrize("path", re.findall(r"`((?:configs|docs|simulator)/[\w./-]+)`", README))
def test_the_files_it_names_exist(path: str) -> None:
    """No link into nowhere."""
    assert (ROOT / path).exists()


def test_its_fragments_fit_into_the_quickstart(tmp_path: Path) -> None:
    """The systems and the faults it shows load as parts of the scenario that they speak of."""
    quickstart = (CONFIGS / "quickstart.yaml").read_text(encoding="utf-8")
    (systems,) = [block for _, block in BLOCKS if block.startswith("    systems:")]
    (faults,) = [block for _, block in BLOCKS if block.startswith("faults:")]
    file = tmp_path / "whole.yaml"
    file.write_text(quickstart.replace("messaging:\n", f"{systems}\nmessaging:\n") + faults, encoding="utf-8")
    loaded = load_scenario(file)
    assert len(loaded.scenario.sites[0].systems) == 5
    assert len(loaded.scenario.faults) == 2
