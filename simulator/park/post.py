"""A post: where a system stands, and all that its role may look at and act upon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import simpy

from simulator.batch import Catalog
from simulator.park.freight import Freight
from simulator.park.machine import Machine
from simulator.park.plant import Plant
from simulator.park.truth import Truth
from simulator.scenario.schema import Scenario, Site, System
from simulator.scenario.system_type import SystemType
from simulator.signals.device import Device, Track
from simulator.signals.sky import Sky
from simulator.signals.streams import Stream

__all__ = ["Post"]


@dataclass(frozen=True)
class Post:
    """One system of a site, as its role is built. Instants are nanoseconds since the Unix epoch."""

    env: simpy.Environment
    asset: int
    """Its number in the catalogue."""
    scenario: Scenario
    site: Site
    system: System
    """Its entry in the scenario."""
    spec: SystemType
    sky: Sky
    catalog: Catalog
    """What is measured, without the truth."""
    machines: Sequence[Machine]
    """All of the park, by asset; the systems are among them."""
    plants: Sequence[Plant]
    """All factories of the park, and all areas of systems."""
    served: tuple[int, ...]
    """The assets of everything that it serves."""
    devices: Mapping[str, Device]
    """Those of the systems of the site that come before, by name."""
    everywhere: Mapping[int, Device]
    """Those of the systems of all sites that come before, by asset."""
    freight: Freight
    """The lorries of the park."""
    truth: Truth
    start_ns: int
    """The first instant whose readings are wanted."""
    tracks: list[Track]
    """All tracks of the park."""

    @property
    def tenants(self) -> list[Plant]:
        """The factories among what it serves, in the order of the park."""
        served = set(self.served)
        return [one for one in self.plants if one.makes and served & {machine.asset for machine in one.machines}]

    @property
    def machine(self) -> Machine:
        """The system itself, with its state."""
        return self.machines[self.asset]

    def stream(self, *names: str) -> Stream:
        """Return a stream of random numbers of its own."""
        return Stream(self.scenario.seed, *self.catalog.assets[self.asset].path, *names)

    def now_ns(self) -> int:
        """Return the instant."""
        return int(self.env.now)

    def track(self, initial: float = 0.0) -> Track:
        """Return a new track."""
        track = Track(self.now_ns, initial)
        self.tracks.append(track)
        return track

    def quantities(self, names: Iterable[str], **initial: float) -> dict[str, Track]:
        """Return a new track for each name: 0 unless said otherwise."""
        return {name: self.track(initial.get(name, 0.0)) for name in sorted(names)}
