"""What electricity costs: three prices by time of use, the penalty for a poor power factor, and what a kWh emits.

A tariff is data with dates. Which price holds at an instant depends on the hours in force on that day, the price list
in force on that day, and the voltage. All arithmetic is on whole nanoseconds: energy that crosses a border is split
exactly there, in proportion to time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simulator.scenario.quantities import Name, instant_ns
from simulator.scenario.sensor import Strict
from simulator.scenario.time_of_use import PERIODS, Hours

__all__ = [
    "Carbon",
    "Level",
    "Pieces",
    "PowerFactorRule",
    "PriceList",
    "Tariff",
    "in_force",
    "mean_power_factor",
]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class Level(Strict):
    """Prices at a voltage, VND per kWh before VAT."""

    from_kv: float = Field(ge=0, description="the least voltage; the level ends where the next one begins")
    normal: float = Field(ge=0, description="normal hours")
    off_peak: float = Field(ge=0, description="off-peak hours")
    peak: float = Field(ge=0, description="peak hours")


class PriceList(Strict):
    """The prices of one decision."""

    effective_from: date = Field(description="the first local day on which it holds")
    source: str = Field(description="where the prices come from")
    levels: tuple[Level, ...] = Field(min_length=1, description="prices by voltage, the lowest first, from 0 kV")

    @model_validator(mode="after")
    def levels_rise_from_zero(self) -> Self:
        steps = [level.from_kv for level in self.levels]
        if steps[0] != 0 or any(high <= low for low, high in pairwise(steps)):
            message = f"levels: from_kv is {', '.join(f'{kv:g}' for kv in steps)}, but must begin at 0 and rise"
            raise ValueError(message)
        return self

    def at(self, voltage_kv: float) -> tuple[float, float, float]:
        """Return the prices at a voltage, in the order of PERIODS."""
        level = self.levels[bisect_right([one.from_kv for one in self.levels], voltage_kv) - 1]
        return level.normal, level.off_peak, level.peak


class PowerFactorRule(Strict):
    """The penalty for reactive power, a share of the cost of active energy."""

    target: float = Field(gt=0, le=1, description="cos phi from which nothing is due")
    floor: float = Field(gt=0, le=1, description="cos phi below which the fixed share is due")
    fixed_percent: float = Field(ge=0, description="of the cost of active energy")
    source: str = Field(description="where the rule comes from")

    def percent(self, power_factor: Floats) -> Floats:
        """Return the penalty in per cent of the cost of active energy: (target / cos φ - 1) · 100, or fixed."""
        due = (self.target / np.maximum(power_factor, self.floor) - 1.0) * 100.0
        return np.where(power_factor < self.floor, self.fixed_percent, np.maximum(due, 0.0))


class Carbon(Strict):
    """What the grid emitted in a year."""

    year: int = Field(description="calendar year")
    t_per_mwh: float = Field(ge=0, description="t of CO2 per MWh")
    source: str = Field(description="where the factor comes from")


@dataclass(frozen=True, slots=True)
class Pieces:
    """Intervals cut where the period, the price list or the year may change. Columns of K rows, in order of time."""

    interval: Ints
    """Which interval a piece belongs to."""
    start_ns: Ints
    share: Floats
    """Of the length of its interval."""
    period: Ints
    """Place in PERIODS."""
    price_list: Ints
    """Place in ``prices``, or -1 where none is known."""
    carbon: Ints
    """Place in ``carbon``, or -1 where none is known."""


class Tariff(Strict):
    """A tariff with all its dates."""

    name: Name = Field(description="what a scenario refers to")
    title: str = Field(description="for people")
    timezone: ZoneInfo = Field(description="IANA name of the zone of its hours and dates")
    hours: tuple[Hours, ...] = Field(min_length=1, description="schedules of hours, the oldest first")
    prices: tuple[PriceList, ...] = Field(min_length=1, description="price lists, the oldest first")
    power_factor: PowerFactorRule = Field(description="the penalty for a poor power factor")
    carbon: tuple[Carbon, ...] = Field(min_length=1, description="emission factors, the oldest first")

    @model_validator(mode="after")
    def dates_rise(self) -> Self:
        columns: dict[str, list[Any]] = {
            "hours": [one.effective_from for one in self.hours],
            "prices": [one.effective_from for one in self.prices],
            "carbon": [one.year for one in self.carbon],
        }
        for key, dates in columns.items():
            wrong = next((later for now, later in pairwise(dates) if later <= now), None)
            if wrong is not None:
                message = f"{key}: {wrong} does not come after the entry before it; write the oldest first"
                raise ValueError(message)
        return self

    def period_at(self, time_ns: Ints) -> NDArray[np.str_]:
        """Return ``peak``, ``normal`` or ``off-peak`` for each instant, str[N].

        The first instant of a period belongs to it. Before the first schedule of hours the first one is used.
        """
        return np.array(PERIODS)[self.period_number_at(time_ns)]

    def period_number_at(self, time_ns: Ints) -> Ints:
        """Return the place in PERIODS of the period at each instant, int64[N]."""
        if not len(time_ns):
            return np.empty(0, dtype=np.int64)
        borders, table = self._borders(int(time_ns.min()), int(time_ns.max()))
        number: Ints = table[np.searchsorted(borders, time_ns, side="right") - 1, 0]
        return number

    def split(self, edges_ns: Ints) -> Pieces:
        """Cut the N intervals between N + 1 rising instants wherever the price may change.

        The cuts belong to the calendar and not to the window, so an interval has the same pieces whatever others it
        is asked with.
        """
        borders, table = self._borders(int(edges_ns[0]), int(edges_ns[-1]))
        cuts = np.union1d(edges_ns, borders[(borders > edges_ns[0]) & (borders < edges_ns[-1])])
        start = cuts[:-1]
        interval = np.searchsorted(edges_ns, start, side="right") - 1
        period, price_list, carbon = table[np.searchsorted(borders, start, side="right") - 1].T
        return Pieces(interval, start, np.diff(cuts) / np.diff(edges_ns)[interval], period, price_list, carbon)

    def cost_vnd(self, edges_ns: Ints, kwh: Floats, *, voltage_kv: float) -> Floats:
        """Return the cost of each interval in VND before VAT and penalty, float64[N].

        ``edges_ns``: int64[N + 1], rising; ``kwh``: float64[N], used evenly over each interval. NaN where no price list
        was in force: a cost that is not known is not made up.
        """
        prices = np.array([(np.nan,) * 3, *(one.at(voltage_kv) for one in self.prices)])
        pieces = self.split(edges_ns)
        vnd = kwh[pieces.interval] * pieces.share * prices[pieces.price_list + 1, pieces.period]
        return summed(pieces.interval, vnd, len(kwh))

    def kwh_by_period(self, edges_ns: Ints, kwh: Floats) -> Floats:
        """Return the energy of each interval in each of PERIODS, float64[N, 3]."""
        pieces = self.split(edges_ns)
        cell = pieces.interval * len(PERIODS) + pieces.period
        part = summed(cell, kwh[pieces.interval] * pieces.share, len(kwh) * len(PERIODS))
        return part.reshape(len(kwh), len(PERIODS))

    def co2_t(self, edges_ns: Ints, kwh: Floats) -> Floats:
        """Return t of CO2 of each interval, float64[N]; NaN before the first year that has a factor."""
        factors = np.array([np.nan, *(one.t_per_mwh for one in self.carbon)])
        pieces = self.split(edges_ns)
        tonnes = kwh[pieces.interval] * pieces.share * factors[pieces.carbon + 1] / 1000.0
        return summed(pieces.interval, tonnes, len(kwh))

    def _borders(self, from_ns: int, until_ns: int) -> tuple[Ints, Ints]:
        """Return the instants at which something may change, from the local day of one instant to that of the other.

        With each comes a row: place in PERIODS, place in ``prices`` or -1, place in ``carbon`` or -1.
        """
        day, last = self._local_day(from_ns), self._local_day(until_ns)
        borders: list[int] = []
        rows: list[tuple[int, int, int]] = []
        while day <= last:
            schedule = self.hours[max(in_force([one.effective_from for one in self.hours], day), 0)]
            price_list = in_force([one.effective_from for one in self.prices], day)
            carbon = in_force([one.year for one in self.carbon], day.year)
            for minute, period in schedule.changes[day.weekday()]:
                clock = time(minute // 60, minute % 60)
                borders.append(instant_ns(datetime.combine(day, clock, self.timezone)))
                rows.append((period, price_list, carbon))
            day += timedelta(days=1)
        # Where a zone skips an hour, a border inside the hour would come after the next one.
        return np.maximum.accumulate(np.array(borders, dtype=np.int64)), np.array(rows, dtype=np.int64)

    def _local_day(self, at_ns: int) -> date:
        return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).astimezone(self.timezone).date()


def in_force(since: Sequence[Any], now: Any) -> int:
    """Return the place of the last entry that began at or before ``now``, or -1."""
    return bisect_right(since, now) - 1


def summed(cell: Ints, amount: Floats, cells: int) -> Floats:
    """Return the sum of the amounts of each cell, added in their order."""
    return np.bincount(cell, amount, minlength=cells).astype(np.float64)


def mean_power_factor(kwh: Floats, kvarh: Floats) -> Floats:
    """Return cos φ over a billing period from the two registers; 1 where nothing flowed."""
    apparent = np.hypot(kwh, kvarh)
    return np.divide(kwh, apparent, out=np.ones_like(apparent), where=apparent > 0)
