"""Checks of working time: breaks that fit into their shifts."""

from __future__ import annotations

from simulator.scenario.breaks import MINUTE_NS
from simulator.scenario.document import Document, Problem
from simulator.scenario.quantities import duration_text
from simulator.scenario.schema import Scenario, Shifts, shift_span

__all__ = ["check_rosters"]

Path_ = tuple[str | int, ...]


def check_rosters(scenario: Scenario, document: Document) -> list[Problem]:
    """Return what is wrong with the working times of all factories."""
    found: list[tuple[Path_, str]] = []
    for i, site in enumerate(scenario.sites):
        for j, factory in enumerate(site.factories):
            at: Path_ = ("sites", i, "factories", j)
            found += breaks_too_long(factory.shifts, (*at, "shifts"))
    return [document.problem(path, sentence) for path, sentence in found]


def breaks_too_long(shifts: Shifts, at: Path_) -> list[tuple[Path_, str]]:
    """Return the shift, if there is one, that ends before its last break does."""
    if shifts.breaks is None:
        return []
    for hours in shifts.hours:
        begin, length = shift_span(hours)
        rests = shifts.breaks.in_shift(begin, length)
        if rests and rests[-1][1] > length * MINUTE_NS:
            ends, lasts = duration_text(rests[-1][1]), duration_text(length * MINUTE_NS)
            sentence = (
                f"the last break of shift {hours} would end {ends} after it began, but the shift lasts {lasts}; make "
                "breaks shorter or earlier, or their groups fewer"
            )
            return [((*at, "breaks"), sentence)]
    return []
