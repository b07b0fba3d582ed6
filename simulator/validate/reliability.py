"""Times between stops and repairs as they happened, against the laws that the machine types state."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.park.packml import State
from simulator.scenario.machine_type import MachineType, Stop
from simulator.validate.figures import ERRORS, FEWEST, Figure, compare, inform
from simulator.validate.observed import Observed, Outage

__all__ = ["reliability"]

HOUR_NS, MINUTE_NS = 3_600_000_000_000, 60_000_000_000
MANY_PER_MACHINE = 50
"""Fewer stops of a machine tell too little about the scatter of the times between them: long ones are cut off."""
CUT_OFF = 0.03
"""What the ends of the record take off that scatter even so."""
WAITING = 0.02
"""On clocks that run while a machine makes no parts, a stop waits until it does, so the mean is a little longer."""
ROUNDED = 0.005
STATED = "stated by the machine type: "
Floats = NDArray[np.floating[Any]]


def reliability(observed: Observed) -> Iterator[Figure]:
    """Yield, for each reason to stop of each machine type, times between stops and lengths of repairs."""
    types: dict[str, MachineType] = {}
    members: dict[str, list[int]] = {}
    for asset, machine in enumerate(observed.machines):
        types.setdefault(machine.spec.name, machine.spec)
        members.setdefault(machine.spec.name, []).append(asset)
    took_ns = repairs(observed)
    for name, spec in types.items():
        assets = set(members[name])
        mine = [one for one in observed.outages if one.asset in assets and one.from_ns >= observed.from_ns]
        for number, stop in enumerate(spec.stops):
            outages = [one for one in mine if one.stop == number]
            yield from intervals(observed, spec, stop, outages, members[name])
            yield from lengths(spec, stop, np.array([took_ns[one] for one in outages if one in took_ns]))


def section_of(spec: MachineType) -> str:
    return f"stops of {spec.name}"


def source_of(spec: MachineType, stop: Stop) -> str:
    return STATED + (stop.source or spec.source or "no source")


def intervals(
    observed: Observed, spec: MachineType, stop: Stop, outages: Sequence[Outage], assets: Sequence[int]
) -> Iterator[Figure]:
    """Yield the mean time between stops, and how it scatters where there are stops enough to tell."""
    clock_h = np.array([clock_ns(observed, stop, asset) for asset in assets]) / HOUR_NS
    mtbf_h = stop.mtbf / HOUR_NS
    yield mean_interval(spec, stop, clock_h=clock_h, mtbf_h=mtbf_h, seen=len(outages))
    if stop.clock != "working" or clock_h.mean() / mtbf_h < MANY_PER_MACHINE:
        return
    begun: dict[int, list[int]] = {}
    for one in outages:
        begun.setdefault(one.asset, []).append(one.from_ns)
    between = [np.diff(worked_ns(observed, asset, np.array(at))) for asset, at in begun.items()]
    times = np.concatenate(between)
    wanted, error = weibull_scatter(stop.shape, len(times))
    yield compare(
        section_of(spec),
        f"{stop.name}: times between, deviation per mean",
        ours=float(times.std(ddof=1) / times.mean()),
        published=wanted,
        unit="1",
        source=source_of(spec, stop),
        tolerance=CUT_OFF,
        standard_error=error,
        note=f"Weibull, shape {stop.shape:g}; {len(times):,} times",
    )


def mean_interval(spec: MachineType, stop: Stop, *, clock_h: Floats, mtbf_h: float, seen: int) -> Figure:
    """Compare time on the clock per stop with its law, by the number of stops that the law lets expect.

    The world begins in mid-life, so a machine has time / MTBF stops on average. Their number scatters as the renewal
    theory has it for long times, and as a chance of one for short ones (Cox 1962, Renewal Theory, chapter 4).
    """
    section, name = section_of(spec), f"{stop.name}: time between, on the {stop.clock} clock"
    expected = clock_h / mtbf_h
    square = weibull_scatter(stop.shape, 1)[0] ** 2
    scatter = math.sqrt(float((square * expected + max(1.0 - square, 0.0) * np.minimum(expected, 0.25)).sum()))
    total_h, most = float(clock_h.sum()), float(expected.sum())
    ours = total_h / seen if seen else math.inf
    source = source_of(spec, stop)
    error = mtbf_h * scatter / most if most else None
    if most < FEWEST:
        note = f"{seen} stops seen, {most:.1f} expected: too few to judge"
        return inform(
            section, name, ours=ours, published=mtbf_h, unit="h", source=source, standard_error=error, note=note
        )
    fewest = most - ERRORS * scatter
    tolerance = 0.0 if stop.clock == "working" else WAITING * mtbf_h
    accepted = (total_h / (most + ERRORS * scatter), total_h / fewest + tolerance if fewest > 0 else math.inf)
    note = f"{seen:,} stops, {most:,.1f} expected"
    return Figure(section, name, ours, mtbf_h, "h", source, tolerance, error, accepted, note)


def lengths(spec: MachineType, stop: Stop, took_ns: Floats) -> Iterator[Figure]:
    """Yield the mean length of repairs, without the time that people were waited for, and how they scatter."""
    section, source = section_of(spec), source_of(spec, stop)
    mean_min, cv, count = stop.repair.mean / MINUTE_NS, stop.repair.cv, len(took_ns)
    name = f"{stop.name}: time to repair"
    ours = float(took_ns.mean()) / MINUTE_NS if count else math.nan
    error = mean_min * cv / math.sqrt(count) if count else None
    if count < FEWEST:
        note = f"{count} repairs: too few to judge"
        yield inform(
            section, name, ours=ours, published=mean_min, unit="min", source=source, standard_error=error, note=note
        )
        return
    yield compare(
        section,
        name,
        ours=ours,
        published=mean_min,
        unit="min",
        source=source,
        tolerance=ROUNDED * mean_min,
        standard_error=error,
        note=f"{count:,} repairs",
    )
    sigma = math.sqrt(math.log1p(cv**2))
    yield compare(
        section,
        f"{stop.name}: deviation of the logarithm of it",
        ours=float(np.log(took_ns).std(ddof=1)),
        published=sigma,
        unit="1",
        source=source,
        tolerance=ROUNDED,
        standard_error=sigma / math.sqrt(2.0 * (count - 1)),
        note=f"lognormal, coefficient of variation {cv:g}",
    )


def weibull_scatter(shape: float, count: int) -> tuple[float, float]:
    """Return the coefficient of variation of a Weibull law, and the standard error of that of so many draws.

    The error is that of a ratio of sample moments (Cramer 1946, Mathematical Methods of Statistics, chapter 27).
    """
    m1, m2, m3, m4 = (math.gamma(1.0 + order / shape) for order in (1, 2, 3, 4))
    variance = m2 - m1**2
    third = m3 - 3.0 * m1 * m2 + 2.0 * m1**3
    fourth = m4 - 4.0 * m1 * m3 + 6.0 * m1**2 * m2 - 3.0 * m1**4
    square = variance / m1**2
    spread = (fourth - variance**2) / (4.0 * variance**2) - third / (m1 * variance) + square
    return math.sqrt(square), math.sqrt(square * spread / count)


def clock_ns(observed: Observed, stop: Stop, asset: int) -> float:
    """Return how much time the clock of a stop ran for a machine."""
    if stop.clock == "calendar":
        return float(observed.until_ns - observed.from_ns)
    column = observed.tally.producing_ns if stop.clock == "working" else observed.tally.open_ns
    return float(column[-1, asset] - column[0, asset])


def worked_ns(observed: Observed, asset: int, at_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how long a machine has made parts by some instants, since the start."""
    entered_ns, state = observed.entered[asset]
    makes = state == State.EXECUTE
    lasted = np.diff(entered_ns, append=observed.until_ns) * makes
    before = np.concatenate(([0], np.cumsum(lasted)))
    segment = np.searchsorted(entered_ns, at_ns, side="right") - 1
    worked: NDArray[np.int64] = before[segment] + np.where(makes[segment], at_ns - entered_ns[segment], 0)
    return worked


