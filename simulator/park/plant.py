"""A plant: one factory of the park, or one area of a site's systems, as built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.park.buffer import Buffer
from simulator.park.calendar import Calendar
from simulator.park.machine import Machine

__all__ = ["Plant"]


@dataclass(frozen=True)
class Plant:
    """Its machines, what lies between them, and its shifts."""

    path: tuple[str, ...]
    """Enterprise, site and area."""
    machines: tuple[Machine, ...]
    buffers: Mapping[str, Buffer]
    calendar: Calendar
    makes: bool
    """Whether it makes anything: areas of systems do not."""
