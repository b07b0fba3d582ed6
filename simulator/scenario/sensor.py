"""Sensors: what is measured, how finely and how often, and the model that says what it shows."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.hours import Bend, Hours, WeatherName, check_bends
from simulator.scenario.quantities import Duration, Name
from simulator.scenario.strict import Strict

__all__ = [
    "BearingHeatModel",
    "CountModel",
    "CycleModel",
    "CycleTimeModel",
    "EnergyModel",
    "LagModel",
    "Model",
    "MotorModel",
    "Noise",
    "OutputModel",
    "ProfileModel",
    "RhythmModel",
    "SensorType",
    "ShareModel",
    "SolarModel",
    "StateModel",
    "Strict",
    "SupplyModel",
    "VibrationModel",
    "WeatherModel",
]


class Noise(Strict):
    """First-order autoregressive noise around the modelled value."""

    sigma: float = Field(ge=0, description="standard deviation, in the unit of the sensor")
    tau: Duration = Field(gt=0, description="correlation time")


class StateModel(Strict):
    """The PackML state, as it is at the sample and at each change."""

    kind: Literal["state"] = Field(description="the PackML state")
    changes: bool = Field(default=True, description="told at each change, too; else at its samples only")


class LagModel(Strict):
    """A first-order lag towards one value while driven and another while not."""

    kind: Literal["lag"] = Field(description="a first-order lag")
    on: float = Field(description="value it nears while driven")
    off: float = Field(default=30.0, description="value it nears while not driven")
    tau: Duration = Field(gt=0, description="time constant")
    drive: Literal["execute", "powered", "always"] = Field(
        default="powered", description="when it is driven: in Execute, whenever the machine has power, or always"
    )


Point = tuple[Annotated[float, Field(ge=0, le=1)], float]
"""Share of the cycle, and the set point there."""


class ProfileModel(Strict):
    """A first-order lag behind a set point that runs in straight lines over each cycle: the bath of a dyeing jet."""

    kind: Literal["profile"] = Field(description="it follows a profile of set points over the cycle, with a lag")
    points: tuple[Point, ...] = Field(
        min_length=2,
        max_length=24,
        description="[share of the cycle, set point], from share 0 to share 1; two of the same share make a jump",
    )
    off: float = Field(default=30.0, description="value it nears while not driven")
    tau: Duration = Field(gt=0, description="time constant")
    drive: Literal["execute", "powered", "always"] = Field(
        default="powered",
        description="when a cycle that waits keeps its set point: never (it nears `off`), while the machine has power, "
        "or always",
    )

    @model_validator(mode="after")
    def points_make_a_cycle(self) -> Self:
        shares = [share for share, _ in self.points]
        if shares[0] != 0 or shares[-1] != 1:
            message = f"points: run from share {shares[0]:g} to {shares[-1]:g}, but must run from 0 to 1, a whole cycle"
            raise ValueError(message)
        for one, other in pairwise(shares):
            if other < one:
                message = f"points: share {other:g} comes after {one:g}, but shares must not fall"
                raise ValueError(message)
        return self


class MotorModel(Strict):
    """What a power meter at the motor shows."""

    kind: Literal["motor"] = Field(description="what a power meter shows")
    shows: Literal["power", "current", "power_factor"] = Field(description="which of its quantities")


class VibrationModel(Strict):
    """Velocity in mm/s RMS: load, wear of the bearing, lognormal scatter."""

    kind: Literal["vibration"] = Field(description="vibration velocity")
    base: float = Field(default=0.9, gt=0, description="mm/s at full load with a healthy bearing")
    scatter: float = Field(default=0.06, ge=0, le=1, description="standard deviation of the logarithm")


class BearingHeatModel(Strict):
    """Temperature of the bearing: ambient, more in Execute, and up to 15 degrees more as it wears."""

    kind: Literal["bearing_heat"] = Field(description="temperature of the bearing")
    ambient: float = Field(default=30.0, description="degrees Celsius around it")
    rise: float = Field(default=25.0, ge=0, description="degrees above ambient in Execute")
    wear_rise: float = Field(default=15.0, ge=0, description="further degrees with a worn bearing")
    tau: Duration = Field(default=1_800_000_000_000, gt=0, description="time constant")


class CycleModel(Strict):
    """A value measured once per cycle; it shares the cycle's hidden quality, which also decides about scrap."""

    kind: Literal["cycle"] = Field(description="measured once per cycle")
    mean: float = Field(description="mean over many cycles")
    sigma: float = Field(ge=0, description="standard deviation between cycles")
    quality: float = Field(default=0.0, ge=-1, le=1, description="correlation with the hidden quality of the cycle")


