"""The motors of all assets: the load each state puts on them, and what they draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.machine_type import MachineType
from simulator.signals import motor
from simulator.signals.moments import Moments
from simulator.signals.timeline import DARK, EXECUTE, MAINS, STOPPED

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
        self._execute_w = whole(self.execute_kw)
        self._execute_var = whole((shares * motor.reactive_kvar(load, rated_kw=self.rated_kw[:, None])).sum(axis=1))
        self._idle_w = whole(motor.input_kw(self.idle_load, rated_kw=self.rated_kw))
        self._idle_var = whole(motor.reactive_kvar(self.idle_load, rated_kw=self.rated_kw))
        self._standby_w = whole(self.standby_kw)

    def load(self, moments: Moments, noise: Floats) -> Floats:
        """Return the load share of assets at some moments, with unit-variance ``noise`` as its wander."""
        asset, share = moments.asset[:, None], moments.share_done
        # Most motors have no profile, and one step.
        factor = np.broadcast_to(self.step_factor[asset, 0], share.shape)
        for step in range(self.step_end.shape[1] - 1):
            factor = np.where(share >= self.step_end[asset, step], self.step_factor[asset, step + 1], factor)
        running = self.execute_load[asset] * factor + self.wander[asset] * noise
        powered = np.where(moments.state == EXECUTE, running, self.idle_load[asset])
        still = (moments.state == STOPPED) | (moments.power == DARK)
        return np.where(still, 0.0, np.maximum(powered, 0.0))

    def mean_w(self, asset: Ints, state: Ints, power: Ints) -> Ints:
        """Return the mean active power that each asset takes from the mains, in whole W.

        Integers add up the same in any order. On a battery, as in the dark, it takes nothing.
        """
        watts = by_state(state, self._standby_w[asset], self._idle_w[asset], self._execute_w[asset])
        return np.where(power == MAINS, watts, 0)

    def mean_var(self, asset: Ints, state: Ints, power: Ints) -> Ints:
        """Return the mean reactive power of each asset in a state, in whole var; electronics in standby draw none."""
        variable = by_state(state, np.int64(0), self._idle_var[asset], self._execute_var[asset])
        return np.where(power == MAINS, variable, 0)


def by_state(state: Ints, stopped: Ints | np.int64, idle: Ints, execute: Ints) -> Ints:
    return np.where(state == EXECUTE, execute, np.where(state == STOPPED, stopped, idle))


def whole(kilo: Floats) -> Ints:
    """Return whole W for kW."""
    units: Ints = np.rint(kilo * 1000.0).astype(np.int64)
    return units
