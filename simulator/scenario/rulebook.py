"""The tariffs and limits that come with parksim, and those of a user's own files."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

from simulator.errors import ScenarioError
from simulator.scenario.explain import guess
from simulator.scenario.limits import Edition
from simulator.scenario.loader import parsed
from simulator.scenario.reader import read_document
from simulator.scenario.tariff import Tariff

__all__ = ["load_edition", "load_tariff", "shipped_edition", "shipped_editions", "shipped_tariff"]


def load_tariff(path: Path) -> Tariff:
    """Load a file that holds one tariff.

    Raises ScenarioError with every mistake of the file at once.
    """
    return parsed(read_document(path), Tariff)


def load_edition(path: Path) -> Edition:
    """Load a file that holds one edition of a regulation.

    Raises ScenarioError as ``load_tariff`` does.
    """
    return parsed(read_document(path), Edition)


@cache
def shipped_tariff(name: str) -> Tariff:
    """Return a tariff that comes with parksim; raises ScenarioError for an unknown name."""
    return load_tariff(shipped("tariffs", name))


@cache
def shipped_edition(name: str) -> Edition:
    """Return an edition that comes with parksim, such as ``qcvn-40-2011``; raises ScenarioError for an unknown name."""
    return load_edition(shipped("limits", name))


@cache
def shipped_editions() -> tuple[Edition, ...]:
    """Return all editions of all regulations that come with parksim."""
    return tuple(shipped_edition(name) for name in files("limits"))


def shipped(folder: str, name: str) -> Path:
    known = files(folder)
    if name not in known:
        what = {"tariffs": "tariff", "limits": "edition of a regulation"}[folder]
        hint = guess(name, known) or f"; there are {', '.join(known)}"
        message = f"no {what} is called {name!r}{hint}"
        raise ScenarioError(message)
    return known[name]


@cache
def files(folder: str) -> dict[str, Path]:
    root = Path(str(resources.files("simulator.scenario").joinpath(folder)))
    return {file.stem: file for file in sorted(root.glob("*.yaml"))}
