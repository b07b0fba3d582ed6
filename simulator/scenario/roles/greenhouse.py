"""A greenhouse that is watered by the light: after so much of it a valve opens."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.quantities import Duration
from simulator.scenario.strict import Strict

__all__ = ["Greenhouse"]


class Greenhouse(Strict):
    """The first watering of a day comes at a fixed hour, the others each time that the light has added up.

    Plants drink in proportion to the light; what is left in the soil is saltier for it.
    """

    SHOWS: ClassVar[frozenset[str]] = frozenset({"soil_pct", "ec", "valve", "flow", "waterings", "light_sum"})
    GIVES: ClassVar[str | None] = None
    DRAWS: ClassVar[bool] = True

    kind: Literal["greenhouse"] = Field(description="a greenhouse that is watered by the light")
    first_hour: float = Field(default=6.0, ge=0, lt=24, description="local hour of the first watering of a day")
    light: float = Field(gt=0, le=1e8, description="J/m2 of light outside after which it is watered again")
    lasts: Duration = Field(ge=60_000_000_000, description="how long the valve stays open")
    litres_min: float = Field(gt=0, le=100_000, description="flow while the valve is open")
    soil: float = Field(gt=0, le=100, description="% of water in the soil after a watering")
    drop: float = Field(gt=0, le=100, description="by how much that falls until the next one")
    ec: float = Field(gt=0, le=20, description="mS/cm of the soil water after a watering")
    ec_rise: float = Field(ge=0, le=20, description="by how much that rises until the next one")
    pump_kw: float = Field(ge=0, le=10_000, description="draw of the pump while the valve is open")
    base_kw: float = Field(ge=0, le=10_000, description="draw of fans and controls, always")

    @model_validator(mode="after")
    def can_be(self) -> Self:
        if self.drop > self.soil:
            message = f"drop(={self.drop:g}) must not be more than soil(={self.soil:g})"
            raise ValueError(message)
        return self
