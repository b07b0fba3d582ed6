"""What plants make: effectiveness, output of a year, and energy of a piece."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Line
from simulator.signals.drives import Drives
from simulator.validate.figures import Figure, compare, inform
from simulator.validate.observed import Observed, Tally
from simulator.validate.published import MouldingFigures, OeeFigures, OutputFigures

__all__ = ["effectiveness", "energy_per_piece", "output"]

HOUR_NS = 3_600_000_000_000
YEAR_NS = 52 * 7 * 24 * HOUR_NS
"""Fifty-two weeks, so that each day of the week counts as often."""
TOO_SHORT = "the record is too short to know its error"
Floats = NDArray[np.floating[Any]]


def effectiveness(observed: Observed, known: OeeFigures) -> Iterator[Figure]:
    """Yield OEE after ISO 22400-2 of each factory, and of the machine types that have a default."""
    section = "effectiveness"
    average = (known.plant.low, known.plant.high)
    for plant in observed.factories:
        ours, error = oee(observed.tally.of(observed.members(plant)), supplied=False)
        name = f"OEE of {'/'.join(plant.path[1:])}"
        yield estimated(section, name, ours=ours, error=error, published=average, source=known.source)
    for default in known.defaults:
        mine = [i for i, machine in enumerate(observed.machines) if machine.spec.name in default.types]
        if mine:
            ours, error = oee(observed.tally.of(mine), supplied=default.supplied)
            name = f"OEE of {default.name}{' while supplied' if default.supplied else ''}"
            yield estimated(
                section,
                name,
                ours=ours,
                error=error,
                published=default.value,
                source=known.default_source,
                tolerance=known.tolerance,
            )


def estimated(
    section: str,
    name: str,
    *,
    ours: float,
    error: float,
    published: float | tuple[float, float],
    source: str,
    tolerance: float = 0.0,
    note: str = "",
) -> Figure:
    """Return a figure that is judged if its error is known."""
    if not math.isfinite(error):
        return inform(section, name, ours=ours, published=published, unit="1", source=source, note=TOO_SHORT)
    return compare(
        section,
        name,
        ours=ours,
        published=published,
        unit="1",
        source=source,
        tolerance=tolerance,
        standard_error=error,
        note=note,
    )


def oee(tally: Tally, *, supplied: bool) -> tuple[float, float]:
    """Return availability x effectiveness x quality over all blocks, and its standard error.

    Availability is the share of open time in which parts are made; ``supplied`` leaves out the time in which there are
    none to work on, or no room for them.
    """
    busy = np.diff(tally.busy_ns) - (np.diff(tally.waiting_ns) if supplied else 0.0)
    quality = (tally.good[-1] - tally.good[0]) / max(tally.processed[-1] - tally.processed[0], 1.0)
    ours, error = ratio(np.diff(tally.ideal_ns), busy)
    return ours * quality, error * quality


def ratio(parts: Floats, wholes: Floats) -> tuple[float, float]:
    """Return the ratio of two sums over blocks and its standard error (Cochran 1977, Sampling Techniques, ch. 6)."""
    worked = wholes > 0
    parts, wholes = parts[worked], wholes[worked]
    count = len(wholes)
    if not count:
        return float("nan"), float("inf")
    value = float(parts.sum() / wholes.sum())
    if count == 1:
        return value, float("inf")
    error = float(np.sqrt(((parts - value * wholes) ** 2).sum() * count / (count - 1)) / wholes.sum())
    return value, error


def output(observed: Observed, known: tuple[OutputFigures, ...]) -> Iterator[Figure]:
    """Yield what the lines of a plant with a published output make in a year of its own calendar."""
    lines = {
        (site.name, factory.name, line.name): line
        for site in observed.scenario.sites
        for factory in site.factories
        for line in factory.lines
    }
    for plant in known:
        for name, pieces in plant.lines.items():
            line = lines.get((plant.site, plant.factory, name))
            if line is not None:
                yield yearly(observed, plant, line, pieces)


def yearly(observed: Observed, known: OutputFigures, line: Line, pieces: float) -> Figure:
    """Scale the good pieces of a line by open time: from the record to the 52 weeks from its beginning."""
    places = {(copy, machine) for copy in line.names for machine in finishers(line)}
    (plant,) = [plant for plant in observed.factories if plant.path[1:] == (known.site, known.factory)]
    mine = [i for i in observed.members(plant) if observed.catalog.assets[i].path[-2:] in places]
    start_ns = observed.from_ns
    open_ns = plant.calendar.open_ns(start_ns + YEAR_NS) - plant.calendar.open_ns(start_ns)
    tally = observed.tally.of(mine)
    per_open_ns, error = ratio(np.diff(tally.good), np.diff(tally.open_ns) / len(mine))
    return estimated(
        "output of a year",
        f"{known.site}/{known.factory}: good pieces of {line.name}",
        ours=per_open_ns * open_ns,
        error=error * open_ns,
        published=pieces,
        source=known.source,
        tolerance=known.tolerance * pieces,
        note=f"{open_ns / HOUR_NS:,.0f} open hours in 52 weeks",
    )


def finishers(line: Line) -> list[str]:
    """Return the names of the machines that a finished piece leaves: the last of a series, or all side by side."""
    last = line.machines[-1:] if line.flow == "series" else line.machines
    return [name for machine in last for name in machine.names]


def energy_per_piece(types: dict[str, MachineType], known: MouldingFigures) -> Iterator[Figure]:
    """Yield the weight of a moulding at which it takes the published energy per kilogram."""
    spec = types.get(known.type)
    if spec is None:
        return
    kwh_per_shot = float(Drives([spec]).execute_kw[0]) * spec.cycle / HOUR_NS
    yield inform(
        "energy",
        f"{spec.name}: weight of a piece that takes {known.kwh_per_kg:g} kWh/kg",
        ours=kwh_per_shot / known.kwh_per_kg / spec.pieces * 1000.0,
        unit="g",
        source=known.source,
        note=f"{kwh_per_shot:.3f} kWh a shot of {spec.pieces}; weights are not modelled, so judge for yourself",
    )
