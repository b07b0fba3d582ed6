"""What stands around the machines of a park, read from its scenario."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.scenario.climate import load_climate
from simulator.scenario.machine_type import MachineType
from simulator.scenario.rulebook import shipped_tariff
from simulator.scenario.schema import UTILITIES, Scenario, Site
from simulator.scenario.site_systems import supply_order
from simulator.scenario.system_type import SystemType
from simulator.signals.sky import Sky
from simulator.signals.supply import Feeder
from simulator.signals.surroundings import Surroundings

__all__ = ["Standing", "surroundings"]

TARIFF = "evn-manufacturing"
Standing = tuple[tuple[str, str], str, MachineType]
"""An asset: its site and area, its name, and its type."""


def surroundings(scenario: Scenario, assets: Sequence[Standing]) -> Surroundings:
    """Return the surroundings of assets, which come in the order of the catalogue."""
    numbers = {site.name: number for number, site in enumerate(scenario.sites)}
    skies = [Sky(load_climate(site.climate), seed=scenario.seed, site=site.name) for site in scenario.sites]
    panels = {
        asset: spec.panels.rated_kw
        for asset, (_, _, spec) in enumerate(assets)
        if isinstance(spec, SystemType) and spec.panels is not None
    }
    feeders = [feeder for site in scenario.sites for feeder in feeders_of(site, assets)]
    return Surroundings(skies, [numbers[area[0]] for area, _, _ in assets], panels, feeders)


def feeders_of(site: Site, assets: Sequence[Standing]) -> list[Feeder]:
    """Return the feeders of a site, each after those that it supplies."""
    systems = {name: asset for asset, (area, name, _) in enumerate(assets) if area == (site.name, UTILITIES)}
    serves = {system.name: system.serves for system in site.systems}
    feeders = []
    for name in supply_order(site):
        spec = assets[systems[name]][2]
        if not isinstance(spec, SystemType) or spec.supply is None:
            continue
        behind: list[int] = []
        for served in serves[name]:
            if served in systems:
                behind.append(systems[served])
            else:
                behind += [asset for asset, (area, _, _) in enumerate(assets) if area == (site.name, served)]
        supply = spec.supply
        tariff = shipped_tariff(TARIFF)
        feeders.append(Feeder(systems[name], tuple(behind), supply.loss, supply.compensation_kvar, tariff))
    return feeders
