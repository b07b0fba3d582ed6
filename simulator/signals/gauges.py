"""Gauges: how the sensors of one model turn the timeline into values, all sensors of a kind at once.

A gauge is built from its sensors once; ``advance`` carries what a window leaves behind into the next one (thermal
state, energy), ``values`` evaluates samples. State is carried from one change of the park to the next, never from
window to window, so the values do not depend on how time is cut.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.signals import motor, profile, thermal, vibration
from simulator.signals.chain import Chain
from simulator.signals.drives import WMS_PER_KWH
from simulator.signals.gauge import Gauge, Placed, Samples, Works
from simulator.signals.timeline import DARK, EXECUTE, MAINS, STOPPED, Timeline

__all__ = ["GAUGES", "EnergyGauge", "Gauge", "Placed", "Samples", "Works"]

NS = 1e-9
MS = 1_000_000
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class StateGauge:
    """PackML state."""

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        """A state has no parameters."""

    def advance(self, timeline: Timeline) -> None:
        """Nothing is carried."""

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        return timeline.state[samples.segment].astype(np.float64)


class LagGauge(ABC):
    """A value that runs towards a target with a lag; the target is constant within a segment."""

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        models: list[Any] = [p.spec.model for p in placed]
        self.tau_s = np.array([m.tau * NS for m in models])
        self.sigma = np.array([p.spec.noise.sigma if p.spec.noise else 0.0 for p in placed])
        self.chain = Chain(np.array([p.asset for p in placed], dtype=np.int64))

    @abstractmethod
    def target(self, row: Ints, segment: Ints, timeline: Timeline) -> Floats:
        """What the value would settle at in that segment."""

    def reached(self, row: Ints, segment: Ints, start: Floats, at_ns: Ints, timeline: Timeline) -> Floats:
        """Where the value stands at an instant of the segment that it began at ``start``."""
        elapsed_s = (at_ns - timeline.start_ns[segment]) * NS
        return thermal.lag(start, self.target(row, segment, timeline), elapsed_s=elapsed_s, tau_s=self.tau_s[row])

    def advance(self, timeline: Timeline) -> None:
        def move(row: Ints, segment: Ints, start: Floats) -> Floats:
            return self.reached(row, segment, start, timeline.end_ns[segment], timeline)

        self.chain.advance(timeline, lambda row, segment: self.target(row, segment, timeline), move)

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        row, segment = samples.row, samples.segment
        exact = self.reached(row, segment, self.chain.start_of(row, segment), samples.time_ns, timeline)
        return exact + self.sigma[row] * samples.noise


def is_driven(segment: Ints, timeline: Timeline, *, when_execute: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say whether a segment drives a value: in Execute, or whenever the machine is on and has power, bool[N]."""
    state = timeline.state[segment]
    runs = np.where(when_execute, state == EXECUTE, state != STOPPED)
    return np.asarray(runs & (timeline.power[segment] != DARK))


class DrivenGauge(LagGauge):
    """Temperatures and pressures with one target while the machine is driven and another while it is not."""

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        models: list[Any] = [p.spec.model for p in placed]
        self.on = np.array([m.on for m in models])
        self.off = np.array([m.off for m in models])
        self.when_execute = np.array([m.drive == "execute" for m in models])
        self.always = np.array([m.drive == "always" for m in models])
        super().__init__(placed, works)

    def target(self, row: Ints, segment: Ints, timeline: Timeline) -> Floats:
        driven = is_driven(segment, timeline, when_execute=self.when_execute[row]) | self.always[row]
        return np.where(driven, self.on[row], self.off[row])


