"""What electricity costs: published prices, hours that change by date, and energy split exactly at their borders."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator.errors import ScenarioError
from simulator.scenario.quantities import instant_ns
from simulator.scenario.rulebook import load_tariff, shipped_tariff
from simulator.scenario.tariff import Tariff, mean_power_factor
from simulator.scenario.time_of_use import PERIODS

HOUR_NS, DAY_NS = 3_600_000_000_000, 86_400_000_000_000
SHIPPED = Path(__file__).parents[1] / "simulator/scenario/tariffs/evn-manufacturing.yaml"
EVN = shipped_tariff("evn-manufacturing")


def at(*instants: str) -> NDArray[np.int64]:
    return np.array([instant_ns(datetime.fromisoformat(f"{one}+07:00")) for one in instants], dtype=np.int64)


def hours_per_period(day: str, tariff: Tariff = EVN) -> list[float]:
    """Hours of [normal, off-peak, peak] in the day that begins at an instant."""
    return tariff.kwh_by_period(at(day)[0] + np.array([0, DAY_NS]), np.array([24.0]))[0].tolist()


@pytest.mark.parametrize(
    ("instant", "period"),
    [
        ("2026-04-20T09:29:59.999", "normal"),
        ("2026-04-20T09:30", "peak"),
        ("2026-04-20T11:30", "normal"),
        ("2026-04-20T17:00", "peak"),
        ("2026-04-20T20:00", "normal"),
        ("2026-04-20T22:00", "off-peak"),
        ("2026-04-21T03:59:59.999", "off-peak"),
        ("2026-04-21T04:00", "normal"),
        ("2026-04-18T10:00", "peak"),
        ("2026-04-19T10:00", "normal"),
        ("2026-04-19T23:00", "off-peak"),
        ("2026-04-21T23:59:59.999", "off-peak"),
        ("2026-04-22T00:00", "off-peak"),
        ("2026-04-22T05:59:59.999", "off-peak"),
        ("2026-04-22T06:00", "normal"),
        ("2026-04-22T10:00", "normal"),
        ("2026-04-22T17:29:59.999", "normal"),
        ("2026-04-22T17:30", "peak"),
        ("2026-04-22T22:30", "normal"),
        ("2026-04-26T18:00", "normal"),
    ],
)
def test_periods_change_by_the_clock_and_schedules_by_the_date(instant: str, period: str) -> None:
    """Old hours up to 21 April 2026, new ones from the 22nd; no peak on Sundays; a period holds its first instant."""
    assert EVN.period_at(at(instant)).tolist() == [period]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2025-06-02T00:00", [13.0, 6.0, 5.0]),
        ("2025-06-01T00:00", [18.0, 6.0, 0.0]),
        ("2026-05-04T00:00", [13.0, 6.0, 5.0]),
        ("2026-05-03T00:00", [18.0, 6.0, 0.0]),
    ],
)
def test_hours_of_a_day(day: str, expected: list[float]) -> None:
    """Both schedules give a working day 5 peak and 6 off-peak hours, and a Sunday no peak."""
    assert hours_per_period(day) == expected


@settings(deadline=None, max_examples=200)
@given(offset_ms=st.integers(-(10**11), 10**11))
def test_periods_of_any_day_add_up_to_24_hours(offset_ms: int) -> None:
    """Whichever instant the 24 hours begin at, across schedules, years and price lists."""
    start = at("2026-01-01T00:00")[0] + offset_ms * 1_000_000
    parts = EVN.kwh_by_period(np.array([start, start + DAY_NS]), np.array([24.0]))
    assert parts.sum() == pytest.approx(24.0, abs=1e-12)


@pytest.mark.parametrize(
    ("voltage_kv", "normal", "off_peak", "peak"),
    [
        (110, 1811, 1146, 3266),
        (220, 1811, 1146, 3266),
        (109.9, 1833, 1190, 3398),
        (22, 1833, 1190, 3398),
        (21.9, 1899, 1234, 3508),
        (6, 1899, 1234, 3508),
        (5.9, 1987, 1300, 3640),
        (0.4, 1987, 1300, 3640),
    ],
)
def test_prices_are_those_of_decision_1279(voltage_kv: float, normal: float, off_peak: float, peak: float) -> None:
    """A kWh at 08:00, 23:00 and 18:00 of a working day costs exactly what the decision says."""
    hours = at("2025-06-02T08:00", "2025-06-02T18:00", "2025-06-02T23:00")
    costs = [EVN.cost_vnd(hour + np.array([0, HOUR_NS]), np.ones(1), voltage_kv=voltage_kv)[0] for hour in hours]
    assert costs == [normal, peak, off_peak]


def test_an_interval_across_a_border_is_split_there() -> None:
    """10 kWh, half before 17:30 of a new working day and half in its peak, over 20 minutes or 2 milliseconds."""
    for edges in (at("2026-05-04T17:20", "2026-05-04T17:40"), at("2026-05-04T17:29:59.999", "2026-05-04T17:30:00.001")):
        assert EVN.cost_vnd(edges, np.array([10.0]), voltage_kv=22).tolist() == [5 * 1833.0 + 5 * 3398.0]


@settings(deadline=None, max_examples=100)
@given(cuts=st.lists(st.integers(1, 30 * 86_400_000 - 1), max_size=12, unique=True), kwh=st.floats(0.1, 1e6))
def test_the_cost_of_a_split_interval_is_the_sum(cuts: list[int], kwh: float) -> None:
    """Thirty days in one piece cost what they cost in any pieces, within 1e-12, and emit the same."""
    start, length = at("2026-04-08T00:00")[0], 30 * DAY_NS
    edges = start + np.array([0, *sorted(cut * 1_000_000 for cut in cuts), length])
    parts = kwh * np.diff(edges) / length
    whole = np.array([start, start + length])
    for method in (lambda e, k: EVN.cost_vnd(e, k, voltage_kv=22), EVN.co2_t):
        assert method(edges, parts).sum() == pytest.approx(method(whole, np.array([kwh]))[0], rel=1e-12)


def test_an_interval_costs_the_same_bits_whoever_is_asked_with_it() -> None:
    """Quarter-hours of a month, alone and all at once, with edges that fall on no border."""
    edges = at("2026-04-10T00:03:17")[0] + np.arange(30 * 96 + 1) * 900_000_000_000
    kwh = np.random.default_rng(1).uniform(1, 9, 30 * 96)
    whole = EVN.cost_vnd(edges, kwh, voltage_kv=22)
    alone = [EVN.cost_vnd(edges[i : i + 2], kwh[i : i + 1], voltage_kv=22)[0] for i in range(0, len(kwh), 37)]
    assert np.array(alone).tobytes() == whole[::37].tobytes()


def test_no_price_is_made_up() -> None:
    """Before the first price list a cost is NaN, also of the interval that reaches into it; hours are known."""
    edges = at("2025-05-08T00:00", "2025-05-09T00:00", "2025-05-10T01:00", "2025-05-10T02:00")
    assert np.isnan(EVN.cost_vnd(edges, np.ones(3), voltage_kv=22)).tolist() == [True, True, False]
    assert EVN.period_at(edges).tolist() == ["off-peak"] * 4


def test_no_instants_no_periods() -> None:
    """An empty column stays one."""
    assert EVN.period_at(np.empty(0, dtype=np.int64)).tolist() == []


@pytest.mark.parametrize(
    ("cos_phi", "percent"), [(1.0, 0.0), (0.9, 0.0), (0.89, 1.1236), (0.75, 20.0), (0.6, 50.0), (0.599, 52.54)]
)
def test_penalty_for_a_poor_power_factor(cos_phi: float, percent: float) -> None:
    """(.9 / cos φ - 1) · 100 % below .9, and 52.54 % below .6; nothing from .9 on."""
    assert EVN.power_factor.percent(np.array([cos_phi]))[0] == pytest.approx(percent, abs=1e-4)


def test_penalty_of_a_dead_meter() -> None:
    """A power factor of 0 pays the fixed share; a period in which nothing flowed pays nothing."""
    assert EVN.power_factor.percent(np.array([0.0])).tolist() == [52.54]
    assert mean_power_factor(np.array([30.0, 0.0]), np.array([40.0, 0.0])).tolist() == [0.6, 1.0]


@pytest.mark.parametrize(("day", "t_per_mwh"), [("2022-07-01", 0.6766), ("2023-07-01", 0.6592), ("2026-07-01", 0.6592)])
def test_emissions_by_year(day: str, t_per_mwh: float) -> None:
    """A MWh emits what the factor of its year says, or of the last year that has one."""
    edges = at(f"{day}T00:00", f"{day}T01:00")
    assert EVN.co2_t(edges, np.array([1000.0]))[0] == pytest.approx(t_per_mwh)


def test_emissions_before_the_first_factor_are_not_known() -> None:
    """2021 has no factor, and 2022 begins at local midnight, seven hours before it does in UTC."""
    edges = at("2021-12-31T23:00", "2022-01-01T00:00", "2022-01-01T01:00")
    assert np.isnan(EVN.co2_t(edges, np.ones(2))).tolist() == [True, False]


def test_summer_time_keeps_local_hours(tmp_path: Path) -> None:
    """In Berlin a day of 23 hours has its full peak, and loses the hour between 2 and 3 from the off-peak."""
    file = tmp_path / "berlin.yaml"
    file.write_text(SHIPPED.read_text().replace("Asia/Ho_Chi_Minh", "Europe/Berlin"))
    midnight = instant_ns(datetime.fromisoformat("2025-03-30T00:00+01:00"))
    edges = np.array([midnight, midnight + 23 * HOUR_NS])
    parts = load_tariff(file).kwh_by_period(edges, np.array([23.0]))[0]
    assert dict(zip(PERIODS, parts.tolist(), strict=True)) == {"normal": 18.0, "off-peak": 5.0, "peak": 0.0}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('hours: ["17:30-22:30"]', 'hours: ["17:30-24:30"]', "'17:30-24:30' are no hours; write HH:MM-HH:MM"),
        ('["00:00-06:00"]', '["00:00-18:00"]', "mon 17:30 is peak too; a minute has one price"),
        ("effective_from: 2026-04-22", "effective_from: 2010-01-01", "2010-01-01 does not come after"),
        ("from_kv: 22", "from_kv: 5", "from_kv is 0, 6, 5, 110, but must begin at 0 and rise"),
        ("Asia/Ho_Chi_Minh", "Asia/Thu_Dau_Mot", "Asia/Thu_Dau_Mot"),
        ("peak: 3640", "peak: -1", "evn.yaml:27:58 prices[0].levels[0].peak: -1 is too small"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A tariff of one's own that cannot be meant is refused with file, line and reason."""
    text = SHIPPED.read_text()
    assert old in text
    file = tmp_path / "evn.yaml"
    file.write_text(text.replace(old, new))
    with pytest.raises(ScenarioError) as refusal:
        load_tariff(file)
    assert said in str(refusal.value)
    assert "evn.yaml:" in str(refusal.value)


def test_an_unknown_tariff_is_named() -> None:
    """A misspelt name is told with what was probably meant."""
    with pytest.raises(ScenarioError, match="did you mean 'evn-manufacturing'"):
        shipped_tariff("evn-manufacturng")
