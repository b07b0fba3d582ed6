"""Two results beside each other: a page with both curves in each chart, and a few lines for a terminal."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from html import escape

from simulator.load.report.differences import NOTEWORTHY, Figure, figures_told, latencies, ledgers, rates, settings
from simulator.load.report.drawing import figure_text
from simulator.load.report.figures import NOTHING, count
from simulator.load.report.overlays import overlaid
from simulator.load.report.page import page_text, verdict_of
from simulator.load.report.tables import beginning, marked, measured, section, table
from simulator.load.report.words import t
from simulator.results.result import Result, ThresholdOutcome

__all__ = ["comparison_text", "differences_text"]

Names = tuple[str, str]
MOST_LINES = 300
MOST_TEXT = 200_000
"""Characters of both scenarios together, above which they are not compared line by line: that would take minutes."""


def comparison_text(one: Result, other: Result, names: Names) -> str:
    """Return the page; ``names`` say which result is which, such as those of their files."""
    charts = overlaid(one, other)
    figures = ("", "A", "B", t("B against A"))
    parts = [
        f"<h1>{t('{one} and {other}', one=escape(names[0]), other=escape(names[1]))}</h1>",
        both(one, other, names),
        section(t("Thresholds"), thresholds(one, other)),
        section(t("Rates"), table(figures, rows(rates(one, other)))),
        *(section(chart.title, figure_text(chart)) for chart in charts if chart.name != "search"),
        section(t("Latency"), table(figures, rows(latencies(one, other)))),
        section(t("Search for the highest rate"), *(figure_text(chart) for chart in charts if chart.name == "search")),
        section(t("What gave way"), gave_way(one, other)),
        section(t("Every message"), table(figures, rows(ledgers(one, other)))),
        section(t("What else was different"), different(one, other)),
    ]
    return page_text("parksim: " + t("{one} and {other}", one=names[0], other=names[1]), parts)


def both(one: Result, other: Result, names: Names) -> str:
    """Say which is A and which is B, and how each ended."""
    return "".join(
        f"<p><strong>{letter}</strong> {escape(name)}: {verdict_of(result)},"
        f" <span lang=en>{escape(result.verdict)}</span>"
        f'<br><span class="faint">{escape(result.scenario.name)}, {escape(result.started)}</span></p>'
        for letter, name, result in (("A", names[0], one), ("B", names[1], other))
    )


def rows(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    return [
        (escape(figure.name), figure.shown(figure.one), figure.shown(figure.other), judged(figure))
        for figure in figures
    ]


def judged(figure: Figure) -> str:
    told = figure.told()
    return marked(told, well=figure.judgement == "better") if figure.judgement else escape(told)


def thresholds(one: Result, other: Result) -> str:
    ours = {outcome.expression: outcome for outcome in one.thresholds}
    theirs = {outcome.expression: outcome for outcome in other.thresholds}
    found = [
        (f"<code>{escape(name)}</code>", outcome_text(ours.get(name)), outcome_text(theirs.get(name)))
        for name in dict.fromkeys((*ours, *theirs))
    ]
    return table((t("threshold"), "A", "B"), found)


def outcome_text(outcome: ThresholdOutcome | None) -> str:
    if outcome is None:
        return NOTHING
    return f"{measured(outcome)} {marked(t('holds') if outcome.passed else t('FAILS'), well=outcome.passed)}"


def gave_way(one: Result, other: Result) -> str:
    found = [result.load.bottleneck if result.load is not None else None for result in (one, other)]
    told = [
        (letter, escape(t(bottleneck.part)), f"<span lang=en>{escape(bottleneck.because)}</span>")
        for letter, bottleneck in zip("AB", found, strict=True)
        if bottleneck is not None
    ]
    return table(("", t("part"), t("because")), told, words=3)


def different(one: Result, other: Result) -> str:
    """Return the settings and versions that differ, and the lines of the scenarios that do."""
    found = [(escape(name), escape(first), escape(second)) for name, first, second in settings(one, other)]
    if not found:
        said = t("Nothing: scenario, seed, machine, versions and settings are the same.")
        return f"<p>{said}</p>"
    return table(("", "A", "B"), found, words=3) + scenario_lines(one.scenario.text, other.scenario.text)


def scenario_lines(one: str, other: str) -> str:
    if one == other:
        return ""
    if len(one) + len(other) > MOST_TEXT:
        return f"<p>{t('The scenarios are too long to be compared line by line here.')}</p>"
    lines = list(difflib.unified_diff(one.splitlines(), other.splitlines(), "A", "B", n=1, lineterm=""))
    rest = "\n" + t("and {n} lines more", n=count(len(lines) - MOST_LINES)) if len(lines) > MOST_LINES else ""
    text = escape(beginning("\n".join(lines[:MOST_LINES])) + rest)
    return (
        f"<details><summary>{t('lines of the scenarios that differ')}</summary><pre tabindex=0>{text}</pre></details>"
    )


def differences_text(one: Result, other: Result, names: Names) -> str:
    """Return the main differences for a terminal."""
    lines = [
        f"{letter}  {name}: {'PASS' if result.exit_code == 0 else f'EXIT {result.exit_code}'}, {result.verdict}"
        for letter, name, result in (("A", names[0], one), ("B", names[1], other))
    ]
    told = figures_told(one, other)
    cells = [("", "A", "B", "B against A")]
    cells += [(figure.name, figure.shown(figure.one), figure.shown(figure.other), figure.told()) for figure in told]
    widths = [max(len(row[place]) for row in cells) for place in range(4)]
    lines.append("")
    lines += [
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}" for row in cells
    ]
    if not any(figure.is_notable for figure in told):
        lines += ["", f"no figure differs by {NOTEWORTHY:.0%} or more".replace("%", " %")]
    found = settings(one, other)
    lines += ["", "different:"] if found else []
    lines += [f"  {name}: {first} / {second}" for name, first, second in found]
    return "\n".join(printable(line) for line in lines)


def printable(text: str) -> str:
    """Return a text with nothing in it that moves a cursor: a result may come from somebody else."""
    return "".join(character if character.isprintable() else "?" for character in text)
