"""A chart before it is drawn: lines over axes, and what was going on behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.load.report.axes import Axis
from simulator.load.report.figures import number
from simulator.load.report.words import t

__all__ = ["MOST_LABELS", "Band", "Chart", "Level", "Line", "Points", "Spot", "Upright"]

Points = Sequence[tuple[float, float | None]]
MOST_LABELS = 12
"""Names of faults that are told; more would be written over each other."""


@dataclass(frozen=True, slots=True)
class Line:
    """Points in the order of x; the line breaks where y is None."""

    name: str
    points: Points
    color: str = "a"
    dash: str = ""
    is_marked: bool = False
    """Whether each point is to be seen as a dot."""


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of x: a stage, every other one shaded, or a fault, hatched and named."""

    name: str
    low: float
    high: float
    is_fault: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """A value of y that is not to be passed, over a stretch of x."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Upright:
    """A value of x that stands out."""

    name: str
    at: float
    dash: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A single value: a dot if it is good, else a cross."""

    name: str
    x: float
    y: float
    is_good: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn; ``name`` is that of its file."""

    name: str
    title: str
    x: Axis
    y: Axis
    lines: tuple[Line, ...] = ()
    bands: tuple[Band, ...] = ()
    levels: tuple[Level, ...] = ()
    uprights: tuple[Upright, ...] = ()
    spots: tuple[Spot, ...] = ()

    def described(self) -> str:
        """Return the chart in words, for those who do not see it."""
        parts = [self.title]
        for line in self.lines:
            values = [value for _, value in line.points if value is not None]
            if values:
                least, most = number(min(values)), number(max(values))
                parts.append(t("{name}: {least} to {most}", name=line.name, least=least, most=most))
        parts += [t("limit {name}", name=level.name) for level in self.levels]
        parts += [t("{name} disturbs", name=band.name) for band in self.bands if band.is_fault][:MOST_LABELS]
        parts += [upright.name for upright in self.uprights]
        return ". ".join(parts)
