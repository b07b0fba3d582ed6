"""Fine dust has the published mean and scatter, its peak in the morning, and is washed out by storms."""

from __future__ import annotations

import numpy as np
import pytest
from climates import HCMC, by_month, days, local_ns, span
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator.signals.air_quality import AirQuality
from simulator.signals.rain import Rain

THIRTY = ("1995-01-01", "2025-01-01")


def air(*, seed: int = 1, site: str = "vsip2a") -> AirQuality:
    return AirQuality(HCMC, rain=Rain(HCMC, seed=seed, site=site), seed=seed, site=site)


@pytest.fixture(scope="module")
def hourly() -> NDArray[np.floating]:
    """PM2.5 of 30 years: float64[days, 24]."""
    return air().pm25_ug_m3(span(*THIRTY, minutes=60)).reshape(-1, 24)


def test_mean_and_scatter_of_days_are_the_published_ones(hourly: NDArray[np.floating]) -> None:
    """36.3 +- 13.7 over all days: the mean within 1.5 % (3 standard errors), the standard deviation within 10 %."""
    daily = hourly.mean(axis=1)
    assert daily.mean() == pytest.approx(36.3, rel=0.015)
    assert daily.std() == pytest.approx(13.7, rel=0.10)


def test_without_wandering_the_annual_mean_is_exact() -> None:
    """Season, course of the day and storms together leave the mean of ten years within 1 % of 36.3."""
    calm = HCMC.model_copy(update={"pm25": HCMC.pm25.model_copy(update={"sigma": 0.0})})
    time_ns = span("2010-01-01", "2020-01-01", minutes=60)
    dust = AirQuality(calm, rain=Rain(HCMC, seed=1, site="a"), seed=1, site="a").pm25_ug_m3(time_ns)
    assert dust.mean() == pytest.approx(36.3, rel=0.01)


def test_days_stay_within_the_published_range(hourly: NDArray[np.floating]) -> None:
    """Of 30 years, 99.8 % of the days lie within the 10.4 to 110.8 that one year of samples showed."""
    daily = hourly.mean(axis=1)
    assert np.mean((daily >= 10.4) & (daily <= 110.8)) > 0.998


def test_the_peak_comes_two_hours_after_the_morning_rush(hourly: NDArray[np.floating]) -> None:
    """The mean course of the day is highest at 9 or 10 o'clock."""
    assert hourly.mean(axis=0).argmax() in {9, 10}


def test_the_dry_season_is_dustier(hourly: NDArray[np.floating]) -> None:
    """January to March against July to September: 1.25 to .8, and some more since storms wash, within 10 %."""
    month = by_month(hourly.mean(axis=1), days(*THIRTY))
    washed = 1 - 0.4 * Rain(HCMC, seed=1, site="a").mean_freshness()[6:9].mean()
    assert month[:3].mean() / month[6:9].mean() == pytest.approx(1.25 / 0.8 / washed, rel=0.10)


def test_a_storm_leaves_sixty_per_cent() -> None:
    """At the end of a storm the air holds .6 of what it would hold had it stayed dry; on a dry day nothing is lost."""
    still = HCMC.model_copy(update={"pm25": HCMC.pm25.model_copy(update={"washout": 1.0})})
    rain = Rain(HCMC, seed=1, site="a")
    day = days("2024-09-01", "2024-10-01")
    storms = rain.storms(day)
    wet = storms.depth_mm > 0
    end_ns = day[wet] * 24 * 3_600_000_000_000 + (storms.end_h[wet] * 3.6e12).astype(np.int64) - HCMC.utc_offset_ns
    noon_ns = day * 24 * 3_600_000_000_000 + 12 * 3_600_000_000_000 - HCMC.utc_offset_ns
    one, other = (AirQuality(climate, rain=rain, seed=1, site="a") for climate in (HCMC, still))
    evening_ns = day[~wet] * 24 * 3_600_000_000_000 + 18 * 3_600_000_000_000 - HCMC.utc_offset_ns
    # The annual mean is kept, so that the level before the storm is higher by what storms take.
    before = one.pm25_ug_m3(noon_ns) / other.pm25_ug_m3(noon_ns)
    assert before == pytest.approx(np.full(len(day), before[0]))
    assert one.pm25_ug_m3(end_ns) / other.pm25_ug_m3(end_ns) == pytest.approx(np.full(wet.sum(), 0.6 * before[0]))
    assert one.pm25_ug_m3(evening_ns) / other.pm25_ug_m3(evening_ns) == pytest.approx(np.full((~wet).sum(), before[0]))


@settings(deadline=None, max_examples=25)
@given(start=st.integers(0, 500 * 1440), length=st.integers(1, 300), cut=st.floats(0, 1))
def test_any_window_gives_the_same_bits(start: int, length: int, cut: float) -> None:
    """Two windows, the later first, equal one fresh reading, bit for bit."""
    time_ns = local_ns("2024-03-01") + (start + np.arange(length)) * 60_000_000_000
    reader, at = air(), int(cut * length)
    late, early = reader.pm25_ug_m3(time_ns[at:]), reader.pm25_ug_m3(time_ns[:at])
    assert np.concatenate((early, late)).tobytes() == air().pm25_ug_m3(time_ns).tobytes()


def test_another_site_or_seed_has_other_air() -> None:
    """Seed and site decide."""
    time_ns = span("2024-03-01", "2024-03-02", minutes=10)
    mine = air().pm25_ug_m3(time_ns)
    assert (air().pm25_ug_m3(time_ns) == mine).all()
    for other in (air(seed=2), air(site="dong-nai")):
        assert not (other.pm25_ug_m3(time_ns) == mine).any()
