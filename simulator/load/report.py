"""The report of a load test: one HTML file that needs nothing else, in light and dark, without a script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from simulator.load.profile import Profile
from simulator.results.result import Result

__all__ = ["report_text"]

Rows = Sequence[dict[str, float | None]]
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 860, 240, 70, 24, 12
MOST_POINTS = 600
"""Of a line: more than a screen has room for."""
RATES = {"due": "due_per_s", "published": "published_per_s", "written": "written_per_s"}
LATENCIES = {"in the store, p50": "end_to_end_p50_ms", "p99": "end_to_end_p99_ms", "sent, p99": "lateness_p99_ms"}
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #656d76; --line: #d7dce1;
  --a: #0b62c4; --b: #b4560b; --c: #6a4bb5; --bad: #b3261e; --good: #1a7f37; --shade: #f1f3f5 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --paper: #14171a; --faint: #8b949e;
  --line: #363c43; --a: #6cb0ff; --b: #f0a35e; --c: #b7a1f5; --bad: #ff8a80; --good: #6fd58b; --shade: #1d2126 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.05rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td.n { text-align: right; font-variant-numeric: tabular-nums }
.bad { color: var(--bad); font-weight: 600 } .good { color: var(--good); font-weight: 600 }
svg { width: 100%; height: auto } svg text { fill: var(--faint); font-size: 12px }
pre { overflow-x: auto; background: var(--shade); padding: .75rem }
"""


