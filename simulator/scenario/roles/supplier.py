"""A supplier: what buffers are fed by from outside, late or in time."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from simulator.scenario.quantities import Duration
from simulator.scenario.strict import Strict

__all__ = ["Supplier"]


class Supplier(Strict):
    """It fills the buffers of the site that name it with ``fed_by``.

    Stock is reviewed at whole multiples of ``review``; what is missing to the capacity, and not under way, is ordered.
    """

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"open", "dispatched", "deliveries", "lead_h", "delay_h", "on_time_pct", "supplied", "waiting_h"}
    )
    GIVES: ClassVar[str | None] = "goods"
    DRAWS: ClassVar[bool] = False

    kind: Literal["supplier"] = Field(description="its lorries feed buffers; while it is down none sets out")
    review: Duration = Field(ge=60_000_000_000, description="how often stock is reviewed")
    lot: float = Field(
        default=0.1, gt=0, le=1, description="least order, as a share of the capacity; less waits for the next review"
    )
    lead: Duration = Field(gt=0, description="mean time from an order to its lorry being at the gate")
    cv: float = Field(default=0.4, ge=0, le=5, description="coefficient of variation of it (lognormal)")
    promised: Duration = Field(gt=0, description="what it promises; later is late")
