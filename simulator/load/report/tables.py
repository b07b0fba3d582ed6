"""The tables of a report. Every cell is escaped where it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

from simulator.load.report.charts import HOPS, from_sending
from simulator.load.report.figures import NOTHING, count, number, per_s, percent, tenths
from simulator.load.report.words import t
from simulator.load.thresholds import LATENCIES, RATES
from simulator.results.load_test import Bottleneck, Clocks, Disturbance, LoadTest, Probe, Search
from simulator.results.part import Percentiles
from simulator.results.result import Result, ThresholdOutcome

__all__ = [
    "beginning",
    "bottleneck",
    "clocks",
    "disturbances",
    "latencies",
    "machine",
    "marked",
    "measured",
    "repeat",
    "search",
    "section",
    "servers",
    "table",
    "thresholds",
]

MOST_ROWS = 100
MOST_BYTES = 60_000
"""Of a scenario, as the page carries it; the result has all of it."""
PERCENTILE_HEAD = ("p50", "p90", "p99", "p99.9", "p99.99", "max", "messages")


def marked(text: str, *, well: bool) -> str:
    return f'<span class="{"good" if well else "bad"}">{escape(text)}</span>'


def section(title: str, *parts: str) -> str:
    """Return a section with its heading, or nothing if there is nothing in it."""
    body = "\n".join(part for part in parts if part)
    return f"<section><h2>{escape(title)}</h2>\n{body}\n</section>" if body else ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1, ends_in_words: bool = False) -> str:
    """Return a table whose first columns, so many of them, are words, and whose others are numbers.

    Cells are escaped already. A table that is too wide scrolls by itself, and so takes the focus of the keyboard.
    """
    if not rows:
        return ""
    kinds = ["" if place < words else " class=n" for place in range(len(head))]
    if ends_in_words:
        kinds[-1] = " class=long"
    heads = "".join(
        f"<th scope=col{kind}>{escape(one)}</th>" if one else "<td></td>" for one, kind in zip(head, kinds, strict=True)
    )
    lines = [
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows[:MOST_ROWS]
    ]
    rest = f"<p>{t('and {n} more, in the result', n=count(len(rows) - MOST_ROWS))}</p>" if len(rows) > MOST_ROWS else ""
    top = f"<thead><tr>{heads}</tr></thead>" if any(head) else ""
    label = escape(", ".join(one for one in head if one)) or t("figures")
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{label}"><table>{top}<tbody>\n'
        + "\n".join(lines)
        + f"</tbody></table></div>{rest}"
    )


def thresholds(result: Result) -> str:
    rows = [
        (
            f"<code>{escape(one.expression)}</code>",
            measured(one),
            marked(t("holds") if one.passed else t("FAILS"), well=one.passed),
        )
        for one in result.thresholds
    ]
    return table((t("threshold"), t("measured"), t("verdict")), rows)


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
        rows.append((t(label), getattr(result.latency_ms, hop)))
        if sent is not None and hop != "lateness":
            rows.append((f'<span class="faint">{from_sending(label)}</span>', getattr(sent, hop)))
    if test is not None and test.queryable_ms is not None:
        rows.append((t("found by a query (sample)"), test.queryable_ms))
    measured = [latency_row(label, found) for label, found in rows if found.count]
    if not measured:
        is_fast = test is None and result.simulated.speed == "max"
        return f"<p>{t('At full speed nothing is due, so nothing is late.')}</p>" if is_fast else ""
    said = t("From the moment a message was due.")
    if sent is not None:
        said += " " + t(
            "Rows “from sending” are what a tool shows that does not count its own waiting; judge by the others."
        )
    return f"<p>{said}</p>" + table((t("milliseconds"), *(t(one) for one in PERCENTILE_HEAD)), measured)


def latency_row(label: str, found: Percentiles) -> tuple[str, ...]:
    values = (found.p50, found.p90, found.p99, found.p999, found.p9999, found.max)
    return (label, *(number(value) for value in values), count(found.count))


def bottleneck(found: Bottleneck) -> str:
    """Return what gave way, how fast messages piled up before each part, and how busy each was."""
    piled = [
        (t("dropped by the generator") if name == "dropped" else escape(t(name)), per_s(value))
        for name, value in found.backlog_per_s.items()
    ]
    said = t("Nothing gave way") if found.part == "none" else f"<strong>{escape(t(found.part))}</strong>"
    return (
        f"<p>{said}: <span lang=en>{escape(found.because)}</span></p>"
        + table((t("messages piled up before"), t("growth")), piled)
        + table((t("work"), t("share of the time")), [busy(name, share) for name, share in found.busy.items()])
    )


def busy(name: str, share: float) -> tuple[str, str]:
    """Return how busy a part was; of cores there may be more than one."""
    kind, is_cores, part = name.partition("cores: ")
    if is_cores and not kind:
        return escape(t(part)), t("{n} cores", n=number(share))
    return escape(t(name)), percent(share)


def disturbances(found: Sequence[Disturbance]) -> str:
    rows = [
        (
            f"<code>{escape(one.kind)}</code>",
            f"<code>{escape(one.target)}</code>",
            t("{low} to {high} s", low=tenths(one.from_s), high=tenths(one.to_s)),
            marked(t("not in the test"), well=False) if one.recovered_s is None else f"{tenths(one.recovered_s)} s",
            marked(count(one.lost), well=False) if one.lost else "0",
        )
        for one in found
    ]
    return table(tuple(map(t, ("kind", "target", "from, to", "time to recover", "messages lost"))), rows, words=2)


def search(found: Search) -> str:
    """Return what was found in a sentence, and every rate that was tried."""
    if found.max_per_s is None:
        said = t("No rate held.")
    else:
        said = t("The highest rate that holds is {rate}.", rate=f"<strong>{per_s(found.max_per_s)}</strong>")
    if found.first_failed_per_s is not None:
        said += " " + t("The lowest that failed is {rate}.", rate=per_s(found.first_failed_per_s))
    if found.knee_per_s is not None:
        knee = t(
            "From {rate} on, the knee, p99 is over three times that of the lowest rate.", rate=per_s(found.knee_per_s)
        )
        said += f" {knee}"
    rows = [
        (
            marked(t("holds") if probe.holds else t("does not hold"), well=probe.holds),
            per_s(probe.rate_per_s),
            per_s(probe.written_per_s),
            per_s(probe.backlog_per_s),
            number(probe.end_to_end_p99_ms),
            remarks(probe),
        )
        for probe in found.probes
    ]
    head = (t("verdict"), t("rate"), t("written"), t("piled up"), t("in the store, p99, ms"), t("why"))
    return f"<p>{said}</p>" + table(head, rows, ends_in_words=True)


def remarks(probe: Probe) -> str:
    """Return what else is to be said of a rate that was tried."""
    said = [f"<span lang=en>{escape(probe.why)}</span>"] if probe.why else []
    said += [t("confirmation")] if probe.is_confirmation else []
    said += [t("tried {n} times", n=count(probe.attempts))] if probe.attempts > 1 else []
    return ", ".join(said)


def servers(found: Mapping[str, float]) -> str:
    """Return what broker and database told of themselves."""
    rows = [(escape(t(name)), number(value)) for name, value in found.items()]
    return table((t("told by the servers"), ""), rows)


def clocks(found: Clocks) -> str:
    drift = NOTHING if found.drift_ppm is None else f"{number(found.drift_ppm)} ppm"
    offset = NOTHING if found.store_offset_ms is None else f"{number(found.store_offset_ms)} ms"
    if found.store_offset_ms is not None and found.store_uncertain_ms is not None:
        offset += f" ± {number(found.store_uncertain_ms)} ms"
    rows = [
        (t("this machine's clock was set by"), f"{number(found.stepped_ms)} ms"),
        (t("it ran faster than the timer by"), drift),
        (t("the database's clock is ahead by"), offset),
    ]
    return table(("", ""), rows, words=2)


def machine(result: Result) -> str:
    made, generator, done = result.machine, result.generator, result.simulated
    rows = [
        (t("processor"), f"{made.cores} x {escape(made.model)}"),
        (t("memory"), f"{number(made.memory_bytes / 1e9)} GB"),
        (t("system"), escape(made.os)),
        (t("the generator used"), NOTHING if generator.cpu is None else t("{n} cores", n=number(generator.cpu))),
        (t("it can at most"), per_s(generator.calibrated_max_per_s)),
        (t("and had to give at most"), percent(generator.share_of_max)),
        *([(t("processes that publish"), count(result.load.workers))] if result.load else []),
        (t("broker"), f"<span lang=en>{escape(done.broker)}</span>"),
        (t("store"), escape(done.store)),
        (t("from, to"), f"{escape(result.started)}, {escape(result.finished)}"),
        *((escape(name), escape(version)) for name, version in result.versions.items()),
    ]
    return table(("", ""), [row for row in rows if row[1] != NOTHING], words=2)


def repeat(result: Result) -> str:
    """Return the command that does it again, and the scenario that it needs."""
    name, done = result.scenario.name, result.simulated
    if result.load is None:
        command = f"parksim run {name}.yaml --seed {result.seed} --speed {done.speed}{length(done.start, done.until)}"
    else:
        command = f"parksim load {name}.yaml{single_rate(result.load)}"
    if result.actions:
        steered = " " + t("It was steered by hand: the scenario that --save-timeline wrote repeats that as well.")
        command = f"parksim run {name}-timeline.yaml"
    else:
        steered = ""
    text = beginning(result.scenario.text)
    cut = ""
    if text != result.scenario.text:
        cut = f"<p>{t('cut after {n} characters; the result has all of it', n=count(len(text)))}</p>"
    said = t(
        "Save the scenario below as {file}. The seed was {seed} and the simulated time began at {start}.",
        file=f"<code>{escape(name)}.yaml</code>",
        seed=result.seed,
        start=escape(done.start),
    )
    return (
        f"<p>{said}{steered}</p>"
        f"<pre tabindex=0>{escape(command)}</pre><details><summary>{t('the scenario')}</summary>"
        f"<pre tabindex=0>{escape(text)}</pre>{cut}</details>"
    )


def beginning(text: str) -> str:
    """Return as much of a text as a page can carry, in which a letter may take several bytes."""
    while (size := len(escape(text).encode())) > MOST_BYTES:
        text = text[: len(text) * MOST_BYTES // size]
    return text


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
