"""The scenario: what a user writes to describe a park and a run. Frozen; unknown keys are mistakes."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from simulator.scenario.adoption import Adoption
from simulator.scenario.breaks import Breaks
from simulator.scenario.fault import MOST_FAULTS, Fault
from simulator.scenario.holidays import Tet
from simulator.scenario.load import Load
from simulator.scenario.machine_type import MachineType
from simulator.scenario.messaging import Messaging
from simulator.scenario.pace import MOST_CHANGES, PaceChange, Speed
from simulator.scenario.people import People
from simulator.scenario.quantities import NAME, Amount, Duration, Name
from simulator.scenario.sensor import Strict
from simulator.scenario.stored import Stored

__all__ = [
    "DAY_MIN",
    "UTILITIES",
    "Buffer",
    "Factory",
    "Kpis",
    "Line",
    "Machine",
    "Run",
    "Scenario",
    "Shifts",
    "Site",
    "System",
    "shift_span",
]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ALL_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_NS = 86_400_000_000_000
DAY_MIN = 24 * 60
CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
SHIFT = f"({CLOCK})-({CLOCK})"


def zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{value!r} is no time zone; use an IANA name such as Asia/Ho_Chi_Minh"
        raise ValueError(message) from None
    return value


def version(value: object) -> object:
    if type(value) is int and value != 1:
        message = f"version {value} of the format is not known to this parksim, must be 1"
        raise ValueError(message)
    return value if value != 1 or type(value) is int else str(value)


def aware(value: datetime) -> datetime:
    if not 1971 <= value.year <= 2200:
        message = f"{value.isoformat()} is out of reach, must be in the years 1971 to 2200"
        raise ValueError(message)
    if value.tzinfo is None:
        message = f"{value.isoformat()} has no offset; write one, such as {value.isoformat()}+07:00"
        raise ValueError(message)
    return value


def shift(value: str) -> str:
    """Refuse hours that are no shift; a day of 24 hours takes two."""
    match = re.fullmatch(SHIFT, value)
    if match is None:
        message = f"{value!r} is no shift; write HH:MM-HH:MM, such as 06:00-14:00 or 22:00-06:00"
        raise ValueError(message)
    if match[1] == match[2]:
        message = f"{value!r} starts when it ends; write two shifts, such as 06:00-18:00 and 18:00-06:00, for 24 hours"
        raise ValueError(message)
    return value


def clock(value: str) -> str:
    if re.fullmatch(CLOCK, value) is None:
        message = f"{value!r} is no time of day; write HH:MM, such as 13:00"
        raise ValueError(message)
    return value


def shift_span(hours: str) -> tuple[int, int]:
    """Return when a shift begins, minutes after midnight, and how many minutes it lasts."""
    begin, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in hours.split("-"))
    return begin, (end - begin) % DAY_MIN


def numbered(name: str, count: int) -> tuple[str, ...]:
    """Return the names of ``count`` things: ``press`` alone, or ``press-1``, ``press-2`` and so on."""
    return (name,) if count == 1 else tuple(f"{name}-{number}" for number in range(1, count + 1))


class Machine(Strict):
    """One or several machines of a type, with what differs from the type."""

    name: Name = Field(description="the last level of the topic; with a count, name-1, name-2 and so on")
    type: Name = Field(description="a machine type that comes with parksim, or one of machine_types")
    count: int = Field(default=1, ge=1, le=1_000, description="how many of them; 1 in a line whose flow is series")
    cycle: Duration | None = Field(default=None, gt=0, description="time per cycle, when it differs from the type's")
    pieces: Amount | None = Field(
        default=None, ge=1, description="pieces per cycle (cavities, nests), when they differ from the type's"
    )
    first_pass_yield: float | None = Field(
        default=None, gt=0, le=1, description="share of good pieces, when it differs from the type's"
    )

    def applied_to(self, spec: MachineType) -> MachineType:
        """Return the type with what this machine changes of it."""
        changes = {key: getattr(self, key) for key in ("cycle", "pieces", "first_pass_yield")}
        return spec.model_copy(update={key: value for key, value in changes.items() if value is not None})

    @property
    def names(self) -> tuple[str, ...]:
        """One name per machine."""
        return numbered(self.name, self.count)


class Line(Strict):
    """Machines side by side (parallel) or one after the other (series)."""

    name: Name = Field(description="the fourth level of the topic; with a count, name-1, name-2 and so on")
    count: int = Field(default=1, ge=1, le=1_000, description="how many identical lines")
    flow: Literal["parallel", "series"] = Field(
        default="parallel", description="parallel: each machine makes whole pieces; series: each piece passes them all"
    )
    machines: tuple[Machine, ...] = Field(min_length=1, description="in series, in the order that a piece passes them")
    takes: dict[Name, Annotated[int, Field(ge=1, le=1_000_000)]] = Field(
        default_factory=dict,
        description="buffer: pieces taken from it per piece made",
        json_schema_extra={"propertyNames": {"pattern": NAME}},
    )
    gives: Name | None = Field(
        default=None, description="the buffer that good pieces go to; none: they leave the factory"
    )
    between: Amount = Field(default=100, ge=1, description="room between two machines in series, pieces")

    @property
    def names(self) -> tuple[str, ...]:
        """One name per line."""
        return numbered(self.name, self.count)


class Buffer(Strict):
    """A store of parts between lines."""

    name: Name = Field(description="what lines take from and give to")
    capacity: Amount = Field(gt=0, description="pieces it holds at most; full, it blocks who fills it")
    initial: Amount = Field(default=0, ge=0, description="pieces in it when the park begins")
    fed_by: Name | None = Field(
        default=None, description="a supplier among the systems of the site; its lorries fill it, and no line does"
    )

    @model_validator(mode="after")
    def initial_fits(self) -> Self:
        if self.initial > self.capacity:
            message = f"initial(={self.initial}) must not exceed capacity(={self.capacity})"
            raise ValueError(message)
        return self


class Shifts(Strict):
    """When a factory works, in the time zone of the scenario."""

    hours: tuple[
        Annotated[str, AfterValidator(shift), WithJsonSchema({"type": "string", "pattern": f"^{SHIFT}$"})], ...
    ] = Field(
        default=("06:00-14:00", "14:00-22:00", "22:00-06:00"),
        min_length=1,
        max_length=4,
        description="from-to of each shift, local time; one that ends before it starts runs past midnight",
    )
    days: tuple[Day, ...] = Field(
        default=ALL_DAYS, min_length=1, max_length=7, description="the days on which a shift may begin"
    )
    until: dict[
        Day, Annotated[str, AfterValidator(clock), WithJsonSchema({"type": "string", "pattern": f"^{CLOCK}$"})]
    ] = Field(
        default_factory=dict,
        description="days on which the last shift ends at another time: a short Saturday, an evening of overtime",
    )
    closed: tuple[date, ...] = Field(default=(), description="holidays: no shift begins")
    holidays: Name | None = Field(default=None, description="public holidays on which no shift begins, such as vietnam")
    tet: Tet | None = Field(default=None, description="how it closes for the lunar new year; none: as above")
    breaks: Breaks | None = Field(default=None, description="when people rest; none: nobody stops for it")

    def hours_on(self, day: Day) -> tuple[str, ...]:
        """Return the shifts of a day of the week, in the order of the clock."""
        *others, last = sorted(self.hours)
        return (*others, f"{last[:5]}-{self.until[day]}" if day in self.until else last)

    @property
    def share_of_week(self) -> float:
        """The share of a week in which there is a shift."""
        return sum(shift_span(hours)[1] for day in self.days for hours in self.hours_on(day)) / (7 * DAY_MIN)


class Factory(Strict):
    """A tenant's plant: lines, buffers, shifts, and a repair crew that all lines share."""

    name: Name = Field(description="the third level of the topic")
    crew: int = Field(default=2, ge=1, le=1_000, description="repairs that can go on at once")
    shifts: Shifts = Field(default=Shifts(), description="when it works; three shifts every day by default")
    people: People | None = Field(
        default=None, description="skill, teams, turnover; none: people are as able as machine types say, for ever"
    )
    maturity: int | None = Field(
        default=None,
        ge=0,
        le=5,
        description="band of the Smart Industry Readiness Index: sensors, maintenance, detection of faults; none: all "
        "sensors that types have, and machines that run to failure",
    )
    buffers: tuple[Buffer, ...] = Field(default=(), description="stores of parts between its lines")
    lines: tuple[Line, ...] = Field(min_length=1, description="what makes things")
    load: Amount | None = Field(
        default=None,
        ge=1,
        description="good pieces in a lorry that leaves it; none: what it makes in four hours of the week at full pace",
    )


