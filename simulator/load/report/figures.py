"""How numbers are written: as many digits as matter, and never a power of ten."""

from __future__ import annotations

import math

from simulator.load.report.words import localised

__all__ = ["NOTHING", "change", "count", "number", "per_s", "percent", "short", "tenths"]

NOTHING = "-"
"""Stands where nothing was measured."""
SIZES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def number(value: float | None) -> str:
    """Write about four digits, or all that a large number has before the point."""
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    if abs(value) < 1e-4:
        return localised(f"{value:.6f}".rstrip("0").rstrip("."))
    decimals = max(0, 3 - max(0, math.floor(math.log10(abs(value)))))
    text = f"{value:,.{decimals if abs(value) >= 1 else 4}f}"
    return localised(text.rstrip("0").rstrip(".") if "." in text else text)


def count(value: int) -> str:
    """Write all digits of a number of things."""
    return localised(f"{value:,}")


def tenths(value: float) -> str:
    """Write a time on the clock of a test: it is not known better."""
    return number(round(value, 1))


def short(value: float) -> str:
    """Write for an axis: 250, 1.5k, 20k, 3M."""
    for size, letter in SIZES:
        if abs(value) >= size:
            return f"{number(value / size)}{letter}"
    return number(value)


def per_s(value: float | None) -> str:
    return NOTHING if value is None else f"{number(value)}/s"


def percent(share: float | None) -> str:
    return NOTHING if share is None else localised(f"{share:.1%}").replace("%", " %")


def change(before: float | None, after: float | None) -> float | None:
    """Return the share by which a value changed; None if there is none to compare, or nothing to compare it with."""
    if before is None or after is None:
        return None
    if before == after:
        return 0.0
    return (after - before) / abs(before) if before else None
