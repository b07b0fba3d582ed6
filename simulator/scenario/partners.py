"""Checks of systems that are nothing without others: what is reported must be analysed, a rack needs a hall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simulator.scenario.document import Document, Problem
from simulator.scenario.machine_type import MachineType
from simulator.scenario.roles.data_centre import DataCentre
from simulator.scenario.roles.rack import Rack
from simulator.scenario.roles.reporter import Reporter
from simulator.scenario.schema import Scenario, Site, System
from simulator.scenario.system_type import SystemType

__all__ = ["check_partners"]

Path_ = tuple[str | int, ...]


def check_partners(scenario: Scenario, document: Document, types: Mapping[str, MachineType]) -> list[Problem]:
    """Return the reporters that miss something to report, and the racks that stand nowhere."""
    problems = []
    for i, site in enumerate(scenario.sites):
        for j, system in enumerate(site.systems):
            role = role_of(system, types)
            if isinstance(role, Reporter):
                found = unreported(system, role, site, types)
            elif isinstance(role, Rack):
                found = homeless(system, site, types)
            else:
                continue
            problems += [document.problem(("sites", i, "systems", j, *path), sentence) for path, sentence in found]
    return problems


def role_of(system: System, types: Mapping[str, MachineType]) -> object:
    spec = types[system.type]
    return spec.role if isinstance(spec, SystemType) else None


def unreported(
    system: System, role: Reporter, site: Site, types: Mapping[str, MachineType]
) -> Iterator[tuple[Path_, str]]:
    """Yield each parameter that nobody served analyses or that several do, and each one served that analyses none."""
    entries = {one.name: one for one in site.systems}
    by: dict[str, list[str]] = {name: [] for name in role.parameters}
    for k, name in enumerate(system.serves):
        spec = types[entries[name].type] if name in entries else None
        shows = spec.outputs if isinstance(spec, SystemType) else frozenset()
        analysed = [one for one in role.parameters if one in shows]
        if not analysed:
            yield ("serves", k), f"{name!r} analyses nothing that a {system.type} reports: {', '.join(by)}"
        elif entries[name].count > 1:
            yield ("serves", k), f"{name!r} stands for {entries[name].count} systems; a {system.type} reports on one"
        for one in analysed:
            by[one].append(name)
    for parameter, names in by.items():
        if len(names) > 1:
            yield ("serves",), f"{parameter} would come from {' and from '.join(map(repr, names))}; name one of them"
        elif not names:
            known = [one.name for one in site.systems if parameter in getattr(types[one.type], "outputs", ())]
            hint = f"; name {' or '.join(map(repr, known))}" if known else ""
            yield ("serves",), f"nobody named here analyses {parameter}, which a {system.type} reports{hint}"


def homeless(system: System, site: Site, types: Mapping[str, MachineType]) -> Iterator[tuple[Path_, str]]:
    """Yield a rack that no data centre serves."""
    if not any(system.name in one.serves and isinstance(role_of(one, types), DataCentre) for one in site.systems):
        yield (), f"{system.name!r} stands in no data centre; name it in `serves` of one"
