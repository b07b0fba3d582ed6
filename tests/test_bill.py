"""The bill: cost by the prices and hours of the day, the month's power factor and penalty, and CO2."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from parks import HOUR_NS
from supplied import FACTORY, Seen, site

from simulator.scenario.quantities import instant_ns
from simulator.scenario.rulebook import shipped_tariff
from simulator.signals.bill import Bill

TARIFF = shipped_tariff("evn-manufacturing")
BEGIN_NS = instant_ns(datetime(2026, 4, 21, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")))
"""A Tuesday; the next day the new hours hold."""
NORMAL, OFF_PEAK, PEAK = 1833, 1190, 3398
"""VND per kWh from 22 to 110 kV."""


def billed(bill: Bill, shows: str, *hours: float, watts: list[int], variable: list[int] | None = None) -> list[float]:
    """Let power flow, constant from each half hour to the next, in one window, and read at some hours."""
    half_hours = BEGIN_NS + np.arange(len(watts)) * HOUR_NS // 2
    flow = np.array(watts, dtype=np.int64)
    reactive = np.array(variable or [0] * len(watts), dtype=np.int64)
    period = TARIFF.period_number_at(half_hours)
    bill.advance(half_hours, flow, reactive, period, BEGIN_NS + len(watts) * HOUR_NS // 2)
    return bill.values(shows, BEGIN_NS + (np.array(hours) * HOUR_NS).astype(np.int64)).tolist()


def power(*spans: tuple[float, float], kw: int = 1000, days: int = 2) -> list[int]:
    """Watts in each half hour of some days: some kW in the spans of hours of each day."""
    return [1000 * kw if any(begin <= half % 48 / 2 < end for begin, end in spans) else 0 for half in range(48 * days)]


@pytest.mark.parametrize(
    ("span", "old", "new"),
    [
        ((9.5, 11.5), PEAK, NORMAL),
        ((17, 17.5), PEAK, NORMAL),
        ((17.5, 20), PEAK, PEAK),
        ((20, 22), NORMAL, PEAK),
        ((22, 22.5), OFF_PEAK, PEAK),
        ((22.5, 24), OFF_PEAK, NORMAL),
        ((0, 4), OFF_PEAK, OFF_PEAK),
        ((4, 6), NORMAL, OFF_PEAK),
        ((12, 13), NORMAL, NORMAL),
    ],
)
def test_the_price_of_an_hour_changes_on_22_april_2026(span: tuple[float, float], old: int, new: int) -> None:
    """1,000 kW in one span of hours of 21 and 22 April, by both schedules: whole VND, by hand."""
    kwh = 1000 * (span[1] - span[0])
    one, both = billed(Bill(TARIFF, voltage_kv=22), "cost", 24, 47.999999, watts=power(span))
    assert one == pytest.approx(kwh * old)
    assert both == pytest.approx(kwh * (old + new), rel=1e-6)


def test_the_voltage_decides_about_the_price() -> None:
    """At 110 kV an hour at noon costs 1,811, at .4 kV 1,987 VND per kWh."""
    for kv, price in ((110, 1811), (0.4, 1987), (10, 1899)):
        (cost,) = billed(Bill(TARIFF, voltage_kv=kv), "cost", 24, watts=power((12, 13)))
        assert cost == pytest.approx(1000 * price)


def test_nothing_is_due_for_what_is_fed_in() -> None:
    """1 MW out at noon does not make the hour in the afternoon cheaper."""
    watts = [a - b for a, b in zip(power((14, 15)), power((12, 13)), strict=True)]
    (cost,) = billed(Bill(TARIFF, voltage_kv=22), "cost", 24, watts=watts)
    assert cost == pytest.approx(1000 * NORMAL)


def test_a_poor_power_factor_costs() -> None:
    """1,000 kWh and 750 kvarh: cos φ .8, so .9/.8 - 1 = 12.5 % of the cost; at .5 it is 52.54 %; at .9 nothing."""
    for kvar, factor, percent in ((750, 0.8, 12.5), (1732.05, 0.5, 52.54), (484, 0.9, 0.0)):
        watts, variable = power((12, 13)), [round(kvar) * one // 1000 for one in power((12, 13))]
        bill = Bill(TARIFF, voltage_kv=22)
        (shown,) = billed(bill, "month_power_factor", 24, watts=watts, variable=variable)
        assert shown == pytest.approx(factor, abs=5e-4)
        (penalty,) = bill.values("penalty", np.array([BEGIN_NS + 24 * HOUR_NS])).tolist()
        assert penalty == pytest.approx(1000 * NORMAL * percent / 100, rel=5e-3, abs=1000)


def test_a_new_month_is_a_new_bill() -> None:
    """From the first of May cost and power factor begin anew; CO2 is counted on, .6592 t per MWh."""
    watts = power((12, 13), days=12)
    variable = [one // 2 if half < 48 * 10 else 0 for half, one in enumerate(watts)]
    bill = Bill(TARIFF, voltage_kv=22)
    before, first, after = billed(bill, "cost", 239.9, 240, 264, watts=watts, variable=variable)
    assert (before, first, after) == (pytest.approx(10_000 * NORMAL), 0, pytest.approx(1000 * NORMAL))
    at = BEGIN_NS + np.array([239, 264]) * HOUR_NS
    assert bill.values("month_power_factor", at) == pytest.approx([0.8944, 1.0], abs=1e-4)
    assert bill.values("co2", at) == pytest.approx([10 * 0.6592, 11 * 0.6592])


def test_windows_do_not_change_a_bill() -> None:
    """Cut at each half hour or taken whole: the same bits on each side of a new price and of a new month."""
    watts = [one + 7 * half for half, one in enumerate(power((3, 21), days=11))]
    whole = Bill(TARIFF, voltage_kv=22)
    hours = np.arange(0.25, 264, 0.5)
    wanted = billed(whole, "cost", *hours, watts=watts)
    cut, got = Bill(TARIFF, voltage_kv=22), []
    for half, one in enumerate(watts):
        now = np.array([BEGIN_NS + half * HOUR_NS // 2])
        cut.advance(now, np.array([one]), np.array([0]), TARIFF.period_number_at(now), int(now[0]) + HOUR_NS // 2)
        got += cut.values("cost", now + HOUR_NS // 4).tolist()
    assert got == wanted


def test_a_day_of_a_tenant_costs_what_his_registers_say(tmp_path: Path) -> None:
    """Over two days across 22 April 2026: three registers times three prices, and the penalty of P and Q."""
    loaded = site(
        tmp_path,
        f"{{name: feeder, type: feeder-22kv, serves: [{FACTORY}]}}",
        edit=("warm_up: 2h", "warm_up: 0s"),
    )
    for name, spec in loaded.types.items():
        if name != "feeder-22kv":
            # Only the feeder is of interest; the park does not depend on who looks.
            loaded.types[name] = spec.model_copy(update={"sensors": spec.sensors[:1]})
    seen = Seen(loaded, minutes=48 * 60, window_ns=3 * HOUR_NS, start_ns=BEGIN_NS)
    shown = {name: seen.of("feeder", name)[1] for name in ("cost_vnd", "penalty_vnd", "month_power_factor", "co2_t")}
    kwh = {name: seen.of("feeder", f"energy_{name}_kwh")[1] for name in ("normal", "off_peak", "peak")}
    cost = kwh["normal"] * NORMAL + kwh["off_peak"] * OFF_PEAK + kwh["peak"] * PEAK
    assert shown["cost_vnd"] == pytest.approx(cost, abs=5)
    active, reactive = sum(kwh.values()), seen.of("feeder", "reactive_energy_kvarh")[1]
    factor = active / np.hypot(active, reactive)
    assert shown["month_power_factor"][60:] == pytest.approx(factor[60:], abs=6e-4)
    assert shown["penalty_vnd"][-1] == pytest.approx(cost[-1] * (0.9 / factor[-1] - 1), rel=2e-3)
    assert shown["co2_t"] == pytest.approx(active * 0.6592 / 1000, abs=1e-4)
    # The first day has its peaks in the morning and the evening, the second in the evening only.
    minutes, peak = seen.of("feeder", "energy_peak_kwh")
    at = [peak[np.searchsorted(minutes, hour * 60)] for hour in (9.5, 11.5, 24, 33.5, 35.5, 41.4, 46.5)]
    assert at[1] > at[0]
    assert at[2] == at[3] == at[4] == at[5] < at[6]
