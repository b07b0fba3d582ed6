"""Faults that a user schedules: what befalls which machine or sensor, when, and for how long.

``CODES`` and ``CAUSES`` are the numbers of the truth stream, a public contract: a number is never given a new meaning.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from simulator.scenario.document import shown
from simulator.scenario.quantities import Duration, duration_ns, instant_ns
from simulator.scenario.sensor import Strict

__all__ = [
    "CODES",
    "MOST_FAULTS",
    "AirLeak",
    "Breakdown",
    "Cause",
    "ClockSkew",
    "Drift",
    "Duplicates",
    "Fault",
    "Flood",
    "Gap",
    "MachineFault",
    "NetworkFault",
    "Offset",
    "PowerDip",
    "Quantised",
    "Reorder",
    "SensorFault",
    "Slow",
    "Spike",
    "Stop",
    "Stuck",
    "SystemFault",
]

MOST_FAULTS = 1_000
"""Entries of ``faults`` in a scenario; how many machines and sensors they strike together has a bound of its own."""

CODES = {
    "breakdown": 1,
    "slow": 2,
    "stop": 3,
    "bearing": 4,
    "stuck": 11,
    "drift": 12,
    "spike": 13,
    "gap": 14,
    "offset": 15,
    "quantised": 16,
    "clock_skew": 21,
    "flood": 22,
    "duplicates": 23,
    "reorder": 24,
    "power_loss": 31,
    "power_dip": 32,
    "air_leak": 33,
    "compressor": 34,
    "low_air": 35,
    "no_air": 36,
    "no_steam": 37,
    "no_cooling": 38,
}
"""Field ``fault`` of the truth: 1 to 10 befall machines, 11 to 20 sensors, 21 to 30 the network, and 31 to 40 come with
what a site supplies.

