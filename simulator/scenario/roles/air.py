"""A compressed-air net: compressors, a receiver, leaks, and what low pressure does to machines."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.machine_type import Repair, Stop
from simulator.scenario.quantities import Duration
from simulator.scenario.sensor import Strict

__all__ = ["AirNet", "Failures"]


class Failures(Strict):
    """When one of several machines of a station fails, in calendar time, and how long a contractor mends it."""

    mtbf: Duration = Field(gt=0, description="mean time between failures of one machine")
    shape: float = Field(default=1.5, ge=0.5, le=20, description="Weibull k: 1 is memoryless, 1.5 to 2 is wear")
    repair: Repair
    source: str = Field(default="", description="where the numbers come from")

    @property
    def law(self) -> Stop:
        """The failures as a stop, which has a clock."""
        return Stop.model_construct(
            name="failure",
            clock="calendar",
            mtbf=self.mtbf,
            shape=self.shape,
            repair=self.repair,
            by="crew",
            becomes="aborted",
        )


class AirNet(Strict):
    """Screw compressors with load/unload control in a cascade; where no size is given, sized for those it serves."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"pressure", "flow", "leak", "loaded", "dew_point"})
    GIVES: ClassVar[str | None] = "air"
    DRAWS: ClassVar[bool] = True

    kind: Literal["air"] = Field(description="a compressed-air net")
    compressors: int = Field(ge=1, le=6, description="how many; each loads and unloads .1 bar below the one before it")
    flow_m3_min: float | None = Field(
        default=None,
        gt=0,
        le=10_000,
        description="free air of each; none: so much that all but one of them carry the average and the leaks",
    )
    receiver_min: float = Field(default=0.6, gt=0, le=60, description="receiver, in minutes of the flow of all of them")
    average: float = Field(
        default=0.6, gt=0, le=1, description="average use, as a share of what the served take when all of them work"
    )
    leaks: float = Field(ge=0, lt=0.9, description="share of the air delivered that is lost at average use and 7 bar")
    failures: Failures
    slow_below_bar: float = Field(gt=0, le=20, description="machines that use air become slow")
    slow_factor: float = Field(default=1.25, gt=1, le=10, description="times their cycle")
    stop_below_bar: float = Field(gt=0, le=20, description="machines that use air are held, until they are only slow")
    recover_bar: float = Field(default=0.4, gt=0, le=5, description="that much above `slow_below_bar` all is as it was")
    dew_c: float = Field(default=3.0, ge=-80, le=20, description="pressure dew point behind the dryer at 25 degrees")
    dew_per_degree: float = Field(default=0.15, ge=0, le=2, description="more for each degree of air above 25")
    source: str = Field(default="", description="where the numbers come from")

    @model_validator(mode="after")
    def slows_before_it_stops(self) -> Self:
        if self.stop_below_bar >= self.slow_below_bar:
            message = (
                f"stop_below_bar(={self.stop_below_bar:g}) must be less than slow_below_bar(={self.slow_below_bar:g}): "
                "machines are slow before they stop"
            )
            raise ValueError(message)
        if self.slow_below_bar + self.recover_bar > 6.8 - 0.1 * (self.compressors - 1):
            message = f"slow_below_bar(={self.slow_below_bar:g}): the last compressor loads hardly above that; lower it"
            raise ValueError(message)
        return self
