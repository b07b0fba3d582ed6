"""Which assets share an MQTT connection: the gateways of a run, as the scenario's messaging says."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.batch import Asset

__all__ = ["gateways"]

LEVELS = {"site": 2, "factory": 3, "line": 4}
"""How many levels of an asset's path name its gateway."""


def gateways(assets: Sequence[Asset], per: str) -> tuple[list[str], list[int]]:
    """Return the names of the gateways, and for each asset the number of its gateway.

    ``per`` is ``site``, ``factory`` or ``line``: what shares one MQTT connection. What speaks for more than that, such
    as key figures of a site, does so through the first gateway in it.
    """
    levels = LEVELS[per]
    names = dict.fromkeys("/".join(asset.path[:levels]) for asset in assets if len(asset.path) > levels)
    numbers = {name: number for number, name in enumerate(names)}
    first: dict[str, int] = {}
    for name, number in numbers.items():
        parts = name.split("/")
        for size in range(1, levels + 1):
            first.setdefault("/".join(parts[:size]), number)
    return list(numbers), [first["/".join(asset.path[: min(levels, len(asset.path) - 1)])] for asset in assets]
