"""Machine types as each factory has them: with what a machine changes, and the sensors that its maturity brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from simulator.scenario.adoption import YEAR_NS, Climb, climbs
from simulator.scenario.machine_type import MachineType
from simulator.scenario.maturity import at_band
from simulator.scenario.schema import Machine, Scenario, Site
from simulator.scenario.sensor import SensorType

__all__ = ["Fitting", "Stage", "schedule"]


class Stage(NamedTuple):
    """The sensors of a machine until its factory climbs to another band."""

    until_ns: int
    """Since the world began."""
    sensors: tuple[SensorType, ...]


def schedule(scenario: Scenario, site: Site) -> list[Climb]:
    """Return who climbs to which band at a site, from the beginning of the world to a year after the start."""
    bands = {factory.name: factory.maturity for factory in site.factories if factory.maturity is not None}
    if site.adoption is None or not bands:
        return []
    within_ns = scenario.warm_up + YEAR_NS
    return climbs(site.adoption, bands, seed=scenario.seed, site=site.name, within_ns=within_ns)


class Fitting:
    """The machine types of a scenario by factory, for the catalogue and whoever counts its sensors."""

    def __init__(self, scenario: Scenario, types: Mapping[str, MachineType]) -> None:
        self._types = types
        self._climbs: dict[tuple[str, str], list[Climb]] = {}
        for site in scenario.sites:
            for climb in schedule(scenario, site):
                self._climbs.setdefault((site.name, climb.tenant), []).append(climb)
        self._areas = {(site.name, area.name): area for site in scenario.sites for area in site.areas}
        self._known: dict[tuple[object, ...], MachineType] = {}

    def climbs_of(self, site: str, factory: str) -> Sequence[Climb]:
        """Return when a factory climbs."""
        return self._climbs.get((site, factory), ())

    def type_of(self, site: str, factory: str, machine: Machine) -> MachineType:
        """Return the type of a machine with all sensors that it will have within the horizon."""
        climbed = self.climbs_of(site, factory)
        band = climbed[-1].band if climbed else self._areas[site, factory].maturity
        key = (machine.type, machine.cycle, machine.pieces, machine.first_pass_yield, band)
        if key not in self._known:
            applied = machine.applied_to(self._types[machine.type])
            self._known[key] = applied if band is None else at_band(applied, band)
        return self._known[key]

    def stages_of(self, site: str, factory: str, machine: Machine) -> list[Stage]:
        """Return what a machine shows before its factory has climbed to the last of its bands."""
        climbed, first = self.climbs_of(site, factory), self._areas[site, factory].maturity
        if first is None or not climbed:
            return []
        bands = [first, *(climb.band for climb in climbed[:-1])]
        applied = machine.applied_to(self._types[machine.type])
        return [
            Stage(climb.after_ns, at_band(applied, band).sensors) for climb, band in zip(climbed, bands, strict=True)
        ]
