"""Teams, the shifts they work, and the overtime that makes."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from shops import DAY_NS, park_of, shop, side_by_side, types
from watched import bulletins

from simulator.park.overtime import Overtime
from simulator.park.world import World
from simulator.scenario.people import People
from simulator.scenario.quantities import instant_ns
from simulator.scenario.rota import paid_hours, team_on_duty, teams_of, weekly_hours
from simulator.scenario.schema import Shifts

THREE = ("06:00-14:00", "14:00-22:00", "22:00-06:00")
LONG = ("06:00-18:00", "18:00-06:00")
SIX_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat")
MONDAY = date(2025, 3, 10)


@pytest.mark.parametrize(
    ("shifts", "teams"),
    [
        (Shifts(hours=THREE), 4),
        (Shifts(hours=THREE, days=SIX_DAYS), 3),
        (Shifts(hours=LONG), 4),
        (Shifts(hours=LONG, days=SIX_DAYS), 4),
        (Shifts(hours=("08:00-17:00",), days=SIX_DAYS, breaks={"length": "60m", "after": "4h"}), 1),
        (Shifts(hours=("08:00-12:00", "13:00-17:00"), days=SIX_DAYS), 1),
        (Shifts(hours=THREE[:2], days=("mon", "tue")), 2),
    ],
)
def test_as_few_teams_as_work_48_hours(shifts: Shifts, teams: int) -> None:
    """3x8 takes four teams, three without Sundays; 2x12 always four; a day shift with a lunch one.

    Nobody works two shifts of eight hours on a day, however short the week.
    """
    assert teams_of(shifts, People()) == teams
    assert weekly_hours(shifts, teams) <= 48


def test_breaks_are_paid_where_shifts_follow_each_other() -> None:
    """Half an hour in 3x8 is working time, an hour's lunch of a day shift is not."""
    assert paid_hours(Shifts(hours=THREE, breaks={}), "mon") == [8, 8, 8]
    assert paid_hours(Shifts(hours=("08:00-17:00",), breaks={"length": "60m"}), "mon") == [8]


@pytest.mark.parametrize(("slots", "teams"), [(3, 4), (3, 3), (2, 4), (1, 1), (2, 3)])
def test_a_rota_is_fair(slots: int, teams: int) -> None:
    """Over 24 weeks all teams work equally often in every slot, and none twice on a day."""
    worked: Counter[tuple[int, int]] = Counter()
    for number in range(24 * 7):
        day = MONDAY + timedelta(days=number)
        today = [team_on_duty(day, slot, slots=slots, teams=teams) for slot in range(slots)]
        assert len(set(today)) == slots
        worked.update(zip(today, range(slots), strict=True))
    assert len(set(worked.values())) == 1
    assert len(worked) == slots * teams


def test_overtime_begins_beyond_48_hours_of_a_week() -> None:
    """Seven days of nine hours are 15 hours of overtime; months and years begin anew."""
    overtime = Overtime(teams=1)
    for number in range(7):
        overtime.work(0, date(2025, 12, 22) + timedelta(days=number), 9.0)
    assert (overtime.month_h, overtime.year_h) == ([15.0], [15.0])
    for number in range(7):
        overtime.work(0, date(2026, 1, 5) + timedelta(days=number), 9.0)
    assert (overtime.month_h, overtime.year_h) == ([15.0], [15.0])
    for number in range(7):
        overtime.work(0, date(2026, 1, 12) + timedelta(days=number), 9.0)
    assert (overtime.month_h, overtime.year_h) == ([30.0], [30.0])


def test_a_factory_counts_its_overtime() -> None:
    """Two shifts of 8.5 h on six days are 51 h a week: three hours over in each of two weeks."""
    shifts = {"hours": ("05:30-14:00", "14:00-22:30"), "days": SIX_DAYS}
    factory = shop(side_by_side("cure-oven", 1), shifts=shifts, people={"teams": 2})
    begins_ns = instant_ns(datetime.fromisoformat("2025-03-03T00:00+07:00"))
    world = World(park_of(factory), types(), begins_ns)
    world.skip(begins_ns + 14 * DAY_NS - 60_000_000_000)
    (asset,) = bulletins(world)
    (batch,) = world.batches(begins_ns + 14 * DAY_NS, 60_000_000_000)
    told = {
        sensor.name: batch.value[batch.sensor == number].tolist()
        for number, sensor in enumerate(asset.sensors, asset.first_sensor)
    }
    assert (told["overtime_month_h"], told["overtime_year_h"]) == ([6.0], [6.0])
