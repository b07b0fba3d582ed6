"""A steam boiler: what it makes, what it burns, and what leaves its stack."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.sensor import Strict

__all__ = ["Boiler", "Pollutant"]


class Pollutant(Strict):
    """A concentration in the flue gas at the reference oxygen: lognormal, with a slow wander."""

    mean: float = Field(gt=0, le=1e6, description="mg/Nm3")
    sigma: float = Field(ge=0, le=1e6, description="standard deviation, mg/Nm3")


class Boiler(Strict):
    """A fire-tube boiler whose water holds some minutes of steam; it follows demand up to what it is rated for."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"pressure", "steam", "fuel", "o2", "dust_mg_nm3", "so2_mg_nm3", "nox_mg_nm3", "co_mg_nm3"}
    )
    GIVES: ClassVar[str | None] = "steam"
    DRAWS: ClassVar[bool] = True

    kind: Literal["boiler"] = Field(description="a steam boiler")
    rated_kg_h: float = Field(gt=0, le=1_000_000, description="steam it can make")
    pressure_bar: float = Field(gt=0, le=100, description="what it is controlled to")
    storage_kg_bar: float = Field(gt=0, le=100_000, description="steam that its water gives for each bar it falls")
    hold_below_bar: float = Field(gt=0, le=100, description="machines that use steam are held")
    go_above_bar: float = Field(gt=0, le=100, description="they go on")
    fuel_kg_kg: float = Field(gt=0, le=10, description="fuel per steam")
    base_kw: float = Field(default=0.0, ge=0, le=10_000, description="electric power of fans and pumps while it works")
    kwh_t: float = Field(default=0.0, ge=0, le=100, description="electric energy per tonne of steam, beside that")
    o2_pct: float = Field(ge=0, lt=21, description="oxygen in the flue gas at rated load")
    o2_sigma_pct: float = Field(default=0.0, ge=0, le=5, description="its standard deviation")
    o2_low_load_pct: float = Field(default=0.0, ge=0, le=10, description="more of it without load: air in excess")
    dust: Pollutant
    so2: Pollutant
    nox: Pollutant
    co: Pollutant
    source: str = Field(default="", description="where the numbers come from")

    @model_validator(mode="after")
    def pressures_rise(self) -> Self:
        if not self.hold_below_bar < self.go_above_bar < self.pressure_bar:
            message = (
                f"hold_below_bar(={self.hold_below_bar:g}), go_above_bar(={self.go_above_bar:g}) and "
                f"pressure_bar(={self.pressure_bar:g}) must rise"
            )
            raise ValueError(message)
        return self
