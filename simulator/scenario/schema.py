"""The scenario: what a user writes to describe a park and a run. Frozen; unknown keys are mistakes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from simulator.scenario.machine_type import MachineType, Strict
from simulator.scenario.quantities import Amount, Duration, Name

__all__ = ["Buffer", "Factory", "Line", "Machine", "Messaging", "Run", "Scenario", "Shifts", "Site"]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ALL_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_NS = 86_400_000_000_000


def zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{value!r} is no time zone; use an IANA name such as Asia/Ho_Chi_Minh"
        raise ValueError(message) from None
    return value


def aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        message = f"{value.isoformat()} has no offset; write one, such as {value.isoformat()}+07:00"
        raise ValueError(message)
    return value


class Machine(Strict):
    """One or several machines of a type, with what differs from the type."""

    name: Name
    type: Name
    count: int = Field(default=1, ge=1, le=1_000)
    cycle: Duration | None = Field(default=None, gt=0)
    pieces: Amount | None = Field(default=None, ge=1)
    first_pass_yield: float | None = Field(default=None, gt=0, le=1)


class Line(Strict):
    """Machines side by side (parallel) or one after the other (series)."""

    name: Name
    count: int = Field(default=1, ge=1, le=1_000, description="how many identical lines")
    flow: Literal["parallel", "series"] = "parallel"
    machines: tuple[Machine, ...] = Field(min_length=1)
    takes: dict[Name, float] = Field(default_factory=dict, description="buffer: pieces per piece made")
    gives: Name | None = Field(
        default=None, description="the buffer that good pieces go to; none: they leave the factory"
    )
    between: Amount = Field(default=100, ge=1, description="room between two machines in series, pieces")

    @model_validator(mode="after")
    def pieces_are_whole(self) -> Self:
        for buffer, pieces in self.takes.items():
            if pieces <= 0 or pieces != int(pieces):
                message = f"takes: {buffer}(={pieces:g}) must be a whole number of pieces, 1 or more"
                raise ValueError(message)
        return self


class Buffer(Strict):
    """A store of parts between lines."""

    name: Name
    capacity: Amount = Field(gt=0)
    initial: Amount = Field(default=0, ge=0)

    @model_validator(mode="after")
    def initial_fits(self) -> Self:
        if self.initial > self.capacity:
            message = f"initial(={self.initial}) must not exceed capacity(={self.capacity})"
            raise ValueError(message)
        return self


class Shifts(Strict):
    """When a factory works, in the time zone of the scenario."""

    hours: tuple[Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")], ...] = Field(
        default=("06:00-14:00", "14:00-22:00", "22:00-06:00"), min_length=1, max_length=4
    )
    days: tuple[Day, ...] = Field(default=ALL_DAYS, min_length=1, description="the days on which a shift may begin")
    closed: tuple[date, ...] = Field(default=(), description="holidays: no shift begins")


class Factory(Strict):
    """A tenant's plant: lines, buffers, shifts, and a repair crew that all lines share."""

    name: Name
    crew: int = Field(default=2, ge=1, le=1_000, description="repairs that can go on at once")
    shifts: Shifts = Shifts()
    buffers: tuple[Buffer, ...] = ()
    lines: tuple[Line, ...] = Field(min_length=1)


class Site(Strict):
    """An industrial park."""

    name: Name
    province: Name
    factories: tuple[Factory, ...] = Field(min_length=1)


class Messaging(Strict):
    """How readings travel."""

    format: Literal["json"] = "json"
    qos: Literal[0, 1, 2] = 1
    gateway_per: Literal["site", "factory", "line"] = Field(
        default="factory", description="what shares one MQTT connection"
    )
    window: int = Field(default=100, ge=1, le=65_535, description="messages sent and not yet acknowledged, per gateway")


class Run(Strict):
    """How a run goes when the command line does not say otherwise."""

    speed: float | Literal["max"] = Field(default=1, description="simulated seconds per second, or max")
    duration: Duration | None = Field(
        default=None, gt=0, alias="for", description="simulated time; none: until stopped"
    )

    @model_validator(mode="after")
    def speed_is_positive(self) -> Self:
        if self.speed != "max" and not self.speed > 0:
            message = f"speed(={self.speed:g}) must be > 0, or max"
            raise ValueError(message)
        return self


class Scenario(Strict):
    """A park, how it speaks, and how long it runs."""

    parksim: Literal[1] = Field(description="version of this format")
    name: Name
    title: str = ""
    seed: int = Field(default=1, ge=0, lt=2**64)
    timezone: Annotated[str, AfterValidator(zone)] = "Asia/Ho_Chi_Minh"
    start: (
        Literal["now"]
        | Annotated[datetime, AfterValidator(aware), WithJsonSchema({"type": "string", "format": "date-time"})]
    ) = Field(default="now", description="the first simulated instant; now is the wall clock")
    warm_up: Duration = Field(default=0, ge=0, le=400 * DAY_NS, description="simulated before the start, and not shown")
    enterprise: Name = "binh-duong"
    machine_types: tuple[MachineType, ...] = Field(default=(), description="machine types of your own")
    sites: tuple[Site, ...] = Field(min_length=1)
    messaging: Messaging = Messaging()
    run: Run = Run()
