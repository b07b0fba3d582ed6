"""Charts as SVG: lines over time or over anything else, with stretches shaded; colour is doubled by dashes and text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["COLORS", "Chart", "Line", "Shade"]

WIDTH, HEIGHT = 860, 260
LEFT, RIGHT, TOP, BOTTOM = 76, 12, 26, 30
MOST_POINTS = 500
"""Of a line: more than a screen has room for."""
DASHES = ("", "7 3", "2 3", "9 3 2 3")
MARKS = ("———", "— —", "· · ·", "— ·")
TICKS = 4
COLORS = """
  --ink: #1b1f24; --paper: #fff; --faint: #5b636c; --line: #d7dce1; --c0: #0b62c4; --c1: #b4560b; --c2: #6a4bb5;
  --c3: #1a7f37; --bad: #b3261e; --good: #1a7f37; --shade: #f1f3f5; --fault: #f6dcd9"""
DARK = """
  --ink: #e6e9ec; --paper: #14171a; --faint: #98a2ac; --line: #363c43; --c0: #6cb0ff; --c1: #f0a35e; --c2: #b7a1f5;
  --c3: #6fd58b; --bad: #ff8a80; --good: #6fd58b; --shade: #1d2126; --fault: #4a2320"""
STYLE = f"""
:root {{ color-scheme: light dark; {COLORS} }}
@media (prefers-color-scheme: dark) {{ :root {{ {DARK} }} }}
"""
SVG_STYLE = "text { fill: var(--faint); font: 12px system-ui, sans-serif } .paper { fill: var(--paper) }"


