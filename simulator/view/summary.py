"""What a run says in the end, made from its result alone."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import datetime, timedelta

from simulator.results.part import Percentiles
from simulator.results.result import DeadLetter, Result

__all__ = ["summary"]

LABEL = 20
WIDTH = 100
SHOWN_DEAD_LETTERS = 3
PAYLOAD_SHOWN = 60
MONTH = timedelta(days=31)
"""VictoriaMetrics keeps a month unless told otherwise."""
EXTERNAL = {"mqtt", "mqtts", "ws", "wss"}
HOPS = {
    "lateness": "handed over",
    "publish": "acknowledged",
    "broker": "at the bridge",
    "end_to_end": "in the store",
}


def summary(result: Result, *, next_steps: Sequence[tuple[str, str]]) -> str:
    """Return the summary of a result; it ends with ``next_steps``, each a purpose and a command."""
    sections = [heading(result), hops(result), delays(result), park(result), end(result)]
    if next_steps:
        commands = [line for purpose, command in next_steps for line in (f"    {purpose}:", f"      {command}")]
        sections.append(["  next", *commands])
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def row(label: str, text: str) -> str:
    return f"    {label + ' ':.<{LABEL}}: {text}"


def heading(result: Result) -> list[str]:
    done = result.simulated
    speed = "as fast as it goes" if done.speed == "max" else f"at speed {done.speed:g}"
    return [
        f"  parksim {result.versions['parksim']}: {result.scenario.name}, seed {result.seed}, {speed}",
        f"    {done.start} to {done.until}",
        *textwrap.wrap(f"broker: {done.broker}", WIDTH, initial_indent="    ", subsequent_indent="      "),
    ]


def hops(result: Result) -> list[str]:
    messages, readings, rates = result.messages, result.readings, result.rates
    found, before = result.simulated.rows_found, result.simulated.rows_before
    earlier = f", {before:,} of that time were there before the run" if before else ""
    counted = [] if found is None else [row("found in the store", f"{found:,} rows{earlier}")]
    lines = [
        row("scheduled", f"{messages.scheduled:,} messages, {readings.scheduled:,} readings"),
        row("published", f"{messages.published:,}  {rates.published_per_s:,.1f}/s"),
        row("acknowledged", f"{messages.acknowledged:,}"),
        row("received", f"{messages.received:,}  {rates.received_per_s:,.1f}/s"),
        row("written", f"{messages.written:,}, {readings.written:,} readings  {rates.written_readings_per_s:,.1f}/s"),
        *counted,
        row("dropped", reasons(messages.dropped)),
        row("dead-lettered", reasons(messages.dead_letter_reasons)),
        *([row("in the spool", f"{messages.spooled:,}")] if messages.spooled else []),
        row("in flight", f"{messages.in_flight:,}"),
        row("unaccounted", f"{messages.unaccounted:,}"),
    ]
    asides = {"duplicates": messages.duplicates, "reordered": messages.reordered, "left out": readings.left_out}
    lines += [row(label, f"{n:,}") for label, n in asides.items() if n]
    lines += gateways(result)
    lines += [row("foreign", reasons(messages.foreign))] if messages.foreign else []
    lines += [row("retries", reasons(result.retries))] if result.retries else []
    lines += [row("dead letter", refused(letter)) for letter in result.dead_letters[:SHOWN_DEAD_LETTERS]]
    lines += [row("never received", f"{gap.topic} n={gap.first}..{gap.last}") for gap in result.gaps]
    return lines


def gateways(result: Result) -> list[str]:
    found = result.gateways
    if found is None:
        return []
    waited = found.waited_ms
    lines = [row("kept by gateways", f"{found.kept:,}")] if found.kept else []
    lines += [row("sent again", f"{found.sent_again:,}")] if found.sent_again else []
    if waited.count:
        took = f"p50 {seconds(waited.p50)}, max {seconds(waited.max)}"
        lines.append(row("left late", f"{waited.count:,} messages, {took} in gateways"))
    return lines


def seconds(ms: float | None) -> str:
    return "-" if ms is None else f"{ms / 1000:,.1f} s"


def reasons(counted: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {reason}" for reason, n in counted.items()) or "0"


def refused(letter: DeadLetter) -> str:
    """Say what came and was no row; strangers may have written it, so nothing in it reaches the terminal unescaped."""
    payload = letter.payload[:PAYLOAD_SHOWN] + ("..." if len(letter.payload) > PAYLOAD_SHOWN else "")
    return f"{ascii(letter.topic)[1:-1]}: {letter.reason}: {ascii(payload)[1:-1]}"


def delays(result: Result) -> list[str]:
    if not result.latency_ms.lateness.count:
        return ["    at full speed nothing is due, so nothing is late"] if result.simulated.speed == "max" else []
    lines = ["    after it was due"]
    for name, label in HOPS.items():
        times: Percentiles = getattr(result.latency_ms, name)
        found = {"p50": times.p50, "p90": times.p90, "p99": times.p99, "p99.9": times.p999, "max": times.max}
        lines.append(row(label, "  ".join(f"{key} {milliseconds(value):>9}" for key, value in found.items())))
    return lines


def milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f} ms"


def percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def park(result: Result) -> list[str]:
    figures = result.park
    if figures is None:
        return []
    factors = " x ".join(percent(one) for one in (figures.availability, figures.effectiveness, figures.quality))
    return [
        row("OEE", f"{percent(figures.oee['park'])} = {factors} (availability x effectiveness x quality)"),
        row("machines", f"{figures.running} of {figures.machines} run, {figures.alarms} alarms"),
        row("pieces", f"{figures.pieces_good:,} good, {figures.pieces_bad:,} bad"),
        row("energy", f"{figures.energy_kwh:,.1f} kWh"),
    ]


def end(result: Result) -> list[str]:
    is_pass = result.exit_code == 0 and result.messages.scheduled > 0
    lines = [f"  {'PASS' if is_pass else f'EXIT {result.exit_code}'}  {result.verdict}"]
    if result.reason:
        lines.append(f"    {result.reason}")
    return lines + [f"    {advice}" for advice in likely_causes(result)]


def likely_causes(result: Result) -> list[str]:
    """Say what a loss probably comes from, where parksim cannot look itself."""
    done, messages = result.simulated, result.messages
    causes = []
    if done.store == "influxdb" and messages.written and done.rows_found == 0:
        age = datetime.fromisoformat(result.finished) - datetime.fromisoformat(done.start)
        if age > MONTH:
            causes.append(
                f"the readings are {age.days} days old: look at the retention of the database (VictoriaMetrics drops"
                " what is older than -retentionPeriod, a month by default; InfluxDB: the retention policy or bucket)"
            )
    if messages.unaccounted and done.broker in EXTERNAL:
        causes.append(
            "the broker is not ours: a queue that is full drops messages without a word; in mosquitto raise"
            " max_queued_messages (1000 by default), and read its log"
        )
    return causes
