"""Checks of working time and people: breaks that fit, holidays that are known, rotas within the law, who may adopt."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from simulator.scenario.breaks import MINUTE_NS
from simulator.scenario.document import Document, Problem
from simulator.scenario.explain import guess
from simulator.scenario.holidays import HOME, load_holidays, shipped_holidays
from simulator.scenario.people import People
from simulator.scenario.quantities import duration_text
from simulator.scenario.rota import (
    DAY_LIMIT_H,
    LONG_SHIFT_TEAMS,
    WEEK_H,
    YEAR_LIMIT_H,
    longest_day_h,
    paid_hours,
    teams_of,
    weekly_hours,
    works_long_shifts,
)
from simulator.scenario.schema import Factory, Scenario, Shifts, Site, shift_span

__all__ = ["check_rosters"]

Path_ = tuple[str | int, ...]
Found = list[tuple[Path_, str]]
YEAR_WEEKS = 52


def check_rosters(scenario: Scenario, document: Document) -> list[Problem]:
    """Return what is wrong with the working times and the people of all factories."""
    found: Found = []
    for i, site in enumerate(scenario.sites):
        found += no_adopters(site, ("sites", i))
        for j, factory in enumerate(site.factories):
            at: Path_ = ("sites", i, "factories", j)
            found += breaks_too_long(factory.shifts, (*at, "shifts"))
            found += unknown_holidays(factory.shifts, scenario, (*at, "shifts"))
            if factory.people is not None:
                found += against_the_law(factory.shifts, factory.people, at)
                found += too_few(factory, factory.people, (*at, "people"))
    return [document.problem(path, sentence) for path, sentence in found]


def breaks_too_long(shifts: Shifts, at: Path_) -> Found:
    """Return the shift, if there is one, that ends before its last break does."""
    if shifts.breaks is None:
        return []
    for hours in dict.fromkeys(hours for day in shifts.days for hours in shifts.hours_on(day)):
        begin, length = shift_span(hours)
        rests = shifts.breaks.in_shift(begin, length)
        if rests and rests[-1][1] > length * MINUTE_NS:
            ends, lasts = duration_text(rests[-1][1]), duration_text(length * MINUTE_NS)
            sentence = (
                f"the last break of shift {hours} would end {ends} after it began, but the shift lasts {lasts}; make "
                "breaks shorter or earlier, or their groups fewer"
            )
            return [((*at, "breaks"), sentence)]
    return []


def unknown_holidays(shifts: Shifts, scenario: Scenario, at: Path_) -> Found:
    """Return holidays that nobody knows, by name or in the years of the scenario."""
    if shifts.holidays is not None and shifts.holidays not in shipped_holidays():
        return [((*at, "holidays"), unknown(shifts.holidays, "calendar of holidays", shipped_holidays()))]
    key = "holidays" if shifts.holidays is not None else "tet" if shifts.tet is not None else None
    if key is None or not isinstance(scenario.start, datetime):
        return []
    first, last = load_holidays(shifts.holidays or HOME).years
    begins = scenario.start.astimezone(ZoneInfo(scenario.timezone)) - timedelta(microseconds=scenario.warm_up // 1_000)
    ends = scenario.start + timedelta(microseconds=(scenario.run.duration or 0) // 1_000)
    if begins.year < first or ends.year > last:
        sentence = f"holidays are known for {first} to {last}, but the scenario lives from {begins:%Y} to {ends:%Y}"
        return [((*at, key), f"{sentence}; write single days under `closed`, or start within these years")]
    return []


def against_the_law(shifts: Shifts, people: People, at: Path_) -> Found:
    """Return shifts and teams that the Labour Code does not allow."""
    teams = teams_of(shifts, people)
    longest = max(max(paid_hours(shifts, day)) for day in shifts.days)
    if longest > DAY_LIMIT_H:
        return [((*at, "shifts"), f"a shift of {longest:g} h is against the law: {DAY_LIMIT_H} h a day at most")]
    if works_long_shifts(shifts) and teams < LONG_SHIFT_TEAMS:
        sentence = f"two shifts of more than 10 h take {LONG_SHIFT_TEAMS} teams, but there are {teams}"
        return [((*at, "people", "teams"), sentence)]
    most = longest_day_h(shifts, teams)
    if most > DAY_LIMIT_H:
        sentence = f"a team would work {most:g} h a day, against the law: {DAY_LIMIT_H} h at most; have more teams"
        return [((*at, "people", "teams"), sentence)]
    week = weekly_hours(shifts, teams)
    over = max(week - WEEK_H, 0.0) * YEAR_WEEKS
    if over > YEAR_LIMIT_H:
        sentence = (
            f"{teams} team{'s' if teams > 1 else ''} work {week:g} h a week, {over:.0f} h of overtime a year, but "
            f"the law allows {YEAR_LIMIT_H} h, so have more teams, or leave the key out"
        )
        return [((*at, "people", "teams"), sentence)]
    return []


def too_few(factory: Factory, people: People, at: Path_) -> Found:
    """Return a payroll on which the repair crews alone do not fit."""
    teams = teams_of(factory.shifts, people)
    menders = factory.crew * teams
    if people.heads is None or people.heads > menders:
        return []
    sentence = f"heads(={people.heads}) must be > {menders}: {teams} teams with a repair crew of {factory.crew} each"
    return [((*at, "heads"), sentence)]


def no_adopters(site: Site, at: Path_) -> Found:
    """Return an adoption that nobody can take part in, and pilots that are no such tenants."""
    if site.adoption is None:
        return []
    tenants = [factory.name for factory in site.factories if factory.maturity is not None]
    if not tenants:
        return [((*at, "adoption"), "no factory of this site states its `maturity`, so none can adopt more")]
    return [
        ((*at, "adoption", "pilots", k), unknown(name, "factory with a maturity here", tenants))
        for k, name in enumerate(site.adoption.pilots)
        if name not in tenants
    ]


def unknown(name: str, what: str, known: Collection[str]) -> str:
    return f"{name!r} is no {what}{guess(name, known)}; known: {', '.join(known)}"
