"""Checks of what a site runs for its tenants: types, names, and who is supplied by whom."""

from __future__ import annotations

from collections.abc import Collection

from simulator.scenario.climate import shipped_climates
from simulator.scenario.document import Document, Problem
from simulator.scenario.explain import guess
from simulator.scenario.schema import UTILITIES, Scenario, Site

__all__ = ["check_systems", "supply_order"]

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
    if site.systems and UTILITIES in factories:
        at = factories.index(UTILITIES)
        found.append((("factories", at, "name"), f"{UTILITIES!r} is where the systems of the site stand"))
    names: set[str] = set(factories)
    supplied: dict[str, str] = {}
    known = [*factories, *(system.name for system in site.systems)]
    for j, system in enumerate(site.systems):
        if system.type not in shipped:
            found.append((("systems", j, "type"), unknown(system.type, "system type", shipped)))
        if system.name in names:
            found.append((("systems", j, "name"), f"{system.name!r} is the name of something else here already"))
        names.add(system.name)
        for k, name in enumerate(system.serves):
            if name not in known:
                found.append((("systems", j, "serves", k), unknown(name, "factory or system of this site", known)))
            elif name in supplied:
                found.append((("systems", j, "serves", k), f"{name!r} is supplied by {supplied[name]!r} already"))
            supplied.setdefault(name, system.name)
    return found


def in_circles(site: Site) -> list[tuple[Path_, str]]:
    """Return the feeders that supply themselves, round several corners or directly."""
    done = set(supply_order(site))
    stuck = [j for j, system in enumerate(site.systems) if system.name not in done]
    sentence = "feeders supply each other in a circle; one of them must serve others"
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
