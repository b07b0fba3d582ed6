"""Staffing: which machines have people when some are missing, as in the days after Tet.

The people who are there are dealt out line by line, so that no part of the flow of goods is left without any. Of the
machines of a line, or of identical lines in series, as many are manned as there are people for; the next one is
manned thinly and takes longer for a cycle, unless it would be left with less than a quarter of its people; the rest
stay stopped. Machines that need no operator work on.
"""

from __future__ import annotations

from collections.abc import Sequence

from simulator.park.machine import Machine
from simulator.scenario.schema import Line

__all__ = ["Staffing", "dealt_out"]

LEAST_PACE = 0.25
Unit = Sequence[Machine]


class Staffing:
    """The machines of a factory by what people work at together: a machine, or a line in series."""

    def __init__(self, lines: Sequence[tuple[Line, Sequence[Machine]]]) -> None:
        """``lines`` in the order of the scenario; those that a count made share their ``Line``."""
        groups: dict[int, list[Unit]] = {}
        for line, members in lines:
            units: list[Unit] = [members] if line.flow == "series" else [[one] for one in members]
            groups.setdefault(id(line), []).extend(
                unit for unit in units if any(machine.spec.attended for machine in unit)
            )
        self._groups = list(groups.values())
        self._pace: dict[int, float] = {}

    def fill(self, share: float) -> None:
        """Deal out the people who are there, a share of all, until the next time."""
        for group, units in enumerate(self._groups):
            for number, pace in enumerate(dealt_out(len(units), share)):
                self._pace_unit(group * 1_000_000 + number, units[number], pace)

    def _pace_unit(self, key: int, unit: Unit, pace: float) -> None:
        before = self._pace.get(key, 1.0)
        if pace == before:
            return
        self._pace[key] = pace
        for machine in unit:
            if before not in {0.0, 1.0}:
                machine.speed_up(1.0 / before)
            if pace not in {0.0, 1.0}:
                machine.slow_down(1.0 / pace)
            machine.man(manned=pace > 0.0)


def dealt_out(units: int, share: float) -> list[float]:
    """Return the pace of each unit when a share of the people is there: 1, a fraction, 0."""
    there = round(units * share, 9)
    whole = int(there)
    rest = there - whole
    thin = [rest if rest >= LEAST_PACE else 0.0] if whole < units else []
    return ([1.0] * whole + thin + [0.0] * units)[:units]
