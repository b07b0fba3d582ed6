"""Checks of what a site runs for its tenants: types, names, and who is supplied with what by whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from simulator.scenario.climate import shipped_climates
from simulator.scenario.document import Document, Problem
from simulator.scenario.explain import guess
from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Scenario, Site
from simulator.scenario.system_type import SystemType

__all__ = ["check_supplies", "check_systems", "supply_order"]

Path_ = tuple[str | int, ...]


def check_systems(scenario: Scenario, document: Document, shipped: Collection[str]) -> list[Problem]:
    """Return what is wrong with the systems of all sites. ``shipped`` names the system types there are."""
    problems = []
    for i, site in enumerate(scenario.sites):
        for path, sentence in (*mistakes(site, shipped), *in_circles(site)):
            problems.append(document.problem(("sites", i, *path), sentence))
    return problems


def mistakes(site: Site, shipped: Collection[str]) -> list[tuple[Path_, str]]:
    """Return place and sentence of each name that means nothing, or that is taken."""
    found: list[tuple[Path_, str]] = []
    if site.climate not in shipped_climates():
        found.append((("climate",), unknown(site.climate, "climate", shipped_climates())))
    factories = [factory.name for factory in site.factories]
    if not site.factories and not site.systems:
        found.append(((), "has neither factories nor systems; give it some"))
    for j, name in enumerate(factories):
        if name in site.open_areas:
            found.append((("factories", j, "name"), f"{name!r} is where systems of the site stand"))
    names: set[str] = set(factories)
    known = [*factories, *(system.name for system in site.systems)]
    for j, system in enumerate(site.systems):
        if system.type not in shipped:
            found.append((("systems", j, "type"), unknown(system.type, "system type", shipped)))
        mine = {system.name, *system.names}
        taken = sorted(mine & names)
        if taken:
            made = "" if taken[0] == system.name else " (made by the count)"
            sentence = f"{taken[0]!r}{made} is the name of something else here already"
            found.append((("systems", j, "name"), sentence))
        names |= mine
        for k, name in enumerate(system.serves):
            if name not in known:
                found.append((("systems", j, "serves", k), unknown(name, "factory or system of this site", known)))
    return found


def check_supplies(scenario: Scenario, document: Document, types: Mapping[str, MachineType]) -> list[Problem]:
    """Return who serves others without anything to give, and who is supplied twice with the same."""
    problems = []
    for i, site in enumerate(scenario.sites):
        by: dict[tuple[str, str], str] = {}
        for j, system in enumerate(site.systems):
            spec = types[system.type]
            medium = spec.gives if isinstance(spec, SystemType) else None
            if system.serves and medium is None:
                sentence = f"a {system.type} gives nothing to others; remove it"
                problems.append(document.problem(("sites", i, "systems", j, "serves"), sentence))
                continue
            if system.serves and system.count > 1 and medium == "power":
                sentence = f"{system.count} feeders cannot feed the same; name each with what it serves, or remove this"
                problems.append(document.problem(("sites", i, "systems", j, "count"), sentence))
            for k, name in enumerate(system.serves):
                other = by.setdefault((str(medium), name), system.name)
                if other != system.name or name in system.serves[:k]:
                    sentence = f"{name!r} is supplied with {medium} by {other!r} already"
                    problems.append(document.problem(("sites", i, "systems", j, "serves", k), sentence))
    return problems


def in_circles(site: Site) -> list[tuple[Path_, str]]:
    """Return the feeders that supply themselves, round several corners or directly."""
    done = set(supply_order(site))
    stuck = [j for j, system in enumerate(site.systems) if system.name not in done]
    sentence = "systems supply each other in a circle; one of them must serve others"
    return [(("systems", j, "serves"), sentence) for j in stuck[:1]]


def supply_order(site: Site) -> list[str]:
    """Return the names of the systems, each after all those that it serves; what goes in circles is left out."""
    left = {system.name: set(system.serves) for system in site.systems}
    order: list[str] = []
    while True:
        ready = [name for name, serves in left.items() if not serves & left.keys()]
        if not ready:
            return order
        order += ready
        for name in ready:
            del left[name]


def unknown(name: str, what: str, known: Collection[str]) -> str:
    return f"{name!r} is no {what}{guess(name, known)}; known: {', '.join(known)}"