class System(Strict):
    """Something that runs round the clock for the site: a feeder, a weather station, panels on the roofs."""

    name: Name = Field(description="the last level of the topic; with a count, name-1, name-2 and so on")
    type: Name = Field(description="a system type")
    count: int = Field(default=1, ge=1, le=1_000, description="how many of them; `serves` means all of them")
    serves: tuple[Name, ...] = Field(
        default=(),
        description="factories and systems of the site that it supplies, with whatever its role gives; a port serves "
        "sites",
    )
    via: tuple[Name, ...] = Field(
        default=(),
        max_length=8,
        description="links of the site through which it reaches the world; the first that is open carries",
    )
    area: Name = Field(default="utilities", description="the third level of the topic")

    @property
    def names(self) -> tuple[str, ...]:
        """One name per system."""
        return numbered(self.name, self.count)


UTILITIES = "utilities"
"""The area of a site that its systems stand in unless they say otherwise, as factories are for machines."""


class Site(Strict):
    """An industrial park."""

    name: Name = Field(description="the second level of the topic")
    province: Name = Field(description="a tag of every reading")
    climate: Name = Field(default="ho-chi-minh-city", description="the normals of its weather")
    factories: tuple[Factory, ...] = Field(default=(), description="its tenants")
    systems: tuple[System, ...] = Field(default=(), description="what it runs for all of them")
    crew: int = Field(default=2, ge=1, le=1_000, description="repairs of systems that can go on at once")
    adoption: Adoption | None = Field(
        default=None, description="how tenants climb to higher bands of maturity; none: they stay where they are"
    )

    @property
    def devices(self) -> int:
        """How many machines and systems measure something."""
        lines = (line for area in self.areas for line in area.lines)
        return sum(line.count * sum(machine.count for machine in line.machines) for line in lines)

    @property
    def areas(self) -> tuple[Factory, ...]:
        """The factories and, as more of them that never close, the areas of the systems: a line per type."""
        return (*self.factories, *(self._open_area(name) for name in dict.fromkeys(one.area for one in self.systems)))

    @property
    def open_areas(self) -> frozenset[str]:
        """Names of the areas in which systems stand."""
        return frozenset(one.area for one in self.systems)

    def _open_area(self, name: str) -> Factory:
        mine = [one for one in self.systems if one.area == name]
        lines = {
            kind: tuple(Machine(name=one.name, type=kind, count=one.count) for one in mine if one.type == kind)
            for kind in dict.fromkeys(one.type for one in mine)
        }
        return Factory(
            name=name,
            crew=self.crew,
            lines=tuple(Line(name=kind, machines=machines) for kind, machines in lines.items()),
        )


