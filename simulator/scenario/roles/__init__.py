"""Roles: what a system is for its site beside having a state, as a system type states it under ``role``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulator.scenario.roles.air import AirNet
from simulator.scenario.roles.boiler import Boiler
from simulator.scenario.roles.chiller import Chiller
from simulator.scenario.roles.load import Load

__all__ = ["Role"]

Role = Annotated[AirNet | Boiler | Chiller | Load, Field(discriminator="kind")]