class CycleTimeModel(Strict):
    """Seconds that the last cycle took."""

    kind: Literal["cycle_time"] = Field(description="seconds that the last cycle took")


class CountModel(Strict):
    """A counter that never falls."""

    kind: Literal["count"] = Field(description="a counter")
    of: Literal["cycles", "good", "bad"] = Field(description="what it counts: cycles, good or bad pieces")


class ShareModel(Strict):
    """Good or bad pieces among those of the last cycles, as a line keeps its yield; what it counts is what was made."""

    kind: Literal["share"] = Field(description="share of good or bad pieces of the last cycles")
    of: Literal["good", "bad"] = Field(description="which pieces")
    over: int = Field(ge=1, le=4096, description="how many cycles back it looks")
    per: float = Field(
        default=100.0,
        gt=0,
        le=10**9,
        description="what it counts them by: 100 for per cent, 1000000 for parts per million",
    )
    chances: int = Field(default=1, ge=1, le=10**6, description="opportunities of a piece for a defect, as in DPMO")


class EnergyModel(Strict):
    """Active energy since commissioning, kWh; never falls."""

    kind: Literal["energy"] = Field(description="active energy")


class WeatherModel(Strict):
    """What the sky over the site does."""

    kind: Literal["weather"] = Field(description="the weather of the site")
    shows: Literal["temperature", "humidity", "wet_bulb", "rain", "irradiance", "pm25"] = Field(
        description="Cel, %, Cel, mm/h, W/m2 or ug/m3"
    )


class SolarModel(Strict):
    """Photovoltaic panels under the sky of the site."""

    kind: Literal["solar"] = Field(description="photovoltaic panels")
    shows: Literal["power", "soiling"] = Field(description="kW fed in, held for a minute; or the share of light lost")


Flow = Literal["power", "reactive", "current", "voltage", "voltage_low", "power_factor", "thd"]
Register = Literal["energy", "normal", "off_peak", "peak", "reactive_energy"]
Billed = Literal["cost", "penalty", "month_power_factor", "co2"]


class SupplyModel(Strict):
    """A meter at a feeder: everything that it serves, with losses."""

    kind: Literal["supply"] = Field(description="a meter at a feeder")
    shows: Literal[Flow, Register, Billed] = Field(
        description="kW, kvar, A, V, the least V since the last reading, 1, %; registers in kWh, all and by tariff "
        "period, and in kvarh; the bill of the month so far: VND, VND, 1; t of CO2"
    )


class RhythmModel(Hours):
    """What follows the hours, the weekday and the weather: people in a shop, trucks on a road, a street lamp."""

    kind: Literal["rhythm"] = Field(description="it follows the hours of the day, the weekday and the weather")
    plus: dict[WeatherName, Bend] = Field(
        default_factory=dict,
        description="added by the weather: {temperature: [[20, 0], [40, 10]]} is half a step more per degree above 20",
    )
    tau: Duration | None = Field(default=None, gt=0, description="time constant by which it lags behind all that")
    relative: bool = Field(
        default=False, description="the noise is a share of the value (lognormal), so that nothing stays nothing"
    )
    off: float | None = Field(default=None, description="what it shows while the machine or system is not in Execute")

    @model_validator(mode="after")
    def bends_rise(self) -> Self:
        check_bends("plus", self.plus)
        return self


