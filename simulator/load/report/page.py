"""The report of a result: one HTML file that needs nothing else, in light and dark, without a script."""

from __future__ import annotations

from html import escape

from simulator.load.report import park, pipeline, tables
from simulator.load.report.chart import Chart
from simulator.load.report.charts import PALETTE, charts_of
from simulator.load.report.drawing import STYLE, figure_text, legal
from simulator.load.report.figures import count, number, per_s, percent
from simulator.load.report.words import language, t
from simulator.results.result import Result

__all__ = ["BEGINNING", "page_text", "report_text", "verdict_of"]

BEGINNING = "<!doctype html><!-- a report of parksim -->\n"
"""What a page of ours begins with, and what tells it from a file that is not to be overwritten."""
POLICY = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
"""Nothing is fetched and no script runs, whatever stands in a result."""
PAGE_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 2.2rem 0 .5rem }
table { border-collapse: collapse; min-width: 60%; overflow-wrap: normal }
td, th { text-align: left; padding: .25rem 1.25rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 500; color: var(--faint) } td:last-child, th:last-child { padding-right: 0 }
td:first-child { min-width: 7rem }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.scroll { overflow-x: auto } .scroll + .scroll { margin-top: 1.25rem } .time { white-space: nowrap }
td.long { min-width: 14rem }
details { margin-top: .75rem } .faint { color: var(--faint) }
.bad { color: var(--bad); font-weight: 600 } .good { color: var(--good); font-weight: 600 }
.key { display: flex; flex-wrap: wrap; gap: .75rem 2.5rem; margin: 1.25rem 0 }
.key dt { color: var(--faint) } .key dd { margin: 0; font-size: 1.3rem; font-weight: 600 }
svg { display: block; width: 100%; height: auto }
.legend { display: flex; flex-wrap: wrap; gap: 0 1.5rem; list-style: none; padding: 0; margin: 0 0 .25rem;
  font-size: .85rem; color: var(--faint) }
.legend svg { display: inline-block; width: 28px; height: 10px; vertical-align: middle; margin-right: .25rem }
pre { overflow-x: auto; background: var(--shade); padding: .75rem; overflow-wrap: normal }
@media print { body { max-width: none; margin: 0 } section { break-inside: avoid } }
"""


def report_text(result: Result) -> str:
    """Return the page. Whatever was not measured is left out of it."""
    charts = {chart.name: chart for chart in charts_of(result)}
    test = result.load
    parts = [
        f"<h1>{escape(result.scenario.name)}: {verdict_of(result)}</h1>",
        f"<p lang=en>{escape(result.verdict)}</p>",
        f"<p lang=en>{escape(result.reason)}</p>" if result.reason else "",
        key_figures(result),
        tables.section(t("Thresholds"), tables.thresholds(result)),
        *(charted(charts, name) for name in ("rates", "latencies", "in-flight")),
        charted(charts, "distribution"),
        tables.section(t("Latency"), tables.latencies(result)),
    ]
    if test is not None:
        parts += [
            tables.section(t("What gave way"), tables.bottleneck(test.bottleneck), tables.servers(test.servers))
            if test.bottleneck
            else "",
            tables.section(t("Disturbances"), tables.disturbances(test.disturbances)),
            charted(charts, "search", tables.search(test.search), title=t("Search for the highest rate"))
            if test.search
            else "",
            tables.section(t("Clocks"), tables.clocks(test.clocks)) if test.clocks else "",
        ]
    parts += [
        tables.section(t("Every message"), pipeline.ledger(result), pipeline.retries(result)),
        tables.section(t("Refused or never received"), pipeline.missing(result)),
        tables.section(t("Gateways"), pipeline.gateways(result.gateways)) if result.gateways else "",
        tables.section(t("The park"), park.park(result.park)) if result.park else "",
        tables.section(t("Done by hand"), park.actions(result)),
        tables.section(t("Faults of the park"), park.faults(result)),
        tables.section(t("Machine and versions"), tables.machine(result)),
        tables.section(t("How to repeat it"), tables.repeat(result)),
    ]
    kind = "run" if test is None else "load"
    return page_text(f"parksim {kind}: {result.scenario.name}", parts)


def page_text(title: str, parts: list[str]) -> str:
    """Return a whole page around its parts, which are escaped already."""
    body = "\n".join(part for part in parts if part)
    return legal(
        f'{BEGINNING}<html lang="{language()}"><head><meta charset="utf-8">{POLICY}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{PALETTE}{PAGE_STYLE}{STYLE}</style></head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body></html>\n"
    )


def verdict_of(result: Result) -> str:
    passed = result.exit_code == 0
    return tables.marked(t("PASS") if passed else t("EXIT {code}", code=result.exit_code), well=passed)


def charted(charts: dict[str, Chart], name: str, text: str = "", *, title: str = "") -> str:
    """Return the section of a chart; without the chart what else stands in it, if anything does."""
    chart = charts.get(name)
    if chart is None:
        return tables.section(title, text)
    return tables.section(title or chart.title, figure_text(chart), text)


def key_figures(result: Result) -> str:
    """Return the few numbers that are looked for first."""
    stored = result.latency_ms.end_to_end
    written, scheduled = count(result.messages.written), count(result.messages.scheduled)
    figures = [
        (t("published"), per_s(result.rates.published_per_s)),
        (
            t("written of scheduled"),
            t("{written} of {scheduled}", written=written, scheduled=scheduled),
        ),
    ]
    if result.load is None:
        figures.append((t("readings written"), per_s(result.rates.written_readings_per_s)))
        if result.park is not None:
            figures += [
                ("OEE", percent(result.park.oee.get("park"))),
                (t("energy"), f"{number(result.park.energy_kwh)} kWh"),
            ]
    if stored.p99 is not None:
        figures.append((t("in the store, p99"), f"{number(stored.p99)} ms"))
    search = result.load.search if result.load is not None else None
    if search is not None and search.max_per_s is not None:
        figures.append((t("highest rate that holds"), per_s(search.max_per_s)))
    return (
        "<dl class=key>" + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures) + "</dl>"
    )