def repairs(observed: Observed) -> dict[Outage, int]:
    """Return how long the work on each stop took that began and ended in the record, ns.

    A stop begins with a passing state; work begins when the machine is Held or Aborted, or for the crew once one of
    them is free: first come, first served.
    """
    took: dict[Outage, int] = {}
    queues: dict[tuple[str, ...], list[tuple[int, Outage]]] = {}
    for one in observed.outages:
        place = observed.catalog.assets[one.asset].path[:-2]
        queues.setdefault(place, []).append((rests_ns(observed, one), one))
    crew_of = crews(observed)
    for place, queue in queues.items():
        free_ns: list[int] = []
        crew = crew_of[place]
        for asked_ns, one in sorted(queue, key=lambda waiting: waiting[0]):
            begins_ns = asked_ns
            if by_crew(observed, one):
                begins_ns = max(asked_ns, free_ns[-crew]) if len(free_ns) >= crew else asked_ns
                insort(free_ns, observed.until_ns if one.to_ns is None else one.to_ns)
            if one.to_ns is not None and one.from_ns >= observed.from_ns:
                took[one] = one.to_ns - begins_ns
    return took


def crews(observed: Observed) -> Mapping[tuple[str, ...], int]:
    """Return how many repairs can go on at once, by the path of each factory."""
    scenario = observed.scenario
    return {(scenario.enterprise, site.name, area.name): area.crew for site in scenario.sites for area in site.areas}


def by_crew(observed: Observed, outage: Outage) -> bool:
    stops = observed.machines[outage.asset].spec.stops
    return outage.stop < 0 or stops[outage.stop].by == "crew"


def rests_ns(observed: Observed, outage: Outage) -> int:
    """Return when a machine came to rest for a stop; before the record, when the stop began."""
    entered_ns, state = observed.entered[outage.asset]
    rests = entered_ns[np.isin(state, (State.HELD, State.ABORTED))]
    at = int(np.searchsorted(rests, outage.from_ns))
    within = at < len(rests) and outage.from_ns >= observed.from_ns
    return int(rests[at]) if within else outage.from_ns
