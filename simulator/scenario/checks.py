"""Checks across the keys of a scenario whose keys are right one by one: names, machine types, flow, shifts, size."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import combinations, islice

from simulator.scenario.document import Document, Problem
from simulator.scenario.explain import guess
from simulator.scenario.schema import ALL_DAYS, DAY_MIN, Factory, Line, Machine, Scenario, Shifts, shift_span

__all__ = ["MAX_MACHINES", "check"]

MAX_MACHINES = 100_000
"""Machines in a scenario. One of them takes some tens of kilobytes in memory, so these need several gigabytes."""
MAX_LISTED = 40
MAX_GUESSES = 100
"""Looking for a name that is meant takes time; a file that is wrong in more places is wrong as a whole."""
TAKEN = {"truth": "the labels of faults", "kpi": "key figures"}
"""Measurements of the park itself."""
WEEK_MIN = 7 * DAY_MIN

Path_ = tuple[str | int, ...]


def check(scenario: Scenario, document: Document, shipped: Collection[str]) -> tuple[list[Problem], list[Problem]]:
    """Return what is wrong and what is doubtful. ``shipped`` names the machine types that come with parksim."""
    checker = Checker(scenario, document, shipped)
    checker.run()
    return checker.problems, checker.warnings


class Checker:
    """Walks over a scenario and notes problems with their places."""

    def __init__(self, scenario: Scenario, document: Document, shipped: Collection[str]) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._scenario = scenario
        self._document = document
        self._shipped = shipped
        self._own = {one.name for one in scenario.machine_types}

    def run(self) -> None:
        """Make every check."""
        self._types()
        self._messaging()
        if not self._size():
            return
        self._unique((("sites", i, "name"), (site.name,)) for i, site in enumerate(self._scenario.sites))
        for i, site in enumerate(self._scenario.sites):
            at: Path_ = ("sites", i, "factories")
            self._unique(((*at, j, "name"), (factory.name,)) for j, factory in enumerate(site.factories))
            for j, factory in enumerate(site.factories):
                self._factory(factory, (*at, j))

    def _note(self, path: Path_, sentence: str) -> None:
        self.problems.append(self._document.problem(path, sentence))

    def _warn(self, path: Path_, sentence: str) -> None:
        self.warnings.append(self._document.problem(path, sentence))

    def _unknown(self, name: str, what: str, known: Collection[str]) -> str:
        """Say that a name means nothing here, and what would."""
        hint = guess(name, known) if len(self.problems) < MAX_GUESSES else ""
        listed = ", ".join(islice(known, MAX_LISTED)) + (" ..." if len(known) > MAX_LISTED else "") if known else "none"
        return f"{name!r} is no {what}{hint}; known: {listed}"

    def _types(self) -> None:
        self._unique((("machine_types", i, "name"), (one.name,)) for i, one in enumerate(self._scenario.machine_types))
        for i, own in enumerate(self._scenario.machine_types):
            if own.name in TAKEN:
                sentence = f"{own.name!r} is what {TAKEN[own.name]} are stored under; choose another name"
                self._note(("machine_types", i, "name"), sentence)
            if own.name in self._shipped:
                self._note(
                    ("machine_types", i, "name"),
                    f"{own.name!r} comes with parksim already; choose another name, or remove it here and write what "
                    "differs (cycle, pieces, first_pass_yield) at the machine",
                )

    def _messaging(self) -> None:
        messaging = self._scenario.messaging
        if messaging.connections == "gateway":
            if messaging.connect_within:
                sentence = "only devices connect spread over time; write `connections: device`, or remove this"
                self._note(("messaging", "connect_within"), sentence)
            return
        if self._document.node(("messaging", "gateway_per")) is not None:
            sentence = "devices share no connections; remove this, or write `connections: gateway`"
            self._note(("messaging", "gateway_per"), sentence)
        if messaging.qos == 2:
            sentence = "2 is for gateways, must be 0 or 1 with `connections: device`"
            self._note(("messaging", "qos"), sentence)

    def _size(self) -> bool:
        """Refuse a park that would not fit into memory, before any name of it is made."""
        machines = sum(
            line.count * sum(machine.count for machine in line.machines)
            for site in self._scenario.sites
            for factory in site.areas
            for line in factory.lines
        ) + sum(system.count for site in self._scenario.sites for system in site.systems)
        if machines > MAX_MACHINES:
            self._note(("sites",), f"{machines:,} machines are too many, must be at most {MAX_MACHINES:,}")
        return machines <= MAX_MACHINES

    def _unique(self, named: Iterable[tuple[Path_, Sequence[str]]]) -> None:
        """Note each name that an earlier one has taken; a place stands for several names if it has a count."""
        first: dict[str, Path_] = {}
        for path, names in named:
            taken = next((name for name in names if name in first), None)
            if taken is not None:
                line = self._document.mark(first[taken]).line
                made = " (made by the count)" if len(names) > 1 else ""
                self._note(path, f"{taken!r}{made} is a name that line {line} gives already; choose another")
            for name in names:
                first.setdefault(name, path)

    def _factory(self, factory: Factory, at: Path_) -> None:
        self._shifts(factory.shifts, (*at, "shifts"))
        self._unique(((*at, "buffers", i, "name"), (one.name,)) for i, one in enumerate(factory.buffers))
        self._unique(((*at, "lines", i, "name"), one.names) for i, one in enumerate(factory.lines))
        buffers = dict.fromkeys(one.name for one in factory.buffers)
        for i, line in enumerate(factory.lines):
            self._line(line, buffers, (*at, "lines", i))
        self._buffers(factory, at)
        self._loops(factory, at)

    def _line(self, line: Line, buffers: Collection[str], at: Path_) -> None:
        self._unique(((*at, "machines", i, "name"), one.names) for i, one in enumerate(line.machines))
        for i, machine in enumerate(line.machines):
            self._machine(machine, line, (*at, "machines", i))
        for name in line.takes:
            if name not in buffers:
                self._note((*at, "takes", name), self._unknown(name, "buffer of this factory", buffers))
        if line.gives is not None and line.gives not in buffers:
            self._note((*at, "gives"), self._unknown(line.gives, "buffer of this factory", buffers))

    def _machine(self, machine: Machine, line: Line, at: Path_) -> None:
        if machine.type not in self._own and machine.type not in self._shipped:
            types = sorted({*self._own, *self._shipped})
            self._note((*at, "type"), self._unknown(machine.type, "machine type", types))
        if line.flow == "series" and machine.count > 1:
            self._note(
                (*at, "count"),
                f"{machine.count} is too large, must be 1 in a line whose flow is series; for more of them in a row "
                "name each, for more lines side by side give the line a count",
            )

    def _buffers(self, factory: Factory, at: Path_) -> None:
        taken = {name for line in factory.lines for name in line.takes}
        given = {line.gives for line in factory.lines if line.gives is not None}
        if not taken | given <= {buffer.name for buffer in factory.buffers}:
            return  # a name that is spelt wrong is told already, and is why another seems unused
        for i, buffer in enumerate(factory.buffers):
            path = (*at, "buffers", i)
            if buffer.name not in taken and buffer.name not in given:
                self._note(path, f"no line uses {buffer.name!r}; remove it, or name it in `takes` and `gives` of lines")
            elif buffer.name not in taken:
                self._note(
                    path,
                    f"no line takes from {buffer.name!r}: once full it stops who fills it; name it in `takes` of a "
                    "line, or remove it and the `gives` that names it, then pieces leave the factory",
                )
            elif buffer.fed_by is not None:
                if buffer.name in given:
                    sentence = f"lines fill {buffer.name!r} already; remove this, or the `gives` that names it"
                    self._note((*path, "fed_by"), sentence)
            elif buffer.name not in given and buffer.initial == 0:
                self._note(
                    path,
                    f"no line fills {buffer.name!r}, and it starts empty: who takes from it never runs; name it in "
                    "`gives` of a line, let a supplier feed it, or give it an `initial`",
                )
            elif buffer.name not in given:
                self._warn(
                    path, f"no line fills {buffer.name!r}: who takes from it stops after {buffer.initial:,} pieces"
                )

    def _loops(self, factory: Factory, at: Path_) -> None:
        """Note each way round on which buffers feed themselves: every line of it would wait for the others."""
        onward: dict[str, list[tuple[str, int]]] = {}
        for number, line in enumerate(factory.lines):
            for taken in line.takes:
                if line.gives is not None:
                    onward.setdefault(taken, []).append((line.gives, number))
        settled: set[str] = set()
        for start in onward:
            if start in settled:
                continue
            loop = round_trip(start, onward, settled)
            if loop is not None:
                words = [loop[0][0]]
                for _, number, to in loop:
                    words += [f"line {factory.lines[number].name}", to]
                sentence = (
                    f"buffers feed each other in a circle: {chain(words)}; one of these lines must give elsewhere"
                )
                self._note((*at, "lines", loop[-1][1], "gives"), sentence)

    def _shifts(self, shifts: Shifts, at: Path_) -> None:
        for i, day in enumerate(shifts.days):
            if day in shifts.days[:i]:
                self._note((*at, "days", i), f"{day!r} is written twice; remove one")
        last = max(shifts.hours)
        for day, clock in shifts.until.items():
            if clock <= last[:5] or last[6:] <= last[:5]:
                why = "runs past midnight" if last[6:] <= last[:5] else f"begins at {last[:5]}"
                self._note((*at, "until", day), f"the last shift {why}, so it cannot end at {clock} on another day")
            elif day not in shifts.days:
                self._note((*at, "until", day), f"no shift begins on {day}; add it to days, or remove it here")
        spans = [(i, *shift_span(hours)) for i, hours in enumerate(shifts.hours)]
        days = [ALL_DAYS.index(day) for day in set(shifts.days)]
        for (i, begin, length), (j, later, other) in combinations(spans, 2):
            if any(meets(begin + a * DAY_MIN, length, later + b * DAY_MIN, other) for a in days for b in days):
                self._note((*at, "hours", j), f"{shifts.hours[j]!r} overlaps {shifts.hours[i]!r}")


def chain(words: Sequence[str]) -> str:
    """Write the way round; a long one without its middle."""
    return " -> ".join([*words[:9], "...", *words[-4:]] if len(words) > 15 else words)


def round_trip(
    start: str, onward: dict[str, list[tuple[str, int]]], settled: set[str]
) -> list[tuple[str, int, str]] | None:
    """Return a circle that can be reached from ``start``, as (buffer, line, buffer), or None.

    Buffers that lead into no new circle are added to ``settled``. Goes down with a stack of its own.
    """
    trail: list[tuple[str, int, str]] = []
    at = {start: 0}
    todo = [iter(onward.get(start, ()))]
    while todo:
        step = next(todo[-1], None)
        here = trail[-1][2] if trail else start
        if step is None:
            settled.add(here)
            at.pop(here, None)
            todo.pop()
            if trail:
                trail.pop()
            continue
        there, line = step
        if there in at:
            circle = [*trail[at[there] :], (here, line, there)]
            settled.update(at)
            return circle
        if there not in settled:
            trail.append((here, line, there))
            at[there] = len(trail)
            todo.append(iter(onward.get(there, ())))
    return None


def meets(begin: int, length: int, other: int, other_length: int) -> bool:
    """Say whether two spans of minutes overlap in a week that begins anew after Sunday."""
    return (other - begin) % WEEK_MIN < length or (begin - other) % WEEK_MIN < other_length
