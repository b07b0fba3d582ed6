"""The upper part of the screen: the run, its hops from scheduled to written, and how rate and latency went.

Every function returns a text that fits into the width it is given, 80 columns at least.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from simulator.errors import ExitCode
from simulator.view.live import short
from simulator.view.terminal.picture import Picture, duration, plain

__all__ = ["ALARM", "NARROWEST", "PLACES", "heading", "measures", "sparks", "standing", "strip"]

NARROWEST = 80
ALARM = "bold red"
QUIET = "dim"
HOPS = (
    ("scheduled", "scheduled"),
    ("published", "published"),
    ("broker", "acknowledged"),
    ("bridge", "received"),
    ("written", "written"),
)
"""What a hop is called, and what is counted when a message has passed it."""
ARROW = "─> "
BARS = "▁▂▃▄▅▆▇█"
LABEL, VALUE = 10, 12
"""Columns before and behind a sparkline."""
PLACES = {name: NARROWEST // len(HOPS) - len(ARROW) - 1 for name, _ in HOPS} | {"rate": LABEL - 1, "latency": LABEL - 1}
"""Columns that labels have on the narrowest screen."""


def heading(picture: Picture, words: Mapping[str, str], width: int) -> Text:
    """Return what runs, and how far it has come."""
    run = picture.run
    if "name" not in run:
        # nothing yet, or only the verdict of a run that was over within a second
        return Text(" parksim", style="bold")
    passed = duration(run["simulated_s"])
    if run.get("duration_s"):
        passed = words["of"].format(passed=passed, whole=duration(run["duration_s"]))
    speed = run["speed"] if isinstance(run["speed"], str) else f"x{run['speed']:g}"
    if run.get("paused"):
        speed = words["paused"]
    right = plain(f"{passed}  {speed} ")
    name = plain(f" parksim  {run['name']}")
    # a profile goes on to tell what it keeps
    broker = re.split("[,:;]", run["broker"])[0]
    rest = plain(f"  {words['seed'].format(n=run['seed'])}  {broker} > {run['store']}")
    room = width - cell_len(right)
    text = Text(clipped(name, room), style="bold")
    text.append(clipped(rest, room - cell_len(text.plain) - 1), style="not bold")
    text.append(" " * (room - cell_len(text.plain)))
    return text.append(right, style="not bold")


def strip(picture: Picture, words: Mapping[str, str], width: int) -> Text:
    """Return the hops, each with its count and rate, in three rows."""
    column = width // len(HOPS)
    messages = picture.document.get("messages", {})
    rows: tuple[list[str], list[str], list[str]] = ([], [], [])
    for place, (name, count) in enumerate(HOPS):
        label = f" {words[name]} "
        line = "─" * (column - cell_len(label) - len(ARROW)) + ARROW if place < len(HOPS) - 1 else ""
        rows[0].append(sized(label + line, column))
        rows[1].append(sized(f" {messages[count]:,}" if messages else " -", column))
        rate = picture.rates.get(count)
        rows[2].append(sized(" -" if rate is None else f" {rate:,.1f}/s", column))
    text = Text(no_wrap=True)
    text.append("".join(rows[0]) + "\n", style=QUIET)
    text.append("".join(rows[1]) + "\n", style="bold")
    return text.append("".join(rows[2]))


def measures(picture: Picture, words: Mapping[str, str], width: int) -> Text:
    """Return lag, in flight, lost and unaccounted; what is lost has a sign and a colour."""
    document = picture.document
    if not document:
        return Text(f" {words['starting']}")
    messages, point = document["messages"], document.get("point", {})
    counts = [("in_flight", messages["in_flight"], False)]
    counts += [("spooled", messages["spooled"], False)] if messages.get("spooled") else []
    counts += [
        (name, n, n > 0) for name, n in (("lost", lost(messages, point)), ("unaccounted", messages["unaccounted"]))
    ]
    text = Text()
    for written, gap in ((in_full, "   "), (short, "  ")):
        text = Text(" ", no_wrap=True).append(f"{words['lag']} ", style=QUIET)
        text.append(milliseconds(point.get("end_to_end_p99_ms")))
        for name, number, is_wrong in counts:
            text.append(gap)
            if is_wrong:
                text.append(f"! {words[name]} {written(number)}", style=ALARM)
            else:
                text.append(f"{words[name]} ", style=QUIET).append(written(number))
        if text.cell_len <= width:
            break
    return text


def in_full(number: float) -> str:
    return f"{number:,.0f}"


def lost(messages: Mapping[str, Any], point: Mapping[str, Any]) -> float:
    """Return what is lost; what gateways of the scenario drop on purpose is not."""
    if "lost" in point:
        return float(point["lost"])
    return float(messages["unaccounted"] + messages["dead_lettered"] + sum(messages["dropped"].values()))


def sparks(picture: Picture, words: Mapping[str, str], width: int) -> Text:
    """Return how the rate of writing and the 99th percentile went, a row each."""
    room = max(1, width - LABEL - VALUE - 2)
    text = Text(no_wrap=True)
    for key, name, written in (
        ("rate", "written_per_s", lambda value: f"{value:,.1f}/s"),
        ("latency", "end_to_end_p99_ms", milliseconds),
    ):
        values = [point.get(name) for point in picture.points][-room:]
        latest = next((value for value in reversed(values) if value is not None), None)
        text.append("\n" if key == "latency" else "")
        text.append(sized(f" {words[key]}", LABEL), style=QUIET)
        text.append(sized(sparkline(values), room))
        text.append(("-" if latest is None else written(latest)).rjust(VALUE))
    return text


def standing(picture: Picture, words: Mapping[str, str], *, age_s: float | None, width: int) -> Text:
    """Return how the run stands: its verdict, what is wrong, what it waits for, or that all is well."""
    run = picture.run
    if picture.is_over:
        code = run["exit_code"]
        # whoever stopped it wanted so
        is_wrong = code not in {ExitCode.PASS, ExitCode.INTERRUPTED}
        word = words["failed"].format(code=code) if code else words["pass"]
        asked = f"  [{words['any_key']}] "
        told = clipped(f" {'! ' if is_wrong else ''}{word}  {plain(run['verdict'])}", width - cell_len(asked))
        return Text(told, style=ALARM if is_wrong else "bold").append(asked, style="not bold")
    if age_s is not None:
        return Text(clipped(f" ! {words['stale'].format(n=int(age_s))}", width), style=ALARM)
    if run.get("trouble"):
        return Text(clipped(" ! " + words["trouble"].format(text=plain(run["trouble"])), width), style=ALARM)
    if run.get("waiting"):
        return Text(clipped(" " + words["ending"].format(text=plain(run["waiting"])), width))
    return Text(f" {words['well']}" if run else "", style=QUIET)


def sparkline(values: Iterable[float | None]) -> str:
    """Draw values as bars from 0 to the highest one; a gap where there is none."""
    found = list(values)
    top = max((value for value in found if value is not None), default=0) or 1
    last = len(BARS) - 1
    return "".join(" " if value is None else BARS[round(max(0, value) / top * last)] for value in found)


def milliseconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.1f} ms" if value < 10_000 else f"{value / 1000:,.1f} s"


def sized(text: str, width: int) -> str:
    """Cut or fill a text to so many columns."""
    return set_cell_size(text, width)


def clipped(text: str, width: int) -> str:
    """Cut a text that is too wide, and show that it was."""
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 3)) + "..."
