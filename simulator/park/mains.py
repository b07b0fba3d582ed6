"""The mains: what stands behind a feeder has power while the feeder does, and its voltage.

A feeder that trips, breaks down or is opened takes the power of everything behind it, feeders too, which take it from
what stands behind them in turn. Who has a battery works on for as long as it lasts. In a dip of the voltage those
machines trip that it is too deep and too long for; they have power again at once, and have to be started anew.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

import simpy

from simulator.park.post import Post
from simulator.park.service import Service
from simulator.park.truth import Happening
from simulator.scenario.fault import Cause, Fault, PowerDip
from simulator.signals.device import Track
from simulator.signals.timeline import BATTERY, DARK, MAINS

__all__ = ["Mains"]


class Mains:
    """What a feeder does to those behind it."""

    def __init__(self, post: Post, below: Mapping[int, Mains]) -> None:
        """``below`` has the mains of all feeders that come before it, by asset."""
        self.dip: Track = post.track(0.0)
        """By which share the voltage is down."""
        self._env = post.env
        self._truth = post.truth
        self._feeders = [below[asset] for asset in post.served if asset in below]
        self._behind = {asset: post.machines[asset] for asset in post.served}
        self._loads = [asset for asset in post.served if asset not in below]
        self._dips: list[float] = []
        self._dark: dict[int, Happening] = {}
        self._outage = 0
        self._duty = Service(post.machine, self._switched)
        post.can_befall("power_dip", self._befall)

    def _switched(self) -> None:
        self._outage += 1
        if self._duty.works:
            for asset, machine in self._behind.items():
                machine.feed(MAINS)
                if asset in self._dark:
                    self._truth.end(self._dark.pop(asset))
            return
        last: dict[int, list[int]] = {}
        for asset, machine in self._behind.items():
            if machine.spec.ride_through:
                machine.feed(BATTERY)
                last.setdefault(machine.spec.ride_through, []).append(asset)
            else:
                self._darken(asset)
        for lasts_ns, assets in last.items():
            self._env.process(self._run_down(assets, lasts_ns, self._outage))

    def _run_down(self, assets: list[int], lasts_ns: int, outage: int) -> Generator[simpy.Event, Any, None]:
        """Let batteries last, unless the mains are back before."""
        yield self._env.timeout(lasts_ns)
        if outage == self._outage:
            for asset in assets:
                self._darken(asset)

    def _darken(self, asset: int) -> None:
        happening = Happening("power_loss", asset, Cause.CONSEQUENCE, int(self._env.now))
        self._dark[asset] = self._truth.begin(happening)
        self._behind[asset].feed(DARK)

    # Dips.

    def _befall(self, fault: Fault, until_ns: int) -> Callable[[], None]:
        assert isinstance(fault, PowerDip)
        depth = fault.depth
        self.sink(depth, until_ns)
        return lambda: self.recover(depth)

    def sink(self, depth: float, until_ns: int) -> None:
        """Let the voltage be down by a share, here and behind all feeders below."""
        self._dips.append(depth)
        self.dip.set(max(self._dips))
        lasts_ns = until_ns - int(self._env.now)
        tripping: dict[int, list[int]] = {}
        for asset in self._loads:
            spec = self._behind[asset].spec
            stands_ns = max(spec.stands_dip_ns(1.0 - depth), spec.ride_through)
            if stands_ns < lasts_ns:
                tripping.setdefault(stands_ns, []).append(asset)
        for stands_ns, assets in tripping.items():
            self._env.process(self._trip(assets, stands_ns, depth, until_ns))
        for feeder in self._feeders:
            feeder.sink(depth, until_ns)

    def recover(self, depth: float) -> None:
        """Let a dip be over."""
        self._dips.remove(depth)
        self.dip.set(max(self._dips, default=0.0))
        for feeder in self._feeders:
            feeder.recover(depth)

    def _trip(
        self, assets: list[int], stands_ns: int, depth: float, until_ns: int
    ) -> Generator[simpy.Event, Any, None]:
        """Let those trip that stand the dip no longer, and tell the truth about it until the dip is over."""
        yield self._env.timeout(stands_ns)
        tripped = [asset for asset in assets if self._behind[asset].power == MAINS]
        told = []
        for asset in tripped:
            happening = Happening("power_dip", asset, Cause.CONSEQUENCE, int(self._env.now), until_ns, parameter=depth)
            told.append(self._truth.begin(happening))
            self._behind[asset].break_down(until_ns)
        yield self._env.timeout(until_ns - int(self._env.now))
        for happening in told:
            self._truth.end(happening)
