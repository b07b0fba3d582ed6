"""Axes: where a value lies between the two ends of a chart, and which values are written beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from simulator.load.report.figures import short
from simulator.load.report.words import localised, t

__all__ = ["MAXIMUM", "PERCENTILES", "Axis", "nines", "of_percentiles", "of_time", "of_values"]

LOGARITHMIC_FROM = 30.0
"""How much larger the largest value is than the smallest, above which equal steps would hide the small ones."""
SMALLEST, LARGEST = 1e-6, 1e12
"""What lies outside is no rate and no time that anybody measured; an axis takes no notice of it."""
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9, "p9999": 99.99}
"""Fields of a block of latencies that a distribution is drawn through, and in the end through the largest."""
MAXIMUM = 5.0
"""Where the largest value of all stands on that axis: one nine further than the last percentile."""
UNITS = ((3 * 3_600.0, 3_600.0, "h"), (600.0, 60.0, "min"), (0.0, 1.0, "s"))
"""Tests longer than this many seconds are told in units of so many seconds."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From ``low`` to ``high``, in equal steps or in equal ratios."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    is_log: bool = False

    def share(self, value: float) -> float:
        """Return where a value lies, 0 to 1; one beyond an end lies at it."""
        low, high = self.low, self.high
        if self.is_log:
            low, high, value = math.log10(low), math.log10(high), math.log10(max(value, self.low))
        return min(1.0, max(0.0, (value - low) / (high - low)))


def of_values(values: Iterable[float], *, may_be_log: bool = False) -> Axis:
    """Fit an axis around values: from 0 in equal steps, or in decades where they differ by much."""
    found = [value for value in values if SMALLEST < value < LARGEST]
    most = max(found, default=1.0)
    if may_be_log and found and most / min(found) > LOGARITHMIC_FROM:
        return decades(min(found), most)
    ticks = even_ticks(0.0, most, 4)
    return Axis(0.0, ticks[-1], tuple((at, short(at)) for at in ticks))


def decades(least: float, most: float) -> Axis:
    first, last = math.floor(math.log10(least)), math.ceil(math.log10(most))
    stride = max(1, math.ceil((last - first) / 5))
    powers = range(first, last + 1, stride)
    return Axis(10.0**first, 10.0**last, tuple((10.0**power, short(10.0**power)) for power in powers), is_log=True)


def of_time(last_s: float) -> Axis:
    """Return seconds, minutes or hours since the first message was due."""
    last_s = last_s if SMALLEST < last_s < LARGEST else 1.0
    _, size, unit = next(one for one in UNITS if last_s >= one[0])
    ticks = [at for at in even_ticks(0.0, last_s / size, 8) if at * size <= last_s]
    return Axis(0.0, last_s, tuple((at * size, f"{short(at)} {unit}") for at in ticks))


def of_percentiles() -> Axis:
    """Return the axis on which each nine takes the same room; values are `-log10(1 - share)`, see nines."""
    ticks = [(nines(percentile), localised(f"{percentile:g} %")) for percentile in PERCENTILES.values()]
    return Axis(ticks[0][0], MAXIMUM, (*ticks, (MAXIMUM, t("max"))))


def nines(percentile: float) -> float:
    """Return where a percentile stands on that axis: 1 for 90 %, 2 for 99 %."""
    return -math.log10(1 - percentile / 100)


def even_ticks(low: float, high: float, wanted: int) -> list[float]:
    """Return round values from ``low`` on, about as many as wanted; the last is ``high`` or the next above it."""
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in STEPS if step * power >= rough * (1 - 1e-9))
    return [low + number * step for number in range(math.ceil((high - low) / step - 1e-9) + 1)]
