"""The people of a factory as a scenario describes them: heads, teams, skill, turnover and training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simulator.scenario.quantities import Duration
from simulator.scenario.sensor import Strict

__all__ = ["People", "Training"]

DAY_NS = 86_400_000_000_000


class Training(Strict):
    """Cohorts that a partner university trains: those with the least skill first."""

    every: Duration = Field(default=91 * DAY_NS, ge=DAY_NS, description="from one cohort to the next [E]")
    share: float = Field(default=0.1, gt=0, le=1, description="of the people, in a cohort [E]")
    lasts: Duration = Field(default=5 * DAY_NS, ge=DAY_NS, description="days away from work [E]")
    hours: float = Field(default=40.0, gt=0, le=2_000, description="of training for each of them [E]")
    gain: float = Field(
        default=0.5, gt=0, le=1, description="how much of what schooling can still add a cohort brings home [E]"
    )


class People(Strict):
    """Operators and repair crews: how many, how able, and how they come and go."""

    heads: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="on the payroll; none: for each team the crew, and an operator per attended machine",
    )
    teams: int | None = Field(
        default=None,
        ge=1,
        le=12,
        description="that take turns at the shifts; none: as few as work 48 h a week at most, four for 2x12",
    )
    skill: float = Field(
        default=0.75, ge=0, le=1, description="of everyone when the park begins; at 0.75 repairs take what types say"
    )
    work: Literal["assembly", "machine-paced"] = Field(
        default="machine-paced", description="what operators learn: Wright's r is .80 or .90"
    )
    turnover: float = Field(default=0.03, ge=0, lt=1, description="share who leave in a month; 2 to 4 % [E]")
    half_life: Duration = Field(
        default=90 * DAY_NS, gt=0, description="until half of what is not practised is forgotten [E]"
    )
    training: Training | None = Field(default=None, description="courses; none: people learn at work alone")
