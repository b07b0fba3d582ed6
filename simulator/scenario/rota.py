"""Rotas: which team works which shift, how many hours that makes, and what the law allows.

Labour Code 2019 [V]: 8 h a day, 48 h a week, with overtime 12 h a day; overtime 40 h a month and 300 h a year at most.
Hours beyond 48 in a calendar week count as overtime here, which is how rotas of 12 hours are kept. In shifts that
follow each other a break is working time, in a lone shift it is not (Decree 145/2020) [M].
"""

from __future__ import annotations

import math
from datetime import date

from simulator.scenario.breaks import MINUTE_NS
from simulator.scenario.people import People
from simulator.scenario.schema import DAY_MIN, Day, Shifts, shift_span

__all__ = [
    "DAY_LIMIT_H",
    "MONTH_LIMIT_H",
    "WEEK_H",
    "YEAR_LIMIT_H",
    "longest_day_h",
    "paid_hours",
    "team_on_duty",
    "teams_of",
    "weekly_hours",
    "works_long_shifts",
]

WEEK_H = 48
DAY_LIMIT_H = 12
MONTH_LIMIT_H = 40
YEAR_LIMIT_H = 300
LONG_SHIFT_MIN = 10 * 60
LONG_SHIFT_TEAMS = 4
"""Teams that two shifts of 12 hours take."""


def paid_hours(shifts: Shifts, day: Day) -> list[float]:
    """Return the working hours of each shift of a day of the week, in the order of the clock."""
    spans = [shift_span(hours) for hours in shifts.hours_on(day)]
    begins = {begin for begin, _ in spans}
    ends = {(begin + length) % DAY_MIN for begin, length in spans}
    paid = []
    for begin, length in spans:
        follows = begin in ends or (begin + length) % DAY_MIN in begins
        rests = shifts.breaks.in_shift(begin, length) if shifts.breaks else []
        unpaid_min = 0 if follows or not rests else (rests[0][1] - rests[0][0]) // MINUTE_NS
        paid.append((length - unpaid_min) / 60.0)
    return paid


def works_long_shifts(shifts: Shifts) -> bool:
    """Say whether it works two or more shifts of more than 10 hours, as in 2x12."""
    return sum(shift_span(hours)[1] > LONG_SHIFT_MIN for hours in shifts.hours) > 1


def teams_of(shifts: Shifts, people: People) -> int:
    """Return how many teams take turns: what the scenario says, or as few as the law lets do without overtime."""
    if people.teams is not None:
        return people.teams
    fewest = math.ceil(weekly_hours(shifts, 1) / WEEK_H - 1e-9)
    fewest = max(fewest, LONG_SHIFT_TEAMS if works_long_shifts(shifts) else 1)
    enough = (teams for teams in range(fewest, len(shifts.hours)) if longest_day_h(shifts, teams) <= DAY_LIMIT_H)
    return next(enough, max(fewest, len(shifts.hours)))


def longest_day_h(shifts: Shifts, teams: int) -> float:
    """Return the most hours that a team works in a day; those of slots that are so many apart fall to one team."""
    return max(sum(paid_hours(shifts, day)[first::teams]) for day in shifts.days for first in range(teams))


def weekly_hours(shifts: Shifts, teams: int) -> float:
    """Return the hours that a team works in a week on average."""
    return sum(sum(paid_hours(shifts, day)) for day in shifts.days) / teams


def team_on_duty(day: date, slot: int, *, slots: int, teams: int) -> int:
    """Return the team that works a shift, from 0.

    As many teams as shifts change places each week; more of them go two days each through all shifts and days off,
    which with four teams is 2-2-2-2.
    """
    number = day.toordinal()
    turn = number // 7 if teams <= slots else number // 2
    return (slot - turn) % teams
