"""Maturity as it acts: what a band does to the machines of a factory, and when a factory climbs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

import simpy

from simulator.park.machine import Machine
from simulator.park.upkeep import Upkeep
from simulator.scenario.adoption import Climb
from simulator.scenario.machine_type import MachineType
from simulator.scenario.maturity import at_band, band_of
from simulator.signals.device import Track
from simulator.signals.streams import Stream

__all__ = ["Maturity"]


class Maturity:
    """The band of one factory. ``whole`` are the types of its machines with all their sensors, ``streams`` theirs."""

    def __init__(
        self,
        env: simpy.Environment,
        machines: Sequence[Machine],
        whole: Sequence[MachineType],
        streams: Sequence[Callable[..., Stream]],
        *,
        band: Track,
        coverage: Track,
    ) -> None:
        self._env = env
        self._machines = machines
        self._whole = whole
        self._streams = streams
        self._band, self._coverage = band, coverage

    def reach(self, number: int) -> None:
        """Come to a band now: machines fail less often, are missed sooner, and are maintained by another plan."""
        band = band_of(number)
        for machine, spec, stream in zip(self._machines, self._whole, self._streams, strict=True):
            machine.ease(band.failures)
            machine.unnoticed_ns = band.unnoticed
            now_ns, ran_ns, _ = machine.worn()
            mine = stream("upkeep", str(number))
            machine.upkeep = Upkeep(band.maintenance, spec, machine.bearing, mine, now_ns=now_ns, ran_ns=ran_ns)
        sensors = sum(len(spec.sensors) for spec in self._whole)
        speaking = sum(len(at_band(spec, number).sensors) for spec in self._whole)
        self._band.set(number)
        self._coverage.set(100.0 * speaking / sensors)

    def climb(self, climbs: Sequence[Climb], origin_ns: int) -> Generator[simpy.Event, Any, None]:
        """Climb when the schedule says so."""
        for one in climbs:
            yield self._env.timeout(origin_ns + one.after_ns - int(self._env.now))
            self.reach(one.band)
