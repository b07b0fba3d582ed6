"""Whether buffers are large enough for the machines at them, once the machine types are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from simulator.scenario.document import Document, Problem
from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Factory, Line, Machine, Scenario

__all__ = ["check_room"]

Path_ = tuple[str | int, ...]


def check_room(scenario: Scenario, document: Document, types: Mapping[str, MachineType]) -> list[Problem]:
    """Return the buffers in which those who fill and those who take could wait for each other for ever.

    Who takes waits for a cycle's worth of pieces, who fills for a cycle's worth of room, and both for a tenth of the
    capacity; with room for two of the largest cycles at least one of them can always go on.
    """
    problems = []
    for i, site in enumerate(scenario.sites):
        for j, factory in enumerate(site.factories):
            at: Path_ = ("sites", i, "factories", j)
            for path, capacity, pieces, who in rooms(factory, at, types):
                if capacity < 2 * pieces:
                    sentence = (
                        f"{capacity:,} is too small, must be at least {2 * pieces:,}: room for two cycles of {who}, "
                        f"{pieces:,} pieces each"
                    )
                    problems.append(document.problem(path, sentence))
    return problems


def rooms(factory: Factory, at: Path_, types: Mapping[str, MachineType]) -> Iterator[tuple[Path_, int, int, str]]:
    """Yield the place of each capacity, how much it is, and the largest cycle at it with the machine's name."""
    for i, buffer in enumerate(factory.buffers):
        users = [use for line in factory.lines for use in uses(line, buffer.name, types)]
        if users:
            pieces, who = max(users)
            yield (*at, "buffers", i, "capacity"), buffer.capacity, pieces, who
    for i, line in enumerate(factory.lines):
        if line.flow == "series":
            for pair in pairwise(line.machines):
                pieces, who = max((pieces_of(machine, types), machine.name) for machine in pair)
                yield (*at, "lines", i, "between"), line.between, pieces, who


def uses(line: Line, buffer: str, types: Mapping[str, MachineType]) -> Iterator[tuple[int, str]]:
    """Yield pieces per cycle of every machine of a line that takes from a buffer or gives to it."""
    takers = line.machines if line.flow == "parallel" else line.machines[:1]
    givers = line.machines if line.flow == "parallel" else line.machines[-1:]
    if buffer in line.takes:
        yield from ((pieces_of(machine, types) * line.takes[buffer], machine.name) for machine in takers)
    if buffer == line.gives:
        yield from ((pieces_of(machine, types), machine.name) for machine in givers)


def pieces_of(machine: Machine, types: Mapping[str, MachineType]) -> int:
    return machine.applied_to(types[machine.type]).pieces
