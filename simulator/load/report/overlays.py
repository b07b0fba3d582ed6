"""The charts of two results laid over each other: the first in one colour, the other in another."""

from __future__ import annotations

from collections.abc import Callable

from simulator.load.report.axes import nines, of_percentiles, of_time, of_values
from simulator.load.report.charts import curve, column, drawn, stage_bands, values_of
from simulator.load.report.drawing import Chart, Line, Points
from simulator.load.report.tables import HOPS
from simulator.results.result import Result

__all__ = ["overlaid"]
