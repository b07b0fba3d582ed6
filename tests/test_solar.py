"""The sun over the park: where it stands, what it yields, and what panels make of it."""

from __future__ import annotations

import numpy as np
import pytest
from climates import DAY_NS, HCMC, MINUTE_NS, days, local_ns, month_of_year, span
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator.signals import solar
from simulator.signals.rain import Rain
from simulator.signals.weather import Weather

TEN_YEARS = ("2010-01-01", "2020-01-01")


def height(time_ns: NDArray[np.int64]) -> NDArray[np.floating]:
    """Return the cosine of the zenith angle over the park."""
    return solar.cos_zenith(time_ns, latitude=HCMC.latitude, longitude=HCMC.longitude)


@pytest.fixture(scope="module")
def ten_years() -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """What reaches the ground and what a clear sky would let through, kWh/m2 per day, from a grid of five minutes."""
    time_ns = span(*TEN_YEARS, minutes=5)
    ghi = Weather(HCMC, seed=1, site="vsip2a").at(time_ns).ghi_w_m2
    clear = solar.clear_sky_w_m2(height(time_ns))
    return ghi.reshape(-1, 288).sum(axis=1) / 12e3, clear.reshape(-1, 288).sum(axis=1) / 12e3


@pytest.mark.parametrize(
    ("day", "noon", "zenith"),
    [
        ("2025-02-11", "12:07", 25.0),  # the sun is latest, 14.2 minutes
        ("2025-06-21", "11:55", -12.4),  # it stands 23.44 degrees north, and so in the north at noon
        ("2025-11-03", "11:37", 26.1),  # the sun is earliest, 16.4 minutes
        ("2025-12-21", "11:51", 34.5),
    ],
)
def test_the_sun_stands_highest_where_almanacs_say(day: str, noon: str, zenith: float) -> None:
    """Solar noon of four days within a minute, and its zenith angle within .3 degrees."""
    time_ns = span(f"{day}T11:00", f"{day}T13:00", minutes=1)
    cosine = height(time_ns)
    assert abs(int(time_ns[cosine.argmax()]) - local_ns(f"{day}T{noon}")) <= MINUTE_NS
    assert np.degrees(np.arccos(cosine.max())) == pytest.approx(abs(zenith), abs=0.3)


def test_clear_sky_matches_published_values() -> None:
    """Haurwitz at 30 and 90 degrees above the horizon: 487.9 and 1035.1 W/m2; nothing below it."""
    up = np.sin(np.radians([90.0, 30.0, 0.0, -20.0]))
    assert solar.clear_sky_w_m2(up) == pytest.approx([1035.1, 487.9, 0.0, 0.0], abs=0.1)


def test_a_year_yields_what_the_city_measures(ten_years: tuple[NDArray[np.floating], ...]) -> None:
    """1,581 kWh/m2 in a year: each of ten within 5 %, their mean within 2 %."""
    ghi, _ = ten_years
    year = days(*TEN_YEARS).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) - 40
    yields = np.bincount(year, weights=ghi)
    assert yields == pytest.approx(np.full(10, 1581.0), rel=0.05)
    assert yields.mean() == pytest.approx(1581, rel=0.02)


def test_each_month_lets_its_share_of_the_sun_through(ten_years: tuple[NDArray[np.floating], ...]) -> None:
    """Energy over ten years divided by that of a clear sky: the factor of the month within .015.

    From May to October together within .007: there, the sky that rain overcasts has to be made up for.
    """
    ghi, clear = ten_years
    month = month_of_year(days(*TEN_YEARS))
    share = np.bincount(month, weights=ghi) / np.bincount(month, weights=clear)
    assert share == pytest.approx(HCMC.normals.sun, abs=0.015)
    assert share[4:10].mean() == pytest.approx(np.mean(HCMC.normals.sun[4:10]), abs=0.007)


