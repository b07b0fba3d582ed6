"""The report of a result: one HTML file that needs nothing else, in light and dark, without a script."""

from __future__ import annotations

from html import escape

from simulator.load.report.charts import STYLE as CHART_STYLE
from simulator.load.report.figures import charts_of
from simulator.load.report.tables import (
    bottleneck,
    clocks,
    disturbances,
    latencies,
    ledger,
    machine,
    marked,
    probes,
    thresholds,
)
from simulator.results.result import Result

__all__ = ["GENERATOR", "page", "report_text"]

GENERATOR = '<meta name="generator" content="parksim report">'
"""By which a file is known to be ours, and may be written over."""
STYLE = (
    CHART_STYLE
    + """
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.05rem; margin-top: 2rem }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
.bad { color: var(--bad); font-weight: 600 } .good { color: var(--good); font-weight: 600 }
svg { width: 100%; height: auto } svg text { fill: var(--faint); font-size: 12px }
.legend span { margin-right: 1.5rem; white-space: nowrap } .legend { margin: 0 }
pre { overflow-x: auto; background: var(--shade); padding: .75rem } code { overflow-wrap: anywhere }
"""
)


def report_text(result: Result) -> str:
    """Return the page of a result: verdict, thresholds, charts, what gave way, every message, and how to repeat it."""
    passed = result.exit_code == 0
    heading = marked("PASS" if passed else f"EXIT {result.exit_code}", well=passed)
    charts = [f"<h2>{escape(chart.title)}</h2>{chart.svg()}" for chart in charts_of(result)]
    parts = [
        f"<h1>{escape(result.scenario.name)}: {heading}</h1>",
        f"<p>{escape(result.verdict)}</p>",
        f"<p>{escape(result.reason)}</p>" if result.reason else "",
        thresholds(result),
        bottleneck(result),
        *charts,
        disturbances(result),
        probes(result),
        latencies(result),
        ledger(result),
        clocks(result),
        machine(result),
    ]
    return page(f"parksim: {result.scenario.name}", parts)


def page(title: str, parts: list[str]) -> str:
    """Return a whole page."""
    body = "\n".join(part for part in parts if part)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">{GENERATOR}'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )
