"""Holidays: days by date and by the moon, in ``holidays/*.yaml``, and how a factory closes for Tet."""

from __future__ import annotations

import json
from bisect import bisect_right
from datetime import date, timedelta
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from simulator.scenario.quantities import Name
from simulator.scenario.reader import read_document
from simulator.scenario.sensor import Strict

__all__ = ["Holidays", "LunarHoliday", "Tet", "YearlyHoliday", "load_holidays", "shipped_holidays"]

TET = "tet"
HOME = "vietnam"
"""The holidays in which the first days of Tet stand."""


class YearlyHoliday(Strict):
    """A holiday of the solar calendar."""

    name: Name = Field(description="what it is called")
    on: str = Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", description="month and day: 09-02")


class LunarHoliday(Strict):
    """A holiday of the lunar calendar, year by year."""

    name: Name = Field(description="what it is called")
    begins: int = Field(ge=-10, le=10, description="days from its first day to the first one off")
    days: int = Field(ge=1, le=30, description="days off")
    source: str = Field(description="where the dates come from")
    first_days: tuple[date, ...] = Field(min_length=1, description="its first day in each year, the oldest first")

    @model_validator(mode="after")
    def once_a_year(self) -> Self:
        years = [day.year for day in self.first_days]
        if years != list(range(years[0], years[0] + len(years))):
            message = "first_days: must be one a year, without a gap, the oldest first"
            raise ValueError(message)
        return self


class Holidays(Strict):
    """The public holidays of a country."""

    name: Name = Field(description="what a scenario refers to")
    title: str = Field(description="for people")
    source: str = Field(description="where they come from")
    yearly: tuple[YearlyHoliday, ...] = Field(description="by date")
    lunar: tuple[LunarHoliday, ...] = Field(description="by the moon")

    @property
    def years(self) -> tuple[int, int]:
        """The first and the last year of which all holidays are known."""
        firsts = [(one.first_days[0].year, one.first_days[-1].year) for one in self.lunar]
        return max(first for first, _ in firsts), min(last for _, last in firsts)

    @cached_property
    def by_moon(self) -> frozenset[date]:
        """All days off of the lunar calendar."""
        return frozenset(
            first + timedelta(days=one.begins + number)
            for one in self.lunar
            for first in one.first_days
            for number in range(one.days)
        )

    def holds(self, day: date) -> bool:
        """Say whether a day is a holiday."""
        return day in self.by_moon or any(one.on == f"{day:%m-%d}" for one in self.yearly)

    def new_years(self) -> tuple[date, ...]:
        """Return the first days of Tet."""
        return next((one.first_days for one in self.lunar if one.name == TET), ())


class Tet(Strict):
    """How a factory closes for the lunar new year, and how its people come back."""

    days: int = Field(default=9, ge=1, le=30, description="closed days in a row; factories take 7 to 12 [E]")
    before: int = Field(default=3, ge=0, le=30, description="how many of them come before the new year's day")
    back: float = Field(default=0.6, gt=0, le=1, description="share of people who are back on the day it opens [E]")
    ramp: int = Field(default=10, ge=0, le=60, description="days until all posts are filled, in a straight line [E]")
    leave: float = Field(default=0.07, ge=0, le=0.5, description="share of people who never return; 5 to 10 % [E]")

    @model_validator(mode="after")
    def closes_on_new_year(self) -> Self:
        if self.before >= self.days:
            message = f"before(={self.before}) must be < days(={self.days}), so that it is closed on the new year's day"
            raise ValueError(message)
        return self

    def since_opening(self, day: date) -> int | None:
        """Return how many days before a day the factory opened after its last Tet; below 0 while it is closed.

        None before the first Tet that is known.
        """
        news = load_holidays(HOME).new_years()
        closing = timedelta(days=self.before)
        # The Tet that is on, or was last: the first day of closing decides.
        last = bisect_right(news, day + closing) - 1
        return (day - (news[last] - closing)).days - self.days if last >= 0 else None

    def closes(self, day: date) -> bool:
        """Say whether a day lies in the closed days."""
        since = self.since_opening(day)
        return since is not None and since < 0

    def staffing(self, day: date) -> float:
        """Return the share of posts that are filled on a day on which it is open."""
        since = self.since_opening(day)
        if since is None or since >= self.ramp:
            return 1.0
        return self.back + (1.0 - self.back) * max(since, 0) / self.ramp


@cache
def shipped_holidays() -> dict[str, Path]:
    """Return the holidays that come with parksim: the file of each, by name."""
    folder = Path(str(resources.files("simulator.scenario").joinpath("holidays")))
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


@cache
def load_holidays(name: str) -> Holidays:
    """Load holidays that come with parksim; the name must be one of ``shipped_holidays``."""
    # As with climates: a mistake in a shipped file is ours, and tests read them all.
    data = read_document(shipped_holidays()[name]).root.plain()
    return Holidays.model_validate_json(json.dumps(data), strict=True)
