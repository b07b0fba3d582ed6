"""Scheduled faults come over the park: which machine or sensor each of them strikes, and how it is carried out.

Breakdowns of one machine that overlap last until the last of them is over, and so do stops; the factors of slow
machines multiply. Faults of one sensor act in the order of the scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import simpy

from simulator.batch import Catalog
from simulator.park.machine import Machine
from simulator.park.post import Befall
from simulator.park.truth import Happening, Truth
from simulator.scenario.fault import (
    AirLeak,
    Breakdown,
    Cause,
    Fault,
    MachineFault,
    NetworkFault,
    PowerDip,
    SensorFault,
    Slow,
    Stop,
)
from simulator.scenario.fitting import Fitting
from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Scenario
from simulator.scenario.sensor import StateModel
from simulator.scenario.targets import struck_by
from simulator.signals.device import Device
from simulator.signals.devices.link import LinkDevice
from simulator.signals.distortion import Distortion, Distortions
from simulator.signals.streams import Stream

__all__ = ["Strike", "distortions", "strikes", "trouble", "unleash"]

MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Strike:
    """A scheduled fault and one of the things that it strikes. Instants are nanoseconds since the Unix epoch."""

    fault: Fault
    asset: int
    sensor: int
    """Number within the asset; -1 for the machine."""
    from_ns: int
    to_ns: int


def strikes(
    scenario: Scenario, types: Mapping[str, MachineType], catalog: Catalog, *, origin_ns: int, start_ns: int
) -> list[Strike]:
    """Return what the faults of a scenario strike, in its order, without those that are over when the world begins."""
    found = []
    fitting = Fitting(scenario, types)
    for fault in scenario.faults:
        from_ns, to_ns = fault.span_ns(start_ns)
        if to_ns > origin_ns:
            for path, sensor in struck_by(fault, scenario, fitting):
                asset = catalog.by_topic["/".join((scenario.enterprise, *path))]
                found.append(Strike(fault, asset, sensor, from_ns, to_ns))
    return found


def distortions(
    struck: Sequence[Strike], catalog: Catalog, specs: Sequence[MachineType], *, seed: int, origin_ns: int
) -> Distortions:
    """Return what the faults of sensors do to readings."""
    found: list[Distortion] = []
    ordinal: dict[tuple[int, str], int] = {}
    for one in struck:
        if not isinstance(one.fault, SensorFault):
            continue
        asset = catalog.assets[one.asset]
        sensor = asset.sensors[one.sensor]
        number = asset.first_sensor + one.sensor
        # A second fault of a kind on the same sensor has random numbers of its own.
        nth = ordinal[number, one.fault.kind] = ordinal.get((number, one.fault.kind), -1) + 1
        speaks_at_once = isinstance(specs[one.asset].sensors[one.sensor].model, StateModel) or not sensor.period_ns
        found.append(
            Distortion(
                sensor=number,
                from_ns=one.from_ns,
                to_ns=one.to_ns,
                fault=one.fault,
                hold_ns=max(one.from_ns, origin_ns)
                if speaks_at_once
                else last_sample(one.from_ns, asset.phase_ns, sensor.period_ns, origin_ns),
                stream=Stream(seed, asset.topic, one.fault.kind, sensor.name, str(nth)),
                spacing_ns=sensor.period_ns or MS,
            )
        )
    return Distortions(found, sensors=len(catalog))


def trouble(struck: Sequence[Strike], catalog: Catalog, devices: Mapping[int, Device], *, seed: int) -> None:
    """Tell links and gateways what befalls them, and when."""
    ordinal: dict[tuple[int, str], int] = {}
    for one in struck:
        device = devices.get(one.asset)
        if isinstance(one.fault, NetworkFault) and isinstance(device, LinkDevice):
            nth = ordinal[one.asset, one.fault.kind] = ordinal.get((one.asset, one.fault.kind), -1) + 1
            stream = Stream(seed, catalog.assets[one.asset].topic, one.fault.kind, str(nth))
            device.befall(one.fault, one.from_ns, one.to_ns, stream)


def last_sample(at_ns: int, phase_ns: int, period_ns: int, origin_ns: int) -> int:
    """Return the last instant of a sampling grid at or before ``at_ns``, but not before the world begins."""
    last = phase_ns + (at_ns - phase_ns) // period_ns * period_ns
    first = phase_ns - (phase_ns - origin_ns) // period_ns * period_ns
    return max(last, first)


def unleash(
    env: simpy.Environment,
    struck: Sequence[Strike],
    machines: Sequence[Machine],
    truth: Truth,
    befall: Mapping[tuple[int, str], Befall],
) -> None:
    """Let every fault begin and end at its time. ``befall`` says what those do that only some systems can have."""
    for strike in struck:
        machine = machines[strike.asset] if isinstance(strike.fault, MachineFault) else None
        env.process(course(env, strike, machine, truth, befall.get((strike.asset, strike.fault.kind))))


def course(
    env: simpy.Environment, strike: Strike, machine: Machine | None, truth: Truth, befall: Befall | None
) -> Generator[simpy.Event, Any, None]:
    """Follow one fault of one target from its beginning to its end."""
    yield env.timeout(max(strike.from_ns - int(env.now), 0))
    fault = strike.fault
    happening = Happening(
        fault.kind,
        strike.asset,
        Cause.SCHEDULED,
        strike.from_ns,
        strike.to_ns,
        sensor=strike.sensor,
        parameter=fault.parameter,
    )
    truth.begin(happening)
    end: Callable[[], None] | None = None
    match fault, machine:
        case Breakdown(), Machine():
            machine.break_down(strike.to_ns)
        case Stop(), Machine():
            machine.hold(strike.to_ns)
        case Slow(), Machine():
            machine.slow_down(fault.factor)
        case AirLeak() | PowerDip(), _:
            assert befall is not None
            end = befall(fault, strike.to_ns)
    yield env.timeout(strike.to_ns - int(env.now))
    truth.end(happening)
    if machine is not None and isinstance(fault, Slow):
        machine.speed_up(fault.factor)
    if end is not None:
        end()
