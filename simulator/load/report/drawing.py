"""A chart as SVG: lines, with what was going on behind them, legible without colour and without a script."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from textwrap import wrap

from simulator.load.report.chart import MOST_LABELS, Chart, Level, Line, Points
from simulator.load.report.labels import LARGE_CHARACTER, LARGE_LINE, SMALL_CHARACTER, Anchor, Labels, Place, width_of

__all__ = ["STYLE", "figure_text", "legal", "svg_text"]

WIDTH, LEFT, RIGHT = 720.0, 82.0, 16.0
PLOT = 260.0
"""Height of the plot itself, in the units of the drawing."""
FOOT = 34.0
LEGEND_ROW, TITLE_ROW = 28.0, 32.0
TITLE_CHARACTERS = 44
"""Of a line of the title, which is bold."""
MOST_BUCKETS = 180
"""Of a line: each keeps its least and its greatest value, so that no peak is lost."""
ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
STYLE = """svg text { font: 12px system-ui, sans-serif; fill: var(--faint) }
svg .over { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round }
svg .a { --own: var(--a) } svg .b { --own: var(--b) } svg .c { --own: var(--c) } svg .d { --own: var(--d) }
svg .line { fill: none; stroke: var(--own); stroke-width: 1.8; stroke-linejoin: round;
  vector-effect: non-scaling-stroke }
