"""A post: where a system stands, and all that its role may look at and act upon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import simpy

from simulator.batch import Catalog
from simulator.park.freight import Freight
from simulator.park.machine import Machine
from simulator.park.plant import Plant
from simulator.park.truth import Truth
from simulator.scenario.fault import Fault
from simulator.scenario.schema import Scenario, Site, System
from simulator.scenario.system_type import SystemType
from simulator.signals.device import Device, Track
from simulator.signals.sky import Sky
from simulator.signals.streams import Stream
from simulator.signals.tally import Tally

__all__ = ["Befall", "Post", "Remembers"]

Befall = Callable[[Fault, int], Callable[[], None]]
"""Lets a fault begin now that lasts until an instant, and returns what ends it."""


class Remembers(Protocol):
    """What systems wrote down, for their devices to read."""

    def forget(self, before_ns: int) -> None:
        """Forget what nobody asks for any more: all but what is in force at an instant, and what came after it."""


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
    tracks: list[Remembers]
    """All tracks of the park, and whatever else remembers."""
    befall: dict[tuple[int, str], Befall]
    """How faults befall systems, by asset and kind."""
    tally: Tally
    """Counts what the park has to say."""

    @property
    def tenants(self) -> list[Plant]:
        """The factories among what it serves, in the order of the park."""
        served = set(self.served)
        return [one for one in self.plants if one.makes and served & {machine.asset for machine in one.machines}]

    @property
    def machine(self) -> Machine:
        """The system itself, with its state."""
        return self.machines[self.asset]

    @property
    def served_devices(self) -> dict[str, Device]:
        """The devices of the systems that it serves, by name."""
        names = (self.catalog.assets[asset].path[-1] for asset in self.served)
        return {name: self.devices[name] for name in names if name in self.devices}

    def suppliers(self, medium: str) -> tuple[int, ...]:
        """Return the assets of the systems of the site that supply it with a medium."""
        mine = self.system.name
        serving = {(one.area, each) for one in self.site.systems if mine in one.serves for each in one.names}
        return tuple(
            asset
            for asset, (one, machine) in enumerate(zip(self.catalog.assets, self.machines, strict=True))
            if isinstance(machine.spec, SystemType)
            and machine.spec.gives == medium
            and one.path[1] == self.site.name
            and (one.path[2], one.path[-1]) in serving
        )

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

    def keep(self, memory: Remembers) -> None:
        """Let what nobody asks for any more be forgotten."""
        self.tracks.append(memory)

    def can_befall(self, kind: str, befall: Befall) -> None:
        """Say what a scheduled fault of a kind does to this system."""
        self.befall[self.asset, kind] = befall

    def quantities(self, names: Iterable[str], **initial: float) -> dict[str, Track]:
        """Return a new track for each name: 0 unless said otherwise."""
        return {name: self.track(initial.get(name, 0.0)) for name in sorted(names)}
