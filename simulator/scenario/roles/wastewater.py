"""A wastewater treatment plant, and the analysers at its outlet."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.machine_type import Repair
from simulator.scenario.quantities import Duration
from simulator.scenario.sensor import Strict

__all__ = ["ANALYSED", "Analysers", "Pollutant", "Wastewater"]

HOUR_NS = 3_600_000_000_000
ANALYSED = ("cod_mg_l", "tss_mg_l", "nh4_n_mg_l", "ph", "temperature_c", "flow_in_m3_h", "flow_out_m3_h")
"""What an authority asks for, in the names of limits; the first three are what the basins remove."""


class Pollutant(Strict):
    """Something that comes in with the water and is removed in part."""

    influent_mg_l: float = Field(gt=0, description="mean of what comes in")
    sigma_mg_l: float = Field(ge=0, description="its standard deviation, of hourly means")
    removal: float = Field(ge=0, lt=1, description="share removed while all blowers work")
    standard_mg_l: float = Field(gt=0, description="the solution that its analyser is calibrated with")


class Analysers(Strict):
    """Instruments at the outlet: they fail by chance, each for itself, and are calibrated by the clock."""

    mtbf: Duration = Field(gt=0, description="mean time between failures of one of them")
    repair: Repair
    calibrate_every: Duration = Field(gt=0, description="from one calibration to the next")
    calibrate_for: Duration = Field(gt=0, description="how long one takes")
    scatter: float = Field(default=0.03, ge=0, le=0.5, description="standard deviation of a reading, as a share of it")
    ph_sigma: float = Field(default=0.25, ge=0, le=2, description="standard deviation of pH")
    tau: Duration = Field(default=HOUR_NS, gt=0, description="correlation time of both")

    @model_validator(mode="after")
    def calibration_ends(self) -> Self:
        if self.calibrate_for >= self.calibrate_every:
            message = "calibrate_for must be less than calibrate_every: it is over before it is due again"
            raise ValueError(message)
        return self


class Wastewater(Strict):
    """Equalise, treat, aerate, clarify: what blowers fail to aerate shows hours later at the outlet."""

    SHOWS: ClassVar[frozenset[str]] = frozenset(
        {*ANALYSED, *(f"{name}_status" for name in ANALYSED), "do_mg_l", "aeration"}
    )
    """Units as in the names, aeration in % of the blowers that are needed; a status is 0, 1 or 2."""
    GIVES: ClassVar[str | None] = None
    DRAWS: ClassVar[bool] = True

    kind: Literal["wastewater"] = Field(description="a wastewater treatment plant; blowers serve it")
    design_m3_day: float = Field(gt=0, le=10_000_000, description="daily flow that it is built for")
    cod: Pollutant = Field(description="chemical oxygen demand")
    tss: Pollutant = Field(description="total suspended solids")
    nh4_n: Pollutant = Field(description="ammonium nitrogen")
    influent_tau: Duration = Field(default=6 * HOUR_NS, gt=0, description="correlation time of what comes in")
    ph: float = Field(default=7.2, ge=0, le=14, description="mean of the effluent")
    oxygen_mg_l: float = Field(default=2.0, gt=0, le=15, description="dissolved oxygen while all blowers work")
    oxygen_tau: Duration = Field(default=1_800_000_000_000, gt=0, description="time constant of the oxygen")
    full_rain_mm_h: float = Field(default=20.0, gt=0, description="rain with which all drains run full")
    hold: Duration = Field(default=2 * HOUR_NS, gt=0, description="time constant of the outflow behind the inflow")
    blowers_needed: int = Field(default=2, ge=1, le=100, description="blowers at work that aerate all of the water")
    base_kw: float = Field(ge=0, description="power of mixers, scrapers and controls")
    kwh_per_m3: float = Field(ge=0, description="energy of pumps; blowers have motors of their own")
    analysers: Analysers = Field(description="what measures at the outlet")