class Kpis(Strict):
    """Key figures after ISO 22400, told on topics of their own."""

    every: Duration = Field(
        default=60_000_000_000, ge=1_000_000_000, le=DAY_NS, description="time from one message to the next"
    )
    levels: tuple[Literal["machine", "line", "factory", "site", "park"], ...] = Field(
        default=("machine", "line", "factory", "site", "park"),
        max_length=5,
        description="what has figures of its own on a topic .../_kpi; an empty list turns them off",
    )


class Run(Strict):
    """How a run goes when the command line does not say otherwise."""

    speed: Speed | Literal["max"] = Field(default=1.0, description="simulated seconds per second, or max")
    duration: Duration | None = Field(
        default=None, gt=0, alias="for", description="simulated time; none: until stopped"
    )


class Scenario(Strict):
    """A park, how it speaks, and how long it runs."""

    parksim: Annotated[Literal[1], BeforeValidator(version)] = Field(description="version of this format")
    name: Name = Field(description="names the run and its result")
    title: str = Field(default="", description="for people")
    seed: int = Field(default=1, ge=0, lt=2**64, description="the same file and seed give the same readings")
    timezone: Annotated[str, AfterValidator(zone)] = Field(
        default="Asia/Ho_Chi_Minh", description="IANA name of the zone in which shifts are written"
    )
    start: (
        Literal["now"]
        | Annotated[datetime, AfterValidator(aware), WithJsonSchema({"type": "string", "format": "date-time"})]
    ) = Field(default="now", description="the first simulated instant; now is the wall clock")
    warm_up: Duration = Field(default=0, ge=0, le=400 * DAY_NS, description="simulated before the start, and not shown")
    enterprise: Name = Field(default="binh-duong", description="the first level of the topic")
    machine_types: tuple[MachineType, ...] = Field(default=(), description="machine types of your own")
    sites: tuple[Site, ...] = Field(min_length=1, description="the industrial parks")
    faults: tuple[Fault, ...] = Field(
        default=(), max_length=MOST_FAULTS, description="what goes wrong when; several on one sensor act in this order"
    )
    truth: bool = Field(default=True, description="tell on topics .../_truth when which fault begins and ends")
    kpis: Kpis = Field(default=Kpis(), description="availability, OEE and other figures on topics .../_kpi")
    messaging: Messaging = Field(default=Messaging(), description="how readings travel")
    stored: Stored | None = Field(
        default=None, description="how an ingester that is not ours names things in the database; for parksim verify"
    )
    load: Load | None = Field(default=None, description="how much parksim load sends when, and what must hold")
    pace: tuple[PaceChange, ...] = Field(
        default=(),
        max_length=MOST_CHANGES,
        description="how the speed of parksim run changes; not with --speed, and not when it is max",
    )
    run: Run = Field(default=Run(), description="speed and length when the command line does not say otherwise")
