"""Wastewater and flue gas: what a blower failure does hours later, and what analysers show."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from simulator.signals import stack
from simulator.signals.concentration import concentration
from simulator.signals.wastewater import Basin, effluent_mg_l, flow_m3_h, removal

HOUR_NS = 3_600_000_000_000
START_NS = 1_767_225_600_000_000_000
INFLUENT = np.array([350.0, 180.0, 25.0])
REMOVAL = np.array([0.85, 0.88, 0.82])
SETTLED = Basin.settled(START_NS, influent_mg_l=INFLUENT, full_removal=REMOVAL)


def hours(*values: float) -> NDArray[np.int64]:
    return START_NS + np.rint(np.array(values) * HOUR_NS).astype(np.int64)


def test_a_plant_that_works_shows_what_is_left() -> None:
    """COD 52.5, TSS 21.6, NH4-N 4.5 mg/L, and it stays so."""
    expected = [52.5, 21.6, 4.5]
    assert SETTLED.effluent_at(hours(0, 240)) == pytest.approx(np.array([expected, expected]))


def test_removal_decays_with_six_hours() -> None:
    """Six hours after the blowers stop, 1/e of it is left."""
    failed = SETTLED.after(START_NS, aeration=0.0, influent_mg_l=INFLUENT)
    assert failed.removal_at(hours(6))[0] == pytest.approx(REMOVAL / np.e)


def test_a_blower_failure_shows_hours_later_in_ammonia() -> None:
    """NH4-N is hardly changed after half an hour, passes 9.9 mg/L after 8.64 h, and recovers days after the repair."""
    failed = SETTLED.after(START_NS, aeration=0.0, influent_mg_l=INFLUENT)
    ammonia = failed.effluent_at(hours(0, 0.5, 8.63, 8.65))[:, 2]
    assert ammonia[1] == pytest.approx(4.5, abs=0.05)
    assert ammonia[2] < 9.9 < ammonia[3]
    repaired = failed.after(int(hours(8)[0]), aeration=1.0, influent_mg_l=INFLUENT)
    later = repaired.effluent_at(hours(8, 10, 14, 80))[:, 2]
    assert later[1] > later[0]
    assert later[3] == pytest.approx(4.5, abs=0.1)


@settings(deadline=None, max_examples=40)
@given(
    start=st.floats(0, 400),
    influent=st.floats(0, 500),
    first=st.floats(0, 1),
    aim=st.floats(0, 1),
    after=st.floats(0, 72),
)
def test_the_effluent_solves_the_equations(
    start: float, influent: float, first: float, aim: float, after: float
) -> None:
    """It is what a numerical solver finds for both equations together, within 1e-5 mg/L."""

    def slopes(_: float, at: NDArray[np.float64]) -> list[float]:
        removed, effluent = at
        return [(aim - removed) / 6.0, (influent * (1 - removed) - effluent) / 12.0]

    solved = solve_ivp(slopes, (0, max(after, 1e-9)), [first, start], rtol=1e-10, atol=1e-10).y[:, -1]
    got_removal = removal(np.array(first), np.array(aim), elapsed_h=np.array(after))
    got = effluent_mg_l(
        np.array(start),
        np.array(influent),
        removal_start=np.array(first),
        removal_target=np.array(aim),
        elapsed_h=np.array(after),
    )
    assert (float(got_removal), float(got)) == pytest.approx(tuple(solved), abs=1e-5)


@settings(deadline=None, max_examples=60)
@given(hour=st.floats(0, 100), aeration=st.floats(0, 1))
def test_a_happening_that_changes_nothing_changes_nothing(hour: float, aeration: float) -> None:
    """Carried over one, the plant goes on as it would have, within rounding."""
    failed = SETTLED.after(START_NS, aeration=aeration, influent_mg_l=INFLUENT)
    carried = failed.after(int(hours(hour)[0]), aeration=aeration, influent_mg_l=INFLUENT)
    later = hours(hour, hour + 1, hour + 50)
    assert carried.effluent_at(later) == pytest.approx(failed.effluent_at(later), rel=1e-12)


def test_any_instant_stands_by_itself() -> None:
    """The effluent is the same bits alone, in a window, and in one that begins elsewhere."""
    failed = SETTLED.after(START_NS, aeration=0.3, influent_mg_l=INFLUENT)
    at = START_NS + np.arange(2_000) * 61_000_000_000
    whole = failed.effluent_at(at)
    assert failed.effluent_at(at[777:]).tobytes() == whole[777:].tobytes()
    alone = np.concatenate([failed.effluent_at(at[i : i + 1]) for i in range(0, 2_000, 61)])
    assert alone.tobytes() == whole[::61].tobytes()


def test_flow_follows_shift_and_rain() -> None:
    """A plant for 12,000 m³/day sees 500 m³/h, a quarter more in a shift, and 15 % more in the rain."""
    flow = flow_m3_h(np.full(4, 12_000.0), shift=np.array([0, 1, 0, 1]), rain=np.array([0, 0, 1, 1]))
    assert flow == pytest.approx([500.0, 625.0, 575.0, 718.75])


@pytest.mark.parametrize(("mean", "sigma"), [(350.0, 60.0), (25.0, 5.0), (120.0, 40.0)])
def test_concentrations_have_their_mean_and_deviation(mean: float, sigma: float) -> None:
    """Of 400,000 values: mean and standard deviation within 1 %, which is six standard errors, and none below 0."""
    noise = np.random.default_rng(7).standard_normal(400_000)
    values = concentration(np.array(mean), sigma=np.array(sigma), noise=noise)
    assert (values.mean(), values.std()) == pytest.approx((mean, sigma), rel=0.01)
    assert values.min() > 0


def test_flue_gas_is_thinned_by_excess_air() -> None:
    """220 mg/Nm³ of NOx at 6 % oxygen are 161.3 at 10 %, and none in pure air."""
    measured = stack.in_the_gas(np.full(4, 220.0), o2_percent=np.array([6.0, 10.0, 21.0, 21.5]))
    assert measured == pytest.approx([220.0, 220.0 * 11 / 15, 0.0, 0.0])


@settings(deadline=None)
@given(reference=st.floats(1, 2_000), oxygen=st.floats(0, 20), at=st.floats(0, 15))
def test_the_oxygen_correction_undoes_the_thinning(reference: float, oxygen: float, at: float) -> None:
    """What was thinned from a reference is found again."""
    measured = stack.in_the_gas(np.array([reference]), o2_percent=np.array([oxygen]), reference_o2_percent=at)
    found = stack.at_reference_oxygen(measured, o2_percent=np.array([oxygen]), reference_o2_percent=at)
    assert found[0] == pytest.approx(reference)


def test_pure_air_has_no_reference() -> None:
    """Where the fan blows and nothing burns the correction is NaN, which a check calls no value."""
    assert np.isnan(stack.at_reference_oxygen(np.zeros(1), o2_percent=np.array([21.0]), reference_o2_percent=6.0)[0])
