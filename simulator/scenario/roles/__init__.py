"""Roles: what a system is for its site beside having a state, as a system type states it under ``role``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulator.scenario.roles.air import AirNet
from simulator.scenario.roles.boiler import Boiler
from simulator.scenario.roles.chiller import Chiller
from simulator.scenario.roles.data_centre import DataCentre
from simulator.scenario.roles.load import Load
from simulator.scenario.roles.permits import PermitOffice
from simulator.scenario.roles.rack import Rack
from simulator.scenario.roles.reporter import Reporter
from simulator.scenario.roles.unit import Unit
from simulator.scenario.roles.wastewater import Wastewater

__all__ = ["Role"]

Role = Annotated[
    AirNet | Boiler | Chiller | DataCentre | Load | PermitOffice | Rack | Reporter | Unit | Wastewater,
    Field(discriminator="kind"),
]
