"""How systems of a site come to life: for each role the function that builds it at its post."""

from __future__ import annotations

from collections.abc import Callable

from simulator.park.post import Post
from simulator.park.roles.load import load
from simulator.signals.device import Device

__all__ = ["ROLES"]

ROLES: dict[str, Callable[[Post], Device]] = {
    "load": load,
}
