"""Reports: pages and charts that are made of results alone, and need nothing else to be looked at."""

from simulator.load.report.page import report_text

__all__ = ["report_text"]
