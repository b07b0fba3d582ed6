"""When a factory works: shifts in local time as open intervals of simulated time."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from simulator.scenario.quantities import instant_ns
from simulator.scenario.schema import ALL_DAYS, Shifts

__all__ = ["Calendar"]

DAY_NS = 86_400_000_000_000
AHEAD_DAYS = 8
"""How far past an instant the calendar looks; a factory open that long is asked again then."""


class Calendar:
    """Open and closed times of one factory. Instants are nanoseconds since the Unix epoch."""

    def __init__(self, shifts: Shifts, timezone: str, *, origin_ns: int) -> None:
        self._shifts = shifts
        self._zone = ZoneInfo(timezone)
        # A shift of the day before may still be running at the origin.
        self._day = self._local(origin_ns).date() - timedelta(days=1)
        self._laid_out_ns = self._instant(self._day, "00:00")
        self._opens: list[int] = []
        self._closes: list[int] = []
        self._open_before: list[int] = []

    def _local(self, at_ns: int) -> datetime:
        return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).astimezone(self._zone)

    def _instant(self, day: date, clock: str) -> int:
        return instant_ns(datetime.combine(day, time.fromisoformat(clock), self._zone))

    def _lay_out(self, until_ns: int) -> None:
        """Lay out the shifts of all days that begin before ``until_ns``, joining those that touch."""
        while self._laid_out_ns < until_ns:
            day = self._day
            self._day += timedelta(days=1)
            self._laid_out_ns = self._instant(self._day, "00:00")
            if ALL_DAYS[day.weekday()] not in self._shifts.days or day in self._shifts.closed:
                continue
            for hours in sorted(self._shifts.hours):
                begin, end = hours.split("-")
                opens = self._instant(day, begin)
                closes = self._instant(day if end > begin else day + timedelta(days=1), end)
                self._add(opens, closes)

    def _add(self, opens: int, closes: int) -> None:
        if closes <= opens:
            return  # the hour in which clocks go forward has swallowed it
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
