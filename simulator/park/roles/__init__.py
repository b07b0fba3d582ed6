"""How systems of a site come to life: for each role the function that builds it at its post."""

from __future__ import annotations

from collections.abc import Callable

from simulator.park.post import Post
from simulator.park.roles.air import air
from simulator.park.roles.boiler import boiler
from simulator.park.roles.chiller import chiller
from simulator.park.roles.load import load
from simulator.signals.device import Device

__all__ = ["ROLES"]

ROLES: dict[str, Callable[[Post], Device]] = {
    "air": air,
    "boiler": boiler,
    "chiller": chiller,
    "load": load,
}
