"""Which assets share an MQTT connection: the gateways or devices of a run, as the scenario's messaging says."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.batch import Asset
from simulator.scenario.schema import Scenario

__all__ = ["connection_count", "gateways"]

LEVELS = {"site": 2, "factory": 3, "line": 4, "device": 5}
"""How many levels of an asset's path name its gateway; a device is one of its own."""


def gateways(assets: Sequence[Asset], per: str) -> tuple[list[str], list[int]]:
    """Return the names of the gateways, and for each asset the number of its gateway.

    ``per`` is ``site``, ``factory``, ``line`` or ``device``: what shares one MQTT connection. What speaks for more
    than that, such as key figures of a site, does so through the first gateway in it; what is told of a machine beside
    its readings, such as the truth, goes through that of the machine.
    """
    levels = LEVELS[per]
    spoken_for = [asset.path[:-1] if asset.path[-1].startswith("_") else asset.path for asset in assets]
    names = dict.fromkeys("/".join(path[:levels]) for path in spoken_for if len(path) >= levels)
    numbers = {name: number for number, name in enumerate(names)}
    first: dict[str, int] = {}
    for name, number in numbers.items():
        parts = name.split("/")
        for size in range(1, levels + 1):
            first.setdefault("/".join(parts[:size]), number)
    return list(numbers), [first["/".join(path[:levels])] for path in spoken_for]


def connection_count(scenario: Scenario) -> int:
    """Return how many MQTT connections the park opens."""
    if scenario.messaging.connections == "device":
        return sum(site.devices for site in scenario.sites)
    match scenario.messaging.gateway_per:
        case "site":
            return len(scenario.sites)
        case "factory":
            return sum(len(site.areas) for site in scenario.sites)
    return sum(line.count for site in scenario.sites for factory in site.areas for line in factory.lines)