@dataclass(frozen=True, slots=True)
class Line:
    """A line; it breaks where there is no value."""

    name: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class Shade:
    """A stretch of the x axis with a word on it."""

    label: str
    from_x: float
    to_x: float
    is_fault: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn."""

    name: str
    """For a file."""
    title: str
    unit: str
    lines: Sequence[Line]
    shades: Sequence[Shade] = ()
    levels: Sequence[tuple[float, str]] = ()
    """Horizontal lines: where, and what they mean."""
    uprights: Sequence[tuple[float, str]] = ()
    """Vertical ones."""
    x_ticks: Sequence[tuple[float, str]] = ()
    """In place of even ones."""
    x_unit: str = " s"
    first_x: float = 0.0
    last_x: float | None = None
    dots: bool = False

    @property
    def is_empty(self) -> bool:
        return not any(y is not None for line in self.lines for _, y in line.points)

    def svg(self, *, alone: bool = False) -> str:
        """Return the drawing; ``alone`` with its own colours, for a file."""
        frame = Frame.of(self)
        drawn = [self._shades(frame), self._axes(frame), *(self._line(frame, n) for n in range(len(self.lines)))]
        drawn.append(self._guides(frame))
        label = escape(f"{self.title}: {', '.join(line.name for line in self.lines)}", quote=True)
        head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}"'
        if not alone:
            return f"{head}>{''.join(drawn)}</svg>{self.legend()}"
        names = "".join(
            f'<text x="{LEFT + 190 * n}" y="{HEIGHT + 16}" style="fill: var(--c{n % 4})">'
            f"{MARKS[n % 4]} {escape(line.name)}</text>"
            for n, line in enumerate(self.lines)
        )
        head = head.replace(f"0 0 {WIDTH} {HEIGHT}", f"0 0 {WIDTH} {HEIGHT + 26}")
        return (
            f'{head} xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT + 26}">'
            f"<style>{STYLE}{SVG_STYLE}</style>"
            f'<rect class="paper" width="{WIDTH}" height="{HEIGHT + 26}"/>'
            f'<text x="{LEFT}" y="14">{escape(self.title)}</text>{"".join(drawn)}{names}</svg>\n'
        )

    def legend(self) -> str:
        words = " ".join(
            f'<span style="color: var(--c{n % 4})">{MARKS[n % 4]} {escape(line.name)}</span>'
            for n, line in enumerate(self.lines)
        )
        return f'<p class="legend">{words}</p>'

    def _shades(self, frame: Frame) -> str:
        drawn = []
        for number, one in enumerate(self.shades):
            left, right = frame.x(one.from_x), frame.x(one.to_x)
            if one.is_fault or number % 2 == 0:
                color = "var(--fault)" if one.is_fault else "var(--shade)"
                drawn.append(
                    f'<rect x="{left:.1f}" y="{TOP}" width="{max(2.0, right - left):.1f}"'
                    f' height="{HEIGHT - BOTTOM - TOP}" style="fill: {color}"/>'
                )
            if one.is_fault or right - left > 7 * len(one.label):
                y = HEIGHT - BOTTOM - 6 if one.is_fault else TOP + 12
                drawn.append(f'<text x="{left + 3:.1f}" y="{y}">{escape(one.label)}</text>')
        return "".join(drawn)

    def _axes(self, frame: Frame) -> str:
        drawn = []
        for number in range(TICKS + 1):
            value = frame.most * number / TICKS
            y = frame.y(value)
            drawn.append(
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" style="stroke: var(--line)"/>'
                f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{written(value)}{escape(self.unit)}</text>'
            )
        ticks = self.x_ticks or [
            (value, f"{written(value)}{self.x_unit}")
            for value in (frame.first + (frame.last - frame.first) * n / TICKS for n in range(TICKS + 1))
        ]
        for number, (value, label) in enumerate(ticks):
            anchor = "start" if number == 0 else "end" if number == len(ticks) - 1 else "middle"
            drawn.append(
                f'<text x="{frame.x(value):.1f}" y="{HEIGHT - 10}" text-anchor="{anchor}">{escape(label)}</text>'
            )
        return "".join(drawn)

    def _line(self, frame: Frame, number: int) -> str:
        line = self.lines[number]
        color, dash = f"var(--c{number % 4})", DASHES[number % 4]
        drawn = []
        for run in unbroken(thinned(line.points)):
            path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in run)
            drawn.append(
                f'<polyline points="{path}" style="fill: none; stroke: {color}; stroke-width: 1.8;'
                f' stroke-dasharray: {dash or "none"}"/>'
            )
            if self.dots:
                drawn += [
                    f'<circle cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="3" style="fill: {color}">'
                    f"<title>{escape(line.name)}: {written(y)}{escape(self.unit)}</title></circle>"
                    for x, y in run
                ]
        return f"<g><title>{escape(line.name)}</title>{''.join(drawn)}</g>"

    def _guides(self, frame: Frame) -> str:
        drawn = []
        for number, (value, label) in enumerate(sorted(self.levels)):
            if value <= frame.most:
                y = frame.y(value)
                # side by side: two that stand close together would write over one another
                at = WIDTH - RIGHT - 4 - number % 3 * 240
                drawn.append(
                    f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"'
                    f' style="stroke: var(--bad); stroke-dasharray: 4 4"/>'
                    f'<text x="{at}" y="{y - 4:.1f}" text-anchor="end">{escape(label)}</text>'
                )
        for number, (value, label) in enumerate(self.uprights):
            x = frame.x(value)
            anchor = "end" if x > WIDTH / 2 else "start"
            drawn.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"'
                f' style="stroke: var(--faint); stroke-dasharray: 4 4"/>'
                f'<text x="{x + (-4 if anchor == "end" else 4):.1f}" y="{TOP + 12 + 14 * number}"'
                f' text-anchor="{anchor}">{escape(label)}</text>'
            )
        return "".join(drawn)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a value stands on the paper."""

    first: float
    last: float
    most: float

    @classmethod
    def of(cls, chart: Chart) -> Frame:
        values = [y for line in chart.lines for _, y in line.points if y is not None]
        instants = [x for line in chart.lines for x, _ in line.points]
        last = max(instants, default=1.0) if chart.last_x is None else chart.last_x
        return cls(
            chart.first_x,
            last if last > chart.first_x else chart.first_x + 1.0,
            round_above(max(values, default=0.0) or 1.0),
        )

    def x(self, value: float) -> float:
        share = min(1.0, max(0.0, (value - self.first) / (self.last - self.first)))
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return TOP + (1 - value / self.most) * (HEIGHT - BOTTOM - TOP)


def round_above(value: float) -> float:
    """Return the least number of few digits, all four ticks included, that is not below a value."""
    size = 10.0 ** math.floor(math.log10(value))
    return next(size * factor for factor in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if value <= size * factor * 1.0001)


def thinned(points: Sequence[tuple[float, float | None]]) -> Sequence[tuple[float, float | None]]:
    """Return at most MOST_POINTS points; of those that stand together the highest, as a peak shall not vanish."""
    step = -(-len(points) // MOST_POINTS)
    if step <= 1:
        return points
    groups = (points[at : at + step] for at in range(0, len(points), step))
    return [max(group, key=lambda point: -1.0 if point[1] is None else point[1]) for group in groups]


def unbroken(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Return the runs of points that have values."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if run]


def written(value: float) -> str:
    """Return a number for an axis."""
    if value >= 10_000:
        return f"{value / 1_000:,.4g}k"
    return f"{value:,.4g}"
