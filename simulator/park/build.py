"""From a scenario to a park: every machine in its place, with its buffers, shifts and crew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import simpy

from simulator.batch import Asset, Catalog, Sensor
from simulator.park.annex import extended
from simulator.park.buffer import Buffer
from simulator.park.bulletin import Bulletin, Bulletins
from simulator.park.calendar import Calendar
from simulator.park.crew import Crew
from simulator.park.faults import Faults, Strike, strikes
from simulator.park.freight import Freight
from simulator.park.groups import Group, assets_of, groups_in
from simulator.park.machine import Machine, Place, Port
from simulator.park.pace_truth import PaceTruth, pace_asset
from simulator.park.plant import Plant
from simulator.park.post import Befall, Post, Remembers
from simulator.park.systems import Station, surroundings
from simulator.park.tenancy import Tenancy
from simulator.park.traffic import traffic_of
from simulator.park.truth import Truth, with_truth
from simulator.scenario.adoption import Climb
from simulator.scenario.fitting import Fitting, Stage
from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Factory, Line, Scenario, Site
from simulator.scenario.sensor import Model, OutputModel
from simulator.signals.device import Device, Track
from simulator.signals.growth import Era, Growth
from simulator.signals.process import Cycles
from simulator.signals.streams import Stream
from simulator.signals.surroundings import Surroundings
from simulator.signals.tally import Tally
from simulator.signals.timeline import Segment

__all__ = ["Park", "build", "catalog_of"]

MS = 1_000_000


@dataclass(frozen=True)
class Park:
    """The whole park as built."""

    catalog: Catalog
    """What is measured, and after it what tellers say: the truth, bulletins, key figures."""
    measured: Catalog
    machines: tuple[Machine, ...]
    plants: tuple[Plant, ...]
    truth: Truth
    groups: tuple[Group, ...]
    """What has key figures of its own on a topic."""
    sites: tuple[Group, ...]
    faults: Faults
    pace: PaceTruth
    surroundings: Surroundings
    tracks: tuple[Remembers, ...]
    """What systems and people wrote down, for devices and bulletins to read."""
    growth: Growth | None
    """Which sensors are yet to come; None if all are there."""
    bulletins: Bulletins


@dataclass(frozen=True)
class Spot:
    """A machine to be: where it stands in the scenario, and its type with the scenario's changes."""

    site: Site
    factory: Factory
    line: Line
    line_name: str
    machine_name: str
    spec: MachineType
    climbs: Sequence[Climb]
    """When its factory climbs to higher bands of maturity."""
    stages: list[Stage]
    """What it shows before the last of them."""

    @property
    def area(self) -> tuple[str, str]:
        """Names of the site and of the area in it."""
        return self.site.name, self.factory.name

    def path(self, enterprise: str) -> tuple[str, ...]:
        """ISA-95 path."""
        return enterprise, self.site.name, self.factory.name, self.line_name, self.machine_name


def spots(scenario: Scenario, types: Mapping[str, MachineType]) -> Iterator[Spot]:
    """Yield every machine in the order of the scenario."""
    fitting = Fitting(scenario, types)
    for site in scenario.sites:
        for factory in site.areas:
            for line in factory.lines:
                for line_name in line.names:
                    for machine in line.machines:
                        spec = fitting.type_of(site.name, factory.name, machine)
                        climbs = fitting.climbs_of(site.name, factory.name)
                        stages = fitting.stages_of(site.name, factory.name, machine)
                        for machine_name in machine.names:
                            yield Spot(site, factory, line, line_name, machine_name, spec, climbs, stages)


def catalog_of(scenario: Scenario, types: Mapping[str, MachineType]) -> Catalog:
    """Return every asset and sensor of a scenario that measures something: all but the truth."""
    assets, first = [], 0
    for spot in spots(scenario, types):
        path = spot.path(scenario.enterprise)
        sensors = tuple(
            Sensor(
                name=s.name,
                unit=s.unit,
                decimals=s.decimals,
                low=s.range[0],
                high=s.range[1],
                period_ns=s.period or 0,
                monotonic=is_counter(s.model),
                step=s.step,
            )
            for s in spot.spec.sensors
        )
        tags = dict(
            zip(("province", "park", "factory", "line", "machine"), (spot.site.province, *path[1:]), strict=True)
        )
        base_ms = min((s.period for s in spot.spec.sensors if s.period), default=1000 * MS) // MS
        phase = Stream(scenario.seed, *path, "phase").epoch(0).integers(base_ms)
        assets.append(Asset(path, spot.spec.name, tags, first, sensors, int(phase) * MS))
        first += len(sensors)
    return Catalog(tuple(assets))


