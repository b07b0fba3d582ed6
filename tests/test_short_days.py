"""The last shift of some days ends at another time: a short Saturday, an evening of overtime."""

from __future__ import annotations

from pathlib import Path

import pytest
from parks import HOUR_NS, MONDAY_NS
from scenario_texts import park, problems

from simulator.park.calendar import Calendar
from simulator.scenario.rota import paid_hours, weekly_hours
from simulator.scenario.schema import Shifts

MIDNIGHT_NS = MONDAY_NS - 7 * HOUR_NS
"""Monday 00:00 in Binh Duong."""
WEEK = Shifts.model_validate(
    {
        "hours": ("06:00-10:00", "12:00-17:00"),
        "days": ("mon", "wed", "sat"),
        "until": {"wed": "20:00", "sat": "13:30"},
        "breaks": {"length": "30m", "after": "4h"},
    }
)


def test_the_calendar_closes_when_the_day_ends() -> None:
    """Monday at 17:00, Wednesday at 20:00, Saturday at 13:30; the first shift is as ever."""
    calendar = Calendar(WEEK, "Asia/Ho_Chi_Minh", origin_ns=MIDNIGHT_NS)
    for day, closes in ((0, 17.0), (2, 20.0), (5, 13.5)):
        noon_ns = MIDNIGHT_NS + (24 * day + 12) * HOUR_NS
        assert (calendar.next_change(noon_ns) - MIDNIGHT_NS) / HOUR_NS == 24 * day + closes
    week_ns = calendar.open_ns(MIDNIGHT_NS + 168 * HOUR_NS) - calendar.open_ns(MIDNIGHT_NS)
    assert week_ns / HOUR_NS == 4 * 3 + 5 + 8 + 1.5
    assert WEEK.share_of_week * 168 == pytest.approx(26.5)


def test_hours_are_paid_as_they_are_worked() -> None:
    """An evening of overtime has a break of its own, which is not paid; a short day has none."""
    assert [paid_hours(WEEK, day) for day in WEEK.days] == [[4, 5], [4, 7.5], [4, 1.5]]
    assert weekly_hours(WEEK, 1) == pytest.approx(26.0)


@pytest.mark.parametrize(
    ("until", "told"),
    [
        ('{sat: "13"}', "'13' is no time of day; write HH:MM, such as 13:00"),
        ('{sat: "14:00"}', "the last shift begins at 14:00, so it cannot end at 14:00 on another day"),
        ('{sun: "20:00"}', "no shift begins on sun; add it to days, or remove it here"),
        ('{sunday: "20:00"}', "until.sunday: '20:00' is not allowed here, must be 'mon', 'tue'"),
    ],
)
def test_a_day_that_cannot_be_is_told_with_its_place(tmp_path: Path, until: str, told: str) -> None:
    """No time of day, one before the shift, a day without shifts."""
    shifts = f'{{hours: ["06:00-14:00", "14:00-22:00"], days: [mon, sat], until: {until}}}'
    text = park(('{hours: ["06:00-14:00", "14:00-22:00"]}', shifts))
    (problem,) = problems(tmp_path, text)
    assert problem.startswith("small.yaml:23:")
    assert told in problem


def test_a_shift_past_midnight_cannot_end_at_another_time(tmp_path: Path) -> None:
    """Nobody could tell on which day it ends."""
    shifts = '{hours: ["14:00-22:00", "22:00-06:00"], until: {sat: "23:00"}}'
    (problem,) = problems(tmp_path, park(('{hours: ["06:00-14:00", "14:00-22:00"]}', shifts)))
    assert "the last shift runs past midnight, so it cannot end at 23:00 on another day" in problem
