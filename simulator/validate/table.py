"""The survey as a table: coloured on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from itertools import groupby
from typing import Literal

from rich.console import Console
from rich.table import Table

from simulator.validate.figures import ERRORS, Figure
from simulator.validate.survey import Survey

__all__ = ["table_text"]

WIDE = 500
"""Columns of a line that goes into a file or a pipe: nothing is to be cut or folded."""
COLUMNS = {
    **dict.fromkeys(("figure", "ours", "published", "unit"), 0),
    "accepted": 110,
    **dict.fromkeys(("verdict", "source"), 0),
    "note": 160,
}
"""The columns, and how wide a terminal must be to show them."""
COLOURS = {"within": "green", "outside": "bold red", "for information": "dim"}


def table_text(survey: Survey, *, terminal: bool) -> str:
    """Return figures by section, then the sources, then what it comes to; coloured if a terminal is to show it."""
    colourful = terminal and not os.environ.get("NO_COLOR")
    console = Console(
        file=io.StringIO(),
        width=None if terminal else WIDE,
        force_terminal=colourful,
        color_system="standard" if colourful else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    sources = list(dict.fromkeys(figure.source for figure in survey.figures))
    with console.capture() as capture:
        console.print(f"{survey.scenario}, seed {survey.seed}, {survey.days} days from {survey.start}")
        console.print(table_of(survey, sources, width=console.width, colourful=colourful))
        for line in footer(survey, sources):
            console.print(line)
    # rich fills lines with blanks up to the width of the table.
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def table_of(survey: Survey, sources: list[str], *, width: int, colourful: bool) -> Table:
    shown = [title for title, least in COLUMNS.items() if width >= least]
    table = Table(box=None, pad_edge=False)
    for title in shown:
        folds = title in {"figure", "note"}
        side: Literal["left", "right"] = "right" if title in {"ours", "published", "source"} else "left"
        table.add_column(title, justify=side, overflow="fold", no_wrap=not folds)
    for section, figures in groupby(survey.figures, key=lambda figure: figure.section):
        table.add_row()
        table.add_row(section, style="bold" if colourful else "")
        for figure in figures:
            row = dict(zip(COLUMNS, cells(figure, sources), strict=True))
            table.add_row(*(row[title] for title in shown), style=COLOURS[figure.verdict] if colourful else "")
    return table


def footer(survey: Survey, sources: list[str]) -> Iterator[str]:
    yield "\nsources; [V] read there, [V2] read elsewhere, [M] common knowledge, [E] an engineering default"
    yield from (f"{number:>4}  {source}" for number, source in enumerate(sources, 1))
    yield f"\naccepted: the tolerance, and {ERRORS:g} standard errors of what is estimated from a sample"
    if survey.faults_left_out:
        yield f"left out: the faults that the scenario schedules ({survey.faults_left_out})"
    told = ", ".join(f"{survey.count(verdict)} {verdict}" for verdict in COLOURS)
    yield f"{'FAIL' if survey.exit_code else 'PASS'}  {told}"


def cells(figure: Figure, sources: list[str]) -> tuple[str, ...]:
    return (
        f"  {figure.name}",
        number_text(figure.ours),
        wanted_text(figure),
        "" if figure.unit == "1" else figure.unit,
        "" if figure.accepted is None else range_text(*figure.accepted),
        figure.verdict,
        str(sources.index(figure.source) + 1),
        figure.note,
    )


def wanted_text(figure: Figure) -> str:
    if figure.published is None:
        return "-"
    return range_text(*figure.published) if isinstance(figure.published, tuple) else number_text(figure.published)


def range_text(low: float, high: float) -> str:
    return f"from {number_text(low)}" if math.isinf(high) else f"{number_text(low)} to {number_text(high)}"


def number_text(number: float) -> str:
    """Write four digits, or all that a large number has before the point."""
    if not math.isfinite(number):
        return "-"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"
