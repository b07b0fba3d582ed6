"""Gauges: how the sensors of one model turn the timeline into values, all sensors of a kind at once.

A gauge is built from its sensors once; ``advance`` carries what a window leaves behind into the next one (thermal
state, energy), ``values`` evaluates samples. State is carried from one change of the park to the next, never from
window to window, so the values do not depend on how time is cut.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
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
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class StateGauge:
    """PackML state."""

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        """A state has no parameters."""

    def advance(self, timeline: Timeline) -> None:
        """Nothing is carried."""

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        return samples.state.astype(np.float64)


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

    def reached(self, link: Ints, start: Floats, elapsed_ns: Ints, timeline: Timeline) -> Floats:
        """Where the value stands so long after the beginning of links of the chain that it began at ``start``."""
        tau_s = self.tau_s[self.chain.row[link[..., :1]]]
        return thermal.lag(start, self.settles[link], elapsed_s=elapsed_ns * NS, tau_s=tau_s)

    def advance(self, timeline: Timeline) -> None:
        self.chain.lay_out(timeline)
        self.prepare(timeline)
        lasts_ns = (timeline.end_ns - timeline.start_ns)[self.chain.segment]
        self.chain.move_on(
            lambda link: self.settles[link],
            lambda link, start: self.reached(link[:, None], start[:, None], lasts_ns[link, None], timeline)[:, 0],
        )

    def prepare(self, timeline: Timeline) -> None:
        """Work out what all samples in a link of the chain share: where the value would settle."""
        self.settles = self.target(self.chain.row, self.chain.segment, timeline)

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        link = self.chain.link(samples.row, samples.segment)
        shown = self.reached(link, self.chain.at_start[link], samples.elapsed_ns, timeline)
        shown += self.sigma[samples.row] * samples.noise
        return shown


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

    def prepare(self, timeline: Timeline) -> None:
        """Beside where it would settle: what the profile alone comes to where a link begins, and in a whole cycle."""
        super().prepare(timeline)
        row, segment = self.chain.row, self.chain.segment
        cycle_s = timeline.cycle_ns[segment] * NS
        self.began, self.of_a_cycle = (
            profile.response(
                into_s, cycle_s=cycle_s, share=self.share[row], value=self.value[row], tau_s=self.tau_s[row]
            )
            for into_s in (timeline.into_ns[segment] * NS, cycle_s)
        )

    def reached(self, link: Ints, start: Floats, elapsed_ns: Ints, timeline: Timeline) -> Floats:
        row, segment = self.chain.row[link[:, :1]], self.chain.segment[link]
        runs = (timeline.state[segment] == EXECUTE) & (timeline.power[segment] != DARK)
        outset = profile.Outset(start - self.began[link], self.of_a_cycle[link])
        cycle_ns = timeline.cycle_ns[segment]
        if (cycle_ns == cycle_ns[:, :1]).all():
            cycle_ns = cycle_ns[:, :1]
        followed = profile.follow(
            outset,
            into_ns=timeline.into_ns[segment],
            elapsed_ns=elapsed_ns,
            cycle_ns=cycle_ns,
            share=self.share[row],
            value=self.value[row],
            tau_s=self.tau_s[row],
        )
        if runs.all():
            return followed
        return np.where(runs, followed, super().reached(link, start, elapsed_ns, timeline))


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
        shown = np.empty(samples.load.shape)
        shows = self.shows[samples.row[:, 0]]
        for which, formula in enumerate((self._power, self._current, self._power_factor)):
            mine = np.flatnonzero(shows == which)
            off = samples.state[mine] == STOPPED
            shown[mine] = formula(self.asset[samples.row[mine]], samples.load[mine], off)
        shown += self.sigma[samples.row] * samples.noise
        return np.where(samples.power == MAINS, shown, 0.0)

    def _power(self, asset: Ints, load: Floats, off: NDArray[np.bool_]) -> Floats:
        drives = self.drives
        return np.where(off, drives.standby_kw[asset], motor.input_kw(load, rated_kw=drives.rated_kw[asset]))

    def _current(self, asset: Ints, load: Floats, off: NDArray[np.bool_]) -> Floats:
        drives = self.drives
        # Standby is electronics behind a rectifier: power factor 1, so the current follows from the power.
        standby = drives.standby_kw[asset] * 1000.0 / (np.sqrt(3.0) * drives.volts[asset])
        running = motor.current_a(load, rated_kw=drives.rated_kw[asset], volts=drives.volts[asset])
        return np.where(off, standby, running)

    def _power_factor(self, asset: Ints, load: Floats, off: NDArray[np.bool_]) -> Floats:
        return np.where(off, 1.0, motor.power_factor(load))


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
        state = samples.state
        ran = np.where(state == EXECUTE, samples.elapsed_ns, 0)
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
        return np.where((state == STOPPED) | (samples.power == DARK), still, moving)


class PieceGauge:
    """What is worked out from the cycles that a machine has made, and from what the books say each of them gave."""

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        self.asset = np.array([p.asset for p in placed], dtype=np.int64)
        self.pieces = np.array([works.books[p.asset].pieces for p in placed], dtype=np.int64)
        self.books = works.books

    def advance(self, timeline: Timeline) -> None:
        """Nothing is carried: the park counts cycles, and the books know what those of the past made."""


class CountGauge(PieceGauge):
    """Counters of cycles, good and bad pieces."""

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        super().__init__(placed, works)
        models: list[Any] = [p.spec.model for p in placed]
        self.of = np.array([("cycles", "good", "bad").index(m.of) for m in models])

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        row, cycles = samples.row, samples.cycles
        asset, of = self.asset[row], self.of[row]
        self.books.open(asset[:, 0], cycles[:, 0], cycles[:, -1])
        good = self.books.good_before(asset, cycles)
        counted = np.where(of == 0, cycles, np.where(of == 1, good, cycles * self.pieces[row] - good))
        return counted.astype(np.float64)


class ShareGauge(PieceGauge):
    """Good or bad pieces among those of the last cycles."""

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        super().__init__(placed, works)
        models: list[Any] = [p.spec.model for p in placed]
        self.good = np.array([m.of == "good" for m in models])
        self.over = np.array([m.over for m in models], dtype=np.int64)
        self.scale = np.array([m.per / m.chances for m in models])

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        """With no cycle yet no piece is bad."""
        row, cycles = samples.row, samples.cycles
        asset = self.asset[row]
        since = np.maximum(cycles - self.over[row], 0)
        self.books.open(asset[:, 0], since[:, 0], cycles[:, -1])
        made = (cycles - since) * self.pieces[row]
        good = self.books.good_before(asset, cycles) - self.books.good_before(asset, since)
        bad_share = (made - good) / np.maximum(made, 1)
        share: Floats = np.where(self.good[row], 1.0 - bad_share, bad_share) * self.scale[row]
        return share


class EnergyGauge:
    """What energy registers show."""

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        self.registers = works.registers

    def advance(self, timeline: Timeline) -> None:
        """Nothing is carried here: the registers of all assets are."""

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        return self.registers.at(samples.segment, samples.elapsed_ns) / WMS_PER_KWH


GAUGES: dict[str, Any] = {
    "bearing_heat": BearingHeatGauge,
    "count": CountGauge,
    "energy": EnergyGauge,
    "lag": DrivenGauge,
    "motor": MotorGauge,
    "profile": ProfileGauge,
    "share": ShareGauge,
    "state": StateGauge,
    "vibration": VibrationGauge,
}
