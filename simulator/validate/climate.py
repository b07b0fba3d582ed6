"""Thirty years of the weather of each site against the normals of its climate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.climate import MONTH_DAYS, Climate, load_climate
from simulator.scenario.schema import Site
from simulator.signals.almanac import DAY_NS, month_of
from simulator.signals.sky import Sky
from simulator.validate.figures import Figure, compare
from simulator.validate.published import ClimateFigures

__all__ = ["weather"]

FIRST, LAST, YEARS = "1995-01-01", "2025-01-01", 30
"""The length of the periods that normals are taken over."""
STEP_NS = 1_800_000_000_000
PER_DAY = DAY_NS // STEP_NS
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EXTREMES_C = 0.5
"""Daily extremes lie outside of the normal course, since the deviation from it adds to them: by some .3 degrees."""
TWO_ERRORS = 0.9545
"""Share of estimates that lie within two standard errors."""
NORMAL_LAW = "share of a normal law within two standard errors [M]"
DUST_LEVEL, DUST_SCATTER = 0.015, 0.10
Floats = NDArray[np.floating[Any]]


def weather(site: Site, known: tuple[ClimateFigures, ...], *, seed: int) -> Iterator[Figure]:
    """Yield the figures of one site."""
    climate = load_climate(site.climate)
    sky = Sky(climate, seed=seed, site=site.name)
    day = np.arange(np.datetime64(FIRST, "D"), np.datetime64(LAST, "D")).astype(np.int64)
    month = month_of(day)[0] % 12
    time_ns = np.arange(len(day) * PER_DAY) * STEP_NS + day[0] * DAY_NS - climate.utc_offset_ns
    section = f"weather at {site.name}, {YEARS} years"
    # Year by year, so that not all columns of thirty years are there at once.
    parts = [sky.weather.at(part) for part in np.array_split(time_ns, YEARS)]
    temperature = np.concatenate([part.temperature_c for part in parts]).reshape(-1, PER_DAY)
    yield from extremes(section, climate, temperature, month)
    yield from rain(section, climate, sky.weather.rain.storms(day).depth_mm, month)
    for more in known:
        if more.climate == climate.name:
            sun = np.concatenate([part.ghi_w_m2 for part in parts]).reshape(-1, PER_DAY)
            yield sunshine(section, more, sun.mean(axis=1))
            yield from dust(section, climate, more, sky.air.pm25_ug_m3(time_ns[::2]).reshape(len(day), -1))


def extremes(section: str, climate: Climate, temperature: Floats, month: NDArray[np.int64]) -> Iterator[Figure]:
    """Yield the mean highest and lowest temperature of a day in each month, from float64[days, times]."""
    daily = {
        "highest of a day": (temperature.max(axis=1), climate.normals.highest_c),
        "lowest of a day": (temperature.min(axis=1), climate.normals.lowest_c),
    }
    for name, (values, normals) in daily.items():
        for k, normal in enumerate(normals):
            yield compare(
                section,
                f"{name}, {MONTHS[k]}",
                ours=float(values[month == k].mean()),
                published=normal,
                unit="Cel",
                source=climate.source,
                tolerance=EXTREMES_C,
            )


def rain(section: str, climate: Climate, depth_mm: Floats, month: NDArray[np.int64]) -> Iterator[Figure]:
    """Yield rain and wet days of each month, and how many of these figures lie within two standard errors."""
    fallen = np.bincount(month, weights=depth_mm, minlength=12) / YEARS
    wet = np.bincount(month, weights=depth_mm >= climate.rain.least_mm, minlength=12) / YEARS
    rain_error, wet_error = rain_errors(climate)
    normals = climate.normals
    columns = (
        ("rain", "mm", fallen, normals.rain_mm, rain_error),
        ("wet days", "d", wet, normals.wet_days, wet_error),
    )
    close: list[bool] = []
    for name, unit, values, wanted, error in columns:
        for k, normal in enumerate(wanted):
            close.append(abs(values[k] - normal) <= 2.0 * error[k])
            yield compare(
                section,
                f"{name}, {MONTHS[k]}",
                ours=float(values[k]),
                published=normal,
                unit=unit,
                source=climate.source,
                standard_error=float(error[k]),
            )
    yield compare(
        section,
        "share of these 24 within 2 standard errors",
        ours=float(np.mean(close)),
        published=(TWO_ERRORS, 1.0),
        unit="1",
        source=NORMAL_LAW,
        standard_error=float(np.sqrt(TWO_ERRORS * (1.0 - TWO_ERRORS) / len(close))),
    )


def rain_errors(climate: Climate) -> tuple[Floats, Floats]:
    """Return the standard errors of rain and wet days in a month over all years, float64[12] each, from their laws.

    Wet days are a Markov chain within each month, so that two of them n days apart correlate with the n-th power of
    the persistence; the depth of each has a gamma law above its least.
    """
    normals, days = climate.normals, np.array(MONTH_DAYS)
    wet_days, share = np.array(normals.wet_days), np.array(normals.wet_share)
    lag = np.arange(1, 31)
    pairs = (np.maximum(days[:, None] - lag, 0.0) * climate.rain.persistence**lag).sum(axis=1)
    count = share * (1.0 - share) * (days + 2.0 * pairs)
    mean_mm = np.array(normals.rain_mm) / np.maximum(wet_days, 1e-9)
    depth = np.maximum(mean_mm - climate.rain.least_mm, 0.0) ** 2 / climate.rain.shape
    return np.sqrt((wet_days * depth + mean_mm**2 * count) / YEARS), np.sqrt(count / YEARS)


def sunshine(section: str, known: ClimateFigures, daily_w_m2: Floats) -> Figure:
    """Return the energy of the sun on a square metre in an average year, from the mean irradiance of each day."""
    return compare(
        section,
        "energy of the sun in a year",
        ours=float(daily_w_m2.sum()) * 24.0 / 1000.0 / YEARS,
        published=known.solar_kwh_m2,
        unit="kWh/m2",
        source=known.solar_source,
        tolerance=known.solar_tolerance * known.solar_kwh_m2,
    )


def dust(section: str, climate: Climate, known: ClimateFigures, hourly: Floats) -> Iterator[Figure]:
    """Yield mean, scatter and range of fine dust from float64[days, hours], by its daily means."""
    daily = hourly.mean(axis=1)
    by_year = np.array([one.mean() for one in np.array_split(daily, YEARS)])
    yield compare(
        section,
        "PM2.5, mean",
        ours=float(daily.mean()),
        published=climate.pm25.mean_ug_m3,
        unit="ug/m3",
        source=known.dust_source,
        tolerance=DUST_LEVEL * climate.pm25.mean_ug_m3,
        standard_error=float(by_year.std(ddof=1) / np.sqrt(YEARS)),
    )
    yield compare(
        section,
        "PM2.5, standard deviation of days",
        ours=float(daily.std()),
        published=known.dust_sigma,
        unit="ug/m3",
        source=known.dust_source,
        tolerance=DUST_SCATTER * known.dust_sigma,
    )
    low, high = known.dust_range
    yield compare(
        section,
        f"PM2.5, share of days from {low:g} to {high:g} ug/m3",
        ours=float(np.mean((daily >= low) & (daily <= high))),
        published=(known.dust_share, 1.0),
        unit="1",
        source=known.dust_source,
    )