svg .dot { fill: var(--own) } svg .cross { stroke: var(--bad); stroke-width: 2.2 }
svg .grid { stroke: var(--line) } svg .stage { fill: var(--shade) }
svg .fault { stroke: var(--bad); stroke-opacity: .55 } svg .hatch { stroke: var(--bad); stroke-opacity: .4 }
svg .level { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 9 4 } svg .alarm { fill: var(--bad) }
svg .upright { stroke: var(--ink); stroke-width: 1.2 } svg .strong { fill: var(--ink) }
svg .title { font-size: 15px; font-weight: 600; fill: var(--ink) }
@media (max-width: 600px) { svg text { font-size: 24px } svg .title { font-size: 26px } svg .wide { display: none } }
"""


def svg_text(chart: Chart, *, style: str = "") -> str:
    """Return the chart as an element of a page; with a style of its own, as a drawing that stands alone.

    Alone it has its title and its legend in it. In a page both are text of the page, which breaks its lines as it can.
    """
    frame = Frame(chart, is_alone=bool(style))
    drawn = [*frame.bands(), *frame.grid(), *frame.levels(), *frame.lines(), *frame.spots(), *frame.labels()]
    head = [f"<style>{style}</style>", *frame.titled(), *frame.legend()] if style else []
    return legal(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {frame.height:g}" role="img"'
        f' aria-label="{escape(chart.described())}">' + "".join([*head, *drawn]) + "</svg>"
    )


def figure_text(chart: Chart) -> str:
    """Return the chart with its legend, for a page."""
    return legend_text(chart) + svg_text(chart)


def legend_text(chart: Chart) -> str:
    """Return the names of the lines as an element of a page."""
    items = "".join(
        '<li><svg viewBox="0 0 28 10" width="28" height="10" aria-hidden="true">'
        f"{sample(line, 1, 5)}</svg> {escape(line.name)}</li>"
        for line in chart.lines
    )
    return legal(f'<ul class="legend">{items}</ul>')


def legal(text: str) -> str:
    """Return a text without the characters that neither XML nor UTF-8 has room for, such as a NUL in a name."""
    return ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)


class Frame:
    """A chart with its place on the paper."""

    def __init__(self, chart: Chart, *, is_alone: bool) -> None:
        self.chart = chart
        self.rows = legend_rows(chart) if is_alone else []
        self.title = wrap(chart.title, TITLE_CHARACTERS) if is_alone else []
        self.head = TITLE_ROW * len(self.title) + 8.0 if is_alone else 0.0
        self.names = self.head + LEGEND_ROW * len(self.rows)
        """Beneath it the names of stages have a row of their own."""
        has_stages = any(not band.is_fault for band in chart.bands)
        self.top = self.names + (LARGE_LINE if has_stages else 20.0)
        self.bottom = self.top + PLOT
        self.height = self.bottom + FOOT

    def x(self, value: float) -> float:
        return LEFT + self.chart.x.share(value) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return self.bottom - self.chart.y.share(value) * PLOT

    def titled(self) -> Iterator[str]:
        for place, line in enumerate(self.title, 1):
            yield f'<text class="title" x="4" y="{TITLE_ROW * place - 6:g}">{escape(line)}</text>'

    def legend(self) -> Iterator[str]:
        for place, row in enumerate(self.rows):
            y = self.head + LEGEND_ROW * place + 15
            for x, line in row:
                yield sample(line, x, y)
                yield f'<text x="{x + 32:.0f}" y="{y + 5:g}">{escape(line.name)}</text>'

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
            yield f'<text x="{LEFT - 7:g}" y="{y + 5:.1f}" text-anchor="end">{escape(text)}</text>'
        places = [self.under(value, text) for value, text in self.chart.x.ticks]
        is_crowded = any(
            before.begin(one) + width_of(one) + LARGE_CHARACTER / 2 > after.begin(other)
            for (before, one), (after, other) in pairwise(places)
        )
        for number, ((value, text), (place, _)) in enumerate(zip(self.chart.x.ticks, places, strict=True), 1):
            # the last one is left, for it says how far the axis goes
            kind = ' class="wide"' if is_crowded and (len(places) - number) % 2 else ""
            yield f'<path class="grid" d="M{self.x(value):.1f} {self.bottom:g}v5"/>'
            yield f'<text{kind} x="{place.x:.1f}" y="{place.y:g}" text-anchor="{place.anchor}">{escape(text)}</text>'

    def under(self, value: float, text: str) -> tuple[Place, str]:
        """Return where the text of a tick stands: beneath it, or ending at it where the paper ends."""
        x = self.x(value)
        anchor: Anchor = "end" if x + width_of(text) / 2 > WIDTH else "middle"
        return Place(x, self.bottom + 26, anchor), text

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
            yield f'<g class="a">{shape}<title>{escape(spot.name)}</title></g>'

    def labels(self) -> Iterator[str]:
        """Write names last, over what was drawn."""
        for band in self.chart.bands:
            left, right = self.x(band.low), self.x(band.high)
            if not band.is_fault and len(band.name) * SMALL_CHARACTER < right - left - 4:
                kind = "" if width_of(band.name) < right - left - 4 else ' class="wide"'
                yield f'<text{kind} x="{left + 2:.1f}" y="{self.top - 7:g}">{escape(band.name)}</text>'
        labels = Labels(left=LEFT, right=WIDTH, top=self.top, bottom=self.bottom)
        for level in self.chart.levels:
            yield labels.put(level.name, self.beside_level(level), "over alarm")
        for upright in self.chart.uprights:
            rows = [self.top + LARGE_LINE * (row + 1) - 4 for row in range(4)]
            yield labels.put(upright.name, beside(self.x(upright.at), rows), "over strong")
        for band in [band for band in self.chart.bands if band.is_fault][:MOST_LABELS]:
            rows = [self.bottom - 8 - LARGE_LINE * row for row in range(6)]
            yield labels.put(band.name, beside(self.x(band.low), rows), "over alarm")

    def beside_level(self, level: Level) -> list[Place]:
        """Return where the name of a level may stand: above it, before or behind it, or below it."""
        left, right, y = self.x(level.low), self.x(level.high), self.y(level.value)
        return [
            Place(right - 5, y - 6, "end"),
            Place(left + 5, y - 6),
            Place(left - 8, y + 8, "end"),
            Place(right + 8, y + 8),
            Place(right - 5, y + LARGE_LINE - 4, "end"),
            Place(left + 5, y + LARGE_LINE - 4),
        ]


def beside(x: float, rows: Sequence[float]) -> list[Place]:
    """Return where a name may stand beside an x, row by row."""
    return [place for y in rows for place in (Place(x + 5, y), Place(x - 5, y, "end"))]


def sample(line: Line, x: float, y: float) -> str:
    """Return a short piece of a line, for a legend."""
    mark = dot(x + 13, y) if line.is_marked else ""
    return (
        f'<g class="{line.color}"><path class="line" stroke-dasharray="{line.dash}" d="M{x:.0f} {y:g}h26"/>{mark}</g>'
    )


def legend_rows(chart: Chart) -> list[list[tuple[float, Line]]]:
    """Return the lines with the x of each, row by row, so that they fit a narrow screen as well."""
    rows: list[list[tuple[float, Line]]] = []
    x = WIDTH
    for line in chart.lines:
        width = 32 + width_of(line.name) + 16
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