A bearing and a compressor of a station only fail by themselves; the loss of power, air, steam or cooling of a machine
is a consequence of what befell the system that supplies it."""


class Cause(IntEnum):
    """Field ``cause`` of the truth."""

    SCHEDULED = 1
    ITSELF = 2
    HAND = 3
    CONSEQUENCE = 4

    @property
    def words(self) -> str:
        """The cause as a result tells it."""
        return {
            Cause.SCHEDULED: "scheduled",
            Cause.ITSELF: "by itself",
            Cause.HAND: "by hand",
            Cause.CONSEQUENCE: "consequence",
        }[self]


def moment(value: object) -> int | datetime:
    """Return nanoseconds after the start for a duration, or an instant that has an offset."""
    try:
        return duration_ns(value)
    except ValueError:
        pass
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or not 1971 <= instant.year <= 2200:
        message = (
            f"{shown(value)} is no time of a fault; write a duration after the start, such as 10m, or an instant with "
            "its offset, such as 2026-01-05T06:00:00+07:00"
        )
        raise ValueError(message)
    return instant


Moment = Annotated[
    int | datetime,
    BeforeValidator(moment),
    WithJsonSchema({"type": "string", "examples": ["10m", "2026-01-05T06:00:00+07:00"]}),
]


class Scheduled(Strict):
    """What all scheduled faults have: a time, a length, a target."""

    at: Moment = Field(description="when it begins: a duration after the start, or an instant with its offset")
    duration: Duration = Field(gt=0, alias="for", description="how long it lasts")
    target: str = Field(
        min_length=1,
        max_length=400,
        description="park/factory/line/machine, for a sensor with /sensor; * stands for any part of a level",
    )
    by_hand: bool = Field(
        default=False, description="whether it was begun by hand in the run that this file repeats; the truth says so"
    )

    @property
    def cause(self) -> Cause:
        """What the truth says of why it begins."""
        return Cause.HAND if self.by_hand else Cause.SCHEDULED

    def span_ns(self, start_ns: int) -> tuple[int, int]:
        """Return from when to when it lasts in a run that starts at ``start_ns``, since the Unix epoch."""
        from_ns = start_ns + self.at if isinstance(self.at, int) else instant_ns(self.at)
        return from_ns, from_ns + self.duration

    @property
    def parameter(self) -> float:
        """How bad it is: the number that the truth carries, 0 if there is none."""
        return 0.0


class Breakdown(Scheduled):
    """A machine aborts and stays Aborted; nobody is needed to mend it."""

    kind: Literal["breakdown"] = Field(description="the machine aborts")


class Slow(Scheduled):
    """A machine takes longer for each cycle."""

    kind: Literal["slow"] = Field(description="each cycle takes longer")
    factor: float = Field(ge=0.1, le=100, description="times the cycle of the machine; those in force multiply")

    @property
    def parameter(self) -> float:
        """Times the cycle."""
        return self.factor


class Stop(Scheduled):
    """An operator holds a machine whenever it makes parts."""

    kind: Literal["stop"] = Field(description="an operator holds the machine")


LONGEST_DIP_NS = 60_000_000_000
"""IEEE 1159: a sag lasts from half a cycle to a minute."""


class PowerDip(Scheduled):
    """The voltage behind a feeder sinks for a moment; machines that do not stand it trip."""

    kind: Literal["power_dip"] = Field(description="the voltage of a feeder sinks for a moment")
    duration: Duration = Field(gt=0, le=LONGEST_DIP_NS, alias="for", description="how long it lasts, a minute at most")
    depth: float = Field(gt=0, le=0.95, description="share by which it sinks; all of it is a breakdown of the feeder")

    @property
    def parameter(self) -> float:
        """Share of the voltage."""
        return self.depth


class AirLeak(Scheduled):
    """A pipe of a compressed-air net leaks."""

    kind: Literal["air_leak"] = Field(description="a pipe of a compressed-air net leaks")
    m3_min: float = Field(gt=0, le=10_000, description="free air lost at 7 bar, m3/min; less at less pressure")

    @property
    def parameter(self) -> float:
        """Free air lost at 7 bar, m3/min."""
        return self.m3_min


class Stuck(Scheduled):
    """A sensor goes on showing its last reading."""

    kind: Literal["stuck"] = Field(description="the last reading is shown on and on")


class Drift(Scheduled):
    """A sensor is off by more and more, and right again once the fault is over."""

    kind: Literal["drift"] = Field(description="the reading is off by more and more")
    per_hour: float = Field(description="how much more each hour, in the unit of the sensor")

    @property
    def parameter(self) -> float:
        """Unit of the sensor per hour."""
        return self.per_hour


class Spike(Scheduled):
    """Single readings of a sensor are far off."""

    kind: Literal["spike"] = Field(description="single readings are far off")
    chance: float = Field(gt=0, le=1, description="of each reading to be one")
    height: float = Field(description="added to the reading, in the unit of the sensor")

    @property
    def parameter(self) -> float:
        """Height, in the unit of the sensor."""
        return self.height


class Gap(Scheduled):
    """A sensor says nothing."""

    kind: Literal["gap"] = Field(description="no readings")


class Offset(Scheduled):
    """A sensor is off by the same amount all the time."""

    kind: Literal["offset"] = Field(description="the reading is off by a constant")
    by: float = Field(description="added to each reading, in the unit of the sensor")

    @property
    def parameter(self) -> float:
        """Unit of the sensor."""
        return self.by


class Quantised(Scheduled):
    """A sensor shows coarser steps than it should."""

    kind: Literal["quantised"] = Field(description="readings move in coarse steps")
    step: float = Field(gt=0, description="size of a step, in the unit of the sensor")

    @property
    def parameter(self) -> float:
        """Unit of the sensor."""
        return self.step


class ClockSkew(Scheduled):
    """The clock of a gateway is off, and with it the time of every message of what it serves."""

    ROLES: ClassVar[frozenset[str]] = frozenset({"gateway"})

    kind: Literal["clock_skew"] = Field(description="the clock of a gateway is off")
    offset_ms: float = Field(default=0.0, ge=-60_000, le=60_000, description="ahead by so much from the beginning on")
    ppm: float = Field(default=0.0, ge=-1_000, le=1_000, description="and gains so many microseconds each second")

    @property
    def parameter(self) -> float:
        """Milliseconds at the beginning."""
        return self.offset_ms


class Flood(Scheduled):
    """Traffic that nobody wants takes the room of a link or gateway. It is modelled; none is sent."""

    ROLES: ClassVar[frozenset[str]] = frozenset({"gateway", "link"})

    kind: Literal["flood"] = Field(description="unwanted traffic takes the room of a link or gateway")
    mbit_s: float = Field(gt=0, le=10_000_000, description="how much of it, Mbit/s")

    @property
    def parameter(self) -> float:
        """Mbit/s."""
        return self.mbit_s


class Duplicates(Scheduled):
    """A gateway sends some messages twice: the same message, with the same number."""

    ROLES: ClassVar[frozenset[str]] = frozenset({"gateway"})

    kind: Literal["duplicates"] = Field(description="a gateway sends messages twice")
    chance: float = Field(gt=0, le=1, description="of each message to be sent again")
    within: Duration = Field(default=2_000_000_000, gt=0, le=3_600_000_000_000, description="how much later at most")

    @property
    def parameter(self) -> float:
        """Chance."""
        return self.chance


class Reorder(Scheduled):
    """Some messages of a gateway take longer, so that later ones overtake them."""

    ROLES: ClassVar[frozenset[str]] = frozenset({"gateway"})

    kind: Literal["reorder"] = Field(description="messages of a gateway overtake each other")
    chance: float = Field(gt=0, le=1, description="of each message to take longer")
    within: Duration = Field(default=5_000_000_000, gt=0, le=3_600_000_000_000, description="how much longer at most")

    @property
    def parameter(self) -> float:
        """Chance."""
        return self.chance


SystemFault = PowerDip | AirLeak
"""Those that befall systems of one kind only."""
MachineFault = Breakdown | Slow | Stop | SystemFault
NetworkFault = ClockSkew | Flood | Duplicates | Reorder
SensorFault = Stuck | Drift | Spike | Gap | Offset | Quantised
Fault = Annotated[Breakdown | Slow | Stop | SensorFault | SystemFault | NetworkFault, Field(discriminator="kind")]
