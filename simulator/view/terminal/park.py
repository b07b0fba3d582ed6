"""The lower part of the screen: factories with their lines, alarms, the log, and what keys do.

Grey is normal and colour is for alarms only (ISA-101), each with a sign and a word, so that nobody needs the colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from simulator.view.terminal.picture import Picture, duration, plain
from simulator.view.terminal.strip import ALARM, QUIET, clipped, sized

__all__ = ["alarms", "alarms_title", "factories", "factories_title", "guide", "log", "log_line"]

STATES = {1: "clearing", 8: "aborting", 9: "aborted"}
"""PackML states that are alarms."""
NAME, COUNT, OEE = 32, 20, 10
TIME = 8


def factories_title(picture: Picture, words: Mapping[str, str]) -> str:
    """Return how the park as a whole stands."""
    park = picture.document.get("park")
    if not park:
        return words["factories"]
    said = [words["running"].format(running=park["running"], machines=park["machines"])]
    said.append(("! " if park["alarms"] else "") + words["alarms"].format(n=park["alarms"]))
    return f"{words['factories']}: {', '.join(said)}, OEE {percent(park['oee'])}"


def factories(picture: Picture, words: Mapping[str, str], *, width: int, with_lines: bool) -> Text:
    """Return a row for each factory: running, OEE, alarms; and its lines below, as many as fit side by side."""
    text = Text(no_wrap=True)
    for factory in picture.document.get("factories", ()):
        name = clipped(plain(factory["name"]), NAME - 1)
        running = words["running"].format(running=factory["running"], machines=factory["machines"])
        text.append(sized(f" {name}", NAME + 1))
        text.append(sized(running, COUNT) + sized(f"OEE {percent(factory['oee'])}", OEE))
        if factory["alarms"]:
            text.append(f"! {words['alarms'].format(n=factory['alarms'])}", style=ALARM)
        text.append("\n")
        if with_lines:
            append_lines(text, factory["lines"], width)
    text.rstrip()
    return text


def append_lines(text: Text, lines: list[Mapping[str, Any]], width: int) -> None:
    """Append the lines of a factory, ``name running/machines`` each, wrapped between them."""
    used = 0
    for line in lines:
        piece = f"{plain(line['name'])} {line['running']}/{line['machines']}"
        piece += f" !{line['alarms']}" if line["alarms"] else ""
        if used and used + 2 + cell_len(piece) > width - 1:
            text.append("\n")
            used = 0
        gap = "  " if used else "   "
        text.append(gap).append(piece, style=ALARM if line["alarms"] else QUIET)
        used += len(gap) + cell_len(piece)
    text.append("\n")


def alarms_title(picture: Picture, words: Mapping[str, str]) -> str:
    count = sum(factory["alarms"] for factory in picture.document.get("factories", ()))
    return ("! " if count else "") + words["alarm_list"].format(n=count)


def alarms(picture: Picture, words: Mapping[str, str], *, width: int) -> Text:
    """Return a row for each machine that is broken down: sign, state, where it stands."""
    text = Text(no_wrap=True)
    if not picture.alarms:
        return text.append(f" {words['no_alarms']}" if picture.document else "", style=QUIET)
    state_width = max(cell_len(words[key]) for key in STATES.values()) + 2
    for alarm in picture.alarms:
        state = words[STATES[alarm["state"]]] if alarm["state"] in STATES else str(alarm["state"])
        text.append(" ! " + sized(state, state_width), style=ALARM)
        text.append(place(alarm, width - state_width - 4) + "\n")
    more = sum(factory["alarms"] for factory in picture.document.get("factories", ())) - len(picture.alarms)
    if more > 0:
        text.append(f" {words['more'].format(n=more)}", style=QUIET)
    text.rstrip()
    return text


def place(alarm: Mapping[str, Any], room: int) -> str:
    """Say where a machine stands, and of what kind it is; the machine itself is what is needed most."""
    # the enterprise is the same for all
    topic = plain(alarm["topic"]).partition("/")[2]
    told = f"{topic}  {plain(alarm['kind'])}"
    if cell_len(told) <= room:
        return told
    return topic if cell_len(topic) <= room else "..." + topic[3 - room :]


def log(picture: Picture, words: Mapping[str, str]) -> Text:
    """Return what was said, the latest last."""
    return Text("\n").join(log_line(one, words) for one in picture.log)


def log_line(said: tuple[float | None, str, str], words: Mapping[str, str]) -> Text:
    wall_s, key, text = said
    line = Text(f" {duration(wall_s).rjust(TIME)}  ", style=QUIET)
    told = words[key].format(text=text) if key else text
    if key == "trouble":
        return line.append(f"! {told}", style=f"not dim {ALARM}")
    return line.append(told, style="not dim")


def guide(words: Mapping[str, str], *, is_own: bool) -> Text:
    """Return what the keys do and what the figures mean."""
    keys = (
        ("q", "help_stop" if is_own else "help_leave"),
        ("p", "help_pause"),
        ("x", "help_act"),
        ("f", "help_factories"),
        ("a", "help_alarms"),
        ("l", "help_log"),
        ("g", "help_language"),
        ("?", "help_help"),
        ("↑ ↓", "help_scroll"),
    )
    text = Text()
    for key, word in keys:
        text.append(f" {key:<4}", style="bold").append(f"{words[word]}\n")
    return text.append(f"\n{words['help_colours']}\n\n{words['help_fields']}")


def percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
