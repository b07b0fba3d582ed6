"""When which price of electricity holds: peak, off-peak and normal hours of the days of a week."""

from __future__ import annotations

import re
from datetime import date
from functools import cached_property
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from simulator.scenario.sensor import Strict

__all__ = ["PERIODS", "Hours", "Stretch"]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 1440
PERIODS = ("normal", "off-peak", "peak")
"""The periods of a day; a period's number is its place in this list."""
NORMAL, OFF_PEAK, PEAK = range(3)
CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"


def valid_hours(value: str) -> str:
    if re.fullmatch(f"{CLOCK}-{CLOCK}", value) is None or value[:5] == value[6:]:
        message = f"{value!r} are no hours; write HH:MM-HH:MM, such as 17:30-22:30, or 22:00-04:00 past midnight"
        raise ValueError(message)
    return value


class Stretch(Strict):
    """Hours on some days of the week; past midnight they belong to the day on which they begin."""

    days: tuple[Day, ...] = Field(min_length=1, max_length=7, description="the days on which they begin")
    hours: tuple[
        Annotated[
            str, AfterValidator(valid_hours), WithJsonSchema({"type": "string", "pattern": f"^{CLOCK}-{CLOCK}$"})
        ],
        ...,
    ] = Field(min_length=1, description="from-to, local time")

    def minutes(self) -> NDArray[np.int64]:
        """Return every minute of the week, counted from Monday 0:00, that the stretch covers."""
        covered = [
            np.arange(first, first + (minute_of_day(span[6:]) - minute_of_day(span)) % DAY_MINUTES)
            for day in self.days
            for span in self.hours
            for first in (DAYS.index(day) * DAY_MINUTES + minute_of_day(span),)
        ]
        return np.concatenate(covered) % (7 * DAY_MINUTES)


def minute_of_day(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:5])


class Hours(Strict):
    """A schedule of hours; what is neither peak nor off-peak is normal."""

    effective_from: date = Field(description="the first local day on which it holds")
    source: str = Field(description="where the hours come from")
    peak: tuple[Stretch, ...] = Field(description="when the peak price holds")
    off_peak: tuple[Stretch, ...] = Field(description="when the off-peak price holds")

    def week(self) -> NDArray[np.int8]:
        """Return the period of each minute from Monday 0:00, int8[7 * 1440]."""
        table = np.full(7 * DAY_MINUTES, NORMAL, dtype=np.int8)
        for period, stretches in ((PEAK, self.peak), (OFF_PEAK, self.off_peak)):
            for minutes in (stretch.minutes() for stretch in stretches):
                taken = minutes[(table[minutes] != NORMAL) & (table[minutes] != period)]
                if len(taken):
                    day, minute = divmod(int(taken[0]), DAY_MINUTES)
                    clock = f"{DAYS[day]} {minute // 60:02}:{minute % 60:02}"
                    message = f"off_peak: {clock} is peak too; a minute has one price"
                    raise ValueError(message)
                table[minutes] = period
        return table

    @cached_property
    def changes(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For each weekday: the minutes at which a period begins, midnight always among them, and the period."""
        by_day = self.week().reshape(7, DAY_MINUTES)
        begins = np.concatenate((np.ones((7, 1), dtype=bool), by_day[:, 1:] != by_day[:, :-1]), axis=1)
        return tuple(
            tuple((int(m), int(day[m])) for m in np.flatnonzero(new)) for day, new in zip(by_day, begins, strict=True)
        )

    @model_validator(mode="after")
    def each_minute_has_one_price(self) -> Self:
        self.week()
        return self
