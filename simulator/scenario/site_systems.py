"""Checks of what a site runs for its tenants: types, names, and who is supplied with what by whom."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from simulator.scenario.climate import shipped_climates
from simulator.scenario.document import Document, Problem
from simulator.scenario.explain import guess
from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Scenario, Site, System
from simulator.scenario.system_type import SystemType

__all__ = ["ABROAD", "check_supplies", "check_systems", "role_kind", "supply_order"]

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
        for path, sentence in mistakes(site, shipped, sites):
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
    return found + strangers(site, sites)


def strangers(site: Site, sites: Collection[str]) -> list[tuple[Path_, str]]:
    """Return place and sentence of what systems serve or lead through that the site does not have."""
    systems = [system.name for system in site.systems]
    known = [*(factory.name for factory in site.factories), *systems]
    found: list[tuple[Path_, str]] = []
    for j, system in enumerate(site.systems):
        for k, name in enumerate(system.serves):
            # Whether it may serve a site is known once its type is.
            if name not in known and name not in sites:
                found.append((("systems", j, "serves", k), unknown(name, "factory or system of this site", known)))
        for k, name in enumerate(system.via):
            if name not in systems:
                found.append((("systems", j, "via", k), unknown(name, "system of this site", systems)))
    return found


def check_supplies(scenario: Scenario, document: Document, types: Mapping[str, MachineType]) -> list[Problem]:
    """Return who serves others without anything to give, who is supplied twice with the same, and circles."""
    problems = []
    abroad: dict[tuple[str, str], str] = {}
    for i, site in enumerate(scenario.sites):
        found = [*unfed(site, types), *in_circles(site, types), *astray(site, types)]
        by: dict[tuple[str, str], str] = {}
        for j, system in enumerate(site.systems):
            medium = gives(types[system.type])
            sentence = why_nobody(system, medium)
            if sentence is not None:
                found.append((("systems", j, "serves"), sentence))
                continue
            if system.serves and system.count > 1 and medium == "power":
                sentence = f"{system.count} feeders cannot feed the same; name each with what it serves, or remove this"
                found.append((("systems", j, "count"), sentence))
            supplied = abroad if medium in ABROAD else by
            found += ((("systems", j, "serves", k), wrong) for k, wrong in misplaced(site, system, medium, supplied))
        problems += [document.problem(("sites", i, *path), sentence) for path, sentence in found]
    return problems


def why_nobody(system: System, medium: str | None) -> str | None:
    """Say why a system that says so can serve nobody; None if it can, or does not say so."""
    if system.serves and medium is None:
        return f"a {system.type} gives nothing to others; remove it"
    if system.serves and medium == GOODS:
        return "buffers name their supplier, with `fed_by`; remove it"
    return None


def misplaced(
    site: Site, system: System, medium: str | None, supplied: dict[tuple[str, str], str]
) -> Iterator[tuple[int, str]]:
    """Yield what a system cannot serve, by its place: sites and what stands in them, or what another serves already.

    ``supplied`` says who supplies whom with what so far, and is continued.
    """
    here = {*(factory.name for factory in site.factories), *(one.name for one in site.systems)}
    for k, name in enumerate(system.serves):
        if name in here and medium in ABROAD:
            yield k, f"{name!r} is no site; a {system.type} serves whole sites"
        elif name not in here and medium not in ABROAD:
            yield k, f"{name!r} is a site; a {system.type} serves factories and systems of its own"
        else:
            other = supplied.setdefault((str(medium), name), system.name)
            if other != system.name or name in system.serves[:k]:
                yield k, f"{name!r} is supplied with {medium} by {other!r} already"


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


def in_circles(site: Site, types: Mapping[str, MachineType]) -> list[tuple[Path_, str]]:
    """Return the systems that supply themselves or lead through themselves, round several corners or directly."""
    done = set(supply_order(site, types))
    stuck = [j for j, system in enumerate(site.systems) if system.name not in done]
    if not stuck:
        return []
    if any(site.systems[j].via for j in stuck):
        sentence = "systems lead through each other in a circle; one of them must lead elsewhere"
        return [(("systems", next(j for j in stuck if site.systems[j].via), "via"), sentence)]
    sentence = "systems supply each other in a circle; one of them must serve others"
    return [(("systems", stuck[0], "serves"), sentence)]


def astray(site: Site, types: Mapping[str, MachineType]) -> list[tuple[Path_, str]]:
    """Return ways that lead through no link, or that belong to nothing that sends, and gateways behind gateways."""
    found: list[tuple[Path_, str]] = []
    kinds = {system.name: role_kind(types[system.type]) for system in site.systems}
    for j, system in enumerate(site.systems):
        if system.via and kinds[system.name] not in {"link", "gateway"}:
            sentence = f"a {system.type} sends nothing on; only links and gateways lead through others"
            found.append((("systems", j, "via"), sentence))
            continue
        for k, name in enumerate(system.via):
            if kinds[name] != "link":
                found.append((("systems", j, "via", k), f"{name!r} is no link, so nothing leads through it"))
            elif name in system.via[:k]:
                found.append((("systems", j, "via", k), f"{name!r} is written twice; remove one"))
        for k, name in enumerate(system.serves):
            if kinds[system.name] == kinds.get(name) == "gateway":
                sentence = f"{name!r} is a gateway, which sends what it says itself; remove it"
                found.append((("systems", j, "serves", k), sentence))
    return found


def role_kind(spec: MachineType) -> str | None:
    """Return the kind of a system's role, if it has one."""
    role = spec.role if isinstance(spec, SystemType) else None
    return None if role is None else role.kind


def supply_order(site: Site, types: Mapping[str, MachineType]) -> list[str]:
    """Return the names of the systems, each after all those that it serves and that it leads through.

    What goes in circles is left out. Who gives data depends on nobody that it serves: a gateway may send what the
    feeder says that it hangs on.
    """
    left = {
        system.name: {*system.via, *(() if role_kind(types[system.type]) == "gateway" else system.serves)}
        for system in site.systems
    }
    order: list[str] = []
    while True:
        ready = [name for name, needs in left.items() if not needs & left.keys()]
        if not ready:
            return order
        order += ready
        for name in ready:
            del left[name]


def unknown(name: str, what: str, known: Collection[str]) -> str:
    return f"{name!r} is no {what}{guess(name, known)}; known: {', '.join(known) or 'none'}"
