"""The order book of factories: export orders that come in, and are filled by what really leaves."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from simulator.scenario.quantities import Duration
from simulator.scenario.strict import Strict

__all__ = ["Orders"]


class Orders(Strict):
    """A book for each factory that it serves; what it shows is their sum or mean.

    Delivered is what has come as far as the park sees it: to the port that serves the site, else out of its gate, else
    out of the factory.
    """

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {
            *("open", "open_loads", "ordered", "delivered", "done", "declined", "late"),
            *("on_time_pct", "lead_h", "lead_mean_h", "stock_loads"),
        }
    )
    GIVES: ClassVar[str | None] = "orders"
    DRAWS: ClassVar[bool] = False

    kind: Literal["orders"] = Field(description="the order book of the factories that it serves")
    every: Duration = Field(gt=0, description="mean time between two orders of a factory; they come at random")
    loads: float = Field(ge=1, le=1_000, description="lorry loads in an order, on average (geometric)")
    book: int = Field(ge=1, le=100_000, description="loads that may be open; an order beyond is declined")
    planned: float = Field(
        default=0.6, gt=0, le=1, description="share of full pace that a delivery date is reckoned with"
    )
    slack: Duration = Field(ge=0, description="what is added to a delivery date for all that happens on the way")
