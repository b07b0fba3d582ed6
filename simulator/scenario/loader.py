"""Loads a scenario: reads the file, checks it, and gathers the machine types that it uses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from simulator.errors import ScenarioError
from simulator.scenario.checks import check
from simulator.scenario.document import Document, Problem
from simulator.scenario.explain import explain
from simulator.scenario.machine_type import MachineType
from simulator.scenario.partners import check_partners
from simulator.scenario.reader import read_document
from simulator.scenario.room import check_room
from simulator.scenario.roster_checks import check_rosters
from simulator.scenario.schema import Scenario
from simulator.scenario.site_systems import check_supplies, check_systems
from simulator.scenario.system_type import SystemType
from simulator.scenario.targets import check_targets

__all__ = ["Loaded", "load_machine_type", "load_scenario", "shipped_types"]

MAX_PROBLEMS = 100
"""Problems that are told one by one; a file with more of them is wrong as a whole."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A scenario that can be run."""

    scenario: Scenario
    types: dict[str, MachineType]
    """The machine types that the scenario uses, and its own."""
    text: str
    """The file, as it was read."""
    sha256: str
    """Of the bytes in the file."""
    path: Path
    warnings: tuple[str, ...]
    """What will run and is probably not meant, each as ``file:line:column path: what``."""


def load_scenario(path: Path) -> Loaded:
    """Load a scenario file.

    Raises ScenarioError with every mistake of the file at once, in the order of its lines. What stops the reading
    (broken YAML, a limit) stands alone; checks across keys are made once each key is right by itself.
    """
    document = read_document(path)
    scenario = parsed(document, Scenario)
    shipped = shipped_types()
    systems = shipped_systems()
    problems, warnings = check(scenario, document, shipped)
    problems += check_systems(scenario, document, systems)
    problems += check_rosters(scenario, document)
    if problems:
        raise refusal(document, problems)
    types = {one.name: one for one in scenario.machine_types}
    for name in sorted(types_used(scenario) - types.keys()):
        types[name] = load_machine_type(shipped[name]) if name in shipped else load_system_type(systems[name])
    misfits = check_room(scenario, document, types) + check_targets(scenario, document, types)
    misfits += check_supplies(scenario, document, types) + check_partners(scenario, document, types)
    if misfits:
        raise refusal(document, misfits)
    told = tuple(one.at(document.name) for one in sorted(warnings))
    return Loaded(scenario, types, document.text, document.sha256, path, told)


def types_used(scenario: Scenario) -> set[str]:
    return {
        machine.type
        for site in scenario.sites
        for factory in site.areas
        for line in factory.lines
        for machine in line.machines
    }


@cache
def shipped_types() -> dict[str, Path]:
    """Return the machine types that come with parksim: the file of each, by name."""
    folder = Path(str(resources.files("simulator.scenario").joinpath("archetypes")))
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


@cache
def shipped_systems() -> dict[str, Path]:
    """Return the system types that come with parksim: the file of each, by name."""
    folder = Path(str(resources.files("simulator.scenario").joinpath("systems")))
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


def load_system_type(path: Path) -> SystemType:
    """Load a file that holds one system type.

    Raises ScenarioError as ``load_scenario`` does.
    """
    return parsed(read_document(path), SystemType)


def load_machine_type(path: Path) -> MachineType:
    """Load a file that holds one machine type.

    Raises ScenarioError as ``load_scenario`` does.
    """
    return parsed(read_document(path), MachineType)


def parsed(document: Document, model: type[Model]) -> Model:
    """Make the model of a document; JSON's strictness is YAML's: ``"3"`` and ``true`` are no numbers."""
    data = document.root.plain()
    problems = list(document.problems)
    if not isinstance(data, dict):
        raise refusal(document, [document.problem((), "must be a mapping, lines of `key: value`, at the top")])
    try:
        made = model.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        problems += explain(error, model, document, data, limit=MAX_PROBLEMS)
    if problems:
        raise refusal(document, problems)
    return made


def refusal(document: Document, problems: Iterable[Problem]) -> ScenarioError:
    """Return the error that tells all problems, in the order of the file."""
    lines = [one.at(document.name) for one in sorted(problems)]
    if len(lines) > MAX_PROBLEMS:
        lines[MAX_PROBLEMS:] = [f"{document.name}: and {len(lines) - MAX_PROBLEMS:,} more problems"]
    return ScenarioError(*lines)