class ProfileGauge(LagGauge):
    """Values that follow the profile of the cycle under way, and wait with it when it is interrupted."""

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        models: list[Any] = [p.spec.model for p in placed]
        self.share, self.value = profile.table([m.points for m in models])
        self.off = np.array([m.off for m in models])
        self.when_execute = np.array([m.drive == "execute" for m in models])
        self.always = np.array([m.drive == "always" for m in models])
        super().__init__(placed, works)

    def target(self, row: Ints, segment: Ints, timeline: Timeline) -> Floats:
        """Where it waits; in Execute, where the cycle is when the segment begins."""
        share_done = timeline.into_ns[segment] / timeline.cycle_ns[segment]
        point = profile.set_point(share_done, share=self.share[row], value=self.value[row])
        driven = is_driven(segment, timeline, when_execute=self.when_execute[row]) | self.always[row]
        return np.where(driven, point, self.off[row])

    def reached(self, row: Ints, segment: Ints, start: Floats, at_ns: Ints, timeline: Timeline) -> Floats:
        value = super().reached(row, segment, start, at_ns, timeline)
        runs = np.flatnonzero((timeline.state[segment] == EXECUTE) & (timeline.power[segment] != DARK))
        row, segment, start = row[runs], segment[runs], start[runs]
        # Samples of one sensor in one segment follow each other, and share the outset.
        fresh = (np.diff(row, prepend=-1) != 0) | (np.diff(segment, prepend=-1) != 0)
        first = np.flatnonzero(fresh)
        outset = profile.Outset.of(start[first], **self.course(row[first], segment[first], timeline))
        value[runs] = profile.follow(
            outset.at(np.cumsum(fresh) - 1),
            elapsed_ns=at_ns[runs] - timeline.start_ns[segment],
            **self.course(row, segment, timeline),
        )
        return value

    def course(self, row: Ints, segment: Ints, timeline: Timeline) -> dict[str, Any]:
        """Return where in a cycle each segment begins, and the profile that it follows."""
        return {
            "into_ns": timeline.into_ns[segment],
            "cycle_ns": timeline.cycle_ns[segment],
            "share": self.share[row],
            "value": self.value[row],
            "tau_s": self.tau_s[row],
        }


class BearingHeatGauge(LagGauge):
    """Bearing temperature: load and wear raise the value that the lag runs towards."""

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        models: list[Any] = [p.spec.model for p in placed]
        self.ambient = np.array([m.ambient for m in models])
        self.rise = np.array([m.rise for m in models])
        self.wear_rise = np.array([m.wear_rise for m in models])
        self.warning_s = np.array([p.machine.bearing.warning * NS if p.machine.bearing else np.inf for p in placed])
        super().__init__(placed, works)

    def target(self, row: Ints, segment: Ints, timeline: Timeline) -> Floats:
        worn = vibration.wear(
            timeline.bearing_age_ns[segment] * NS,
            onset_s=timeline.bearing_onset_ns[segment] * NS,
            warning_s=self.warning_s[row],
        )
        grown = np.minimum(np.expm1(vibration.GROWTH * worn) / np.expm1(vibration.GROWTH), 1.0)
        warm = self.ambient[row] + self.rise[row] + self.wear_rise[row] * grown
        return np.where(timeline.state[segment] == EXECUTE, warm, self.ambient[row])


class MotorGauge:
    """Power meter between the mains and the machine: active power, current, power factor. Without mains it shows 0."""

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        models: list[Any] = [p.spec.model for p in placed]
        self.asset = np.array([p.asset for p in placed], dtype=np.int64)
        self.shows = np.array([("power", "current", "power_factor").index(m.shows) for m in models])
        self.sigma = np.array([p.spec.noise.sigma if p.spec.noise else 0.0 for p in placed])
        self.drives = works.drives

    def advance(self, timeline: Timeline) -> None:
        """Nothing is carried."""

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        asset = self.asset[samples.row]
        drives = self.drives
        off = timeline.state[samples.segment] == STOPPED
        power = np.where(off, drives.standby_kw[asset], motor.input_kw(samples.load, rated_kw=drives.rated_kw[asset]))
        current = motor.current_a(samples.load, rated_kw=drives.rated_kw[asset], volts=drives.volts[asset])
        # Standby is electronics behind a rectifier: power factor 1, so the current follows from the power.
        current = np.where(off, drives.standby_kw[asset] * 1000.0 / (np.sqrt(3.0) * drives.volts[asset]), current)
        factor = np.where(off, 1.0, motor.power_factor(samples.load))
        shown = np.choose(self.shows[samples.row], [power, current, factor]) + self.sigma[samples.row] * samples.noise
        return np.where(timeline.power[samples.segment] == MAINS, shown, 0.0)


