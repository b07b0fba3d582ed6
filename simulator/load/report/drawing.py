"""A chart as SVG: lines, with what was going on behind them, legible without colour and without a script."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from html import escape

from simulator.load.report.chart import MOST_LABELS, Chart, Line, Points

__all__ = ["STYLE", "legal", "svg_text"]

WIDTH, LEFT, RIGHT = 720.0, 60.0, 14.0
PLOT = 230.0
"""Height of the plot itself, in the units of the drawing."""
FOOT = 28.0
LEGEND_ROW = 24.0
SMALL_CHARACTER, LARGE_CHARACTER = 6.6, 10.0
"""Width of a character, about, on a wide and on a narrow screen; see STYLE."""
MOST_BUCKETS = 180
"""Of a line: each keeps its least and its greatest value, so that no peak is lost."""
ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
STYLE = """svg text { font: 12px system-ui, sans-serif; fill: var(--faint) }
svg .over { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round }
svg .a { --own: var(--a) } svg .b { --own: var(--b) } svg .c { --own: var(--c) } svg .d { --own: var(--bad) }
svg .line { fill: none; stroke: var(--own); stroke-width: 1.8; stroke-linejoin: round;
  vector-effect: non-scaling-stroke }
svg .dot { fill: var(--own) } svg .cross { stroke: var(--own); stroke-width: 2.2 }
svg .grid { stroke: var(--line) } svg .stage { fill: var(--shade) }
svg .fault { stroke: var(--bad); stroke-opacity: .55 } svg .hatch { stroke: var(--bad); stroke-opacity: .4 }
svg .level { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 9 4 } svg .alarm { fill: var(--bad) }
svg .upright { stroke: var(--ink); stroke-width: 1.2 } svg .strong { fill: var(--ink) }
svg .title { font-size: 15px; font-weight: 600; fill: var(--ink) }
@media (max-width: 600px) { svg text { font-size: 19px } svg .title { font-size: 22px } svg .wide { display: none } }
"""


def svg_text(chart: Chart, *, style: str = "") -> str:
    """Return the chart as an element of a page; with a style of its own, as a drawing that stands alone."""
    frame = Frame(chart, title=bool(style))
    drawn = [*frame.bands(), *frame.grid(), *frame.levels(), *frame.lines(), *frame.spots(), *frame.labels()]
    head = [f"<style>{style}</style>", frame.titled()] if style else []
    return legal(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {frame.height:g}" role="img"'
        f' aria-label="{escape(chart.described())}">' + "".join([*head, *frame.legend(), *drawn]) + "</svg>"
    )


def legal(text: str) -> str:
    """Return a text without the characters that neither XML nor UTF-8 has room for, such as a NUL in a name."""
    return ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)


class Frame:
    """A chart with its place on the paper."""

    def __init__(self, chart: Chart, *, title: bool) -> None:
        self.chart = chart
        self.head = 34.0 if title else 0.0
        self.rows = legend_rows(chart)
        self.top = self.head + LEGEND_ROW * len(self.rows) + 10.0
        self.bottom = self.top + PLOT
        self.height = self.bottom + FOOT

    def x(self, value: float) -> float:
        return LEFT + self.chart.x.share(value) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return self.bottom - self.chart.y.share(value) * PLOT

    def titled(self) -> str:
        return f'<text class="title" x="4" y="24">{escape(self.chart.title)}</text>'

    def legend(self) -> Iterator[str]:
        for place, row in enumerate(self.rows):
            y = self.head + LEGEND_ROW * place + 15
            for x, line in row:
                yield f'<g class="{line.color}">'
                yield f'<path class="line" stroke-dasharray="{line.dash}" d="M{x:.0f} {y:g}h26"/>'
                yield dot(x + 13, y) if line.is_marked else ""
                yield f'<text x="{x + 32:.0f}" y="{y + 5:g}">{escape(line.name)}</text></g>'

    def bands(self) -> Iterator[str]:
        if any(band.is_fault for band in self.chart.bands):
            yield (
                f'<pattern id="hatch-{self.chart.name}" width="7" height="7" patternUnits="userSpaceOnUse"'
                ' patternTransform="rotate(45)"><path class="hatch" d="M0 0v7" stroke-width="2"/></pattern>'
            )
        stages = 0
        for band in self.chart.bands:
            left, width = self.x(band.low), max(1.0, self.x(band.high) - self.x(band.low))
            where = f'x="{left:.1f}" y="{self.top:g}" width="{width:.1f}" height="{PLOT:g}"'
            if band.is_fault:
                look = f'class="fault" fill="url(#hatch-{self.chart.name})"'
            else:
                look = 'class="stage"' if stages % 2 == 0 else 'fill="none"'
                stages += 1
            yield f"<rect {look} {where}><title>{escape(band.name)}</title></rect>"

    def grid(self) -> Iterator[str]:
        for value, text in self.chart.y.ticks:
            y = self.y(value)
            yield f'<path class="grid" d="M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}"/>'
            yield f'<text x="{LEFT - 7:g}" y="{y + 4.5:.1f}" text-anchor="end">{escape(text)}</text>'
        for place, (value, text) in enumerate(self.chart.x.ticks):
            x = self.x(value)
            anchor = "end" if x > WIDTH - RIGHT - 24 else "middle"
            kind = ' class="wide"' if place % 2 and len(self.chart.x.ticks) > 5 else ""
            yield f'<path class="grid" d="M{x:.1f} {self.bottom:g}v5"/>'
            yield f'<text{kind} x="{x:.1f}" y="{self.bottom + 21:g}" text-anchor="{anchor}">{escape(text)}</text>'

    def levels(self) -> Iterator[str]:
        for level in self.chart.levels:
            y, right = self.y(level.value), self.x(level.high)
            yield f'<path class="level" d="M{self.x(level.low):.1f} {y:.1f}H{right:.1f}"/>'
        for upright in self.chart.uprights:
            x = self.x(upright.at)
            yield f'<path class="upright" stroke-dasharray="{upright.dash}" d="M{x:.1f} {self.bottom:g}V{self.top:g}"/>'

    def lines(self) -> Iterator[str]:
        for line in self.chart.lines:
            yield f'<g class="{line.color}">'
            for run in unbroken(thinned(line.points)):
                places = [(self.x(x), self.y(y)) for x, y in run]
                if len(places) > 1:
                    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
                    yield f'<polyline class="line" stroke-dasharray="{line.dash}" points="{drawn}"/>'
                if line.is_marked or len(places) == 1:
                    yield from (dot(x, y) for x, y in places)
            yield "</g>"

    def spots(self) -> Iterator[str]:
        for spot in self.chart.spots:
            x, y = self.x(spot.x), self.y(spot.y)
            shape = dot(x, y, 4) if spot.is_good else cross(x, y)
            yield f'<g class="{"a" if spot.is_good else "d"}">{shape}<title>{escape(spot.name)}</title></g>'

    def labels(self) -> Iterator[str]:
        """Write names last, over what was drawn."""
        faults = 0
        for band in self.chart.bands:
            left, right = self.x(band.low), self.x(band.high)
            if band.is_fault:
                # beneath each other, for faults may follow close upon each other
                y = self.bottom - 8 - 20 * (faults % 3)
                yield from [self.beside(left, y, band.name, "over alarm")] if faults < MOST_LABELS else []
                faults += 1
            elif len(band.name) * SMALL_CHARACTER < right - left - 8:
                fits = len(band.name) * LARGE_CHARACTER < right - left - 8
                kind = "over" if fits else "over wide"
                yield f'<text class="{kind}" x="{left + 5:.1f}" y="{self.top + 17:g}">{escape(band.name)}</text>'
        for place, level in enumerate(self.chart.levels):
            y = self.y(level.value)
            y += -5 if y > self.top + 14 else 17
            if place % 2:
                yield self.beside(self.x(level.low), y, level.name, "over alarm")
            else:
                yield (
                    f'<text class="over alarm" x="{self.x(level.high) - 5:.1f}" y="{y:.1f}"'
                    f' text-anchor="end">{escape(level.name)}</text>'
                )
        for place, upright in enumerate(self.chart.uprights):
            yield self.beside(self.x(upright.at), self.top + 17 + 21 * place, upright.name, "over strong")

    def beside(self, x: float, y: float, name: str, kind: str) -> str:
        """Write to the right of an x, or to the left where there is no room."""
        fits = x + 5 + len(name) * LARGE_CHARACTER < WIDTH - RIGHT
        place = f'x="{x + 5:.1f}"' if fits else f'x="{x - 5:.1f}" text-anchor="end"'
        return f'<text class="{kind}" {place} y="{y:.1f}">{escape(name)}</text>'


def legend_rows(chart: Chart) -> list[list[tuple[float, Line]]]:
    """Return the lines with the x of each, row by row, so that they fit a narrow screen as well."""
    rows: list[list[tuple[float, Line]]] = []
    x = WIDTH
    for line in chart.lines:
        width = 32 + len(line.name) * LARGE_CHARACTER + 16
        if x + width > WIDTH:
            rows.append([])
            x = 4.0
        rows[-1].append((x, line))
        x += width
    return rows


def dot(x: float, y: float, radius: float = 2.5) -> str:
    return f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"/>'


def cross(x: float, y: float) -> str:
    return f'<path class="cross" d="M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8"/>'


def thinned(points: Points) -> Points:
    """Return fewer points of a long line: of each bucket the least, the greatest, and the first hole."""
    size = math.ceil(len(points) / MOST_BUCKETS)
    if size <= 2:
        return points
    kept = []
    for begin in range(0, len(points), size):
        bucket = range(begin, min(begin + size, len(points)))
        there = [(value, place) for place in bucket if (value := points[place][1]) is not None]
        wanted = {place for _, place in (min(there), max(there))} if there else set()
        wanted |= {next(place for place in bucket if points[place][1] is None)} if len(there) < len(bucket) else set()
        kept += [points[place] for place in sorted(wanted)]
    return kept


def unbroken(points: Points) -> list[list[tuple[float, float]]]:
    """Return the runs of points that have values."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if run]
