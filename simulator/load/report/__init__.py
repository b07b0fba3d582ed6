"""Reports to look at: one HTML file, and each chart as SVG."""

from simulator.load.report.charts import Chart
from simulator.load.report.comparison import compared_text, differences
from simulator.load.report.figures import charts_of
from simulator.load.report.page import report_text

__all__ = ["Chart", "charts_of", "compared_text", "differences", "report_text"]