def is_counter(model: Model) -> bool:
    """Say whether what a sensor shows never falls."""
    return model.kind in {"count", "energy"} or (isinstance(model, OutputModel) and model.shows == "energy")


def build(
    scenario: Scenario,
    types: Mapping[str, MachineType],
    env: simpy.Environment,
    record: Callable[[Segment], None],
    *,
    steerable: bool,
) -> Park:
    """Build the park in a SimPy environment whose time is nanoseconds since the Unix epoch.

    ``steerable``: anything may befall any asset later, by hand, and the truth has a place for it.
    """
    measured = catalog_of(scenario, types)
    everything = list(spots(scenario, types))
    origin_ns = int(env.now)
    start_ns = origin_ns + scenario.warm_up
    struck = strikes(scenario.faults, scenario, types, measured, origin_ns=origin_ns, start_ns=start_ns)
    labelled = range(len(everything)) if steerable else befallen(scenario, everything, struck)
    labels, truth_of = with_truth(measured, labelled if scenario.truth else ())
    is_paced = scenario.truth and (steerable or bool(scenario.pace))
    catalog = extended(labels, [pace_asset(scenario)] if is_paced else [])
    truth = Truth(env, catalog, truth_of, start_ns=start_ns)
    machines: list[Machine] = []
    plants: list[Plant] = []
    bulletins: list[Bulletin | None] = []
    tracks: list[Remembers] = []

    def track(initial: float) -> Track:
        one = Track(lambda: int(env.now), initial)
        tracks.append(one)
        return one

    for site in scenario.sites:
        for factory in site.areas:
            calendar = Calendar(factory.shifts, scenario.timezone, origin_ns=int(env.now))
            crew = Crew(env, factory.crew)
            buffers = {b.name: Buffer(env, b.name, capacity=b.capacity, initial=b.initial) for b in factory.buffers}
            first = len(machines)
            here = (site.name, factory.name)
            while len(machines) < len(everything) and everything[len(machines)].area == here:
                spot = everything[len(machines)]
                place = Place(len(machines), env, calendar, crew, record, truth)
                machines.append(machine_at(spot, place, scenario))
            mine = machines[first:]
            grouped = lines_of(everything[first : len(machines)], mine)
            for line, members in grouped:
                connect(line, members, buffers, env)
            path = (scenario.enterprise, site.name, factory.name)
            tenancy = Tenancy(
                env=env,
                path=path,
                site=site,
                factory=factory,
                calendar=calendar,
                crew=crew,
                lines=grouped,
                paths=[measured.assets[asset].path for asset in range(first, len(machines))],
                whole=[types[spot.spec.name] for spot in everything[first : len(machines)]],
                climbs=everything[first].climbs,
                seed=scenario.seed,
                track=track,
            )
            bulletins.append(tenancy.begin())
            makes = factory.name not in site.open_areas
            plants.append(Plant(path, factory, tuple(mine), buffers, calendar, makes=makes))
    befall: dict[tuple[int, str], Befall] = {}
    growth = growth_of(everything, measured, origin_ns=origin_ns)
    tally = Tally(measured, [spot.spec for spot in everything], origin_ns=origin_ns, growth=growth)
    freight = Freight(env)

    def post(station: Station, devices: Mapping[str, Device], everywhere: Mapping[int, Device]) -> Post:
        return Post(
            env=env,
            asset=station.asset,
            scenario=scenario,
            site=station.site,
            system=station.system,
            spec=station.spec,
            sky=station.sky,
            catalog=measured,
            machines=machines,
            plants=plants,
            served=station.served,
            devices=devices,
            everywhere=everywhere,
            freight=freight,
            truth=truth,
            start_ns=start_ns,
            tracks=tracks,
            befall=befall,
            tally=tally,
        )

    around = surroundings(scenario, [(spot.area, spot.machine_name, spot.spec) for spot in everything], post)
    around = replace(around, traffic=traffic_of(around.devices, measured, [spot.spec for spot in everything]))
    faults = Faults(env, measured, machines, around.devices, truth=truth, befall=befall, seed=scenario.seed)
    faults.let_loose(struck)
    pace = PaceTruth(catalog.assets[-1] if is_paced else None)
    for change in scenario.pace:
        pace.change(change.at_ns(start_ns), change.cause, speed=change.speed)
    told = [one for one in bulletins if one is not None]
    spoken = extended(catalog, (one.asset for one in told))
    groups, sites = (
        tuple(groups_in(measured.assets, machines, around.devices, levels))
        for levels in (scenario.kpis.levels, ["site"])
    )
    return Park(
        extended(spoken, assets_of(groups, scenario.kpis.every)),
        measured,
        tuple(machines),
        tuple(plants),
        truth,
        groups,
        sites,
        faults,
        pace,
        around,
        tuple(tracks),
        growth,
        Bulletins(told, [asset.first_sensor for asset in spoken.assets[len(catalog.assets) :]]),
    )


