"""The load curve of each factory beside that of a real plant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulator.park.plant import Plant
from simulator.validate.figures import Figure, compare, inform
from simulator.validate.observed import Observed
from simulator.validate.published import LoadFigures

__all__ = ["load_curves"]

SATURDAY = 5
A_DAY, A_WEEK = 96, 672
"""In quarters of an hour."""
LONG_ENOUGH = 4 * A_WEEK - A_DAY
"""Four weeks, but for their edges."""
ANOTHER = "another kind of plant: to look at, not to match"
TOO_SHORT = "a record of less than four weeks tells too little"
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class Statistic(NamedTuple):
    """A number of a load curve, and the real plant's."""

    ours: float
    theirs: float
    tolerance: float | None
    """None: to look at, whatever the plant."""


def load_curves(observed: Observed, known: LoadFigures) -> Iterator[Figure]:
    """Yield statistics of the energy that the machines of each factory take in each quarter of an hour.

    Factories of the same kind as the real plant, that work in metal by day, are judged.
    """
    energy = np.diff(observed.register_kwh, axis=0)
    begins = list(locals_of(observed.quarter_ns[:-1], ZoneInfo(observed.scenario.timezone)))
    weekend = np.array([one.weekday() >= SATURDAY for one in begins], dtype=bool)
    quarter = np.array([one.hour * 4 + one.minute // 15 for one in begins], dtype=np.int64)
    for plant in observed.factories:
        kwh = energy[:, observed.members(plant)].sum(axis=1)
        for name, one in statistics(kwh, weekend, quarter, known).items():
            # A record that is no longer than twice the lag tells little about it.
            if np.isfinite(one.ours):
                yield figure(plant, name, one, known, long_enough=len(kwh) >= LONG_ENOUGH)


def statistics(kwh: Floats, weekend: NDArray[np.bool_], quarter: Ints, known: LoadFigures) -> dict[str, Statistic]:
    """Return all numbers of a curve, given whether each quarter of an hour is on a weekend, and which of the day."""
    week, lag = known.weekend_tolerance, known.lag_tolerance
    found = {
        "mean load per highest load": Statistic(float(kwh.mean() / kwh.max()), known.load_factor, None),
        "weekend per weekday": Statistic(mean_ratio(kwh[weekend], kwh[~weekend]), known.weekend, week),
        "autocorrelation after 15 min": Statistic(autocorrelation(kwh, 1), known.quarter, known.quarter_tolerance),
        "autocorrelation after a day": Statistic(autocorrelation(kwh, A_DAY), known.day, lag),
        "autocorrelation after a week": Statistic(autocorrelation(kwh, A_WEEK), known.week, lag),
    }
    at = {clock: (quarter == clock * 4) & ~weekend for clock in known.weekday_kwh}
    peak = known.peak
    for clock, theirs in known.weekday_kwh.items():
        if clock != peak:
            ours = mean_ratio(kwh[at[clock]], kwh[at[peak]])
            tolerance = known.shape_tolerance if clock in known.judged else None
            name = f"weekdays at {clock:02d}:00 per {peak:02d}:00"
            found[name] = Statistic(ours, theirs / known.weekday_kwh[peak], tolerance)
    return found


def figure(plant: Plant, name: str, one: Statistic, known: LoadFigures, *, long_enough: bool) -> Figure:
    section = f"load curve of {'/'.join(plant.path[1:])}"
    if is_of_the_kind(plant, known) and one.tolerance is not None and long_enough:
        return compare(
            section,
            name,
            ours=one.ours,
            published=one.theirs,
            unit="1",
            source=known.source,
            tolerance=one.tolerance,
        )
    note = ANOTHER if not is_of_the_kind(plant, known) else "" if one.tolerance is None else TOO_SHORT
    return inform(section, name, ours=one.ours, published=one.theirs, unit="1", source=known.source, note=note)


def is_of_the_kind(plant: Plant, known: LoadFigures) -> bool:
    """Say whether a factory works in metal, and in one shift by day."""
    kinds = {machine.spec.name for machine in plant.machines}
    return bool(kinds & set(known.types)) and plant.calendar.is_by_day


def locals_of(time_ns: Ints, zone: tzinfo) -> Iterator[datetime]:
    """Yield the local time of instants."""
    return (datetime.fromtimestamp(at // 1_000_000_000, UTC).astimezone(zone) for at in time_ns.tolist())


def mean_ratio(part: Floats, whole: Floats) -> float:
    """Return the mean of one over that of the other; no number if one of them is empty, or nothing."""
    return float(part.mean() / whole.mean()) if len(part) and len(whole) and whole.mean() else float("nan")


def autocorrelation(values: Floats, lag: int) -> float:
    """Return the autocorrelation at a lag; no number if the record is shorter than twice that, or constant."""
    if len(values) < 2 * lag or not values.std() > 0:
        return float("nan")
    off = values - values.mean()
    return float((off[lag:] * off[:-lag]).mean() / (off * off).mean())
