"""A plant: one factory of the park, or one area of a site's systems, as built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from simulator.park.buffer import Buffer
from simulator.park.calendar import Calendar
from simulator.park.machine import Machine
from simulator.scenario.schema import Factory

__all__ = ["Plant"]

HOUR_NS = 3_600_000_000_000
LOAD_HOURS = 4
"""What a factory makes at full pace in so many hours of the week fills a lorry, unless it says otherwise [E]."""


@dataclass(frozen=True)
class Plant:
    """Its machines, what lies between them, and its shifts."""

    path: tuple[str, ...]
    """Enterprise, site and area."""
    factory: Factory
    """Its entry in the scenario; for an area of systems one that is made up."""
    machines: tuple[Machine, ...]
    buffers: Mapping[str, Buffer]
    calendar: Calendar
    makes: bool
    """Whether it makes anything: areas of systems do not."""

    @cached_property
    def last(self) -> tuple[Machine, ...]:
        """The machines whose pieces leave it."""
        return tuple(one for one in self.machines if not any(port.gives for port in one.ports))

    @cached_property
    def ends(self) -> tuple[Machine, ...]:
        """The machines at the ends of lines, whose pieces have to be carried on or away."""
        stores = list(self.buffers.values())
        return tuple(one for one in self.machines if all(not p.gives or p.buffer in stores for p in one.ports))

    @cached_property
    def pieces_per_h(self) -> float:
        """What leaves it at full pace, mean over all hours of the week."""
        per_ns = sum(one.spec.pieces * one.spec.first_pass_yield / one.spec.cycle for one in self.last)
        return per_ns * HOUR_NS * self.factory.shifts.share_of_week

    @cached_property
    def load(self) -> int:
        """Pieces in a lorry."""
        return self.factory.load or max(round(LOAD_HOURS * self.pieces_per_h), 1)
