"""The tables of a report. Every cell is escaped where it is made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from simulator.load.report.charts import HOPS
from simulator.load.report.figures import NOTHING, number, per_s, percent
from simulator.load.thresholds import LATENCIES, RATES
from simulator.results.load_test import Bottleneck, Clocks, Disturbance, LoadTest, Search
from simulator.results.part import Percentiles
from simulator.results.result import Messages, Result, ThresholdOutcome

__all__ = [
    "LEDGER",
    "bottleneck",
    "clocks",
    "disturbances",
    "latencies",
    "ledger",
    "ledger_rows",
    "machine",
    "marked",
    "measured",
    "repeat",
    "search",
    "section",
    "table",
    "thresholds",
]

LEDGER = ("scheduled", "published", "acknowledged", "received", "written")
ASIDE = ("spooled", "in_flight", "unaccounted", "duplicates", "reordered", "overwritten")
MOST_ROWS = 100
MOST_TEXT = 100_000
"""Characters of a scenario that the page carries; the result has all of it."""
PERCENTILE_HEAD = ("p50", "p90", "p99", "p99.9", "p99.99", "max", "messages")


def marked(text: str, *, well: bool) -> str:
    return f'<span class="{"good" if well else "bad"}">{escape(text)}</span>'


def section(title: str, *parts: str) -> str:
    """Return a section with its heading, or nothing if there is nothing in it."""
    body = "\n".join(part for part in parts if part)
    return f"<section><h2>{escape(title)}</h2>\n{body}\n</section>" if body else ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1) -> str:
    """Return a table whose first columns, so many of them, are words, and whose others are numbers.

    Cells are escaped already. A table that is too wide scrolls by itself, and so takes the focus of the keyboard.
    """
    if not rows:
        return ""
    kinds = ["" if place < words else " class=n" for place in range(len(head))]
    heads = "".join(f"<th scope=col{kind}>{escape(one)}</th>" for one, kind in zip(head, kinds, strict=True))
    lines = [
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows[:MOST_ROWS]
    ]
    rest = f"<p>and {len(rows) - MOST_ROWS:,} more, in the result</p>" if len(rows) > MOST_ROWS else ""
    top = f"<thead><tr>{heads}</tr></thead>" if any(head) else ""
    label = escape(", ".join(one for one in head if one)) or "figures"
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>{top}<tbody>\n'
        + "\n".join(lines)
        + f"</tbody></table></div>{rest}"
    )


def thresholds(result: Result) -> str:
    rows = [
        (
            f"<code>{escape(one.expression)}</code>",
            measured(one),
            marked("holds" if one.passed else "FAILS", well=one.passed),
        )
        for one in result.thresholds
    ]
    return table(("threshold", "measured", "verdict"), rows)


def measured(outcome: ThresholdOutcome) -> str:
    """Return what was compared with a threshold, in the unit of its metric."""
    metric = outcome.expression.split()[0] if outcome.expression.strip() else ""
    if metric == "delivered":
        return NOTHING if outcome.value is None else f"{number(outcome.value * 100)} %"
    unit = " ms" if metric in LATENCIES else "/s" if metric in RATES else ""
    return NOTHING if outcome.value is None else f"{number(outcome.value)}{unit}"


def latencies(result: Result) -> str:
    """Return a row for each hop, below it the same from sending, and what a query found."""
    test = result.load
    sent = test.latency_from_sent_ms if test is not None else None
    rows = []
    for hop, label in HOPS.items():
        rows.append(latency_row(label, getattr(result.latency_ms, hop)))
        if sent is not None and hop != "lateness":
            rows.append(latency_row(f'<span class="faint">{label}, from sending</span>', getattr(sent, hop)))
    if test is not None and test.queryable_ms is not None:
        rows.append(latency_row("found by a query (sample)", test.queryable_ms))
    said = (
        "From the moment a message was due. Rows “from sending” are what a tool shows that does not count its own"
        " waiting; judge by the others."
        if sent is not None
        else "From the moment a message was due."
    )
    return f"<p>{said}</p>" + table(("milliseconds", *PERCENTILE_HEAD), rows)


def latency_row(label: str, found: Percentiles) -> tuple[str, ...]:
    values = (found.p50, found.p90, found.p99, found.p999, found.p9999, found.max)
    return (label, *(number(value) for value in values), f"{found.count:,}")


def bottleneck(found: Bottleneck) -> str:
    names = list(dict.fromkeys((*found.backlog_per_s, *found.busy)))
    rows = [(escape(name), number(found.backlog_per_s.get(name)), percent(found.busy.get(name))) for name in names]
    said = "Nothing gave way." if found.part == "none" else f"<strong>{escape(found.part)}</strong>"
    return f"<p>{said} {escape(found.because)}</p>" + table(("part", "backlog grew by, messages/s", "busy"), rows)


def disturbances(found: Sequence[Disturbance]) -> str:
    rows = [
        (
            escape(one.kind),
            escape(one.target),
            f"{number(one.from_s)} to {number(one.to_s)} s",
            marked("not in the test", well=False) if one.recovered_s is None else f"{number(one.recovered_s)} s",
            marked(f"{one.lost:,}", well=False) if one.lost else "0",
        )
        for one in found
    ]
    return table(("kind", "target", "from, to", "time to recover", "messages lost"), rows, words=2)


def search(found: Search) -> str:
    """Return what was found in a sentence, and every rate that was tried."""
    if found.max_per_s is None:
        said = "No rate held."
    else:
        said = f"The highest rate that holds is <strong>{per_s(found.max_per_s)}</strong>."
    if found.first_failed_per_s is not None:
        said += f" The lowest that failed is {per_s(found.first_failed_per_s)}."
    if found.knee_per_s is not None:
        said += f" From {per_s(found.knee_per_s)} on, the knee, p99 is over three times that of the lowest rate."
    rows = [
        (
            marked("holds" if probe.holds else "does not hold", well=probe.holds),
            escape("confirmation" if probe.is_confirmation and not probe.why else probe.why),
            per_s(probe.rate_per_s),
            per_s(probe.written_per_s),
            number(probe.backlog_per_s),
            number(probe.end_to_end_p99_ms),
        )
        for probe in found.probes
    ]
    head = ("", "why", "rate", "written", "backlog grew by, messages/s", "in the store p99, ms")
    return f"<p>{said}</p>" + table(head, rows, words=2)


def clocks(found: Clocks) -> str:
    drift = NOTHING if found.drift_ppm is None else f"{number(found.drift_ppm)} ppm"
    offset = NOTHING if found.store_offset_ms is None else f"{number(found.store_offset_ms)} ms"
    if found.store_offset_ms is not None and found.store_uncertain_ms is not None:
        offset += f" ± {number(found.store_uncertain_ms)} ms"
    rows = [
        ("this machine's clock was set by", f"{number(found.stepped_ms)} ms"),
        ("it ran faster than the timer by", drift),
        ("the database's clock is ahead by", offset),
    ]
    return table(("", ""), rows, words=2)


def ledger_rows(messages: Messages) -> list[tuple[str, int]]:
    """Return every message by what became of it; the names are as written, not escaped."""
    rows = [(name, getattr(messages, name)) for name in LEDGER]
    rows += [(f"dropped: {reason}", number_) for reason, number_ in messages.dropped.items()]
    rows += [(f"dead-lettered: {reason}", number_) for reason, number_ in messages.dead_letter_reasons.items()]
    rows += [(name.replace("_", " "), getattr(messages, name)) for name in ASIDE]
    return rows + [(f"foreign: {reason}", number_) for reason, number_ in messages.foreign.items()]


def ledger(result: Result) -> str:
    """Return what became of every message, and what had to be tried again on the way."""
    rows = [(escape(name), f"{count:,}") for name, count in ledger_rows(result.messages)]
    again = [(escape(name), f"{count:,}") for name, count in result.retries.items()]
    return table(("", "messages"), rows) + table(("tried again, or otherwise than planned", "times"), again)


def machine(result: Result) -> str:
    made, generator, done = result.machine, result.generator, result.simulated
    rows = [
        ("processor", f"{made.cores} x {escape(made.model)}"),
        ("memory", f"{made.memory_bytes / 1e9:,.1f} GB"),
        ("system", escape(made.os)),
        ("the generator used", NOTHING if generator.cpu is None else f"{generator.cpu:.2f} cores"),
        ("it can at most", per_s(generator.calibrated_max_per_s)),
        ("and had to give at most", percent(generator.share_of_max)),
        *([("processes that publish", f"{result.load.workers:,}")] if result.load else []),
        ("broker", escape(done.broker)),
        ("store", escape(done.store)),
        ("from, to", f"{escape(result.started)}, {escape(result.finished)}"),
        *((escape(name), escape(version)) for name, version in result.versions.items()),
    ]
    return table(("", ""), rows, words=2)


def repeat(result: Result) -> str:
    """Return the command that does it again, and the scenario that it needs."""
    name, done = result.scenario.name, result.simulated
    if result.load is None:
        command = f"parksim run {name}.yaml --seed {result.seed} --speed {done.speed}{length(done.start, done.until)}"
    else:
        command = f"parksim load {name}.yaml{single_rate(result.load)}"
    text = result.scenario.text
    cut = f"<p>cut after {MOST_TEXT:,} characters; the result has all of it</p>" if len(text) > MOST_TEXT else ""
    return (
        f"<p>Save the scenario below as <code>{escape(name)}.yaml</code>. The seed was {result.seed}"
        f" and the simulated time began at {escape(done.start)}.</p>"
        f"<pre tabindex=0>{escape(command)}</pre><details><summary>the scenario</summary>"
        f"<pre tabindex=0>{escape(text[:MOST_TEXT])}</pre>{cut}</details>"
    )


def single_rate(test: LoadTest) -> str:
    """Return the options that make the single stage of a test with --rate; nothing for stages of a file."""
    due = [rate for rate in test.seconds.get("due_per_s", ()) if rate]
    if [(stage.name, stage.kind) for stage in test.stages] != [("hold", "hold")] or not due:
        return ""
    return f" --rate {due[0]:.9g}/s --for {test.stages[0].to_s:.9g}s"


def length(start: str, until: str) -> str:
    """Return the option that makes a run as long; nothing if the instants cannot be read."""
    try:
        seconds = (datetime.fromisoformat(until) - datetime.fromisoformat(start)).total_seconds()
    except (ValueError, TypeError):  # no instant, or one with an offset and one without
        return ""
    return f" --for {seconds:.0f}s" if seconds >= 1 else ""
