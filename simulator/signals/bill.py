"""What a feeder's bill comes to: cost, power factor and penalty of the month so far, and CO2.

The bill stands on registers of its own: energy taken from the grid by tariff period, and reactive energy, in whole
W ms and var ms, so that no sum depends on windows. What is fed into the grid is not paid for. Where the price list, the
month or the emission factor changes a leaf begins; within a leaf cost is linear in the registers. Before VAT. Days
before the first price list, or the first emission factor, are given the first: a meter has some price in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.quantities import instant_ns
from simulator.scenario.tariff import Tariff, in_force, mean_power_factor
from simulator.scenario.time_of_use import PERIODS

__all__ = ["Bill"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
MS = 1_000_000
WMS_PER_KWH = 3.6e9


@dataclass(frozen=True)
class Leaf:
    """A stretch of days with one price list, one emission factor, in one month, and how things stand at its start."""

    start_ns: int
    next_ns: int
    prices: Floats
    """VND per kWh by tariff period."""
    t_per_kwh: float
    taken_wms: Ints
    """int64[3]: registers at its start."""
    reactive_varms: int
    vnd: float
    """Cost of the month before it."""
    co2_t: float
    """Since the beginning of the world."""
    month_taken_wms: int
    """Registers at the start of the month."""
    month_varms: int


class Bill:
    """The bill of one feeder. ``voltage_kv`` decides about the price."""

    def __init__(self, tariff: Tariff, *, voltage_kv: float) -> None:
        self._tariff = tariff
        self._prices = np.array([one.at(voltage_kv) for one in tariff.prices])
        self._leaves: list[Leaf] = []
        self._time_ns = np.empty(0, dtype=np.int64)
        self._end_wms = np.zeros(len(PERIODS), dtype=np.int64)
        self._end_varms = 0

    def advance(self, time_ns: Ints, watts: Ints, variable: Ints, period: Ints, until_ns: int) -> None:
        """Take in what flows in the next window: constant from each instant to the next, int64[K] each.

        Every border of a tariff period is one of the instants.
        """
        self._time_ns, self._period = time_ns, period
        self._watts, self._vars = np.maximum(watts, 0), variable
        lasts_ms = np.diff(time_ns, append=until_ns) // MS
        taken = np.zeros((len(time_ns) + 1, len(PERIODS)), dtype=np.int64)
        taken[np.arange(len(time_ns)) + 1, period] = self._watts * lasts_ms
        taken[0] = self._end_wms
        self._taken = np.cumsum(taken, axis=0)
        self._reactive = np.cumsum(np.concatenate(([self._end_varms], variable * lasts_ms)))
        self._end_wms, self._end_varms = self._taken[-1], int(self._reactive[-1])
        # Readings of this window need the leaf in force at its start, and those that begin in it.
        del self._leaves[:-1]
        if not self._leaves:
            self._leaves.append(self._leaf(int(time_ns[0]), None))
        while self._leaves[-1].next_ns < until_ns:
            self._leaves.append(self._leaf(self._leaves[-1].next_ns, self._leaves[-1]))

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return ``cost`` or ``penalty`` (VND), ``month_power_factor`` or ``co2`` (t), float64[N]."""
        taken, reactive = self._registers(time_ns)
        if shows == "reactive_energy":
            return np.asarray(reactive / WMS_PER_KWH)
        which = np.searchsorted([leaf.start_ns for leaf in self._leaves], time_ns, side="right") - 1
        result = np.empty(len(time_ns))
        for number in np.unique(which).tolist():
            mine = which == number
            result[mine] = self._shown(shows, self._leaves[number], taken[mine], reactive[mine])
        return result

    def _shown(self, shows: str, leaf: Leaf, taken: Ints, reactive: Ints) -> Floats:
        kwh = (taken - leaf.taken_wms) / WMS_PER_KWH
        if shows == "co2":
            return np.asarray(leaf.co2_t + kwh.sum(axis=1) * leaf.t_per_kwh)
        vnd = leaf.vnd + (kwh * leaf.prices).sum(axis=1)
        if shows == "cost":
            return np.asarray(vnd)
        active = (taken.sum(axis=1) - leaf.month_taken_wms) / WMS_PER_KWH
        factor = mean_power_factor(active, (reactive - leaf.month_varms) / WMS_PER_KWH)
        if shows == "month_power_factor":
            return np.asarray(factor)
        return np.asarray(vnd * self._tariff.power_factor.percent(factor) / 100.0)

    def _registers(self, time_ns: Ints) -> tuple[Ints, Ints]:
        """Return energy taken, int64[N, 3], and reactive energy, int64[N], at instants of the window."""
        step = np.searchsorted(self._time_ns, time_ns, side="right") - 1
        passed_ms = (time_ns - self._time_ns[step]) // MS
        taken = self._taken[step].copy()
        taken[np.arange(len(step)), self._period[step]] += self._watts[step] * passed_ms
        return taken, self._reactive[step] + self._vars[step] * passed_ms

    def _leaf(self, start_ns: int, before: Leaf | None) -> Leaf:
        taken, reactive = (one[0] for one in self._registers(np.array([start_ns])))
        tariff = self._tariff
        local = datetime.fromtimestamp(start_ns // 1_000_000_000, UTC).astimezone(tariff.timezone)
        price_list = max(in_force([one.effective_from for one in tariff.prices], local.date()), 0)
        carbon = max(in_force([one.year for one in tariff.carbon], local.year), 0)
        vnd = co2_t = 0.0
        if before is not None:
            vnd = float(self._shown("cost", before, taken[np.newaxis], reactive[np.newaxis])[0])
            co2_t = float(self._shown("co2", before, taken[np.newaxis], reactive[np.newaxis])[0])
        turns = before is None or local.day == 1
        return Leaf(
            start_ns=start_ns,
            next_ns=self._next_ns(local),
            prices=self._prices[price_list],
            t_per_kwh=tariff.carbon[carbon].t_per_mwh / 1000.0,
            taken_wms=taken,
            reactive_varms=int(reactive),
            vnd=0.0 if turns else vnd,
            co2_t=co2_t,
            month_taken_wms=int(taken.sum()) if turns or before is None else before.month_taken_wms,
            month_varms=int(reactive) if turns or before is None else before.month_varms,
        )

    def _next_ns(self, local: datetime) -> int:
        """Return the first local midnight of a month, or of a price list, after an instant."""
        first = (local.replace(day=1) + timedelta(days=32)).date().replace(day=1)
        days = [first, *(one.effective_from for one in self._tariff.prices)]
        day = min(one for one in days if one > local.date())
        return instant_ns(datetime.combine(day, datetime.min.time(), self._tariff.timezone))
