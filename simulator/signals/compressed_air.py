"""A compressed-air net: receiver, compressors that load and unload, consumers and leaks.

    dp/dt = 1.013 (Qc - Qd - c (p + 1.013)) / V          bar, m³/min of free air, m³, minutes

Leaks grow with the absolute pressure, so the equation is linear: while demand and the set of loaded compressors stay,
the pressure is an exponential (a straight line without leaks) and the instant at which it meets a threshold has a
closed form. A switch always happens on a threshold, of which there are few. So whatever the number of compressors,
the pattern of loading and unloading comes to repeat itself, and a stretch of constant demand is a handful of phases
and a period: any instant of it is reached without going through those before.

Each compressor has a pressure at which it loads and one at which it unloads; setting them apart gives the cascade of
lead and lag machines. Left out: the minute in which a machine starts or blows down, running on before it stops,
variable-speed and throttling control, dryers, and the fall of pressure along the pipes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, log1p
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["ATMOSPHERE_BAR", "RATED_BAR", "Air", "AirStretch", "Compressor", "cascade", "leak_m3_min_bar"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

ATMOSPHERE_BAR = 1.013
MS_NS, MINUTE_NS, HOUR_MINUTES = 1_000_000, 60_000_000_000, 60.0
NEVER_MINUTES = 5_000_000.0
"""Ten years: a switch that far ahead is none."""
LOADED_KW_PER_M3_MIN, KW_RISE_PER_BAR, RATED_BAR, UNLOADED_SHARE = 6.6, 0.06, 7.0, 0.25
"""Engineering defaults, as are the pressures at which a compressor loads and unloads."""


class Compressor(NamedTuple):
    """A screw compressor with load/unload control: 6.6 kW per m³/min at 7 bar, 25 % of that unloaded."""

    name: str
    flow_m3_min: float
    load_bar: float = 6.8
    unload_bar: float = 7.5


def cascade(flows_m3_min: Sequence[float], *, step_bar: float = 0.1) -> tuple[Compressor, ...]:
    """Return compressors of which each loads and unloads ``step_bar`` below the one before it.

    The step is an engineering default; a step of the width of the band or more lets them fight.
    """
    return tuple(
        Compressor(f"compressor-{i + 1}", flow, 6.8 - i * step_bar, 7.5 - i * step_bar)
        for i, flow in enumerate(flows_m3_min)
    )


def leak_m3_min_bar(share: float, *, demand_m3_min: float, at_bar: float = 7.0) -> float:
    """Return c, free air lost per bar of absolute pressure, so that at ``at_bar`` a share of the demand leaks.

    US DOE, compressed air sourcebook: 20-30 % in a typical plant, 5-10 % in a well-kept one.
    """
    return share * demand_m3_min / (at_bar + ATMOSPHERE_BAR)


@dataclass(frozen=True, slots=True)
class Air:
    """An air net while nothing happens to it: what stands in it, who delivers and who takes."""

    volume_m3: float
    compressors: tuple[Compressor, ...]
    """Those that can run; one that failed is not among them."""
    demand_m3_min: float
    leak_m3_min_bar: float

    @property
    def decay_per_min(self) -> float:
        """λ: how fast a pressure nears its equilibrium because of leaks; 0 without leaks."""
        return ATMOSPHERE_BAR * self.leak_m3_min_bar / self.volume_m3

    def slope(self, loaded: frozenset[str], pressure_bar: float) -> float:
        """Return dp/dt in bar/min; an empty receiver falls no further."""
        supply = sum(one.flow_m3_min for one in self.compressors if one.name in loaded)
        leak = self.leak_m3_min_bar * (pressure_bar + ATMOSPHERE_BAR)
        slope = ATMOSPHERE_BAR * (supply - self.demand_m3_min - leak) / self.volume_m3
        return max(slope, 0.0) if pressure_bar <= 0.0 else slope

    def switched(self, loaded: frozenset[str], pressure_bar: float) -> frozenset[str]:
        """Return who is loaded once all have obeyed their thresholds at this pressure."""
        return frozenset(
            one.name
            for one in self.compressors
            if pressure_bar <= one.load_bar or (one.name in loaded and pressure_bar < one.unload_bar)
        )

    def next_threshold(self, loaded: frozenset[str], slope: float) -> float | None:
        """Return the pressure at which the next one switches, or the receiver is empty, if nothing else happens."""
        if slope > 0.0:
            return min((one.unload_bar for one in self.compressors if one.name in loaded), default=None)
        if slope < 0.0:
            return max([0.0, *(one.load_bar for one in self.compressors if one.name not in loaded)])
        return None

    def stretch(self, start_ns: int, *, pressure_bar: float, loaded: frozenset[str] = frozenset()) -> AirStretch:
        """Lay out what follows from a pressure and a set of loaded compressors.

        A switch falls on a whole millisecond, as every instant does, the first at which its threshold is met; the
        pressure goes on from the threshold itself.
        """
        phases: list[Phase] = []
        seen: dict[tuple[frozenset[str], float], int] = {}
        at_ns, period_ns, repeats = 0, 0, 0
        while True:
            loaded = self.switched(loaded, pressure_bar)
            if (loaded, pressure_bar) in seen:
                repeats = seen[loaded, pressure_bar]
                period_ns = at_ns - phases[repeats].begin_ns
                break
            seen[loaded, pressure_bar] = len(phases)
            slope = self.slope(loaded, pressure_bar)
            phases.append(Phase(at_ns, pressure_bar, slope, loaded))
            threshold = self.next_threshold(loaded, slope)
            minutes = inf if threshold is None else minutes_to(threshold - pressure_bar, slope, self.decay_per_min)
            if threshold is None or minutes > NEVER_MINUTES:
                break
            at_ns += whole_ms(minutes)
            pressure_bar = threshold
        return AirStretch.build(self, start_ns, phases, end_ns=at_ns, repeats=repeats, period_ns=period_ns)


class Phase(NamedTuple):
    """From one switch to the next: when it begins, since the start of the stretch, and how things stand then."""

    begin_ns: int
    pressure_bar: float
    slope_bar_min: float
    loaded: frozenset[str]


@dataclass(frozen=True, slots=True)
class AirStretch:
    """An air net from one happening to the next: its phases, and the period with which the last of them repeat."""

    air: Air
    start_ns: int
    phases: tuple[Phase, ...]
    period_ns: int
    """0: the last phase lasts."""
    lead_ns: int
    """Before the first period begins."""
    begin_ns: Ints
    first_bar: Floats
    slope_bar_min: Floats
    is_loaded: NDArray[np.bool_]
    """bool[phases, compressors]."""
    kwh_before: Floats
    """float64[phases, compressors], since the start of the stretch."""
    kwh_per_period: Floats

    @classmethod
    def build(
        cls, air: Air, start_ns: int, phases: Sequence[Phase], *, end_ns: int, repeats: int, period_ns: int
    ) -> AirStretch:
        """Build from phases, of which those from ``repeats`` on come again if there is a period."""
        begin = np.array([phase.begin_ns for phase in phases], dtype=np.int64)
        first = np.array([phase.pressure_bar for phase in phases])
        slope = np.array([phase.slope_bar_min for phase in phases])
        loaded = np.array([[one.name in phase.loaded for one in air.compressors] for phase in phases], dtype=bool)
        minutes = np.diff(begin, append=end_ns) / MINUTE_NS
        bar_minutes = integrated(first, slope, minutes, air.decay_per_min)
        kwh = drawn_kw(air, loaded, minutes, bar_minutes) / HOUR_MINUTES
        before = np.concatenate((np.zeros((1, len(air.compressors))), np.cumsum(kwh, axis=0)))
        return cls(
            air=air,
            start_ns=start_ns,
            phases=tuple(phases),
            period_ns=period_ns,
            lead_ns=int(begin[repeats]),
            begin_ns=begin,
            first_bar=first,
            slope_bar_min=slope,
            is_loaded=loaded,
            kwh_before=before[:-1],
            kwh_per_period=before[-1] - before[repeats],
        )

    def pressure_bar(self, time_ns: Ints) -> Floats:
        """Return the gauge pressure at instants at or after the start, float64[N]."""
        phase, since_ns, _ = self._at(time_ns)
        return moved(self.first_bar[phase], self.slope_bar_min[phase], since_ns / MINUTE_NS, self.air.decay_per_min)

    def loaded(self, time_ns: Ints) -> NDArray[np.bool_]:
        """Return which compressors are loaded, bool[N, compressors]; a switch is in force at its own instant."""
        rows: NDArray[np.bool_] = self.is_loaded[self._at(time_ns)[0]]
        return rows

    def loaded_at(self, time_ns: int) -> frozenset[str]:
        """Return the names of the loaded compressors, to begin the next stretch with."""
        return self.phases[int(self._at(np.array([time_ns]))[0][0])].loaded

    def power_kw(self, time_ns: Ints) -> Floats:
        """Return what each compressor draws, float64[N, compressors]: 6.6 Q [1 + .06 (p - 7)], or 25 % of 6.6 Q."""
        return drawn_kw(self.air, self.loaded(time_ns), np.ones(len(time_ns)), self.pressure_bar(time_ns))

    def energy_kwh(self, time_ns: Ints) -> Floats:
        """Return the integral of ``power_kw`` since the start, float64[N, compressors]."""
        phase, since_ns, periods = self._at(time_ns)
        minutes = since_ns / MINUTE_NS
        bar_minutes = integrated(self.first_bar[phase], self.slope_bar_min[phase], minutes, self.air.decay_per_min)
        within = drawn_kw(self.air, self.is_loaded[phase], minutes, bar_minutes) / HOUR_MINUTES
        kwh: Floats = self.kwh_before[phase] + periods[:, np.newaxis] * self.kwh_per_period + within
        return kwh

    def switches_ns(self, from_ns: int, until_ns: int) -> Ints:
        """Return the instants in [from, until) at which compressors load or unload; the start is none of them."""
        # That the receiver is empty is a phase of its own, and no switch.
        after = self.begin_ns[1:][np.any(self.is_loaded[1:] != self.is_loaded[:-1], axis=1)]
        if self.period_ns:
            # The first phase of the period comes again; all that repeat do, as often as the window wants.
            cycle = np.append(after[after > self.lead_ns], self.lead_ns + self.period_ns)
            low = max((from_ns - self.start_ns - self.lead_ns) // self.period_ns - 1, 0)
            high = max((until_ns - self.start_ns - self.lead_ns) // self.period_ns + 1, 0)
            again = (cycle + np.arange(low, high)[:, np.newaxis] * self.period_ns).ravel()
            after = np.concatenate((after[after <= self.lead_ns], again))
        instants: Ints = self.start_ns + after
        return instants[(instants >= from_ns) & (instants < until_ns)]

    def next_at(self, bar: float, *, after_ns: int) -> int | None:
        """Return the first whole millisecond after an instant at which the pressure has come to ``bar``, if ever."""
        here, since_ns, _ = (int(column[0]) for column in self._at(np.array([after_ns])))
        entered_ns = after_ns - since_ns
        order = [*range(here, len(self.phases))]
        if self.period_ns:
            order += [i for i in range(len(self.phases)) if self.begin_ns[i] >= self.lead_ns]
        for i in order:
            phase = self.phases[i]
            end_ns = self.begin_ns[i + 1] if i + 1 < len(self.phases) else self.lead_ns + self.period_ns
            length_ns = int(end_ns) - phase.begin_ns if end_ns > phase.begin_ns else None
            to_bar = minutes_to(bar - phase.pressure_bar, phase.slope_bar_min, self.air.decay_per_min)
            if 0.0 < to_bar <= NEVER_MINUTES:
                reached_ns = whole_ms(to_bar)
                if entered_ns + reached_ns > after_ns and (length_ns is None or reached_ns <= length_ns):
                    return entered_ns + reached_ns
            if length_ns is None:
                return None
            entered_ns += length_ns
        return None

    def _at(self, time_ns: Ints) -> tuple[Ints, Ints, Ints]:
        """Return the phase, the time in it, and the whole periods before it."""
        since = time_ns - self.start_ns
        periods = np.zeros_like(since)
        if self.period_ns:
            periods = np.maximum((since - self.lead_ns) // self.period_ns, 0)
            since = since - periods * self.period_ns
        phase = np.searchsorted(self.begin_ns, since, side="right") - 1
        return phase, since - self.begin_ns[phase], periods


def minutes_to(rise_bar: float, slope_bar_min: float, decay_per_min: float) -> float:
    """Return when a pressure that begins with this slope has moved by ``rise_bar``; infinity if it never does."""
    if slope_bar_min == 0.0 or rise_bar / slope_bar_min < 0.0:
        return inf
    straight = rise_bar / slope_bar_min
    share = decay_per_min * straight
    if share >= 1.0:
        return inf
    # for shares so small both are the same, and the smallest floats have few digits
    return -log1p(-share) / decay_per_min if share > 1e-14 else straight


def whole_ms(minutes: float) -> int:
    """Return nanoseconds, rounded up to a whole millisecond, at least one."""
    return max(ceil(minutes * MINUTE_NS / MS_NS), 1) * MS_NS


def moved(first_bar: Floats, slope_bar_min: Floats, minutes: Floats, decay_per_min: float) -> Floats:
    """Return p0 + p0' t (1 - e^(-λt)) / (λt), the solution of dp/dt = p0' - λ (p - p0); never below 0."""
    lag = decay_per_min * minutes
    fading = np.divide(-np.expm1(-lag), lag, out=np.ones_like(lag), where=lag > 0.0)
    pressure: Floats = np.maximum(first_bar + slope_bar_min * minutes * fading, 0.0)
    return pressure


def integrated(first_bar: Floats, slope_bar_min: Floats, minutes: Floats, decay_per_min: float) -> Floats:
    """Return the integral of ``moved`` over the minutes: p0 t + p0' t² (λt - 1 + e^(-λt)) / (λt)², in bar minutes."""
    lag = decay_per_min * minutes
    series = 0.5 - lag / 6.0 + lag**2 / 24.0 - lag**3 / 120.0
    # The closed form cancels for small λt; the series is off by less than 1e-11 there.
    bend = np.divide(lag + np.expm1(-lag), lag**2, out=series, where=lag > 0.01)
    bar_minutes: Floats = first_bar * minutes + slope_bar_min * minutes**2 * bend
    return bar_minutes


def drawn_kw(air: Air, loaded: NDArray[np.bool_], minutes: Floats, bar_minutes: Floats) -> Floats:
    """Return what each compressor draws, integrated over time: kW minutes from minutes and bar minutes."""
    rated = LOADED_KW_PER_M3_MIN * np.array([one.flow_m3_min for one in air.compressors])
    busy = minutes + KW_RISE_PER_BAR * (bar_minutes - RATED_BAR * minutes)
    factor: Floats = np.where(loaded, busy[:, np.newaxis], UNLOADED_SHARE * minutes[:, np.newaxis])
    return rated * factor
