"""Power through feeders: what flows into each of them, as steps in whole watts, and its registers.

Machines draw the mean power of their state; what depends on the weather is held for a minute. Both are integers, so
sums are exact in any order, and what a feeder's register counts is, to the watt and millisecond, what the registers
behind it count, plus losses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.tariff import Tariff
from simulator.signals.bill import Bill
from simulator.signals.device import Track
from simulator.signals.drives import Drives
from simulator.signals.timeline import EXECUTE, MAINS, Timeline

__all__ = ["MINUTE_NS", "Feeder", "Held", "Network", "Steps", "marks"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
MS = 1_000_000
MINUTE_NS = 60_000 * MS
HALF_HOUR_NS = 30 * MINUTE_NS
PERIODS = 3
Held = Callable[[Ints], Ints]
"""Watts drawn in the minutes that begin at some instants; below zero for what is fed in."""


@dataclass(frozen=True)
class Feeder:
    """Something that supplies others: the assets behind it, its losses, and the tariff it is billed by."""

    asset: int
    serves: tuple[int, ...]
    loss: float
    """Share of what flows out that is lost on the way."""
    compensation_kvar: float
    """Capacitors at the feeder; they never overcompensate."""
    tariff: Tariff | None
    voltage_kv: float = 0.0
    """Which decides about the price."""
    dip: Track | None = None
    """By which share the voltage is down."""


@dataclass(frozen=True)
class Steps:
    """Power in a window: constant from each instant to the next, int64[K] each; the first is the window's start."""

    time_ns: Ints
    watts: Ints
    vars: Ints
    spent_wms: Ints
    """int64[K, 3]: energy up to each instant since the beginning of the world, by tariff period."""
    period: Ints
    """Tariff period in force from each instant: its place in PERIODS of the tariff; 0 without a tariff."""

    def at(self, time_ns: Ints) -> Ints:
        """Return the place of the step in force at each instant."""
        return np.searchsorted(self.time_ns, time_ns, side="right") - 1

    def energy_wms(self, time_ns: Ints) -> Ints:
        """Return int64[N, 3]: energy since the beginning of the world, W ms, by tariff period."""
        step = self.at(time_ns)
        energy = self.spent_wms[step].copy()
        passed = self.watts[step] * ((time_ns - self.time_ns[step]) // MS)
        energy[np.arange(len(step)), self.period[step]] += passed
        return energy


class Network:
    """All feeders of a park.

    ``held`` gives, per asset that has more than a motor, its watts by minute; it draws them while it is in Execute
    and the mains are there.
    Those that are ``metered`` have registers, as feeders do. A feeder may serve other feeders that come before it in
    the list.
    """

    def __init__(
        self, feeders: Sequence[Feeder], drives: Drives, held: Mapping[int, Held], *, metered: Sequence[int] = ()
    ) -> None:
        # A meter is a feeder without losses that serves the asset which it stands at.
        self._feeders = (*(Feeder(asset, (asset,), 0.0, 0.0, None) for asset in metered), *feeders)
        self._drives = drives
        self._held = held
        self._motors = [self._with_motors_alone(feeder) for feeder in self._feeders]
        self._carried = {feeder.asset: np.zeros(PERIODS, dtype=np.int64) for feeder in self._feeders}
        self.steps: dict[int, Steps] = {}
        self.bills = {
            feeder.asset: Bill(feeder.tariff, voltage_kv=feeder.voltage_kv) for feeder in feeders if feeder.tariff
        }
        self.dips = {feeder.asset: feeder.dip for feeder in feeders if feeder.dip}

    def advance(self, timeline: Timeline) -> None:
        """Take in the timeline of the next window; windows must follow each other from the beginning of the world."""
        self.steps = {}
        changes = self._changes(timeline)
        for feeder, motors in zip(self._feeders, self._motors, strict=True):
            mine = np.flatnonzero(motors[timeline.asset])
            steps = self._flow(feeder, (changes[0][mine], changes[1][mine], changes[2][mine]), timeline)
            self.steps[feeder.asset] = steps
            self._carried[feeder.asset] = steps.energy_wms(np.array([timeline.until_ns]))[0]
            if feeder.asset in self.bills:
                bill = self.bills[feeder.asset]
                bill.advance(steps.time_ns, steps.watts, steps.vars, steps.period, timeline.until_ns)

    def _with_motors_alone(self, feeder: Feeder) -> NDArray[np.bool_]:
        """Say of each asset whether it is behind a feeder and draws what its motor does, and nothing else."""
        more = {one.asset for one in self._feeders if one is not feeder} | set(self._held)
        motors = np.zeros(len(self._drives.rated_kw), dtype=bool)
        motors[[asset for asset in feeder.serves if asset not in more]] = True
        return motors

    def _changes(self, timeline: Timeline) -> tuple[Ints, Ints, Ints]:
        """Return when and by how much each segment changes what the motor of its asset draws: instant, W, var."""
        first = timeline.first[:-1]
        levels = (
            self._drives.mean_w(timeline.asset, timeline.state, timeline.power),
            self._drives.mean_var(timeline.asset, timeline.state, timeline.power),
        )
        watts, variable = (np.diff(level, prepend=0) for level in levels)
        watts[first], variable[first] = levels[0][first], levels[1][first]
        return np.maximum(timeline.start_ns, timeline.from_ns), watts, variable

    def _flow(self, feeder: Feeder, of_motors: tuple[Ints, Ints, Ints], timeline: Timeline) -> Steps:
        at = [np.array([timeline.from_ns]), of_motors[0]]
        watts, variable = [np.zeros(1, dtype=np.int64), of_motors[1]], [np.zeros(1, dtype=np.int64), of_motors[2]]
        for one_at, one_watts, one_vars in self._behind(feeder, timeline):
            at.append(one_at)
            watts.append(np.diff(one_watts, prepend=0))
            variable.append(np.diff(one_vars, prepend=0))
        if feeder.tariff is not None:
            # Prices change on half hours; a step there, even of nothing, keeps every step within one period.
            borders = marks(timeline, HALF_HOUR_NS)
            at.append(borders)
            watts.append(np.zeros(len(borders), dtype=np.int64))
            variable.append(np.zeros(len(borders), dtype=np.int64))
        every = np.concatenate(at)
        order = every.argsort(kind="stable")
        every = every[order]
        # What flows once all has changed that changes at an instant.
        last = np.append(np.flatnonzero(every[1:] != every[:-1]), len(every) - 1)
        time_ns = every[last]
        flowing = np.concatenate(watts)[order].cumsum()[last]
        total_w = flowing + np.rint(np.abs(flowing) * feeder.loss).astype(np.int64)
        total_var = np.concatenate(variable)[order].cumsum()[last] - round(feeder.compensation_kvar * 1000)
        np.maximum(total_var, 0, out=total_var)
        return self._metered(feeder, timeline, time_ns, total_w, total_var)

    def _metered(self, feeder: Feeder, timeline: Timeline, time_ns: Ints, watts: Ints, variable: Ints) -> Steps:
        period = np.zeros(len(time_ns), dtype=np.int64)
        if feeder.tariff is not None:
            period = feeder.tariff.period_number_at(time_ns)
        lasts_ms = np.diff(time_ns, append=timeline.until_ns) // MS
        spent = np.zeros((len(time_ns) + 1, PERIODS), dtype=np.int64)
        spent[np.arange(len(time_ns)) + 1, period] = watts * lasts_ms
        spent[0] = self._carried[feeder.asset]
        return Steps(time_ns, watts, variable, np.cumsum(spent, axis=0)[:-1], period)

    def _behind(self, feeder: Feeder, timeline: Timeline) -> list[tuple[Ints, Ints, Ints]]:
        """Return instant, watts and vars of each step of what is more than a motor behind a feeder, by asset."""
        found = []
        for asset in feeder.serves:
            if asset in self.steps:
                steps = self.steps[asset]
                found.append((steps.time_ns, steps.watts, steps.vars))
            elif asset in self._held:
                found.append(self._drawn(asset, timeline))
        return found

    def _drawn(self, asset: int, timeline: Timeline) -> tuple[Ints, Ints, Ints]:
        mine = slice(int(timeline.first[asset]), int(timeline.first[asset + 1]))
        at = np.maximum(timeline.start_ns[mine], timeline.from_ns)
        state = timeline.state[mine]
        number, power = np.full(len(at), asset), timeline.power[mine]
        watts, variable = self._drives.mean_w(number, state, power), self._drives.mean_var(number, state, power)
        minutes = marks(timeline, MINUTE_NS)
        every = np.unique(np.concatenate((at, minutes)))
        segment = np.searchsorted(at, every, side="right") - 1
        draws = (state[segment] == EXECUTE) & (power[segment] == MAINS)
        held = np.where(draws, self._held[asset](every // MINUTE_NS * MINUTE_NS), 0)
        return every, watts[segment] + held, variable[segment]


def marks(timeline: Timeline, every_ns: int) -> Ints:
    """Return the whole multiples of a span that lie inside the window."""
    first = -(-timeline.from_ns // every_ns)
    return np.arange(first, -(-timeline.until_ns // every_ns), dtype=np.int64) * every_ns