class OutputModel(Strict):
    """A quantity that the role of a system gives."""

    kind: Literal["output"] = Field(description="what the role of the system gives")
    shows: Name = Field(description="the name of the quantity; power (kW) and energy (kWh) of whatever takes power")


Model = Annotated[
    StateModel
    | LagModel
    | ProfileModel
    | MotorModel
    | VibrationModel
    | BearingHeatModel
    | CycleModel
    | CycleTimeModel
    | CountModel
    | ShareModel
    | EnergyModel
    | WeatherModel
    | SolarModel
    | SupplyModel
    | RhythmModel
    | OutputModel,
    Field(discriminator="kind"),
]


def aims(model: Model) -> tuple[float, ...]:
    """Return the values that a model is written around; none where they come from the machine or the weather."""
    match model:
        case LagModel():
            return (model.on,) if model.drive == "always" else (model.on, model.off)
        case ProfileModel():
            return tuple(value for _, value in model.points)
        case CycleModel():
            return (model.mean,)
        case _:
            return ()


def _span(values: tuple[float, ...]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


PER_CYCLE = (CycleModel, CycleTimeModel)
NOISY = (LagModel, ProfileModel, MotorModel, BearingHeatModel, WeatherModel, SupplyModel, RhythmModel, OutputModel)
"""Models whose sensors may add noise to the modelled value."""


class SensorType(Strict):
    """One sensor of a machine type."""

    name: Name = Field(description="field of the messages, with its unit: power_kw")
    title: str = Field(default="", description="for people")
    unit: str = Field(description="UCUM or plain: Cel, kW, mm/s, 1")
    range: tuple[float, float] = Field(description="what the instrument can show")
    resolution: Decimal = Field(
        ge=Decimal("1e-9"), le=10**9, description="the smallest step it shows: 0.1; 1 makes the field an integer"
    )
    period: Duration | None = Field(
        default=None, ge=100_000_000, description="sampling interval; none for sensors per cycle"
    )
    every: int = Field(default=1, ge=1, le=1_000_000, description="of cycles: one in so many is measured")
    model: Model = Field(description="what decides its value")
    noise: Noise | None = Field(default=None, description="of the instrument and its surroundings")
    source: str = Field(default="", description="where the numbers come from")

    @property
    def decimals(self) -> int:
        """Digits after the point."""
        exponent = self.resolution.normalize().as_tuple().exponent
        return max(0, -int(exponent))

    @property
    def step(self) -> int:
        """The resolution in units of its last digit: 5 for a resolution of 0.05."""
        return int(self.resolution.scaleb(self.decimals))

    @model_validator(mode="after")
    def fits(self) -> Self:
        low, high = self.range
        if not low < high:
            message = f"range(=[{low:g}, {high:g}]) must rise: the first number is the least the instrument can show"
            raise ValueError(message)
        if self.resolution > Decimal(repr(high)) - Decimal(repr(low)):
            message = f"resolution(={self.resolution}) is coarser than the range of [{low:g}, {high:g}], must be finer"
            raise ValueError(message)
        values = aims(self.model)
        if values and (max(values) < low or min(values) > high):
            message = f"range(=[{low:g}, {high:g}]) holds none of the values of its model, {_span(values)}; widen it"
            raise ValueError(message)
        if max(abs(low), abs(high)) >= 2**53 / 10**self.decimals:
            message = f"resolution(={self.resolution}) is too fine for a range of [{low:g}, {high:g}], must be coarser"
            raise ValueError(message)
        if isinstance(self.model, PER_CYCLE) != (self.period is None):
            message = f"period: a {self.model.kind} sensor speaks " + (
                "once per cycle and takes no period"
                if isinstance(self.model, PER_CYCLE)
                else "on a grid: give it one, such as 10s"
            )
            raise ValueError(message)
        if self.every != 1 and self.period is not None:
            message = f"every(={self.every}): a sensor with a period measures no cycles; remove it"
            raise ValueError(message)
        if not isinstance(self.model, NOISY) and self.noise is not None:
            message = f"noise: a {self.model.kind} sensor takes none; it is exact, or has a scatter of its own"
            raise ValueError(message)
        return self
