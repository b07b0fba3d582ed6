"""A chiller plant: water-cooled chillers, their towers and a loop of chilled water."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.sensor import Strict

__all__ = ["Chiller"]


class Chiller(Strict):
    """Chillers that carry the heat of those they serve; where no size is given, sized for them."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"supply", "return", "heat", "flow", "cop", "running", "wet_bulb"})
    GIVES: ClassVar[str | None] = "cooling"
    DRAWS: ClassVar[bool] = True

    kind: Literal["chiller"] = Field(description="a chiller plant")
    chillers: int = Field(ge=1, le=40, description="how many")
    rated_kw: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        description="heat that each carries; none: so much that all but one of them carry what the served give off "
        "when all of them work",
    )
    supply_c: float = Field(default=7.0, ge=-20, le=30, description="water that leaves the plant")
    rise_c: tuple[float, float] = Field(
        default=(5.0, 8.0), description="by how much it comes back warmer: without load, and at the rated one"
    )
    loop_l_kw: float = Field(default=10.0, gt=0, le=1_000, description="water in the loop per kW of rated cooling")
    auxiliary: float = Field(
        default=0.03, ge=0, le=0.5, description="power of pumps and towers per heat, beside that of the chillers"
    )
    hold_above_c: float = Field(gt=0, le=50, description="supply at which machines that are cooled are held")
    go_below_c: float = Field(gt=0, le=50, description="supply at which they go on")
    source: str = Field(default="", description="where the numbers come from")

    @model_validator(mode="after")
    def temperatures_rise(self) -> Self:
        if not self.supply_c < self.go_below_c < self.hold_above_c:
            message = (
                f"supply_c(={self.supply_c:g}), go_below_c(={self.go_below_c:g}) and "
                f"hold_above_c(={self.hold_above_c:g}) must rise"
            )
            raise ValueError(message)
        if not 0 < self.rise_c[0] <= self.rise_c[1]:
            message = f"rise_c(=[{self.rise_c[0]:g}, {self.rise_c[1]:g}]) must be above 0 and not fall"
            raise ValueError(message)
        return self
