"""What a report tells of the park: what it made and took, its faults, and what was done to it by hand."""

from __future__ import annotations

from collections import Counter
from html import escape

from simulator.load.report.figures import count, number, percent
from simulator.load.report.tables import table
from simulator.load.report.words import t
from simulator.results.result import Park, Result

__all__ = ["actions", "faults", "park"]

CAUSES = {
    "scheduled": "planned in the scenario",
    "by hand": "by hand",
    "by itself": "by itself",
    "consequence": "consequence of another",
}
"""Causes of faults as a result has them, in words."""
WANTED = {"scheduled", "by hand"}
DONE = {"fault": "fault", "pause": "pause", "speed": "speed"}
"""What was done by hand, in words."""
OFFSET = len("2026-01-05T06:00:00.000")
"""Where the offset stands in an instant of a result."""
TIMES = " \N{MULTIPLICATION SIGN} "


def park(found: Park) -> str:
    """Return what the park did: its effectiveness by factory and by type, its pieces, energy and failures by site."""
    factors = [
        f"{percent(value)} {t(name)}"
        for name, value in (
            ("availability", found.availability),
            ("effectiveness", found.effectiveness),
            ("quality", found.quality),
        )
    ]
    running = t(
        "At the end {running} of {machines} machines ran, and {alarms} had an alarm.",
        running=count(found.running),
        machines=count(found.machines),
        alarms=count(found.alarms),
    )
    factories = [(escape(name), percent(oee)) for name, oee in found.oee.items() if name != "park"]
    types = [(escape(name), percent(oee)) for name, oee in found.oee_by_type.items()]
    by_type = f"<details><summary>{t('OEE by type of machine')}</summary>{table((t('type'), 'OEE'), types)}</details>"
    return (
        f"<p>OEE {percent(found.oee.get('park'))} = {TIMES.join(factors)}. {running}</p>"
        + sites(found)
        + table((t("factory"), "OEE"), factories)
        + (by_type if types else "")
    )


def sites(found: Park) -> str:
    """Return a row for each site, and what its systems add."""
    rows = [
        (
            escape(name),
            percent(site.oee),
            count(site.pieces_good),
            count(site.pieces_bad),
            number(site.energy_kwh),
            count(site.failures),
            number(site.mtbf_h),
            number(site.mttr_min),
        )
        for name, site in found.sites.items()
    ]
    head = ("OEE", t("good pieces"), t("bad pieces"), "kWh", t("failures"), "MTBF, h", "MTTR, min")
    systems = [
        (escape(name), f"<code>{escape(figure)}</code>", number(value))
        for name, site in found.sites.items()
        for figure, value in site.figures.items()
    ]
    return table((t("site"), *head), rows) + table((t("site"), t("figure of its systems"), ""), systems, words=2)


def faults(result: Result) -> str:
    """Return the faults with their causes: first those that somebody wanted, each kind by its beginning."""
    offset = result.simulated.start[OFFSET:]
    ordered = sorted(result.faults, key=lambda one: one.cause not in WANTED)
    rows = [
        (
            f"<code>{escape(one.kind)}</code>",
            f"<code>{escape(one.target)}</code>",
            escape(t(CAUSES.get(one.cause, one.cause))),
            instant(one.from_, offset),
            t("not over") if one.to is None else instant(one.to, offset),
        )
        for one in ordered
    ]
    by_cause = Counter(one.cause for one in result.faults)
    told = [f"{count(many)} {escape(t(CAUSES.get(cause, cause)))}" for cause, many in by_cause.most_common()]
    told += (
        [t("{n} more that the result does not list", n=count(result.faults_not_listed))]
        if result.faults_not_listed
        else []
    )
    said = f"<p>{'; '.join(told)}</p>" if told else ""
    head = (t("kind"), t("target"), t("cause"), f"{t('from')} ({offset})", t("to"))
    return said + table(head, rows, words=5)


def instant(text: str, offset: str) -> str:
    """Return an instant to the second, with its offset only if the head of the table tells another one."""
    date, time, own = text[:10], text[11:19], text[OFFSET:]
    return f'<span class="time">{escape(date)} {escape(time)}{"" if own == offset else f" {escape(own)}"}</span>'


def actions(result: Result) -> str:
    """Return what was done to the run by hand."""
    offset = result.simulated.start[OFFSET:]
    rows = []
    for one in result.actions:
        if one.fault is not None:
            what = " ".join(f"{name}={value}" for name, value in one.fault.items())
        elif one.speed is not None:
            what = number(one.speed)
        else:
            what = f"{number(one.paused_s)} s"
        rows.append((instant(one.at, offset), t(DONE[one.do]), escape(what)))
    return table((f"{t('from')} ({offset})", t("what"), ""), rows, words=3)
