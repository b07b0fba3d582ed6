"""Checks of what a site runs for its tenants: types, names, and who is supplied with what by whom."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from simulator.scenario.climate import shipped_climates
from simulator.scenario.document import Document, Problem
from simulator.scenario.explain import guess
from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Scenario, Site
from simulator.scenario.system_type import SystemType

__all__ = ["ABROAD", "check_supplies", "check_systems", "supply_order"]

Path_ = tuple[str | int, ...]
ABROAD = {"shipping"}
"""What systems give to whole sites, their own or others."""
GOODS = "goods"
"""What a supplier gives to the buffers that name it."""


def check_systems(scenario: Scenario, document: Document, shipped: Collection[str]) -> list[Problem]:
    """Return what is wrong with the systems of all sites. ``shipped`` names the system types there are."""
    problems = []
    sites = [site.name for site in scenario.sites]
    for i, site in enumerate(scenario.sites):
        for path, sentence in (*mistakes(site, shipped, sites), *in_circles(site)):
            problems.append(document.problem(("sites", i, *path), sentence))
    return problems


def mistakes(site: Site, shipped: Collection[str], sites: Collection[str]) -> list[tuple[Path_, str]]:
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
            # Whether it may serve a site is known once its type is.
            if name not in known and name not in sites:
                found.append((("systems", j, "serves", k), unknown(name, "factory or system of this site", known)))
    return found


def check_supplies(scenario: Scenario, document: Document, types: Mapping[str, MachineType]) -> list[Problem]:
    """Return who serves others without anything to give, and who is supplied twice with the same."""
    problems = []
    abroad: dict[tuple[str, str], str] = {}
    for i, site in enumerate(scenario.sites):
        problems += [document.problem(("sites", i, *path), sentence) for path, sentence in unfed(site, types)]
        by: dict[tuple[str, str], str] = {}
        here = {*(factory.name for factory in site.factories), *(system.name for system in site.systems)}
        for j, system in enumerate(site.systems):
            spec = types[system.type]
            medium = gives(spec)
            if system.serves and medium is None:
                sentence = f"a {system.type} gives nothing to others; remove it"
            elif system.serves and medium == GOODS:
                sentence = "buffers name their supplier, with `fed_by`; remove it"
            else:
                sentence = ""
            if sentence:
                problems.append(document.problem(("sites", i, "systems", j, "serves"), sentence))
                continue
            if system.serves and system.count > 1 and medium == "power":
                sentence = f"{system.count} feeders cannot feed the same; name each with what it serves, or remove this"
                problems.append(document.problem(("sites", i, "systems", j, "count"), sentence))
            for k, name in enumerate(system.serves):
                if (name in here) == (medium in ABROAD):
                    sentence = (
                        f"{name!r} is no site; a {system.type} serves whole sites"
                        if name in here
                        else f"{name!r} is a site; a {system.type} serves factories and systems of its own"
                    )
                    problems.append(document.problem(("sites", i, "systems", j, "serves", k), sentence))
                    continue
                supplied = abroad if medium in ABROAD else by
                other = supplied.setdefault((str(medium), name), system.name)
                if other != system.name or name in system.serves[:k]:
                    sentence = f"{name!r} is supplied with {medium} by {other!r} already"
                    problems.append(document.problem(("sites", i, "systems", j, "serves", k), sentence))
    return problems


def unfed(site: Site, types: Mapping[str, MachineType]) -> Iterator[tuple[Path_, str]]:
    """Yield the buffers that are to be fed by something that is no supplier."""
    suppliers = [one.name for one in site.systems if gives(types[one.type]) == GOODS]
    for j, factory in enumerate(site.factories):
        for k, buffer in enumerate(factory.buffers):
            if buffer.fed_by is not None and buffer.fed_by not in suppliers:
                path = ("factories", j, "buffers", k, "fed_by")
                yield path, unknown(buffer.fed_by, "supplier of this site", suppliers)


def gives(spec: MachineType) -> str | None:
    return spec.gives if isinstance(spec, SystemType) else None


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
    return f"{name!r} is no {what}{guess(name, known)}; known: {', '.join(known) or 'none'}"
