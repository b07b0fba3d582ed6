"""Roles: what a system is for its site beside having a state, as a system type states it under ``role``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulator.scenario.roles.agv import Agv
from simulator.scenario.roles.air import AirNet
from simulator.scenario.roles.boiler import Boiler
from simulator.scenario.roles.chiller import Chiller
from simulator.scenario.roles.cold import Cold
from simulator.scenario.roles.data_centre import DataCentre
from simulator.scenario.roles.dispatch import Dispatch
from simulator.scenario.roles.dock import Dock
from simulator.scenario.roles.edge import Edge
from simulator.scenario.roles.gate import Gate
from simulator.scenario.roles.gateway import Gateway
from simulator.scenario.roles.generator import Generator
from simulator.scenario.roles.greenhouse import Greenhouse
from simulator.scenario.roles.link import Link
from simulator.scenario.roles.load import Load
from simulator.scenario.roles.orders import Orders
from simulator.scenario.roles.permits import PermitOffice
from simulator.scenario.roles.port import Port
from simulator.scenario.roles.rack import Rack
from simulator.scenario.roles.reporter import Reporter
from simulator.scenario.roles.supplier import Supplier
from simulator.scenario.roles.unit import Unit
from simulator.scenario.roles.wastewater import Wastewater

__all__ = ["Role"]

Role = Annotated[
    Agv
    | AirNet
    | Boiler
    | Chiller
    | Cold
    | DataCentre
    | Dispatch
    | Dock
    | Edge
    | Gate
    | Generator
    | Gateway
    | Greenhouse
    | Link
    | Load
    | Orders
    | PermitOffice
    | Port
    | Rack
    | Reporter
    | Supplier
    | Unit
    | Wastewater,
    Field(discriminator="kind"),
]
