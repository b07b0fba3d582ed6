"""A load test as a user writes it: stages of rates, and what must hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from simulator.scenario.quantities import NUMBER, Duration, Name, rate_per_s
from simulator.scenario.strict import Strict

__all__ = ["LATE_AFTER_NS", "Disturbance", "Hold", "Level", "Load", "Ramp", "Replay", "Sine", "Stage", "Step"]

SECOND_NS = 1_000_000_000
LONGEST_NS = 7 * 86_400 * SECOND_NS
LATE_AFTER_NS = 5 * SECOND_NS
LEAST, MOST = 0.1, 10_000_000.0
ASSETS = re.compile(r"\s*([0-9]+)\s*assets\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Level:
    """How much is sent at an instant: messages a second, or as many as so many machines say."""

    number: float
    is_assets: bool = False

    def per_s(self, of_an_asset: float) -> float:
        """Return messages a second, if an asset says so many."""
        return self.number * of_an_asset if self.is_assets else self.number


def level(text: object) -> Level:
    """Read ``5k/s`` or ``2000 assets``. Raises ValueError."""
    assets = ASSETS.fullmatch(text) if isinstance(text, str) else None
    if assets is not None:
        found = Level(float(assets[1]), is_assets=True)
    else:
        try:
            found = Level(rate_per_s(text))
        except ValueError as error:
            message = f"{error}; or a number of machines, such as 2000 assets"
            raise ValueError(message) from None
    if not LEAST <= found.number <= MOST:
        message = f"must be from {LEAST:g} to {MOST:,.0f}, and is {found.number:g}"
        raise ValueError(message)
    return found


MessageRate = Annotated[
    Level,
    PlainValidator(level),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*({NUMBER}\s*[kM]?\s*/\s*s|[0-9]+\s*assets)\s*$",
            "examples": ["500/s", "25k/s", "2000 assets"],
        }
    ),
]
"""Messages a second, or what so many assets of the park say on average."""


class Timed(Strict):
    """What all stages have."""

    name: Name | None = Field(default=None, description="for thresholds of this stage only")
    duration: Duration = Field(alias="for", gt=0, le=LONGEST_NS, description="wall time that it takes")


class Hold(Timed):
    """The same rate all the time; a short one is a spike."""

    kind: Literal["hold", "spike"] = Field(default="hold", description="the shape of the stage")
    rate: MessageRate = Field(description="messages a second, or a number of machines that say as much: 2000 assets")


class Ramp(Timed):
    """From one rate to another, evenly."""

    kind: Literal["ramp"] = Field(description="the shape of the stage")
    from_: MessageRate = Field(alias="from", description="messages a second at its beginning")
    to: MessageRate = Field(description="messages a second at its end")


class Step(Timed):
    """From one rate to another in steps of the same length."""

    kind: Literal["step"] = Field(description="the shape of the stage")
    from_: MessageRate = Field(alias="from", description="messages a second in the first step")
    to: MessageRate = Field(description="messages a second in the last step")
    steps: int = Field(ge=2, le=1_000, description="how many")


class Sine(Timed):
    """Up and down between two rates."""

    kind: Literal["sine"] = Field(description="the shape of the stage")
    from_: MessageRate = Field(alias="from", description="messages a second at the least, where it begins")
    to: MessageRate = Field(description="messages a second at the most")
    period: Duration = Field(ge=SECOND_NS, description="from least to least")


class Replay(Timed):
    """Rates that were recorded elsewhere, one after the other."""

    kind: Literal["replay"] = Field(description="the shape of the stage")
    rates: tuple[MessageRate, ...] = Field(
        min_length=1,
        max_length=100_000,
        description="messages a second, or a number of machines that say as much: 2000 assets",
    )


Stage = Annotated[Hold | Ramp | Step | Sine | Replay, Field(discriminator="kind")]


class Disturbance(Strict):
    """A fault of the pipeline, on purpose."""

    kind: Literal["cut", "hold", "delay", "storm", "restart"] = Field(
        description="cut: connections break, and nobody gets in; hold: nothing is passed on; delay: everything is "
        "late; storm: all devices lose their connections and come back, each at random within `for`; restart: a "
        "broker of our own ends, and comes back"
    )
    target: Literal["publishers", "bridge", "database", "broker"] = Field(
        description="whose connections; broker: only with restart"
    )
    at: Duration = Field(ge=0, le=LONGEST_NS, description="wall time after the first message was due")
    duration: Duration = Field(
        default=0, alias="for", ge=0, le=3_600 * SECOND_NS, description="0: connections break once, and all come back"
    )
    by: Duration = Field(default=0, ge=0, le=60 * SECOND_NS, description="of a delay: how late, each way")

    @model_validator(mode="after")
    def _fits(self) -> Disturbance:
        if (self.kind == "restart") != (self.target == "broker"):
            message = "restart goes with target broker, and nothing else does"
            raise ValueError(message)
        if (self.kind == "delay") != (self.by > 0):
            message = "a delay needs `by`, such as 200ms, and nothing else has it"
            raise ValueError(message)
        if self.kind == "storm" and self.target != "publishers":
            message = "a storm is one of publishers"
            raise ValueError(message)
        if self.kind in {"hold", "delay"} and not self.duration:
            message = f"a {self.kind} needs `for`, such as 5s"
            raise ValueError(message)
        return self


class Load(Strict):
    """Stages one after the other, and thresholds for all of it or for a stage."""

    stages: tuple[Stage, ...] = Field(min_length=1, max_length=1_000, description="one after the other, in wall time")
    thresholds: tuple[str, ...] = Field(
        default=(), max_length=100, description="such as `end_to_end p99 < 250 ms`, `unaccounted == 0 in peak`"
    )
    disturbances: tuple[Disturbance, ...] = Field(
        default=(), max_length=100, description="faults of the pipeline while it is under load"
    )
    late_after: Duration = Field(
        default=LATE_AFTER_NS,
        ge=10_000_000,
        le=3_600 * SECOND_NS,
        description="a message that could not be sent so long after it was due is dropped, and counted",
    )

    @model_validator(mode="after")
    def _names(self) -> Load:
        names = [stage.name for stage in self.stages if stage.name is not None]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            message = f"two stages have the name {twice[0]!r}"
            raise ValueError(message)
        return self
