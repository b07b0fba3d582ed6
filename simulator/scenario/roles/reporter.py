"""The reporter of environmental data: a record every five minutes, as the authority wants it."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.quantities import Duration, Name
from simulator.scenario.sensor import Strict

__all__ = ["RECORD_NS", "Reporter"]

MINUTE_NS = 60_000_000_000
RECORD_NS = 5 * MINUTE_NS


class Reporter(Strict):
    """It means what analysers show over five minutes, sends it on, and keeps what it cannot send."""

    OF_A_RECORD: ClassVar[tuple[str, ...]] = ("from", "late", "exceeded")
    """Said with each record that is sent: the second since 1970 at which its five minutes began, 1 if it is late, and
    how many of its values break a limit."""
    ALWAYS: ClassVar[tuple[str, ...]] = ("waiting", "missing", "exceedances", "completeness", "compliance", "online")
    """Said all the time: records that wait, records that never were or were lost, values that broke a limit, share of
    the due values of a day that have arrived and are valid (%), share of the values so far within their limits (%), and
    1 while the line is up."""
    GIVES: ClassVar[str | None] = "records"
    DRAWS: ClassVar[bool] = False

    kind: Literal["reporter"] = Field(description="a reporter of what analysers show to the authority")
    parameters: tuple[Name, ...] = Field(min_length=1, max_length=40, description="what those it serves analyse")
    medium: Literal["water", "air"] = Field(description="what its share within the limits counts for")
    standard: Name = Field(description="the regulation that the values are held to: qcvn-40")
    edition: int | None = Field(default=None, description="its year; none: the edition in force when the park begins")
    column: str = Field(default="B", description="column of its table")
    factors: dict[Name, float] = Field(default_factory=dict, description="of the permit: kq, kf")
    least_minutes: int = Field(default=4, ge=1, le=5, description="minutes that must be valid for a value")
    late_after: Duration = Field(default=RECORD_NS, ge=MINUTE_NS, description="age at which a record is late")
    keeps: int = Field(default=288, ge=1, le=100_000, description="records that can wait; more push out the oldest")

    @property
    def SHOWS(self) -> frozenset[str]:  # noqa: N802 - other roles state it once for all
        """What it says: values and their status (0, 1 or 2) as far as it has them, and how reporting goes."""
        statuses = (f"{name}_status" for name in self.parameters)
        return frozenset({*self.parameters, *statuses, *self.OF_A_RECORD, *self.ALWAYS})

    @model_validator(mode="after")
    def names_each_once(self) -> Self:
        if len(set(self.parameters)) < len(self.parameters):
            message = "parameters: one is there twice; remove one of them"
            raise ValueError(message)
        return self
