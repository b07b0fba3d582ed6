"""The rules of the house that a machine can check: addresses, docstrings, names, and locks that fit pyproject."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
LEFT_BY_TOOLS = {"build", "dist", "__pycache__"}
DRAWERS = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}
# Where packages are fetched from is the reader's choice. The brackets keep the pattern from matching itself.
REGISTRY = re.compile(
    r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs|registry[.]yarnpkg|[/]simple/|index[-]url|find[-]links",
    re.IGNORECASE,
)


def files(*suffixes: str, below: Path = ROOT) -> Iterator[Path]:
    """The repository's own files, of these suffixes if any are given."""
    for folder, folders, names in os.walk(below):
        folders[:] = [
            name for name in folders if name not in LEFT_BY_TOOLS and (not name.startswith(".") or name == ".ci")
        ]
        yield from (Path(folder, name) for name in names if not suffixes or name.endswith(suffixes))


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def pins(lock: str) -> dict[str, str]:
    """Name to version of everything in a lock."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def wanted() -> dict[str, list[Requirement]]:
    """What pyproject asks each lock for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    runtime = project["project"]["dependencies"] + groups["install"]
    tools = [entry for entry in groups["dev"] if isinstance(entry, str)]
    return {
        "requirements.lock": [Requirement(line) for line in runtime],
        "requirements-dev.lock": [Requirement(line) for line in runtime + tools],
    }


def test_no_file_names_a_registry() -> None:
    """No file says where packages are to be fetched from."""
    assert [short(file) for file in files() if REGISTRY.search(file.read_text(errors="replace"))] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_no_address(lock: str) -> None:
    """A lock knows versions and hashes, and no host; httpx is a name."""
    assert [line for line in (ROOT / lock).read_text().splitlines() if "://" in line] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_satisfy_pyproject(lock: str) -> None:
    """Whatever pyproject asks for is in the lock, in a version that will do; else run `make lock`."""
    pinned = pins(lock)
    unmet = [
        str(asked)
        for asked in wanted()[lock]
        if not asked.specifier.contains(pinned.get(canonicalize_name(asked.name), "0"), prereleases=True)
    ]
    assert unmet == []


def test_the_locks_agree() -> None:
    """Developing uses the very versions that the demo uses."""
    runtime, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    assert runtime == {name: version for name, version in dev.items() if name in runtime}


@pytest.mark.parametrize("package", ["simulator", "brokers"])
def test_every_room_says_what_it_is_for(package: str) -> None:
    """Every folder with code is a package, and every module begins with a docstring."""
    modules = list(files(".py", below=ROOT / package))
    closed = {short(module.parent) for module in modules if not (module.parent / "__init__.py").exists()}
    silent = [short(module) for module in modules if not ast.get_docstring(ast.parse(module.read_text()))]
    assert (closed, silent) == (set(), [])


def test_every_test_says_what_it_shows() -> None:
    """Every test has a docstring."""
    silent = [
        f"{short(module)}: {node.name}"
        for module in files(".py", below=ROOT / "tests")
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_drawers() -> None:
    """No module or folder is called by a name that could hold anything."""
    assert [
        short(file)
        for file in files(".py")
        if DRAWERS & {part.removesuffix(".py") for part in file.relative_to(ROOT).parts}
    ] == []
