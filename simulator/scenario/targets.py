"""What the scheduled faults of a scenario strike: from targets with wildcards to machines and sensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from typing import NamedTuple

from simulator.scenario.document import Document, Problem
from simulator.scenario.explain import guess
from simulator.scenario.fault import (
    AirLeak,
    Fault,
    MachineFault,
    NetworkFault,
    PowerDip,
    SensorFault,
    Slow,
    SystemFault,
)
from simulator.scenario.fitting import Fitting
from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Factory, Line, Scenario, Site
from simulator.scenario.sensor import SensorType, SupplyModel
from simulator.scenario.site_systems import role_kind
from simulator.scenario.system_type import SystemType

__all__ = ["MOST_STRUCK", "Struck", "check_targets", "struck_by", "why_nothing"]

MOST_STRUCK = 100_000
"""Machines and sensors that the faults of a scenario strike, each counted once per fault; a kilobyte each."""
LEVELS = ("park", "factory", "line", "machine", "sensor")
COUNTED = {"state", "count", "share", "energy", "cycle_time"}
"""Models of sensors that a controller keeps and no instrument measures."""
REGISTERS = {
    *("energy", "normal", "off_peak", "peak", "reactive_energy"),
    *("cost", "penalty", "month_power_factor", "co2"),
}
MAX_LISTED = 20


class Struck(NamedTuple):
    """A machine or one of its sensors."""

    path: tuple[str, ...]
    """Park, factory, line, machine."""
    sensor: int
    """Number within the machine, from 0; -1 for the machine itself."""


class Step(NamedTuple):
    """A place on the way down to a target: its path so far, and what is there."""

    path: tuple[str, ...]
    here: Scenario | Site | Factory | Line | MachineType | tuple[int, SensorType]


def struck_by(fault: Fault, scenario: Scenario, fitting: Fitting) -> Iterator[Struck]:
    """Yield everything that a fault strikes, in the order of the scenario."""
    for step in way_down(fault, scenario, fitting)[-1]:
        if isinstance(fault, NetworkFault):
            if isinstance(step.here, MachineType) and role_kind(step.here) in fault.ROLES:
                yield Struck(step.path, -1)
        elif isinstance(fault, MachineFault):
            if isinstance(step.here, MachineType) and can_befall(fault, step.here):
                yield Struck(step.path, -1)
        elif isinstance(step.here, tuple) and can_have(step.here[1], fault.kind):
            yield Struck(step.path[:-1], step.here[0])


def check_targets(scenario: Scenario, document: Document, types: Mapping[str, MachineType]) -> list[Problem]:
    """Return the faults whose target does not exist, or cannot have a fault of that kind."""
    problems, struck = [], 0
    fitting = Fitting(scenario, types)
    for i, fault in enumerate(scenario.faults):
        found = sum(1 for _ in islice(struck_by(fault, scenario, fitting), MOST_STRUCK + 1 - struck))
        struck += found
        if not found:
            problems.append(document.problem(("faults", i, "target"), why_nothing(fault, scenario, fitting)))
        if struck > MOST_STRUCK:
            sentence = f"the faults up to here strike more than {MOST_STRUCK:,} machines and sensors; name fewer"
            problems.append(document.problem(("faults", i, "target"), sentence))
            break
    return problems


def levels_of(fault: Fault) -> Sequence[str]:
    return LEVELS if isinstance(fault, SensorFault) else LEVELS[:4]


def way_down(fault: Fault, scenario: Scenario, fitting: Fitting) -> list[list[Step]]:
    """Return what matches each level of a target, as far down as anything does."""
    patterns = fault.target.split("/")
    levels = [[Step((), scenario)]]
    if len(patterns) != len(levels_of(fault)):
        return [*levels, []]
    for pattern in patterns:
        levels.append([step for above in levels[-1] for step in below(above, fitting) if fits(step, pattern)])
        if not levels[-1]:
            break
    return levels


def fits(step: Step, pattern: str) -> bool:
    # Names hold no bracket and no question mark, so of the wildcards of a shell only * is left to mean something.
    return fnmatchcase(step.path[-1], pattern.replace("[", "[[]").replace("?", "[?]"))


def below(step: Step, fitting: Fitting) -> Iterator[Step]:
    """Yield what stands one level below, in the order of the scenario."""
    match step.here:
        case Scenario():
            yield from (Step((site.name,), site) for site in step.here.sites)
        case Site():
            yield from (Step((*step.path, factory.name), factory) for factory in step.here.areas)
        case Factory():
            for line in step.here.lines:
                yield from (Step((*step.path, name), line) for name in line.names)
        case Line():
            site, factory, _ = step.path
            for machine in step.here.machines:
                spec = fitting.type_of(site, factory, machine)
                yield from (Step((*step.path, name), spec) for name in machine.names)
        case MachineType():
            yield from (Step((*step.path, one.name), (i, one)) for i, one in enumerate(step.here.sensors))


def can_befall(fault: MachineFault, spec: MachineType) -> bool:
    """Say whether a fault can befall machines of a type: the mains sink behind feeders, air leaks from air nets."""
    match fault:
        case PowerDip():
            return isinstance(spec, SystemType) and spec.gives == "power"
        case AirLeak():
            return isinstance(spec, SystemType) and spec.gives == "air"
        case Slow():
            # A system has no cycles that could take longer.
            return not isinstance(spec, SystemType)
    return True


def can_have(sensor: SensorType, kind: str) -> bool:
    """Say whether a sensor can have a fault of this kind: a number that is counted is never a little off.

    A cycle time cannot stick, since its last reading may lie anywhere in the past.
    """
    model = sensor.model
    if model.kind not in COUNTED and not (isinstance(model, SupplyModel) and model.shows in REGISTERS):
        return True
    return kind == "gap" or (kind == "stuck" and model.kind != "cycle_time")


def why_nothing(fault: Fault, scenario: Scenario, fitting: Fitting) -> str:
    """Say why a fault strikes nothing, and what was probably meant."""
    wanted, patterns = levels_of(fault), fault.target.split("/")
    if len(patterns) != len(wanted):
        whose = "sensor" if wanted is LEVELS else "machine"
        return f"{fault.target!r} has {len(patterns)} levels; a {fault.kind} strikes a {whose}: {'/'.join(wanted)}"
    levels = way_down(fault, scenario, fitting)
    if levels[-1] and isinstance(fault, SystemFault):
        whom = "feeders" if isinstance(fault, PowerDip) else "systems that give compressed air"
        return f"{fault.target!r} cannot have a {fault.kind}: it befalls {whom} only"
    if levels[-1] and isinstance(fault, NetworkFault):
        return f"{fault.target!r} is no {' or '.join(sorted(fault.ROLES))}, and a {fault.kind} strikes nothing else"
    if levels[-1] and isinstance(fault, MachineFault):
        return f"{fault.target!r} runs without cycles, so it cannot be slow; it can break down or be stopped"
    if levels[-1]:
        return (
            f"{fault.target!r} is counted by a controller and not measured: it can have a gap, and be stuck unless it "
            f"is a cycle time, but no {fault.kind}"
        )
    depth = len(levels) - 2
    above = "/".join(patterns[:depth])
    known = dict.fromkeys(one.path[-1] for step in levels[-2] for one in below(step, fitting))
    where = f" of {above}" if above else ""
    return f"{patterns[depth]!r} is no {LEVELS[depth]}{where}{guess(patterns[depth], known)}; known: {listed(known)}"


def listed(names: Iterable[str]) -> str:
    some = list(islice(names, MAX_LISTED + 1))
    return ", ".join(some[:MAX_LISTED]) + (" ..." if len(some) > MAX_LISTED else "")
