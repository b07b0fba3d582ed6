"""People come to a factory that is built: breaks, teams, skill and maturity, and the bulletin that tells of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import simpy

from simulator.park.bands import Maturity
from simulator.park.bulletin import Bulletin
from simulator.park.calendar import Calendar
from simulator.park.crew import Crew
from simulator.park.duty import Teams, days, duty
from simulator.park.machine import Machine
from simulator.park.rests import groups_of, rest
from simulator.park.staffing import Staffing
from simulator.park.workforce import Staff, Workforce
from simulator.scenario.adoption import Climb
from simulator.scenario.machine_type import MachineType
from simulator.scenario.people import People
from simulator.scenario.rota import teams_of
from simulator.scenario.schema import Factory, Line, Site
from simulator.signals.device import Track
from simulator.signals.streams import Stream

__all__ = ["Tenancy", "staff_of"]


@dataclass(frozen=True)
class Tenancy:
    """A factory as built, and what its people need of the park."""

    env: simpy.Environment
    path: tuple[str, ...]
    """Enterprise, site and factory."""
    site: Site
    factory: Factory
    calendar: Calendar
    crew: Crew
    lines: Sequence[tuple[Line, Sequence[Machine]]]
    """The machines of each line; the lines that a count made share their ``Line``."""
    paths: Sequence[tuple[str, ...]]
    """Of each machine."""
    whole: Sequence[MachineType]
    """The type of each machine, with all the sensors that there could be."""
    climbs: Sequence[Climb]
    seed: int
    track: Callable[[float], Track]

    def begin(self) -> Bulletin | None:
        """Let its people come to work; return what they tell, None if the scenario says nothing of them."""
        factory, env = self.factory, self.env
        if factory.shifts.breaks is not None:
            groups = groups_of(self.units, factory.shifts.breaks.groups)
            for number, members in enumerate(groups):
                for machine in members:
                    machine.rests_with = number if machine.spec.attended else None
            env.process(rest(env, self.calendar, groups))
        tracks: dict[str, Track] = {}
        teams = self._people(factory.people, tracks) if factory.people is not None else None
        if factory.people is not None or factory.shifts.tet is not None:
            env.process(duty(env, self.calendar, Staffing(self.lines), teams))
        if factory.maturity is not None:
            self._mature(factory.maturity, tracks)
        return Bulletin.of(self.path, self.site.province, tracks, seed=self.seed) if tracks else None

    @property
    def machines(self) -> list[Machine]:
        """All machines, in the order of the catalogue."""
        return [machine for _, members in self.lines for machine in members]

    @property
    def units(self) -> list[Sequence[Machine]]:
        """What people work at together: each machine of its own in parallel, a line in series as a whole."""
        found: list[Sequence[Machine]] = []
        for line, members in self.lines:
            found += [members] if line.flow == "series" else [[one] for one in members]
        return found

    def _people(self, people: People, tracks: dict[str, Track]) -> Teams:
        staff = staff_of(self.factory, people, attended=sum(machine.spec.attended for machine in self.machines))
        stream = partial(Stream, self.seed, *self.path, "people")
        workforce = Workforce(people, staff, self.machines, stream=stream, track=self.track)
        self.crew.menders = workforce
        self.env.process(days(self.env, self.calendar, workforce, self.factory.shifts.tet))
        overtime: Mapping[str, Track] = {name: self.track(0.0) for name in ("overtime_month_h", "overtime_year_h")}
        tracks |= {**workforce.tracks, **overtime}
        month, year = overtime.values()
        return Teams(workforce, self.factory.shifts, staff.teams, month=month, year=year)

    def _mature(self, band: int, tracks: dict[str, Track]) -> None:
        tracks |= {name: self.track(0.0) for name in ("band", "coverage_pct", "pilot")}
        adoption = self.site.adoption
        if adoption is not None and self.factory.name in adoption.pilots:
            tracks["pilot"].set(1.0)
        streams = [partial(Stream, self.seed, *path) for path in self.paths]
        maturity = Maturity(
            self.env, self.machines, self.whole, streams, band=tracks["band"], coverage=tracks["coverage_pct"]
        )
        maturity.reach(band)
        if self.climbs:
            self.env.process(maturity.climb(self.climbs, int(self.env.now)))


def staff_of(factory: Factory, people: People, *, attended: int) -> Staff:
    """Return how many people a factory has: by default a crew and an operator per attended machine in each team."""
    teams = teams_of(factory.shifts, people)
    heads = people.heads if people.heads is not None else teams * (attended + factory.crew)
    return Staff(heads=heads, teams=teams, crew=factory.crew)
