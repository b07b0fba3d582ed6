"""From the words of `parksim report` to its files: the page of a result or of two, and their charts."""

from __future__ import annotations

from pathlib import Path

import typer

from simulator.errors import ScenarioError
from simulator.languages import checked_language
from simulator.load.report.charts import CHART_BEGINNING, charts_of, standalone
from simulator.load.report.comparison import comparison_text, differences_text
from simulator.load.report.overlays import overlaid
from simulator.load.report.page import BEGINNING, report_text
from simulator.load.report.words import in_language
from simulator.results.result_file import is_stream, read_result, write_whole

__all__ = ["write_report"]


def write_report(
    file: Path, *, output: Path | None, compare: Path | None, folder: Path | None, language: str = "en"
) -> None:
    """Read results, write the page and the charts, and print the main differences of two.

    Nothing is written before all that is to be written was found to be ours to write. Raises ScenarioError.
    """
    checked_language(language)
    result = read_result(file)
    page = file.with_suffix(".html") if output is None else output
    other, names = (None, ("", "")) if compare is None else (read_result(compare), names_of(file, compare))
    with in_language(language):
        if other is None:
            text, charts = report_text(result), charts_of(result)
        else:
            text, charts = comparison_text(result, other, names), overlaid(result, other)
        drawings = {} if folder is None else {folder / f"{chart.name}.svg": standalone(chart) for chart in charts}
    check_ours(page, BEGINNING)
    for drawing in drawings:
        check_ours(drawing, CHART_BEGINNING)
    if folder is not None:
        make(folder)
    write_whole(page, text.encode(), option="--output")
    for drawing, drawn in drawings.items():
        write_whole(drawing, drawn.encode(), option="--charts")
    if other is not None:
        typer.echo(differences_text(result, other, names))
    for written in (page, *drawings):
        typer.echo(f"wrote {written}", err=True)
    if folder is not None and not drawings:
        typer.echo(f"no chart in {folder}: nothing was measured that could be drawn", err=True)


def names_of(file: Path, other: Path) -> tuple[str, str]:
    """Return what two files are called in a page that may be passed on, so without the folders they lie in.

    Of files that are called alike, as in a folder for each test, the folder is told as well.
    """
    if file.name != other.name:
        return file.name, other.name
    return (f"{file.absolute().parent.name}/{file.name}", f"{other.absolute().parent.name}/{other.name}")


def check_ours(file: Path, beginning: str) -> None:
    """Look whether a file may be written. Raises ScenarioError for one that is there and did not come from here."""
    try:
        # a pipe is no file that could be lost, and reading it would wait for a writer
        if not file.exists() or is_stream(file):
            return
        with file.open("rb") as stream:
            is_ours = stream.read(len(beginning)) == beginning.encode()
    except OSError as error:
        message = f"{file}: {error.strerror}; name a file that can be written"
        raise ScenarioError(message) from error
    if not is_ours:
        message = f"{file}: is there, and no report of parksim's; move it away, or name another file"
        raise ScenarioError(message)


def make(folder: Path) -> None:
    """Make a folder if it is not there. Raises ScenarioError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"--charts {folder}: {error.strerror}; name a folder that can be made"
        raise ScenarioError(message) from error
