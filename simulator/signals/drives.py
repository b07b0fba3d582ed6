"""The motors of all assets: the load each state puts on them, and what they draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.machine_type import MachineType
from simulator.signals import motor
from simulator.signals.timeline import DARK, EXECUTE, MAINS, STOPPED, Timeline

__all__ = ["WMS_PER_KWH", "Drives"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
WMS_PER_KWH = 3.6e9
"""Registers count in whole watts times whole milliseconds."""


class Drives:
    """The motors of all assets: the load each state puts on them, and what they draw."""

    def __init__(self, machines: Sequence[MachineType]) -> None:
        self.rated_kw = np.array([m.motor.rated_kw for m in machines])
        self.volts = np.array([m.motor.volts for m in machines])
        self.standby_kw = np.array([m.motor.standby_kw for m in machines])
        self.execute_load = np.array([m.motor.execute_load for m in machines])
        self.idle_load = np.array([m.motor.idle_load for m in machines])
        self.wander = np.array([m.motor.wander for m in machines])
        steps = max((len(m.motor.profile) for m in machines), default=0) or 1
        # Cycle profiles as a table: share of the cycle at which each step ends, and its load factor.
        self.step_end = np.ones((len(machines), steps))
        self.step_factor = np.ones((len(machines), steps))
        for i, machine in enumerate(machines):
            profile = machine.motor.profile
            if profile:
                ends = np.cumsum([step.share for step in profile])
                self.step_end[i, : len(profile)] = ends
                self.step_factor[i, : len(profile)] = [step.factor for step in profile]
                self.step_end[i, len(profile) - 1 :] = 1.0
                self.step_factor[i, len(profile) :] = profile[-1].factor
        # Means over the steps of a cycle; losses are not linear, so the mean load would not do.
        shares = np.diff(self.step_end, axis=1, prepend=0.0)
        load = self.execute_load[:, None] * self.step_factor
        self.execute_kw = (shares * motor.input_kw(load, rated_kw=self.rated_kw[:, None])).sum(axis=1)
        self.execute_kvar = (shares * motor.reactive_kvar(load, rated_kw=self.rated_kw[:, None])).sum(axis=1)

    def load(self, asset: Ints, segment: Ints, time_ns: Ints, noise: Floats, timeline: Timeline) -> Floats:
        """Return the load share of each sample."""
        state = timeline.state[segment]
        cycle = timeline.cycle_ns[segment]
        into = (time_ns - timeline.start_ns[segment] + timeline.into_ns[segment]) % cycle
        share = into / cycle
        step = (share[:, None] >= self.step_end[asset]).sum(axis=1)
        step = np.minimum(step, self.step_end.shape[1] - 1)
        running = self.execute_load[asset] * self.step_factor[asset, step] + self.wander[asset] * noise
        powered = np.where(state == EXECUTE, running, self.idle_load[asset])
        still = (state == STOPPED) | (timeline.power[segment] == DARK)
        return np.where(still, 0.0, np.maximum(powered, 0.0))

    def mean_w(self, asset: Ints, state: Ints, power: Ints) -> Ints:
        """Return the mean active power that each asset takes from the mains, in whole W.

        Integers add up the same in any order. On a battery, as in the dark, it takes nothing.
        """
        idle = motor.input_kw(self.idle_load[asset], rated_kw=self.rated_kw[asset])
        kw = np.where(
            state == EXECUTE, self.execute_kw[asset], np.where(state == STOPPED, self.standby_kw[asset], idle)
        )
        return np.where(power == MAINS, np.rint(kw * 1000.0).astype(np.int64), 0)

    def mean_var(self, asset: Ints, state: Ints, power: Ints) -> Ints:
        """Return the mean reactive power of each asset in a state, in whole var; electronics in standby draw none."""
        idle = motor.reactive_kvar(self.idle_load[asset], rated_kw=self.rated_kw[asset])
        kvar = np.where(state == EXECUTE, self.execute_kvar[asset], np.where(state == STOPPED, 0.0, idle))
        return np.where(power == MAINS, np.rint(kvar * 1000.0).astype(np.int64), 0)
