"""Tables of a report; what a result does not know is left out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from simulator.load.report.figures import latencies_of
from simulator.results.result import Result

__all__ = [
    "bottleneck",
    "clocks",
    "disturbances",
    "latencies",
    "ledger",
    "machine",
    "marked",
    "messages_of",
    "probes",
    "table",
    "thresholds",
]

HOPS = ("scheduled", "published", "acknowledged", "received", "written")
ENDS = ("spooled", "in_flight", "unaccounted", "duplicates", "reordered", "overwritten")


def marked(text: str, *, well: bool) -> str:
    return f'<span class="{"good" if well else "bad"}">{escape(text)}</span>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column is text and whose others are numbers; cells are escaped already."""
    heads = "".join(f"<th{' class=n' if place else ''}>{escape(one)}</th>" for place, one in enumerate(head))
    lines = (
        "<tr>" + f"<td>{row[0]}</td>" + "".join(f"<td class=n>{cell}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{heads}</tr>\n' + "\n".join(lines) + "</table></div>"


def number(value: float | None, digits: str = ",.2f") -> str:
    return "-" if value is None else format(value, digits)


def thresholds(result: Result) -> str:
    if not result.thresholds:
        return ""
    rows = [
        (
            f"<code>{escape(one.expression)}</code>",
            number(one.value, ",.4g"),
            marked("holds" if one.passed else "FAILS", well=one.passed),
        )
        for one in result.thresholds
    ]
    return "<h2>Thresholds</h2>" + table(("threshold", "measured", ""), rows)


def bottleneck(result: Result) -> str:
    found = None if result.load is None else result.load.bottleneck
    if found is None:
        return ""
    said = "Nothing gave way" if found.part == "none" else f"The {found.part} gave way"
    rows = [
        (f"messages before {name}" if name != "dropped" else "messages that the generator dropped", f"{value:+,.1f}/s")
        for name, value in found.backlog_per_s.items()
    ]
    rows += [
        (escape(name), f"{value:.2f}" if name.startswith("cores") else f"{value:.0%}")
        for name, value in found.busy.items()
    ]
    assert result.load is not None
    rows += [(escape(name), f"{value:,.4g}") for name, value in result.load.servers.items()]
    return f"<h2>{said}</h2><p>{escape(found.because)}</p>" + table(("", "growth, or share of the time"), rows)


def disturbances(result: Result) -> str:
    if result.load is None or not result.load.disturbances:
        return ""
    rows = [
        (
            escape(f"{one.kind} of {one.target}"),
            f"{one.from_s:,.1f} s",
            f"{one.to_s - one.from_s:,.1f} s",
            "never" if one.recovered_s is None else f"{one.recovered_s:,.1f} s",
            f"{one.lost:,}",
        )
        for one in result.load.disturbances
    ]
    return "<h2>Faults on purpose</h2>" + table(("fault", "at", "for", "recovered after", "messages lost"), rows)


def probes(result: Result) -> str:
    search = None if result.load is None else result.load.search
    if search is None:
        return ""
    rows = [
        (
            f"{one.rate_per_s:,.0f}/s" + (", confirmation" if one.is_confirmation else ""),
            f"{one.written_per_s:,.0f}/s",
            number(one.end_to_end_p99_ms),
            f"{one.backlog_per_s:,.1f}/s",
            marked("holds", well=True) if one.holds else f"{marked('fails', well=False)}: {escape(one.why)}",
        )
        for one in search.probes
    ]
    head = ("rate", "stored", "p99, ms", "piled up", "")
    return "<h2>The search for the highest rate</h2>" + table(head, rows)


def latencies(result: Result) -> str:
    rows = []
    for label, found in latencies_of(result):
        values = (found.p50, found.p90, found.p99, found.p999, found.p9999, found.max)
        rows.append((escape(label), *(number(value) for value in values), f"{found.count:,}"))
    head = ("ms after it was due", "p50", "p90", "p99", "p99.9", "p99.99", "max", "messages")
    note = (
        "<p>“From sending” runs from when a message was sent, not from when it was due: a tool that waits for a slow"
        " pipeline before it sends shows these.</p>"
        if any("from sending" in label for label, _ in latencies_of(result))
        else ""
    )
    return "<h2>Latency</h2>" + table(head, rows) + note


def messages_of(result: Result) -> dict[str, int]:
    """Return what became of the messages, by name."""
    messages = result.messages
    found = {name: getattr(messages, name) for name in HOPS}
    found |= {f"dropped: {reason}": many for reason, many in messages.dropped.items()}
    found |= {f"dead-lettered: {reason}": many for reason, many in messages.dead_letter_reasons.items()}
    return found | {name.replace("_", " "): getattr(messages, name) for name in ENDS}


def ledger(result: Result) -> str:
    rows = [(escape(name), f"{many:,}") for name, many in messages_of(result).items()]
    return "<h2>Every message</h2>" + table(("", "messages"), rows)


def clocks(result: Result) -> str:
    found = None if result.load is None else result.load.clocks
    if found is None:
        return ""
    rows = [("this machine's clock was set by", f"{found.stepped_ms:+,.0f} ms")]
    if found.drift_ppm is not None:
        rows.append(("it ran off its timer by", f"{found.drift_ppm:+,.1f} ppm"))
    if found.store_offset_ms is not None:
        offset = f"{found.store_offset_ms:+,.0f} ms ± {number(found.store_uncertain_ms, ',.0f')} ms"
        rows.append(("the clock of the database is off ours by", offset))
    return "<h2>Clocks</h2>" + table(("", ""), rows)


def machine(result: Result) -> str:
    made, generator = result.machine, result.generator
    rows = [
        ("cores", f"{made.cores}, {escape(made.model)}"),
        ("memory", f"{made.memory_bytes / 1e9:,.1f} GB"),
        ("the generator can at most", f"{number(generator.calibrated_max_per_s, ',.0f')}/s"),
        ("and had to give at most", number(generator.share_of_max, ".0%")),
        ("workers", "1" if result.load is None else str(result.load.workers)),
        ("broker", escape(result.simulated.broker)),
        ("store", escape(result.simulated.store)),
        ("from, to", f"{escape(result.started)}, {escape(result.finished)}"),
        *((escape(name), escape(version)) for name, version in result.versions.items()),
    ]
    verb = "run" if result.load is None else "load"
    again = f"parksim {verb} {result.scenario.name}.yaml   # with this text, seed {result.seed}"
    return (
        "<h2>Where and how</h2>"
        + table(("", ""), rows)
        + f"<pre>{escape(again)}</pre><details><summary>the scenario</summary>"
        + f"<pre>{escape(result.scenario.text)}</pre></details>"
    )
