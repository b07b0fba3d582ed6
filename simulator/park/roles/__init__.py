"""How systems of a site come to life: for each role the function that builds it at its post."""

from __future__ import annotations

from collections.abc import Callable

from simulator.park.post import Post
from simulator.park.roles.agv import agv
from simulator.park.roles.air import air
from simulator.park.roles.boiler import boiler
from simulator.park.roles.chiller import chiller
from simulator.park.roles.cold import cold
from simulator.park.roles.data_centre import data_centre
from simulator.park.roles.dispatch import dispatch
from simulator.park.roles.dock import dock
from simulator.park.roles.edge import edge
from simulator.park.roles.gate import gate
from simulator.park.roles.generator import generator
from simulator.park.roles.greenhouse import greenhouse
from simulator.park.roles.load import load
from simulator.park.roles.network import gateway, link
from simulator.park.roles.orders import orders
from simulator.park.roles.permits import permit_office
from simulator.park.roles.port import port
from simulator.park.roles.rack import rack
from simulator.park.roles.reporter import reporter
from simulator.park.roles.supplier import supplier
from simulator.park.roles.unit import unit
from simulator.park.roles.wastewater import wastewater
from simulator.signals.device import Device

__all__ = ["ROLES"]

ROLES: dict[str, Callable[[Post], Device]] = {
    "agv": agv,
    "air": air,
    "boiler": boiler,
    "chiller": chiller,
    "cold": cold,
    "data-centre": data_centre,
    "dispatch": dispatch,
    "dock": dock,
    "edge": edge,
    "gate": gate,
    "generator": generator,
    "greenhouse": greenhouse,
    "gateway": gateway,
    "link": link,
    "load": load,
    "orders": orders,
    "permit-office": permit_office,
    "port": port,
    "rack": rack,
    "reporter": reporter,
    "supplier": supplier,
    "unit": unit,
    "wastewater": wastewater,
}
