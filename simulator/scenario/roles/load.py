"""An electric load that follows the hours of the day: offices, shops, street lights."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.hours import Hours

__all__ = ["Load"]


class Load(Hours):
    """Its power in shares of the rated one: a line through the hours, less on Sundays, more in the heat."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"share"})
    GIVES: ClassVar[str | None] = None
    DRAWS: ClassVar[bool] = True

    kind: Literal["load"] = Field(description="an electric load that follows the hours of the day")
    rated_kw: float = Field(gt=0, le=1_000_000, description="power at share 1")
    per_degree: float = Field(
        default=0.0, ge=0, le=1, description="more for each degree of air temperature above 24: what cooling takes"
    )

    @model_validator(mode="after")
    def takes_power(self) -> Self:
        for hour, share in self.day:
            if share < 0:
                message = f"day: share {share:g} at hour {hour:g} must be at least 0; a load takes power"
                raise ValueError(message)
        return self
