"""A compressed-air station: its pressure follows from who takes air, and machines feel it when it is low."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import simpy

from simulator.park.demand import Demand, Shortage
from simulator.park.post import Post
from simulator.park.service import Service
from simulator.park.stops import StopClock
from simulator.park.thresholds import Thresholds
from simulator.park.truth import Happening
from simulator.scenario.fault import AirLeak, Cause, Fault
from simulator.scenario.roles.air import AirNet
from simulator.signals.compressed_air import ATMOSPHERE_BAR, RATED_BAR, Air, Compressor, cascade, leak_m3_min_bar
from simulator.signals.device import Device
from simulator.signals.devices.air import AirDevice

__all__ = ["air"]

DEADBAND = 0.015
"""Demand has to move by so much of the flow of all compressors before the course of the pressure is laid out anew [E]:
a park of hundreds of machines changes every second, and each change is a thousandth of it."""
LEAST_FLOW_M3_MIN = 1.0


def air(post: Post) -> Device:
    """Build a station at its post."""
    return Station(post).device


class Station:
    """The station as things happen to it."""

    def __init__(self, post: Post) -> None:
        net = post.spec.role
        assert isinstance(net, AirNet)
        self._post, self._net, self._env = post, net, post.env
        self._demand = Demand(post, lambda uses: uses.air_m3_min)
        average = max(net.average * self._demand.most, LEAST_FLOW_M3_MIN)
        flow = net.flow_m3_min or average / (1.0 - net.leaks) / max(net.compressors - 1, 1)
        self._compressors = cascade([flow] * net.compressors)
        self._volume_m3 = net.receiver_min * flow * net.compressors
        self._leak = leak_m3_min_bar(net.leaks / (1.0 - net.leaks), demand_m3_min=average)
        self._holes: list[float] = []
        self._down: set[str] = set()
        self._works = post.track(1.0)
        self._duty = Service(post.machine, self._switched)
        self.device = AirDevice(net, post.sky, self._works)
        post.keep(self.device)
        post.can_befall("air_leak", self._spring)
        machines = {asset: one for asset, one in self._demand.users.items() if not one.spec.runs_for_a_site}
        factor = net.slow_factor
        low = Shortage(
            post,
            machines,
            "low_air",
            begin=lambda machine: machine.slow_down(factor),
            end=lambda machine: machine.speed_up(factor),
            parameter=factor,
        )
        out = Shortage(post, self._demand.users, "no_air")
        self._thresholds = Thresholds(
            post.env,
            [
                (net.slow_below_bar, net.slow_below_bar + net.recover_bar, low),
                (net.stop_below_bar, net.slow_below_bar, out),
            ],
            level=self._pressure_bar,
            next_at=lambda bar, now_ns: self.device.latest.next_at(bar, after_ns=now_ns),
        )
        self._lay_from(RATED_BAR, frozenset())
        self._demand.watch(self._lay, deadband=DEADBAND * flow * net.compressors)
        for compressor in self._compressors:
            post.env.process(self._wear(compressor))

    def _pressure_bar(self, now_ns: int) -> float:
        return float(self.device.latest.pressure_bar(np.array([now_ns]))[0])

    def _lay(self) -> None:
        """Lay out what follows from now on."""
        now_ns = self._post.now_ns()
        self._lay_from(self._pressure_bar(now_ns), self.device.latest.loaded_at(now_ns))

    def _lay_from(self, pressure_bar: float, loaded: frozenset[str]) -> None:
        running = [one for one in self._compressors if self._duty.works and one.name not in self._down]
        leak = self._leak + sum(sorted(self._holes)) / (RATED_BAR + ATMOSPHERE_BAR)
        net = Air(self._volume_m3, tuple(running), self._demand.laid, leak)
        names = frozenset(one.name for one in running)
        self.device.lay(net.stretch(self._post.now_ns(), pressure_bar=pressure_bar, loaded=loaded & names))
        self._thresholds.foresee()

    def _switched(self) -> None:
        self._works.set(float(self._duty.works))
        self._lay()

    def _spring(self, fault: Fault, _: int) -> Callable[[], None]:
        """Let a pipe leak, until it is closed."""
        assert isinstance(fault, AirLeak)
        lost = fault.m3_min
        self._holes.append(lost)
        self._lay()

        def close() -> None:
            self._holes.remove(lost)
            self._lay()

        return close

    def _wear(self, compressor: Compressor) -> Generator[simpy.Event, Any, None]:
        """Let one compressor fail and be mended, over and over."""
        clock = StopClock(self._net.failures.law, self._post.stream(compressor.name))
        number = float(self._compressors.index(compressor) + 1)
        while True:
            yield self._env.timeout(clock.left_ns)
            now_ns = self._post.now_ns()
            happening = Happening("compressor", self._post.asset, Cause.ITSELF, now_ns, parameter=number)
            self._post.truth.begin(happening)
            self._down.add(compressor.name)
            self._lay()
            yield self._env.timeout(clock.strike())
            self._post.truth.end(happening)
            self._down.remove(compressor.name)
            self._lay()