def growth_of(everything: list[Spot], measured: Catalog, *, origin_ns: int) -> Growth | None:
    """Return which sensors are yet to come, None if all are there."""
    eras = {
        asset: [Era(origin_ns + stage.until_ns, {one.name: one for one in stage.sensors}) for stage in spot.stages]
        for asset, spot in enumerate(everything)
        if spot.stages
    }
    return Growth(measured, eras) if eras else None


def befallen(scenario: Scenario, everything: list[Spot], struck: list[Strike]) -> set[int]:
    """Return the assets that faults can befall: by themselves, from who supplies them, or as the scenario says."""
    by_itself = {number for number, spot in enumerate(everything) if spot.spec.stops or spot.spec.bearing}
    supplied = {(site.name, name) for site in scenario.sites for system in site.systems for name in system.serves}
    cut_off = {
        number
        for number, spot in enumerate(everything)
        if {(spot.site.name, spot.factory.name), (spot.site.name, spot.machine_name)} & supplied
    }
    return by_itself | cut_off | {strike.asset for strike in struck}


def machine_at(spot: Spot, place: Place, scenario: Scenario) -> Machine:
    stream = partial(Stream, scenario.seed, *spot.path(scenario.enterprise))
    values = sum(1 for sensor in spot.spec.sensors if sensor.period is None)
    book = Cycles(stream("cycles"), pieces=spot.spec.pieces, first_pass_yield=spot.spec.first_pass_yield, values=values)
    return Machine(spot.spec, place, stream=stream, book=book)


def lines_of(everything: list[Spot], machines: list[Machine]) -> list[tuple[Line, list[Machine]]]:
    """Group a factory's machines by the line they stand in."""
    grouped: dict[str, tuple[Line, list[Machine]]] = {}
    for spot, machine in zip(everything, machines, strict=True):
        grouped.setdefault(spot.line_name, (spot.line, []))[1].append(machine)
    return list(grouped.values())


def connect(line: Line, members: list[Machine], buffers: dict[str, Buffer], env: simpy.Environment) -> None:
    """Give every machine of a line its ports."""
    taking = [(buffers[name], int(pieces)) for name, pieces in line.takes.items()]
    giving = buffers[line.gives] if line.gives else None
    if line.flow == "parallel":
        for machine in members:
            machine.ports = ports(machine, taking, giving)
        return
    for i, machine in enumerate(members):
        last = i == len(members) - 1
        following = giving if last else Buffer(env, f"after {machine.spec.name}", capacity=line.between, initial=0)
        machine.ports = ports(machine, taking, following)
        taking = [(following, 1)] if following else []


def ports(machine: Machine, taking: list[tuple[Buffer, int]], giving: Buffer | None) -> list[Port]:
    per_cycle = machine.spec.pieces
    result = [Port(buffer, pieces * per_cycle, gives=False) for buffer, pieces in taking]
    if giving is not None:
        result.append(Port(giving, per_cycle, gives=True))
    return result
