"""From results to reports: a page for one or for two, and their charts as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from simulator.errors import ScenarioError
from simulator.load.report import charts_of, compared_text, differences, report_text
from simulator.load.report.page import GENERATOR
from simulator.results.result import Result
from simulator.results.result_reading import read_result

__all__ = ["report"]

NOTABLE_PERCENT = 5.0


def report(
    result_file: Path, *, other_file: Path | None, output: Path | None, charts: Path | None
) -> tuple[list[Path], list[str]]:
    """Write a page, and charts if a folder is given; return the files, and what is to be said about a comparison.

    Raises ScenarioError.
    """
    result = read_result(result_file)
    page = output or result_file.with_suffix(".html")
    said: list[str] = []
    if other_file is None:
        text = report_text(result)
    else:
        other = read_result(other_file)
        text = compared_text(result, other, names=named(result_file, other_file))
        said = told(result, other)
    return [write_page(page, text), *(write_charts(charts, result) if charts is not None else ())], said


def named(one: Path, other: Path) -> tuple[str, str]:
    """Return short names that differ."""
    if one.stem != other.stem:
        return one.stem, other.stem
    return str(one), str(other) if one != other else f"{other} again"


def told(one: Result, other: Result) -> list[str]:
    """Return the differences that are worth a line."""
    notable = [
        difference
        for difference in differences(one, other)
        if difference.one != difference.other
        and (difference.percent is None or abs(difference.percent) >= NOTABLE_PERCENT)
    ]
    if not notable:
        return [f"no figure differs by {NOTABLE_PERCENT:g} % or more"]
    rows = [difference.cells() for difference in notable]
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    return [
        f"{name:<{widths[0]}}  {mine:>{widths[1]}}  {theirs:>{widths[2]}}  {more:>{widths[3]}}".rstrip()
        for name, mine, theirs, more in rows
    ]


def write_page(file: Path, text: str) -> Path:
    """Write a page; never over something that is none of ours. Raises ScenarioError."""
    try:
        if file.is_file() and GENERATOR not in file.read_text(encoding="utf-8", errors="replace")[:500]:
            message = f"{file}: is there already and is no report of parksim; name another with --output"
            raise ScenarioError(message)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{file}: cannot be written: {error.strerror}; name another with --output"
        raise ScenarioError(message) from error
    return file


def write_charts(folder: Path, result: Result) -> Sequence[Path]:
    """Write each chart as SVG. Raises ScenarioError."""
    files = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for chart in charts_of(result):
            files.append(folder / f"{chart.name}.svg")
            files[-1].write_text(chart.svg(alone=True), encoding="utf-8")
    except OSError as error:
        message = f"--charts {folder}: cannot be written: {error.strerror}; name another folder"
        raise ScenarioError(message) from error
    return files
