"""Faults come over the park: which machine or sensor each of them strikes, and how it is carried out.

Breakdowns of one machine that overlap last until the last of them is over, and so do stops; the factors of slow
machines multiply. Faults of one sensor act in the order of the scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import simpy

from simulator.batch import Catalog
from simulator.park.machine import Machine
from simulator.park.post import Befall
from simulator.park.truth import Happening, Truth
from simulator.scenario.fault import (
    AirLeak,
    Breakdown,
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

if TYPE_CHECKING:
    from simpy.events import EventPriority

__all__ = ["Faults", "Strike", "strikes"]

MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault and one of the things that it strikes. Instants are nanoseconds since the Unix epoch."""

    fault: Fault
    asset: int
    sensor: int
    """Number within the asset; -1 for the machine."""
    from_ns: int
    to_ns: int


def strikes(
    faults: Iterable[Fault],
    scenario: Scenario,
    types: Mapping[str, MachineType],
    catalog: Catalog,
    *,
    origin_ns: int,
    start_ns: int,
) -> list[Strike]:
    """Return what faults strike, in their order, without those that are over when the world begins.

    ``start_ns`` is the instant from which times of faults count that are durations.
    """
    found = []
    fitting = Fitting(scenario, types)
    for fault in faults:
        from_ns, to_ns = fault.span_ns(start_ns)
        if to_ns > origin_ns:
            for path, sensor in struck_by(fault, scenario, fitting):
                asset = catalog.by_topic["/".join((scenario.enterprise, *path))]
                found.append(Strike(fault, asset, sensor, from_ns, to_ns))
    return found


class Faults:
    """The faults of a park: those that are scheduled, and those that somebody begins by hand while it lives.

    A fault begun by hand comes before everything else of its instant, in the park in which it was begun and in one
    that repeats it as scheduled.
    """

    def __init__(
        self,
        env: simpy.Environment,
        catalog: Catalog,
        machines: Sequence[Machine],
        devices: Mapping[int, Device],
        *,
        truth: Truth,
        befall: Mapping[tuple[int, str], Befall],
        seed: int,
    ) -> None:
        """``befall`` says what those faults do that only some systems can have."""
        self._env = env
        self._catalog = catalog
        self._machines = machines
        self._devices = devices
        self._truth = truth
        self._befall = befall
        self._seed = seed
        self._origin_ns = int(env.now)
        self._ordinal: dict[tuple[int, int, str], int] = {}
        self.distortions = Distortions([], sensors=len(catalog))
        """What the faults of sensors do to readings."""

    def let_loose(self, struck: Iterable[Strike]) -> None:
        """Let every fault begin and end at its time, which has not passed."""
        for strike in struck:
            device = self._devices.get(strike.asset)
            if isinstance(strike.fault, SensorFault):
                self.distortions.add(self._distortion(strike, strike.fault))
            elif isinstance(strike.fault, NetworkFault) and isinstance(device, LinkDevice):
                device.befall(strike.fault, strike.from_ns, strike.to_ns, self._stream(strike))
            machine = self._machines[strike.asset] if isinstance(strike.fault, MachineFault) else None
            befall = self._befall.get((strike.asset, strike.fault.kind))
            self._env.process(course(self._env, strike, machine, self._truth, befall))

    def _distortion(self, strike: Strike, fault: SensorFault) -> Distortion:
        asset = self._catalog.assets[strike.asset]
        sensor = asset.sensors[strike.sensor]
        model = self._machines[strike.asset].spec.sensors[strike.sensor].model
        if isinstance(model, StateModel) or not sensor.period_ns:
            hold_ns = max(strike.from_ns, self._origin_ns)
        elif fault.by_hand:
            # the window with the reading before is gone
            hold_ns = asset.phase_ns - (asset.phase_ns - strike.from_ns) // sensor.period_ns * sensor.period_ns
        else:
            hold_ns = last_sample(strike.from_ns, asset.phase_ns, sensor.period_ns, self._origin_ns)
        return Distortion(
            sensor=asset.first_sensor + strike.sensor,
            from_ns=strike.from_ns,
            to_ns=strike.to_ns,
            fault=fault,
            hold_ns=hold_ns,
            stream=self._stream(strike, sensor.name),
            spacing_ns=sensor.period_ns or MS,
        )

    def _stream(self, strike: Strike, *names: str) -> Stream:
        """Return random numbers; a second fault of a kind on the same sensor or device has its own."""
        key = strike.asset, strike.sensor, strike.fault.kind
        nth = self._ordinal[key] = self._ordinal.get(key, -1) + 1
        return Stream(self._seed, self._catalog.assets[strike.asset].topic, strike.fault.kind, *names, str(nth))


def last_sample(at_ns: int, phase_ns: int, period_ns: int, origin_ns: int) -> int:
    """Return the last instant of a sampling grid at or before ``at_ns``, but not before the world begins."""
    last = phase_ns + (at_ns - phase_ns) // period_ns * period_ns
    first = phase_ns - (phase_ns - origin_ns) // period_ns * period_ns
    return max(last, first)


class Early(simpy.Event):
    """Happens before all that was planned for its instant, whenever it was planned itself."""

    PRIORITY = cast("EventPriority", 0.5)
    """Between SimPy's own two: behind the end of a window that ends there."""

    def __init__(self, env: simpy.Environment, delay: int) -> None:
        super().__init__(env)
        self._ok = True
        self._value = None
        env.schedule(self, self.PRIORITY, delay)


def course(
    env: simpy.Environment, strike: Strike, machine: Machine | None, truth: Truth, befall: Befall | None
) -> Generator[simpy.Event, Any, None]:
    """Follow one fault of one target from its beginning to its end."""
    fault = strike.fault
    delay_ns = max(strike.from_ns - int(env.now), 0)
    yield Early(env, delay_ns) if fault.by_hand else env.timeout(delay_ns)
    happening = Happening(
        fault.kind,
        strike.asset,
        fault.cause,
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
