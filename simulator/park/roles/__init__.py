"""How systems of a site come to life: for each role the function that builds it at its post."""

from __future__ import annotations

from collections.abc import Callable

from simulator.park.post import Post
from simulator.park.roles.air import air
from simulator.park.roles.boiler import boiler
from simulator.park.roles.chiller import chiller
from simulator.park.roles.data_centre import data_centre
from simulator.park.roles.load import load
from simulator.park.roles.permits import permit_office
from simulator.park.roles.rack import rack
from simulator.park.roles.reporter import reporter
from simulator.park.roles.unit import unit
from simulator.park.roles.wastewater import wastewater
from simulator.signals.device import Device

__all__ = ["ROLES"]

ROLES: dict[str, Callable[[Post], Device]] = {
    "data-centre": data_centre,
    "air": air,
    "boiler": boiler,
    "chiller": chiller,
    "load": load,
    "permit-office": permit_office,
    "rack": rack,
    "reporter": reporter,
    "unit": unit,
    "wastewater": wastewater,
}
