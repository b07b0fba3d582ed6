"""Holidays by date and by the moon, and a factory that closes for Tet and fills up again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from pydantic import ValidationError

from simulator.park.calendar import Calendar
from simulator.scenario.holidays import Tet, load_holidays, shipped_holidays
from simulator.scenario.quantities import instant_ns
from simulator.scenario.schema import Shifts

DAY_NS = 86_400_000_000_000
VIETNAM = load_holidays("vietnam")


def test_tet_falls_on_its_published_days() -> None:
    """2025 to 2029 as in China; in 2030 the new moon comes after 16:00 UTC, so Vietnam is a day earlier."""
    known = {day.year: day for day in VIETNAM.new_years()}
    assert [f"{known[year]}" for year in range(2025, 2031)] == [
        *("2025-01-29", "2026-02-17", "2027-02-06", "2028-01-26", "2029-02-13", "2030-02-02")
    ]


def test_the_moon_keeps_its_months() -> None:
    """From new year to new year pass 12 or 13 lunar months, and to the Hung Kings two (or three) and nine days."""
    tet, kings = (one.first_days for one in VIETNAM.lunar)
    assert {(later - now).days for now, later in pairwise(tet)} <= {354, 355, 383, 384, 385}
    assert {(king - new).days - 9 for king, new in zip(kings, tet, strict=True)} <= {58, 59, 60, 88, 89}


def test_a_year_has_eleven_public_holidays() -> None:
    """Labour Code 2019, article 112; 2026 has no overlaps."""
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    assert sum(VIETNAM.holds(day) for day in days) == 11


@pytest.mark.parametrize("name", sorted(shipped_holidays()))
def test_shipped_holidays_are_sound(name: str) -> None:
    """Each file loads, is called what it is called, and says where it comes from."""
    assert (load_holidays(name).name, bool(load_holidays(name).source)) == (name, True)


def calendar(begins: str, **shifts: object) -> Calendar:
    return Calendar(
        Shifts(hours=("08:00-17:00",), **shifts),
        "Asia/Ho_Chi_Minh",
        origin_ns=instant_ns(datetime.fromisoformat(begins)),
    )


@pytest.mark.parametrize(("year", "new_year"), [(2025, "2025-01-29"), (2028, "2028-01-26"), (2030, "2030-02-02")])
def test_a_factory_closes_for_tet_whenever_it_begins(year: int, new_year: str) -> None:
    """Nine days, three of them before the new year's day, in any year."""
    factory = calendar(f"{year}-01-02T00:00+07:00", tet={})
    first = date.fromisoformat(new_year) - timedelta(days=3)
    days = [first + timedelta(days=number) for number in range(-2, 11)]
    assert [factory.is_workday(day) for day in days] == [True] * 2 + [False] * 9 + [True] * 2
    opens_ns = instant_ns(datetime.fromisoformat(f"{first + timedelta(days=9)}T08:00+07:00"))
    last_ns = instant_ns(datetime.fromisoformat(f"{first - timedelta(days=1)}T17:00+07:00"))
    assert factory.open_ns(opens_ns) == factory.open_ns(last_ns)


def test_public_holidays_close_too() -> None:
    """30 April and 1 May, with the same machinery; the weekend stays what it was."""
    factory = calendar("2026-04-01T00:00+07:00", holidays="vietnam", days=("mon", "tue", "wed", "thu", "fri"))
    days = [date(2026, 4, 29) + timedelta(days=number) for number in range(7)]
    assert [factory.is_workday(day) for day in days] == [True, False, False, False, False, True, True]


def test_people_come_back_in_a_straight_line() -> None:
    """60 % on the day it opens, 80 % five days later, all after ten; until the next Tet nobody is missing."""
    tet = Tet()
    opens = date(2026, 2, 14) + timedelta(days=9)
    shares = [tet.staffing(opens + timedelta(days=number)) for number in (0, 5, 10, 300)]
    assert shares == pytest.approx([0.6, 0.8, 1.0, 1.0])


def test_tet_is_closed_on_the_new_years_day() -> None:
    """Closing ten days before for nine days would miss it."""
    with pytest.raises(ValidationError, match="so that it is closed on the new year's day"):
        Tet(days=9, before=10)
