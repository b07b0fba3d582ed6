"""System types: what a site runs for all its tenants, such as feeders, panels and weather stations. They are data."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from simulator.scenario.machine_type import MachineType, Motor
from simulator.scenario.quantities import Amount, Duration
from simulator.scenario.roles import Role
from simulator.scenario.sensor import (
    PER_CYCLE,
    CountModel,
    OutputModel,
    ProfileModel,
    ShareModel,
    SolarModel,
    Strict,
    SupplyModel,
)

__all__ = ["Panels", "Supply", "SystemType"]

NEVER_NS = 4 * 10**18
"""A cycle of 126 years: a system works without cycles, and none ends within a run."""
NO_MOTOR = Motor.model_construct(rated_kw=0.0, execute_load=0.0, idle_load=0.0, wander=0.0, standby_kw=0.0)


class Supply(Strict):
    """The electrical side of a feeder."""

    volts: float = Field(gt=0, le=500_000, description="line-to-line voltage")
    rated_kw: float = Field(gt=0, le=1_000_000, description="what it is built for")
    loss: float = Field(default=0.02, ge=0, lt=0.5, description="share of what flows out that is lost on the way")
    drop: float = Field(default=0.03, ge=0, lt=0.5, description="share by which the voltage sinks at rated power")
    compensation_kvar: float = Field(default=0.0, ge=0, description="capacitors, which never overcompensate")
    source: str = Field(default="", description="where the numbers come from")


class Panels(Strict):
    """Photovoltaic panels."""

    rated_kw: float = Field(gt=0, le=1_000_000, description="DC power at 1,000 W/m2 and 25 degrees")
    source: str = Field(default="", description="where the numbers come from")


class SystemType(MachineType):
    """Something that runs round the clock for a whole site, without cycles; it fails and is mended like a machine."""

    runs_for_a_site: ClassVar[bool] = True

    cycle: Duration = Field(default=NEVER_NS, description="not for systems: they have no cycles")
    pieces: Amount = Field(default=1, description="not for systems")
    first_pass_yield: float = Field(default=1.0, description="not for systems")
    attended: bool = Field(default=False, description="not for systems: nobody stands at them")
    motor: Motor = Field(default=NO_MOTOR, description="what it draws itself, as far as the weather leaves it alone")
    supply: Supply | None = Field(default=None, description="it feeds others, named in `serves` of the scenario")
    panels: Panels | None = Field(default=None, description="it feeds in what the sun gives")
    role: Role | None = Field(default=None, description="what else it is for the site")

    @model_validator(mode="after")
    def fits_a_site(self) -> Self:
        given = self.model_fields_set & {"attended", "cycle", "pieces", "first_pass_yield"}
        if given:
            message = (
                f"{', '.join(sorted(given))}: a system has no cycles and no operator; remove it, or make this a "
                "machine type"
            )
            raise ValueError(message)
        kinds = {type(sensor.model) for sensor in self.sensors}
        if kinds & {*PER_CYCLE, CountModel, ProfileModel, ShareModel}:
            message = "sensors: a system has no cycles, so none of its sensors can count, measure or follow them"
            raise ValueError(message)
        if (SupplyModel in kinds) != (self.supply is not None):
            message = "supply: sensors of model supply and the key `supply` go together"
            raise ValueError(message)
        if (SolarModel in kinds) != (self.panels is not None):
            message = "panels: sensors of model solar and the key `panels` go together"
            raise ValueError(message)
        known = self.outputs
        for sensor in self.sensors:
            if isinstance(sensor.model, OutputModel) and sensor.model.shows not in known:
                what = f"role {self.role.kind!r} gives {', '.join(sorted(known))}" if self.role else "it has no role"
                message = f"sensors: {sensor.name} shows {sensor.model.shows!r}, but {what}"
                raise ValueError(message)
        return self

    @property
    def outputs(self) -> frozenset[str]:
        """Names of the quantities that its sensors of model output can show."""
        if self.role is None:
            return frozenset()
        return self.role.SHOWS | {"power", "energy"} if self.role.DRAWS else self.role.SHOWS

    @property
    def gives(self) -> str | None:
        """What it gives to those it serves: power, air and so on."""
        if self.supply is not None:
            return "power"
        return None if self.role is None else self.role.GIVES
