"""The systems of a park in their places: whom each supplies, what hangs over it, and what its role makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from simulator.park.mains import Mains
from simulator.park.post import Post
from simulator.park.roles import ROLES
from simulator.scenario.climate import load_climate
from simulator.scenario.machine_type import MachineType
from simulator.scenario.rulebook import shipped_tariff
from simulator.scenario.schema import Scenario, Site, System
from simulator.scenario.site_systems import supply_order
from simulator.scenario.system_type import SystemType
from simulator.signals.device import Device
from simulator.signals.sky import Sky
from simulator.signals.supply import Feeder
from simulator.signals.surroundings import Surroundings

__all__ = ["Standing", "Station", "surroundings"]

TARIFF = "evn-manufacturing"
Standing = tuple[tuple[str, str], str, MachineType]
"""An asset: its site and area, its name, and its type."""


@dataclass(frozen=True)
class Station:
    """A system in its place, one of several if its entry has a count."""

    asset: int
    name: str
    site: Site
    system: System
    spec: SystemType
    sky: Sky
    served: tuple[int, ...]
    """The assets of everything that it serves."""


def surroundings(
    scenario: Scenario,
    assets: Sequence[Standing],
    post: Callable[[Station, dict[str, Device], dict[int, Device]], Post],
) -> Surroundings:
    """Return the surroundings of assets, which come in the order of the catalogue.

    ``post`` makes the post of a system, given the devices of its site that it supplies, by name, and those of all sites
    so far, by asset; roles come to life here.
    """
    numbers = {site.name: number for number, site in enumerate(scenario.sites)}
    skies = [Sky(load_climate(site.climate), seed=scenario.seed, site=site.name) for site in scenario.sites]
    panels: dict[int, float] = {}
    feeders: list[Feeder] = []
    mains: dict[int, Mains] = {}
    devices: dict[int, Device] = {}
    for site, sky in zip(scenario.sites, skies, strict=True):
        by_name: dict[str, Device] = {}
        for station in stations(site, sky, assets):
            spec = station.spec
            if spec.panels is not None:
                panels[station.asset] = spec.panels.rated_kw
            if spec.supply is not None:
                supply, tariff = spec.supply, shipped_tariff(TARIFF)
                mains[station.asset] = Mains(post(station, by_name, devices), mains)
                feeders.append(
                    Feeder(
                        station.asset,
                        station.served,
                        supply.loss,
                        supply.compensation_kvar,
                        tariff,
                        supply.volts / 1000.0,
                        mains[station.asset].dip,
                    )
                )
            if spec.role is not None:
                device = ROLES[spec.role.kind](post(station, by_name, devices))
                devices[station.asset] = by_name[station.name] = device
    return Surroundings(skies, [numbers[area[0]] for area, _, _ in assets], panels, feeders, devices)


def stations(site: Site, sky: Sky, assets: Sequence[Standing]) -> Iterator[Station]:
    """Yield the systems of a site, each after those that it supplies."""
    standing = {name: asset for asset, (area, name, spec) in enumerate(assets) if is_system(site, area, spec)}
    entries = {system.name: system for system in site.systems}
    factories = {factory.name for factory in site.factories}
    for entry in supply_order(site, {spec.name: spec for _, _, spec in assets}):
        served: list[int] = []
        for other in entries[entry].serves:
            if other in entries:
                served += [standing[name] for name in entries[other].names]
            elif other in factories:
                served += [asset for asset, (area, _, _) in enumerate(assets) if area == (site.name, other)]
            else:
                served += [asset for asset, (area, _, _) in enumerate(assets) if area[0] == other]
        for name in entries[entry].names:
            spec = assets[standing[name]][2]
            assert isinstance(spec, SystemType)
            yield Station(standing[name], name, site, entries[entry], spec, sky, tuple(served))


def is_system(site: Site, area: tuple[str, str], spec: MachineType) -> bool:
    return area[0] == site.name and isinstance(spec, SystemType)
