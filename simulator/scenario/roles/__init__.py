"""Roles: what a system is for its site beside having a state, as a system type states it under ``role``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulator.scenario.roles.load import Load

__all__ = ["Role"]

Role = Annotated[Load, Field(discriminator="kind")]
