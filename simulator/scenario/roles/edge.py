"""An edge node that reckons how long machines will last, and is judged by what then happens."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from simulator.scenario.quantities import Duration
from simulator.scenario.strict import Strict

__all__ = ["Edge"]


class Edge(Strict):
    """It serves factories, and watches some of their machines.

    Whenever a machine begins to make parts it reckons the time to its next fault: what is truly left on the clock of
    the fault, times a lognormal error that is drawn anew after each fault. Below ``horizon`` it warns. A warning is
    right if the machine breaks down within twice the horizon, and wrong if not; a fault without a warning is missed.
    """

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"watched", "coverage_pct", "alerts", "open", "right", "wrong", "missed", "precision_pct", "recall_pct"}
        | {"lead_h", "lead_mean_h"}
    )
    GIVES: ClassVar[str | None] = "insight"
    DRAWS: ClassVar[bool] = False

    kind: Literal["edge"] = Field(description="a node that foresees faults of the machines in its factories")
    coverage: float = Field(gt=0, le=1, description="share of the machines that can break down which it watches")
    horizon: Duration = Field(gt=0, description="it warns of faults that it expects within so long")
    error: float = Field(ge=0, le=5, description="standard deviation of the logarithm of what it reckons")