def test_the_sky_is_clear_or_overcast_and_changes_within_the_hour() -> None:
    """By day .95 or .35 of the clear sky pass, nothing between; the state lasts for half an hour on average or more."""
    time_ns = span("2024-02-01T09:00", "2024-02-01T15:00", minutes=1) + np.arange(20)[:, None] * DAY_NS
    passed = Weather(HCMC, seed=1, site="a").at(time_ns.ravel()).ghi_w_m2 / solar.clear_sky_w_m2(
        height(time_ns.ravel())
    )
    clear = passed.reshape(20, -1) > 0.5
    assert np.unique(passed.round(6)).tolist() == [0.35, 0.95]
    changes = np.mean(clear[:, 1:] != clear[:, :-1]) * 60
    # Two an hour are drawn; 2 x 2 q (1 - q) of them change the state, q = .6 in February.
    assert changes == pytest.approx(2 * 2 * 0.6 * 0.4, rel=0.3)


def test_it_is_overcast_while_it_rains() -> None:
    """Under rain no more than .35 of the clear sky passes."""
    time_ns = span("2024-08-01", "2024-10-01", minutes=5)
    sky = Weather(HCMC, seed=1, site="a").at(time_ns)
    rains = sky.rain_mm_h > 0
    assert rains.sum() > 500
    assert sky.ghi_w_m2[rains] == pytest.approx(0.35 * solar.clear_sky_w_m2(height(time_ns[rains])))


def test_power_of_hot_panels_is_less() -> None:
    """1,000 W/m2 at 25 degrees make 56.25 in the cell, 11.6 % less power, 760.6 kW of 1,000 after derating."""
    ghi, air, clean = np.array([1000.0, 1000.0, 0.0]), np.array([25.0, 35.0, 25.0]), np.array([1.0, 0.9, 1.0])
    power = solar.power_kw(ghi, air, rated_kw=1000.0, clean=clean)
    assert power == pytest.approx([760.56, 760.56 * 0.9 * 0.847375 / 0.884375, 0.0], abs=0.01)


def test_dust_gathers_until_rain_washes_it_off() -> None:
    """In the wet season, .3 % more is lost each day, and nothing right after a storm of more than 5 mm."""
    rain = Rain(HCMC, seed=1, site="a")
    time_ns = span("2024-06-01", "2024-08-01", minutes=10)
    clean = solar.Soiling(rain, utc_offset_ns=HCMC.utc_offset_ns).clean(time_ns)
    fall = np.diff(clean)
    washed = fall > 0
    assert fall[~washed] == pytest.approx(np.full((~washed).sum(), -0.003 / 144))
    assert (clean[1:][washed] > 1 - 0.003 / 144).all()
    wet = rain.storms(days("2024-06-01", "2024-08-01")).depth_mm > 5
    assert np.unique(np.flatnonzero(washed) // 144).tolist() == np.flatnonzero(wet).tolist()


def test_dust_takes_no_more_than_sixty_days_of_it() -> None:
    """Through the dry season the loss stops at 18 %."""
    clean = solar.Soiling(Rain(HCMC, seed=1, site="a"), utc_offset_ns=HCMC.utc_offset_ns).clean(
        span("2010-01-01", "2020-01-01", minutes=720)
    )
    assert clean.min() == pytest.approx(0.82)
    assert clean.max() <= 1


@settings(deadline=None, max_examples=40)
@given(start=st.integers(0, 3 * 365 * 1440), length=st.integers(1, 200), step=st.sampled_from([1, 60, 1440]))
def test_dust_does_not_depend_on_the_window(start: int, length: int, step: int) -> None:
    """Each instant alone shows the bits it shows among others."""
    time_ns = local_ns("2022-01-01") + (start + np.arange(length) * step) * MINUTE_NS
    soiling = solar.Soiling(Rain(HCMC, seed=1, site="a"), utc_offset_ns=HCMC.utc_offset_ns)
    whole = soiling.clean(time_ns)
    for i in (0, length // 2, length - 1):
        assert soiling.clean(time_ns[i : i + 1])[0] == whole[i]
    assert soiling.clean(time_ns[:0]).size == 0
