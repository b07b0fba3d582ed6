"""Breaks as they happen: the machines of a factory are left alone by their operators, group by group."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import simpy

from simulator.park.calendar import Calendar
from simulator.park.machine import Machine

__all__ = ["groups_of", "rest"]


def rest(
    env: simpy.Environment, calendar: Calendar, groups: Sequence[Sequence[Machine]]
) -> Generator[simpy.Event, Any, None]:
    """Send the operators of each group into their break of each shift."""
    for shift in calendar.shifts():
        for machines, (from_ns, to_ns) in zip(groups, shift.breaks_ns, strict=False):
            if to_ns <= int(env.now):
                continue
            if from_ns > int(env.now):
                yield env.timeout(from_ns - int(env.now))
            for machine in machines:
                machine.leave_alone(to_ns)


def groups_of(units: Sequence[Sequence[Machine]], groups: int) -> list[list[Machine]]:
    """Deal out units of machines, which rest together, to groups: one after the other."""
    return [[machine for unit in units[group::groups] for machine in unit] for group in range(groups)]
