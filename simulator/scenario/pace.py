"""How the speed of a run changes while it goes on: as planned, or as it was changed by hand in an earlier run."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from simulator.scenario.fault import Cause, Moment
from simulator.scenario.quantities import Duration, instant_ns
from simulator.scenario.strict import Strict

__all__ = ["FASTEST", "MOST_CHANGES", "SLOWEST", "PaceChange", "Speed"]

SLOWEST, FASTEST = 0.001, 1e6
"""Simulated seconds per second: beyond these a run stands still, or does nothing else than "max" does."""
MOST_CHANGES = 1_000
Speed = Annotated[float, Field(ge=SLOWEST, le=FASTEST)]


class PaceChange(Strict):
    """From an instant on a run goes faster or slower, or at that instant it pauses. No reading depends on it."""

    at: Moment = Field(description="when: a duration after the start, or an instant with its offset")
    speed: Speed | None = Field(default=None, description="simulated seconds per second from then on")
    pause: Duration | None = Field(default=None, gt=0, description="wall time for which nothing happens")
    by_hand: bool = Field(
        default=False, description="whether it was done by hand in the run that this file repeats; the truth says so"
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.speed is None) == (self.pause is None):
            message = "give either a speed or a pause"
            raise ValueError(message)
        return self

    def at_ns(self, start_ns: int) -> int:
        """Return the simulated instant in a run that starts at ``start_ns``, since the Unix epoch."""
        return start_ns + self.at if isinstance(self.at, int) else instant_ns(self.at)

    @property
    def cause(self) -> Cause:
        """What the truth says of why it happens."""
        return Cause.HAND if self.by_hand else Cause.SCHEDULED