class VibrationGauge:
    """Vibration velocity with the bearing's wear."""

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        models: list[Any] = [p.spec.model for p in placed]
        self.base = np.array([m.base for m in models])
        self.scatter = np.array([m.scatter for m in models])
        self.warning_s = np.array([p.machine.bearing.warning * NS if p.machine.bearing else np.inf for p in placed])

    def advance(self, timeline: Timeline) -> None:
        """Nothing is carried: the park keeps the age of the bearing."""

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        row, segment = samples.row, samples.segment
        state = timeline.state[segment]
        ran = np.where(state == EXECUTE, samples.time_ns - timeline.start_ns[segment], 0)
        worn = vibration.wear(
            (timeline.bearing_age_ns[segment] + ran) * NS,
            onset_s=timeline.bearing_onset_ns[segment] * NS,
            warning_s=self.warning_s[row],
        )
        moving = vibration.velocity_mm_s(
            samples.load, worn, base_mm_s=self.base[row], scatter=self.scatter[row], noise=samples.noise
        )
        # A stopped machine still shows the floor's and the neighbours' shaking: a twentieth of its own.
        still = 0.05 * self.base[row] * np.exp(self.scatter[row] * samples.noise)
        return np.where((state == STOPPED) | (timeline.power[segment] == DARK), still, moving)


class CountGauge:
    """Counters of cycles, good and bad pieces."""

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        models: list[Any] = [p.spec.model for p in placed]
        self.of = [m.of for m in models]
        self.asset = [p.asset for p in placed]
        self.books = works.books

    def advance(self, timeline: Timeline) -> None:
        """Nothing is carried: the park counts cycles."""

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        cycles = timeline.cycles_at(samples.segment, samples.time_ns)
        result = np.empty(len(cycles))
        cuts = np.searchsorted(samples.row, np.arange(len(self.of) + 1)).tolist()
        for row, (low, high) in enumerate(pairwise(cuts)):
            mine, asset = cycles[low:high], self.asset[row]
            if self.of[row] == "cycles":
                result[low:high] = mine
            else:
                good = self.books[asset].good_before_each(mine)
                result[low:high] = good if self.of[row] == "good" else mine * self.books[asset].pieces - good
        return result


class EnergyGauge:
    """Energy registers: the exact integral of mean power over the segments.

    They count in W ms: power in whole W and time in whole ms make every sum exact. A year of 100 MW is a third of what
    int64 holds.
    """

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        self.drives = works.drives
        self.chain = Chain(np.array([p.asset for p in placed], dtype=np.int64), np.int64)

    @classmethod
    def of_all(cls, works: Works) -> EnergyGauge:
        """Return a register for every asset, whether or not a sensor shows it."""
        register = cls((), works)
        register.chain = Chain(np.arange(len(works.books)), np.int64)
        return register

    def _spent(self, row: Ints, segment: Ints, until_ns: Ints, timeline: Timeline) -> Ints:
        watts = self.drives.mean_w(self.chain.asset[row], timeline.state[segment], timeline.power[segment])
        return watts * ((until_ns - timeline.start_ns[segment]) // MS)

    def advance(self, timeline: Timeline) -> None:
        def move(row: Ints, segment: Ints, start: Ints) -> Ints:
            return start + self._spent(row, segment, timeline.end_ns[segment], timeline)

        self.chain.advance(timeline, lambda row, _: np.zeros(len(row), dtype=np.int64), move)

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        row, segment = samples.row, samples.segment
        spent = self._spent(row, segment, samples.time_ns, timeline)
        return (self.chain.start_of(row, segment) + spent) / WMS_PER_KWH


GAUGES: dict[str, Any] = {
    "bearing_heat": BearingHeatGauge,
    "count": CountGauge,
    "energy": EnergyGauge,
    "lag": DrivenGauge,
    "motor": MotorGauge,
    "profile": ProfileGauge,
    "state": StateGauge,
    "vibration": VibrationGauge,
}
