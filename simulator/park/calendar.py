"""When a factory works: shifts in local time as open intervals of simulated time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from simulator.scenario.holidays import load_holidays
from simulator.scenario.quantities import instant_ns
from simulator.scenario.schema import ALL_DAYS, Shifts, shift_span

__all__ = ["Calendar", "Shift"]

DAY_NS = 86_400_000_000_000
AHEAD_DAYS = 8
"""How far past an instant the calendar looks; a factory open that long is asked again then."""


class Shift(NamedTuple):
    """One shift of one day."""

    day: date
    """The local day on which it begins."""
    slot: int
    """Which shift of the day it is, from 0 in the order of the clock."""
    opens_ns: int
    closes_ns: int
    breaks_ns: tuple[tuple[int, int], ...]
    """From when to when each group of machines rests."""


class Calendar:
    """Open and closed times of one factory. Instants are nanoseconds since the Unix epoch."""

    def __init__(self, shifts: Shifts, timezone: str, *, origin_ns: int) -> None:
        self._shifts = shifts
        self._zone = ZoneInfo(timezone)
        self._holidays = load_holidays(shifts.holidays) if shifts.holidays is not None else None
        self._origin_ns = origin_ns
        self._day = self._first_day()
        self._laid_out_ns = self._instant(self._day, "00:00")
        self._opens: list[int] = []
        self._closes: list[int] = []
        self._open_before: list[int] = []
        self._rests: dict[int, list[tuple[int, int, int]]] = {}

    def _local(self, at_ns: int) -> datetime:
        return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).astimezone(self._zone)

    def _instant(self, day: date, clock: str) -> int:
        return instant_ns(datetime.combine(day, time.fromisoformat(clock), self._zone))

    def _lay_out(self, until_ns: int) -> None:
        """Lay out the shifts of all days that begin before ``until_ns``, joining those that touch."""
        while self._laid_out_ns < until_ns:
            for shift in self._shifts_of(self._day):
                self._add(shift.opens_ns, shift.closes_ns)
                for group, (from_ns, to_ns) in enumerate(shift.breaks_ns):
                    rests = self._rests.setdefault(group, [(0, 0, 0)])
                    begun, ended, before = rests[-1]
                    rests.append((from_ns, to_ns, before + ended - begun))
            self._day += timedelta(days=1)
            self._laid_out_ns = self._instant(self._day, "00:00")

    def _first_day(self) -> date:
        # A shift of the day before may still be running at the origin.
        return self._local(self._origin_ns).date() - timedelta(days=1)

    def day_of(self, at_ns: int) -> date:
        """Return the local day of an instant."""
        return self._local(at_ns).date()

    def midnight_after(self, day: date) -> int:
        """Return the instant at which a local day ends."""
        return self._instant(day + timedelta(days=1), "00:00")

    def staffing(self, day: date) -> float:
        """Return the share of posts that are filled on a day: less than all of them for some days after Tet."""
        return self._shifts.tet.staffing(day) if self._shifts.tet is not None else 1.0

    @property
    def is_by_day(self) -> bool:
        """Say whether it works one shift, which does not run past midnight."""
        return len(self._shifts.hours) == 1 and self._shifts.hours[0][6:] > self._shifts.hours[0][:5]

    def is_workday(self, day: date) -> bool:
        """Say whether shifts begin on a day."""
        shifts = self._shifts
        if ALL_DAYS[day.weekday()] not in shifts.days or day in shifts.closed:
            return False
        holiday = self._holidays is not None and self._holidays.holds(day)
        return not holiday and not (shifts.tet is not None and shifts.tet.closes(day))

    def _shifts_of(self, day: date) -> Iterator[Shift]:
        if not self.is_workday(day):
            return
        for slot, hours in enumerate(self._shifts.hours_on(ALL_DAYS[day.weekday()])):
            begin, end = hours.split("-")
            opens = self._instant(day, begin)
            closes = self._instant(day if end > begin else day + timedelta(days=1), end)
            # The hour in which clocks go forward may swallow a shift, or the end of its break.
            if closes > opens:
                breaks = self._shifts.breaks.in_shift(*shift_span(hours)) if self._shifts.breaks else []
                rests = [(opens + first, min(opens + last, closes)) for first, last in breaks if opens + first < closes]
                yield Shift(day, slot, opens, closes, tuple(rests))

    def shifts(self) -> Iterator[Shift]:
        """Yield, without end, all shifts that are not over at the origin, in the order of time."""
        day = self._first_day()
        while True:
            yield from (shift for shift in self._shifts_of(day) if shift.closes_ns > self._origin_ns)
            day += timedelta(days=1)

    def _add(self, opens: int, closes: int) -> None:
        if self._closes and opens <= self._closes[-1]:
            self._closes[-1] = max(closes, self._closes[-1])
            return
        before = self._open_before[-1] + self._closes[-1] - self._opens[-1] if self._opens else 0
        self._opens.append(opens)
        self._closes.append(closes)
        self._open_before.append(before)

    def _interval(self, at_ns: int) -> int:
        """Return the index of the last interval that opened at or before the instant, or -1."""
        self._lay_out(at_ns + AHEAD_DAYS * DAY_NS)
        return bisect_right(self._opens, at_ns) - 1

    def is_open(self, at_ns: int) -> bool:
        """Say whether a shift is on."""
        i = self._interval(at_ns)
        return i >= 0 and at_ns < self._closes[i]

    def next_change(self, at_ns: int) -> int:
        """Return when the factory next opens or closes; at the latest some days ahead, to be asked again."""
        i = self._interval(at_ns)
        horizon = at_ns + (AHEAD_DAYS - 2) * DAY_NS
        if i >= 0 and at_ns < self._closes[i]:
            return min(self._closes[i], horizon)
        return min(self._opens[i + 1], horizon) if i + 1 < len(self._opens) else horizon

    def open_ns(self, at_ns: int) -> int:
        """Return how much open time has passed since the day before the origin, for differences."""
        i = self._interval(at_ns)
        return 0 if i < 0 else self._open_before[i] + min(at_ns, self._closes[i]) - self._opens[i]

    def rested_ns(self, at_ns: int, group: int) -> int:
        """Return how much time a group of people had in breaks since the day before the origin, for differences."""
        self._lay_out(at_ns)
        rests = self._rests.get(group, [(0, 0, 0)])
        from_ns, to_ns, before = rests[bisect_right(rests, at_ns, key=lambda one: one[0]) - 1]
        return before + min(at_ns, to_ns) - from_ns if to_ns else 0
