"""Days and instants in the local time of the climate that ships, for tests of weather, sun and air."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.climate import Climate, load_climate

HCMC: Climate = load_climate("ho-chi-minh-city")
MINUTE_NS = 60_000_000_000
DAY_NS = 1440 * MINUTE_NS


def local_ns(text: str) -> int:
    """Return an instant given in local time, such as 2025-03-10T14:30."""
    return int(np.datetime64(text, "ns").astype(np.int64)) - HCMC.utc_offset_ns


def span(start: str, end: str, *, minutes: int) -> NDArray[np.int64]:
    """Return a grid of instants from one local time to another."""
    return np.arange(local_ns(start), local_ns(end), minutes * MINUTE_NS)


def days(start: str, end: str) -> NDArray[np.int64]:
    """Return local days as days since 1970."""
    return np.arange(np.datetime64(start, "D"), np.datetime64(end, "D")).astype(np.int64)


def month_of_year(day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 0 for a day in January, to 11 for December."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12


def by_month(values: NDArray[Any], day: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of a daily value in each month of the year, float64[12]."""
    month = month_of_year(day)
    return np.array([values[month == k].mean() for k in range(12)])
