"""An office that grants permits: applications wait for a clerk, and take long where little is digital."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from simulator.scenario.quantities import Duration
from simulator.scenario.schema import Shifts
from simulator.scenario.sensor import Strict

__all__ = ["PermitOffice"]


class PermitOffice(Strict):
    """Applications come at random in office hours, c clerks take exponential times: M/M/c on the office's clock."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {"waiting", "in_hand", "waited", "processing", "done_today", "done", "permits_in_time"}
    )
    """Applications three times, office hours of the last one twice, permits twice, % of the last hundred."""
    GIVES: ClassVar[str | None] = None
    DRAWS: ClassVar[bool] = False

    kind: Literal["permit-office"] = Field(description="a queue of applications for permits")
    hours: Shifts = Field(description="when it is open; its clocks stand still while it is closed")
    per_hour: float = Field(gt=0, le=10_000, description="applications per office hour")
    clerks: int = Field(ge=1, le=1_000, description="how many applications are worked on at once")
    work: Duration = Field(gt=0, description="mean time of a clerk per application, with everything digital")
    maturity: float = Field(
        default=3.0, ge=0, le=5, description="digital maturity, SIRI 0 to 5: below 5 work takes longer"
    )
    slower: float = Field(
        default=0.12, ge=0, le=1, description="share by which work is longer for each level of maturity below 5"
    )
    target: Duration = Field(gt=0, description="office time in which an application should be done")