def report_text(result: Result, rows: Rows, profile: Profile) -> str:
    """Return the page: verdict, thresholds, rates and latencies over time, the ledger by hop, and how to repeat it."""
    passed = result.exit_code == 0
    heading = marked("PASS" if passed else f"EXIT {result.exit_code}", well=passed)
    parts = [
        f"<h1>{escape(result.scenario.name)}: {heading}</h1>",
        f"<p>{escape(result.verdict)}</p>",
        f"<p>{escape(result.reason)}</p>" if result.reason else "",
        thresholds(result),
        "<h2>Messages a second</h2>",
        chart(rows, profile, RATES, unit="/s"),
        "<h2>Milliseconds after a message was due</h2>",
        chart(rows, profile, LATENCIES, unit=" ms"),
        "<h2>On the way</h2>",
        chart(rows, profile, {"messages in flight": "in_flight"}, unit=""),
        latencies(result),
        ledger(result),
        machine(result),
    ]
    body = "\n".join(part for part in parts if part)
    title = escape(f"parksim load: {result.scenario.name}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def marked(text: str, *, well: bool) -> str:
    return f'<span class="{"good" if well else "bad"}">{text}</span>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column is text and whose others are numbers; cells are escaped already."""
    heads = "".join(f"<th>{escape(one)}</th>" for one in head)
    lines = (
        "<tr>" + f"<td>{row[0]}</td>" + "".join(f"<td class=n>{cell}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{heads}</tr>\n" + "\n".join(lines) + "</table>"


def thresholds(result: Result) -> str:
    if not result.thresholds:
        return ""
    rows = [
        (
            f"<code>{escape(one.expression)}</code>",
            "-" if one.value is None else f"{one.value:,.4g}",
            marked("holds" if one.passed else "FAILS", well=one.passed),
        )
        for one in result.thresholds
    ]
    return "<h2>Thresholds</h2>" + table(("threshold", "measured", ""), rows)


def chart(rows: Rows, profile: Profile, lines: dict[str, str], *, unit: str) -> str:
    """Draw columns over wall time, with the stages shaded; a line breaks where nothing was measured."""
    if not rows:
        return "<p>It was over before a second had passed.</p>"
    step = max(1, len(rows) // MOST_POINTS)
    rows = rows[::step]
    last_s = max(float(rows[-1]["wall_s"] or 0.0), profile.duration_s)
    most = max((row[name] or 0.0 for row in rows for name in lines.values()), default=0.0) or 1.0

    def x(wall_s: float) -> float:
        return LEFT + wall_s / last_s * (WIDTH - LEFT)

    def y(value: float) -> float:
        return TOP + (1 - value / most) * (HEIGHT - BOTTOM - TOP)

    drawn = []
    for number, span in enumerate(profile.spans):
        if number % 2 == 0:
            drawn.append(
                f'<rect x="{x(span.from_s):.1f}" y="{TOP}" width="{x(span.to_s) - x(span.from_s):.1f}"'
                f' height="{HEIGHT - BOTTOM - TOP}" fill="var(--shade)"><title>{escape(span.name)}</title></rect>'
            )
    for share in (0.0, 0.5, 1.0):
        at = y(most * share)
        drawn.append(f'<line x1="{LEFT}" x2="{WIDTH}" y1="{at:.1f}" y2="{at:.1f}" stroke="var(--line)"/>')
        drawn.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{most * share:,.4g}{unit}</text>')
    drawn.append(f'<text x="{WIDTH}" y="{HEIGHT - 6}" text-anchor="end">{last_s:,.0f} s</text>')
    for (name, column), color, dash in zip(lines.items(), ("a", "b", "c"), ("", "6 3", "2 3"), strict=False):
        for points in unbroken([(row["wall_s"] or 0.0, row[column]) for row in rows]):
            path = " ".join(f"{x(wall_s):.1f},{y(value):.1f}" for wall_s, value in points)
            drawn.append(
                f'<polyline points="{path}" fill="none" stroke="var(--{color})" stroke-width="1.8"'
                f' stroke-dasharray="{dash}"><title>{escape(name)}</title></polyline>'
            )
    legend = " · ".join(
        f'<span style="color: var(--{color})">{mark} {escape(name)}</span>'
        for name, color, mark in zip(lines, ("a", "b", "c"), ("———", "— —", "· · ·"), strict=False)
    )
    label = escape(", ".join(lines))
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(drawn)}</svg><p>{legend}</p>'


def unbroken(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Return the runs of points that have values."""
    runs: list[list[tuple[float, float]]] = [[]]
    for wall_s, value in points:
        if value is None:
            runs.append([])
        else:
            runs[-1].append((wall_s, value))
    return [run for run in runs if run]


def latencies(result: Result) -> str:
    names = {
        "lateness": "handed over",
        "publish": "acknowledged",
        "broker": "at the bridge",
        "end_to_end": "in the store",
    }
    rows = []
    for name, label in names.items():
        found = getattr(result.latency_ms, name)
        values = (found.p50, found.p90, found.p99, found.p999, found.max)
        rows.append((label, *("-" if value is None else f"{value:,.2f}" for value in values), f"{found.count:,}"))
    head = ("ms after it was due", "p50", "p90", "p99", "p99.9", "max", "messages")
    return "<h2>Latency from the moment a message was due</h2>" + table(head, rows)


def ledger(result: Result) -> str:
    messages = result.messages
    rows = [
        (name, f"{getattr(messages, name):,}")
        for name in ("scheduled", "published", "acknowledged", "received", "written")
    ]
    rows += [(f"dropped: {escape(reason)}", f"{number:,}") for reason, number in messages.dropped.items()]
    rows += [
        (f"dead-lettered: {escape(reason)}", f"{number:,}") for reason, number in messages.dead_letter_reasons.items()
    ]
    rows += [
        (name.replace("_", " "), f"{getattr(messages, name):,}")
        for name in ("spooled", "in_flight", "unaccounted", "duplicates", "reordered", "overwritten")
    ]
    return "<h2>Every message</h2>" + table(("", "messages"), rows)


def machine(result: Result) -> str:
    made, generator = result.machine, result.generator
    share = "-" if generator.share_of_max is None else f"{generator.share_of_max:.0%}"
    ceiling = "-" if generator.calibrated_max_per_s is None else f"{generator.calibrated_max_per_s:,.0f}/s"
    rows = [
        ("cores", f"{made.cores}, {escape(made.model)}"),
        ("memory", f"{made.memory_bytes / 1e9:,.1f} GB"),
        ("the generator can at most", ceiling),
        ("and had to give at most", share),
        ("broker", escape(result.simulated.broker)),
        ("store", escape(result.simulated.store)),
        ("from, to", f"{escape(result.started)}, {escape(result.finished)}"),
        *((escape(name), escape(version)) for name, version in result.versions.items()),
    ]
    scenario = escape(result.scenario.text)
    again = f"parksim load {result.scenario.name}.yaml   # with this text, seed {result.seed}"
    return (
        "<h2>Where and how</h2>"
        + table(("", ""), rows)
        + f"<pre>{escape(again)}</pre><details><summary>the scenario</summary><pre>{scenario}</pre></details>"
    )
