"""Where words stand in a drawing: each where nothing is written yet, on a wide screen as on a narrow one."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Literal, NamedTuple

__all__ = ["LARGE_CHARACTER", "LARGE_LINE", "SMALL_CHARACTER", "Anchor", "Labels", "Place", "width_of"]

SMALL_CHARACTER, LARGE_CHARACTER = 6.8, 14.0
"""Width of a character, about, on a wide and on a narrow screen, in the units of the drawing."""
LARGE_LINE = 27.0
"""Height of a line on a narrow screen."""


Anchor = Literal["start", "middle", "end"]


class Place(NamedTuple):
    """Where a text may stand: on the line ``y``, with its start, middle or end at ``x``."""

    x: float
    y: float
    anchor: Anchor = "start"

    def begin(self, text: str) -> float:
        """Return where a text begins that stands here."""
        return self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * width_of(text)


class Labels:
    """Texts within a rectangle, none over another."""

    def __init__(self, *, left: float, right: float, top: float, bottom: float) -> None:
        self._edges = (left, right, top, bottom)
        self._taken: list[tuple[float, float, float, float]] = []

    def put(self, text: str, places: Iterable[Place], kind: str) -> str:
        """Return the text at the first place that is free; nothing if none is, for then nobody could read it."""
        for place in places:
            begin = place.begin(text)
            box = (begin, begin + width_of(text), place.y - LARGE_LINE * 0.8, place.y + LARGE_LINE * 0.2)
            if self._is_inside(box) and not any(overlap(box, other) for other in self._taken):
                self._taken.append(box)
                where = f'x="{place.x:.1f}" y="{place.y:.1f}" text-anchor="{place.anchor}"'
                return f'<text class="{kind}" {where}>{escape(text)}</text>'
        return ""

    def _is_inside(self, box: tuple[float, float, float, float]) -> bool:
        left, right, top, bottom = self._edges
        return left <= box[0] and box[1] <= right and top <= box[2] and box[3] <= bottom


def width_of(text: str) -> float:
    """Return how much room a text takes where it takes most."""
    return len(text) * LARGE_CHARACTER


def overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
