"""Duty: which team is at work when, and with how many of its posts filled."""

from __future__ import annotations

from collections.abc import Generator
from itertools import pairwise
from typing import Any

import simpy

from simulator.park.calendar import Calendar, Shift
from simulator.park.overtime import Overtime
from simulator.park.staffing import Staffing
from simulator.park.workforce import Workforce
from simulator.scenario.holidays import Tet
from simulator.scenario.rota import paid_hours, team_on_duty
from simulator.scenario.schema import ALL_DAYS, Shifts
from simulator.signals.device import Track

__all__ = ["Teams", "days", "duty"]

Steps = Generator[simpy.Event, Any, None]


class Teams:
    """The teams of a factory with people: who comes to a shift, and what hours that makes."""

    def __init__(self, workforce: Workforce, shifts: Shifts, teams: int, *, month: Track, year: Track) -> None:
        """``month`` and ``year`` show the overtime per head of the team that has most."""
        self._workforce = workforce
        self._hours = {day: paid_hours(shifts, day) for day in shifts.days}
        self._slots = len(shifts.hours)
        self._teams = teams
        self._overtime = Overtime(teams)
        self._month, self._year = month, year

    def come(self, shift: Shift, share: float) -> None:
        """Begin a shift."""
        self._workforce.come(self._on_duty(shift), share)

    def go(self, shift: Shift, *, relieved: bool) -> None:
        """End a shift; nobody is there afterwards unless another team relieves."""
        self._overtime.work(self._on_duty(shift), shift.day, self._hours[ALL_DAYS[shift.day.weekday()]][shift.slot])
        self._month.set(max(self._overtime.month_h))
        self._year.set(max(self._overtime.year_h))
        if not relieved:
            self._workforce.leave()

    def _on_duty(self, shift: Shift) -> int:
        return team_on_duty(shift.day, shift.slot, slots=self._slots, teams=self._teams)


def duty(env: simpy.Environment, calendar: Calendar, staffing: Staffing, teams: Teams | None) -> Steps:
    """Follow the shifts of a factory: fill its posts, and let its teams come and go."""
    for shift, following in pairwise(calendar.shifts()):
        if shift.opens_ns > int(env.now):
            yield env.timeout(shift.opens_ns - int(env.now))
        # Machines come to look after this: they went to sleep when they had stopped, later than the shift before ended.
        staffing.fill(calendar.staffing(shift.day))
        if teams is not None:
            teams.come(shift, calendar.staffing(shift.day))
        yield env.timeout(max(shift.closes_ns - int(env.now), 0))
        if teams is not None:
            teams.go(shift, relieved=following.opens_ns <= shift.closes_ns)


def days(env: simpy.Environment, calendar: Calendar, workforce: Workforce, tet: Tet | None) -> Steps:
    """Let the people of a factory live from midnight to midnight, local time."""
    day = calendar.day_of(int(env.now))
    while True:
        ends_ns = calendar.midnight_after(day)
        if ends_ns > int(env.now):
            yield env.timeout(ends_ns - int(env.now))
        workforce.pass_day(day, worked=calendar.is_workday(day), tet=tet)
        day = calendar.day_of(ends_ns)
