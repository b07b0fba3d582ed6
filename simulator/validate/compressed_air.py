"""Compressed air of each station: what it takes of the electricity of those it serves, and what leaks."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.scenario.system_type import SystemType
from simulator.signals.devices.air import AirDevice
from simulator.validate.figures import Figure, compare, inform
from simulator.validate.observed import Observed
from simulator.validate.published import AirFigures

__all__ = ["FEWEST_USERS", "compressed_air"]

FEWEST_USERS = 50
"""A station for fewer machines serves no whole plant; what it takes is told and not judged."""


def compressed_air(observed: Observed, known: AirFigures) -> Iterator[Figure]:
    """Yield two figures per station."""
    kwh = observed.register_kwh[-1] - observed.register_kwh[0]
    for asset, device in observed.devices.items():
        if not isinstance(device, AirDevice):
            continue
        path = observed.catalog.assets[asset].path
        served = users(observed, path)
        machines = float(kwh[served].sum())
        share = float(kwh[asset]) / (machines + float(kwh[asset])) if machines else float("nan")
        section, name = f"compressed air of {'/'.join(path[1:])}", "share of the electricity of those it serves"
        if len(served) < FEWEST_USERS:
            note = f"{len(served)} machines are no whole plant"
            yield inform(
                section, name, ours=share, published=known.electricity, unit="1", source=known.source, note=note
            )
        else:
            yield compare(
                section,
                name,
                ours=share,
                published=known.electricity,
                unit="1",
                source=known.source,
                tolerance=known.tolerance,
            )
        yield compare(
            section,
            "share of the air that leaks, at 7 bar",
            ours=device.leak_share,
            published=known.leaks,
            unit="1",
            source=known.leak_source,
            tolerance=known.leak_tolerance,
        )


def users(observed: Observed, path: tuple[str, ...]) -> list[int]:
    """Return the machines of all factories that a system serves, whether or not each of them uses what it gives."""
    site = next(one for one in observed.scenario.sites if one.name == path[1])
    serves = next(one for one in site.systems if one.name == path[-1]).serves
    return [
        number
        for number, (asset, machine) in enumerate(
            zip(observed.catalog.assets[: len(observed.machines)], observed.machines, strict=True)
        )
        if asset.path[1] == path[1] and asset.path[2] in serves and not isinstance(machine.spec, SystemType)
    ]
