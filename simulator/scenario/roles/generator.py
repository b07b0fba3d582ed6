"""A power plant that burns something: what it feeds in, what it burns and what leaves its stack."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.hours import Hours

__all__ = ["Generator"]


class Generator(Hours):
    """It is dispatched by the hour, in shares of its rated power, and gives less in the heat."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"share", "efficiency_pct", "fuel_m3_h", "co2_t_h"})
    GIVES: ClassVar[str | None] = None
    DRAWS: ClassVar[bool] = True

    kind: Literal["generator"] = Field(description="a power plant; its meter counts what it feeds in")
    rated_kw: float = Field(gt=0, le=2_000_000, description="power at share 1 and 15 degrees")
    per_degree: float = Field(default=0.0, ge=0, le=0.02, description="less for each degree of air above 15")
    efficiency: float = Field(gt=0, le=1, description="at full load, of the lower heating value")
    part_load: float = Field(
        default=0.0, ge=0, le=1, description="share of the efficiency that is lost at half load, in proportion"
    )
    heating_kwh_m3: float = Field(gt=0, le=1_000, description="lower heating value of the fuel, kWh per standard m3")
    co2_kg_kwh: float = Field(ge=0, le=2, description="kg CO2 per kWh of fuel burnt")

    @model_validator(mode="after")
    def feeds_in(self) -> Self:
        for hour, share in self.day:
            if not 0 <= share <= 1:
                message = f"day: share {share:g} at hour {hour:g}, but must be 0 to 1 of the rated power"
                raise ValueError(message)
        return self
