"""A container port: lorries of the sites that it serves come hours later, and wait for a vessel."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from simulator.scenario.quantities import Duration
from simulator.scenario.strict import Strict

__all__ = ["Port"]


class Port(Strict):
    """It serves sites, its own or others. Most of its containers come from elsewhere, as an even stream."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {
            *("on_the_way_teu", "yard_teu", "yard_pct", "landed_teu", "shipped_teu", "dwell_h", "dwell_mean_h"),
            *("berthed", "anchored", "calls", "moves_h", "moves", "delay_h", "delay_mean_h"),
        }
    )
    GIVES: ClassVar[str | None] = "shipping"
    DRAWS: ClassVar[bool] = True

    kind: Literal["port"] = Field(description="a container port")
    berths: int = Field(ge=1, le=50, description="vessels handled at once")
    cranes: int = Field(ge=1, le=20, description="ship-to-shore cranes per vessel")
    crane_moves_h: float = Field(gt=0, le=200, description="containers that a crane moves per hour")
    crane_kw: float = Field(ge=0, le=10_000, description="mean draw of a crane at work")
    base_kw: float = Field(ge=0, le=100_000, description="yard cranes, reefers, lights")
    teu_per_move: float = Field(default=1.6, ge=1, le=2, description="a container is of twenty or of forty feet")
    calls_every: Duration = Field(gt=0, description="mean time between two vessels")
    calls_cv: float = Field(default=0.5, ge=0, le=5, description="coefficient of variation of it")
    exchange: float = Field(gt=0, le=100_000, description="containers moved per call, on average")
    exchange_cv: float = Field(default=0.4, ge=0, le=5, description="coefficient of variation of it")
    yard: int = Field(ge=1, description="TEU that the yard holds")
    filled: float = Field(default=0.6, ge=0, le=1, description="share of it that is taken when the park begins")
    way: Duration = Field(gt=0, description="mean time of a lorry from the gate of a site to the port")
    way_cv: float = Field(default=0.3, ge=0, le=5, description="coefficient of variation of it")
    closing: Duration = Field(
        ge=0, description="what lands later than so long before a vessel is done waits for the next one"
    )
