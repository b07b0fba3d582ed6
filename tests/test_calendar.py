"""Shifts in local time as open intervals."""

from datetime import UTC, datetime

import pytest

from simulator.park.calendar import Calendar
from simulator.scenario.quantities import instant_ns
from simulator.scenario.schema import Shifts

HOUR_NS = 3_600_000_000_000


def at(text: str) -> int:
    return instant_ns(datetime.fromisoformat(text))


def calendar(origin: str = "2025-03-10T00:00+07:00", zone: str = "Asia/Ho_Chi_Minh", **shifts: object) -> Calendar:
    return Calendar(Shifts(**shifts), zone, origin_ns=at(origin))


DAY_SHIFT = {"hours": ("08:00-12:00", "13:00-17:00"), "days": ("mon", "tue", "wed", "thu", "fri")}


@pytest.mark.parametrize(
    ("instant", "is_open"),
    [
        ("2025-03-10T07:59:59+07:00", False),
        ("2025-03-10T08:00+07:00", True),
        ("2025-03-10T12:00+07:00", False),
        ("2025-03-10T16:59:59+07:00", True),
        ("2025-03-15T09:00+07:00", False),
        ("2025-03-10T02:00+00:00", True),
    ],
)
def test_open_and_closed(instant: str, *, is_open: bool) -> None:
    """A shift holds its first instant and not its last; the weekend is closed; instants may come in any zone."""
    assert calendar(**DAY_SHIFT).is_open(at(instant)) is is_open


def test_next_change_goes_through_the_day() -> None:
    """Opening, lunch, afternoon, evening."""
    factory, now, seen = calendar(**DAY_SHIFT), at("2025-03-10T00:00+07:00"), []
    for _ in range(4):
        now = factory.next_change(now)
        seen.append(datetime.fromtimestamp(now / 1e9, UTC).hour + 7)
    assert seen == [8, 12, 13, 17]


def test_a_night_shift_belongs_to_the_day_it_begins_on() -> None:
    """Friday's night shift runs into Saturday; Sunday's does not begin."""
    factory = calendar(hours=("22:00-06:00",), days=("mon", "tue", "wed", "thu", "fri"))
    assert factory.is_open(at("2025-03-15T05:59+07:00"))
    assert not factory.is_open(at("2025-03-16T23:00+07:00"))


def test_the_shift_that_runs_at_the_origin_is_known() -> None:
    """A park that begins at 02:00 begins in the night shift of the day before."""
    factory = calendar(origin="2025-03-11T02:00+07:00", hours=("22:00-06:00",))
    assert factory.is_open(at("2025-03-11T02:00+07:00"))


def test_round_the_clock_is_one_interval() -> None:
    """Three touching shifts never close, and the calendar does not look for ever."""
    factory, now = calendar(), at("2025-03-10T00:00+07:00")
    assert factory.is_open(factory.next_change(now))
    assert factory.open_ns(at("2025-03-20T00:00+07:00")) - factory.open_ns(now) == 240 * HOUR_NS


def test_holidays_are_closed() -> None:
    """No shift begins on a closed day."""
    factory = calendar(**DAY_SHIFT, closed=("2025-03-11",))
    assert not factory.is_open(at("2025-03-11T09:00+07:00"))
    assert factory.open_ns(at("2025-03-17T00:00+07:00")) - factory.open_ns(at("2025-03-10T00:00+07:00")) == 32 * HOUR_NS


def test_summer_time_keeps_local_hours() -> None:
    """In Berlin the shift begins at 08:00 before and after the clocks change."""
    factory = calendar(origin="2025-03-29T00:00+01:00", zone="Europe/Berlin", hours=("08:00-17:00",))
    assert factory.is_open(at("2025-03-29T08:00+01:00"))
    assert factory.is_open(at("2025-03-30T08:00+02:00"))
    assert not factory.is_open(at("2025-03-30T17:00+02:00"))


def test_a_shift_that_the_clocks_swallow_is_no_shift() -> None:
    """Clocks go from 02:00 to 03:00: a shift from 02:30 to 03:15 is not held, and open time never runs back."""
    factory = calendar(origin="2025-03-29T00:00+01:00", zone="Europe/Berlin", hours=("02:30-03:15", "03:15-11:00"))
    passed = [factory.open_ns(at("2025-03-30T00:00+01:00") + quarter * HOUR_NS // 4) for quarter in range(48)]
    assert passed == sorted(passed)
    assert factory.is_open(at("2025-03-30T03:15+02:00"))
