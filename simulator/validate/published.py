"""The published figures, as data: ``published.yaml`` beside this file."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import Field

from simulator.scenario.loader import parsed
from simulator.scenario.quantities import Name
from simulator.scenario.reader import read_document
from simulator.scenario.sensor import Strict

__all__ = [
    "AirFigures",
    "ClimateFigures",
    "CoolingFigures",
    "LearningFigures",
    "LoadFigures",
    "MotorFigures",
    "MouldingFigures",
    "OeeDefault",
    "OeeFigures",
    "OutputFigures",
    "Published",
    "VibrationFigures",
    "published",
]

Share = Annotated[float, Field(ge=0, le=1)]


class MotorFigures(Strict):
    """What a motor draws at parts of its load; current in shares of the rated one."""

    source: str
    tolerance: Share
    load: tuple[Share, ...]
    efficiency: tuple[Share, ...]
    power_factor: tuple[Share, ...]
    current: tuple[Share, ...]


class CoolingFigures(Strict):
    """Power usage effectiveness at parts of the rated IT load."""

    source: str
    tolerance: Share
    wet_bulb_c: float
    part_load: Share
    it_share: tuple[Share, ...]
    pue: tuple[float, ...]


class AirFigures(Strict):
    """Compressed air: its share of a plant's electricity, and the share of it that leaks."""

    source: str
    electricity: Share
    tolerance: Share
    leak_source: str
    leaks: tuple[Share, Share]
    leak_tolerance: Share


class VibrationFigures(Strict):
    """What vibration is good for long operation, mm/s RMS, of machines between two rated powers."""

    source: str
    rated_kw: tuple[float, float]
    border_mm_s: float


class ClimateFigures(Strict):
    """What is known of a climate beside its normals."""

    climate: Name
    solar_kwh_m2: float
    solar_tolerance: Share
    solar_source: str
    dust_source: str
    dust_sigma: float
    dust_range: tuple[float, float]
    dust_share: Share


class Range(Strict):
    """From a number to another."""

    low: float
    high: float


class OeeDefault(Strict):
    """The effectiveness that machines of some types have together."""

    name: str
    types: tuple[Name, ...]
    value: Share
    supplied: bool


class OeeFigures(Strict):
    """Overall equipment effectiveness of whole plants and of machine types."""

    plant: Range
    source: str
    tolerance: Share
    default_source: str
    defaults: tuple[OeeDefault, ...]


class OutputFigures(Strict):
    """What the lines of a plant make in a year."""

    site: Name
    factory: Name
    tolerance: Share
    source: str
    lines: dict[Name, float]


class MouldingFigures(Strict):
    """What a kilogram of mouldings takes."""

    type: Name
    kwh_per_kg: float
    source: str


class LoadFigures(Strict):
    """Statistics of energy per quarter of an hour; autocorrelations after a quarter, a day and a week."""

    source: str
    load_factor: Share
    weekend: float
    weekend_tolerance: float
    quarter: float
    quarter_tolerance: float
    day: float
    week: float
    lag_tolerance: float
    weekday_kwh: dict[int, float]
    """By the hour of a weekday."""
    peak: int
    judged: tuple[int, ...]
    shape_tolerance: float
    types: tuple[Name, ...]


class LearningFigures(Strict):
    """Wright's curve: the rate of each kind of work, and where it ends."""

    source: str
    tolerance: Share
    rates: dict[str, Share]
    repetitions: tuple[int, ...]
    floor: Share


class Published(Strict):
    """The whole file."""

    motor: MotorFigures
    cooling: CoolingFigures
    air: AirFigures
    vibration: VibrationFigures
    climates: tuple[ClimateFigures, ...]
    oee: OeeFigures
    output: tuple[OutputFigures, ...]
    moulding: MouldingFigures
    load_curve: LoadFigures
    learning: LearningFigures


@cache
def published() -> Published:
    """Return the published figures that come with parksim."""
    file = Path(str(resources.files("simulator.validate").joinpath("published.yaml")))
    return parsed(read_document(file), Published)
