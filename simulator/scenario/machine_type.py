"""Machine types: how a kind of machine works, fails and is measured. They are data; a user adds one in YAML."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.quantities import Amount, Duration, Name
from simulator.scenario.sensor import (
    BearingHeatModel,
    OutputModel,
    SensorType,
    SolarModel,
    StateModel,
    Strict,
    SupplyModel,
    VibrationModel,
)

__all__ = ["Bearing", "MachineType", "Motor", "Repair", "Step", "Stop", "Timing", "Uses"]


class Repair(Strict):
    """How long a stop lasts: lognormal with this mean and coefficient of variation."""

    mean: Duration = Field(gt=0, description="mean length of the stop")
    cv: float = Field(
        default=0.6, ge=0, le=5, description="standard deviation divided by the mean; 0 is always the mean"
    )


class Stop(Strict):
    """A reason why a running machine stops: a jam, a breakdown, a set-up."""

    name: Name = Field(description="what stops it")
    clock: Literal["calendar", "shift", "working"] = Field(
        default="working", description="which time counts towards the next one: always, in shifts, or in Execute only"
    )
    mtbf: Duration = Field(gt=0, description="mean time between stops, on that clock")
    shape: float = Field(default=1.0, ge=0.5, le=20, description="Weibull k: 1 is memoryless, 1.5 to 2 is wear")
    repair: Repair
    by: Literal["operator", "crew"] = Field(
        description="operators are at the machine; the crew is shared and may be busy"
    )
    becomes: Literal["held", "aborted"] = Field(description="PackML: held for jams and set-ups, aborted for faults")
    set_up: bool = Field(
        default=False, description="a set-up for other work, by operators: how long it takes is a matter of skill"
    )
    source: str = Field(default="", description="where the numbers come from")


class Timing(Strict):
    """How long the passing PackML states last."""

    resetting: Duration = Field(default=15_000_000_000, gt=0, description="time in Resetting")
    idle: Duration = Field(default=1_000_000_000, gt=0, description="time in Idle")
    starting: Duration = Field(default=10_000_000_000, gt=0, description="time in Starting")
    stopping: Duration = Field(default=8_000_000_000, gt=0, description="time in Stopping")
    aborting: Duration = Field(default=2_000_000_000, gt=0, description="time in Aborting")
    clearing: Duration = Field(default=30_000_000_000, gt=0, description="time in Clearing")
    holding: Duration = Field(default=2_000_000_000, gt=0, description="time in Holding")
    unholding: Duration = Field(default=3_000_000_000, gt=0, description="time in Unholding")
    suspending: Duration = Field(default=2_000_000_000, gt=0, description="time in Suspending")
    unsuspending: Duration = Field(default=2_000_000_000, gt=0, description="time in Unsuspending")


class Step(Strict):
    """A part of the cycle in which the drive works harder or less hard."""

    share: float = Field(gt=0, le=1, description="of the cycle")
    factor: float = Field(ge=0, le=5, description="times execute_load")


class Motor(Strict):
    """The drive of the machine, and how hard it works."""

    rated_kw: float = Field(gt=0, le=20_000, description="rated shaft power")
    volts: float = Field(default=400, gt=0, description="line-to-line voltage")
    execute_load: float = Field(ge=0, le=1.2, description="share of the rated shaft power while it makes parts")
    idle_load: float = Field(ge=0, le=1.2, description="the same while it is powered and makes none")
    wander: float = Field(default=0.03, ge=0, le=0.5, description="standard deviation of the load share in Execute")
    wander_tau: Duration = Field(default=20_000_000_000, gt=0, description="correlation time of the wander")
    profile: tuple[Step, ...] = Field(default=(), max_length=12, description="load over one cycle; none: even")
    standby_kw: float = Field(default=0.2, ge=0, description="controls and lights while it is stopped")
    source: str = Field(default="", description="where the numbers come from")

    @model_validator(mode="after")
    def profile_is_whole(self) -> Self:
        total = sum(step.share for step in self.profile)
        if self.profile and abs(total - 1) > 1e-6:
            message = f"profile: the shares add up to {total:g}, but must add up to 1, a whole cycle"
            raise ValueError(message)
        return self


class Bearing(Strict):
    """The bearing that wears: Weibull life, then an exponential rise of vibration before it fails."""

    l10: Duration = Field(gt=0, description="rated life, in running time, that 90 % of bearings reach")
    shape: float = Field(default=1.5, ge=0.5, le=20, description="Weibull k of the bearing life")
    warning: Duration = Field(gt=0, description="from the first sign to failure, in running time (the P-F interval)")
    acceleration: float = Field(default=1.0, ge=1, description="how many times faster than rated it wears")
    repair: Repair
    source: str = Field(default="", description="where the numbers come from")


class Uses(Strict):
    """What a machine takes, beside power, of what a site supplies: while it makes parts, and less while it waits."""

    air_m3_min: float = Field(default=0.0, ge=0, le=10_000, description="compressed air, m3/min of free air")
    steam_kg_h: float = Field(default=0.0, ge=0, le=1_000_000, description="steam, kg/h")
    cooling_kw: float = Field(default=0.0, ge=0, le=1_000_000, description="heat given to chilled water, kW")
    idle: float = Field(default=0.1, ge=0, le=1, description="share of it while it has power and makes nothing")
    source: str = Field(default="", description="where the numbers come from")


DipPoint = tuple[Annotated[float, Field(ge=0, le=1)], Annotated[Duration, Field(gt=0)]]
"""Share of the voltage that remains, and how long a machine stands it."""
DIPS: tuple[DipPoint, ...] = (
    (0.0, 20_000_000),
    (0.5, 200_000_000),
    (0.7, 500_000_000),
    (0.8, 10_000_000_000),
    (0.9, 3_600_000_000_000),
)
"""ITIC curve (nothing for 20 ms, 70 % for .5 s, 80 % for 10 s, 90 % always), with 50 % for .2 s of SEMI F47 [M]."""
RESERVED = {"asset", "factory", "line", "machine", "n", "park", "province", "seq", "t", "time", "time_ms"}
"""Names that messages, rows or tags have already."""


MOST_PERIODS = 32
"""Which sensors speak at an instant is a pattern of bits, one for each period."""


class MachineType(Strict):
    """A kind of machine: its cycle, its stops, its drive and its sensors."""

    runs_for_a_site: ClassVar[bool] = False
    """Whether it is a system, and not a machine of a line."""

    name: Name = Field(description="what `type` of a machine refers to, and the measurement in a database")
    title: str = Field(description="for people")
    source: str = Field(description="where the numbers come from")
    cycle: Duration = Field(gt=0, description="time per cycle at full speed")
    pieces: Amount = Field(ge=1, description="pieces per cycle: cavities, nests")
    first_pass_yield: float = Field(gt=0, le=1, description="share of good pieces")
    attended: bool = Field(
        default=True,
        description="an operator is at it, and it is held in his break; else it runs on, its jams wait until he is "
        "back, and its faults until they are noticed",
    )
    motor: Motor
    bearing: Bearing | None = Field(default=None, description="the bearing that wears, if one is watched")
    timing: Timing = Timing()
    uses: Uses = Field(default=Uses(), description="what else it takes of what a site supplies")
    ride_through: Duration = Field(default=0, ge=0, description="how long its battery lasts when the mains are away")
    dips: tuple[DipPoint, ...] = Field(
        default=(),
        max_length=12,
        description="[share of the voltage that remains, how long it stands that], from the deepest dip up; none: the "
        "curves of ITIC and SEMI F47",
    )
    stops: tuple[Stop, ...] = Field(default=(), description="why it stops")
    sensors: tuple[SensorType, ...] = Field(min_length=1, description="what is measured, in the order of the message")

    def stands_dip_ns(self, remaining: float) -> int:
        """Return how long it stands it that only a share of the voltage remains."""
        # A share such as 1 - .3 misses .7 by the last bit.
        return max((lasts for share, lasts in self.dips or DIPS if share <= remaining + 1e-9), default=0)

    @model_validator(mode="after")
    def stands_more_when_more_remains(self) -> Self:
        for (share, lasts), (more, longer) in pairwise(self.dips):
            if more <= share or longer <= lasts:
                message = f"dips: a share of {more:g} comes after {share:g}; shares and durations must both rise"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def is_whole(self) -> Self:
        names = [sensor.name for sensor in self.sensors]
        twice = {n for n in names if names.count(n) > 1}
        if twice:
            message = f"sensors: {', '.join(sorted(twice))} named twice; names are the fields of a message"
            raise ValueError(message)
        reserved = RESERVED & set(names)
        if reserved:
            message = (
                f"sensors: {', '.join(sorted(reserved))} is part of every message or row already; choose another name"
            )
            raise ValueError(message)
        periods = {sensor.period for sensor in self.sensors} - {None}
        if len(periods) > MOST_PERIODS:
            message = (
                f"sensors: {len(periods)} different periods, but an asset can have at most {MOST_PERIODS}; let some "
                "sensors share theirs"
            )
            raise ValueError(message)
        stops = [stop.name for stop in self.stops]
        again = {name for name in stops if stops.count(name) > 1}
        if again:
            message = f"stops: {', '.join(sorted(again))} named twice; each reason to stop needs a name of its own"
            raise ValueError(message)
        if sum(isinstance(sensor.model, StateModel) for sensor in self.sensors) > 1:
            message = "sensors: a machine has one state, so one sensor of model state"
            raise ValueError(message)
        if not self.runs_for_a_site and any(
            isinstance(s.model, SolarModel | SupplyModel | OutputModel) for s in self.sensors
        ):
            message = "sensors: models solar, supply and output belong to systems of a site, not to machines"
            raise ValueError(message)
        if self.bearing is None and any(isinstance(s.model, VibrationModel | BearingHeatModel) for s in self.sensors):
            message = "bearing: missing, but a sensor measures its vibration or heat"
            raise ValueError(message)
        return self
