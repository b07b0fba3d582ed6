"""The load curve of each factory beside that of a real plant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulator.validate.figures import Figure, inform
from simulator.validate.observed import Observed
from simulator.validate.published import LoadFigures

__all__ = ["load_curves"]

SATURDAY = 5
A_DAY, A_WEEK = 96, 672
"""In quarters of an hour."""
ANOTHER = "another kind of plant: to look at, not to match"
Floats = NDArray[np.floating[Any]]


def load_curves(observed: Observed, known: LoadFigures) -> Iterator[Figure]:
    """Yield statistics of the energy that the machines of each factory take in each quarter of an hour."""
    energy = np.diff(observed.register_kwh, axis=0)
    weekend = is_weekend(observed.quarter_ns[:-1], observed.scenario.timezone)
    for plant in observed.factories:
        kwh = energy[:, observed.members(plant)].sum(axis=1)
        figures = {
            "mean load per highest load": (float(kwh.mean() / kwh.max()), known.load_factor),
            "weekend per weekday": (mean_ratio(kwh[weekend], kwh[~weekend]), known.weekend),
            "autocorrelation after 15 min": (autocorrelation(kwh, 1), known.quarter),
            "autocorrelation after a day": (autocorrelation(kwh, A_DAY), known.day),
            "autocorrelation after a week": (autocorrelation(kwh, A_WEEK), known.week),
        }
        for name, (ours, theirs) in figures.items():
            # A record that is no longer than twice the lag tells little about it.
            if np.isfinite(ours):
                section = f"load curve of {'/'.join(plant.path[1:])}"
                yield inform(section, name, ours=ours, published=theirs, unit="1", source=known.source, note=ANOTHER)


def is_weekend(time_ns: NDArray[np.int64], timezone: str) -> NDArray[np.bool_]:
    """Say which instants lie on a Saturday or Sunday of the place."""
    zone = ZoneInfo(timezone)
    local = (datetime.fromtimestamp(at // 1_000_000_000, UTC).astimezone(zone) for at in time_ns.tolist())
    return np.array([one.weekday() >= SATURDAY for one in local], dtype=bool)


def mean_ratio(part: Floats, whole: Floats) -> float:
    """Return the mean of one over that of the other; no number if one of them is empty."""
    return float(part.mean() / whole.mean()) if len(part) and len(whole) else float("nan")


def autocorrelation(values: Floats, lag: int) -> float:
    """Return the autocorrelation at a lag; no number if the record is shorter than twice that, or constant."""
    if len(values) < 2 * lag or not values.std() > 0:
        return float("nan")
    off = values - values.mean()
    return float((off[lag:] * off[:-lag]).mean() / (off * off).mean())
