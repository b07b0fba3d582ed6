"""A dock: one lorry at a time is loaded or unloaded."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.quantities import Duration
from simulator.scenario.strict import Strict

__all__ = ["Dock"]


class Dock(Strict):
    """It is in Execute while it handles a lorry, and waits, Idle or Suspended, while there is none."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"occupied", "lorries", "handling_min"})
    GIVES: ClassVar[str | None] = None
    DRAWS: ClassVar[bool] = False

    kind: Literal["dock"] = Field(description="lorries are loaded and unloaded here; a gate serves it")
    shortest: Duration = Field(gt=0, description="the quickest handling of a lorry")
    longest: Duration = Field(gt=0, description="the slowest; between them any is as likely")

    @model_validator(mode="after")
    def can_be(self) -> Self:
        if self.longest < self.shortest:
            message = "longest: must not be shorter than `shortest`"
            raise ValueError(message)
        return self
