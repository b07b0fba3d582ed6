"""Overtime: hours of each team beyond 48 in a calendar week, by month and by year."""

from __future__ import annotations

from datetime import date

from simulator.scenario.rota import WEEK_H

__all__ = ["Overtime"]


class Overtime:
    """The hours of the teams of a factory; per head, since all of a team work alike."""

    def __init__(self, teams: int) -> None:
        self._week: tuple[int, int] | None = None
        self._month: tuple[int, int] | None = None
        self._year: int | None = None
        self._week_h = [0.0] * teams
        self.month_h = [0.0] * teams
        """Overtime of each team in the month of the last shift."""
        self.year_h = [0.0] * teams
        """The same in its year."""

    def work(self, team: int, day: date, hours: float) -> None:
        """Book a shift of a team that began on a day."""
        self._turn_to(day)
        before = max(self._week_h[team] - WEEK_H, 0.0)
        self._week_h[team] += hours
        over = max(self._week_h[team] - WEEK_H, 0.0) - before
        self.month_h[team] += over
        self.year_h[team] += over

    def _turn_to(self, day: date) -> None:
        iso = day.isocalendar()
        teams = len(self._week_h)
        if (iso.year, iso.week) != self._week:
            self._week, self._week_h = (iso.year, iso.week), [0.0] * teams
        if (day.year, day.month) != self._month:
            self._month, self.month_h = (day.year, day.month), [0.0] * teams
        if day.year != self._year:
            self._year, self.year_h = day.year, [0.0] * teams
