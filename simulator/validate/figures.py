"""A figure: what we found, what is published, and whether the two agree."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

__all__ = ["ERRORS", "FEWEST", "Figure", "compare", "inform"]

ERRORS = 4.0
"""Standard errors that an estimate may lie off: in a report of two hundred estimates one in eighty reports has one
that does so by chance."""
FEWEST = 30
"""An estimate from fewer happenings is told and not judged: its law is too far from a normal one for that."""
TAG = re.compile(r"\[((?:V2|V|M|E)(?:/(?:V2|V|M|E))*)\]")
Published = float | tuple[float, float] | None
"""A number, a range, or nothing to compare with."""


@dataclass(frozen=True)
class Figure:
    """One line of the report. ``accepted`` is the range in which ``ours`` agrees; None: it is for information."""

    section: str
    name: str
    ours: float
    published: Published
    unit: str
    source: str
    tolerance: float = 0.0
    """How far a model may lie off, in the unit."""
    standard_error: float | None = None
    """Of an estimate, in the unit; ``ERRORS`` of them are added to the tolerance."""
    accepted: tuple[float, float] | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Say ``within``, ``outside`` or ``for information``."""
        if self.accepted is None:
            return "for information"
        # What is no number lies in no range.
        return "within" if self.accepted[0] <= self.ours <= self.accepted[1] else "outside"

    @property
    def tag(self) -> str:
        """V, V2, M or E: read in the source, read elsewhere, common knowledge, engineering default; empty if untold."""
        found = TAG.search(self.source)
        return found[1] if found else ""

    def as_json(self) -> dict[str, Any]:
        """Return the figure as plain data; what is infinite or no number is null."""
        known = self.published
        return {
            "section": self.section,
            "name": self.name,
            "ours": plain(self.ours),
            "published": [plain(border) for border in known] if isinstance(known, tuple) else known,
            "unit": self.unit,
            "tolerance": self.tolerance,
            "standard_error": plain(self.standard_error),
            "accepted": None if self.accepted is None else [plain(border) for border in self.accepted],
            "verdict": self.verdict,
            "source": self.source,
            "tag": self.tag,
            "note": self.note,
        }


def plain(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else number


def compare(
    section: str,
    name: str,
    *,
    ours: float,
    published: float | tuple[float, float],
    unit: str,
    source: str,
    tolerance: float = 0.0,
    standard_error: float | None = None,
    note: str = "",
) -> Figure:
    """Return a figure that is judged: within the tolerance and ``ERRORS`` standard errors of what is published."""
    low, high = published if isinstance(published, tuple) else (published, published)
    slack = tolerance + ERRORS * (standard_error or 0.0)
    accepted = (low - slack, high + slack)
    return Figure(section, name, float(ours), published, unit, source, tolerance, standard_error, accepted, note)


def inform(
    section: str,
    name: str,
    *,
    ours: float,
    published: Published = None,
    unit: str,
    source: str,
    standard_error: float | None = None,
    note: str = "",
) -> Figure:
    """Return a figure that is told and not judged; the note says why."""
    return Figure(section, name, float(ours), published, unit, source, 0.0, standard_error, None, note)
