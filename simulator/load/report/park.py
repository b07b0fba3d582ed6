"""What a report tells of the park: what it made and took, and the faults that somebody wanted."""

from __future__ import annotations

from html import escape

from simulator.load.report.figures import count, number, percent
from simulator.load.report.tables import table
from simulator.load.report.words import t
from simulator.results.result import Result

__all__ = ["actions", "faults", "park"]

DONE = {"fault": "fault", "pause": "pause", "speed": "speed"}
"""What was done by hand, in words."""
TIMES = " \N{MULTIPLICATION SIGN} "


def park(result: Result) -> str:
    """Return what the park did: its effectiveness by factory, its pieces and energy by site."""
    found = result.park
    if found is None:
        return ""
    rows = [(escape(name), percent(oee)) for name, oee in found.oee.items() if name != "park"]
    sites = [
        (
            escape(name),
            percent(site.oee),
            count(site.pieces_good),
            count(site.pieces_bad),
            number(site.energy_kwh),
            count(site.failures),
        )
        for name, site in found.sites.items()
    ]
    factors = [
        f"{percent(value)} {t(name)}"
        for name, value in (
            ("availability", found.availability),
            ("effectiveness", found.effectiveness),
            ("quality", found.quality),
        )
    ]
    head = (t("site"), "OEE", t("good pieces"), t("bad pieces"), "kWh", t("failures"))
    return (
        f"<p>OEE {percent(found.oee.get('park'))} = {TIMES.join(factors)}</p>"
        + table(head, sites)
        + table((t("factory"), "OEE"), rows)
    )


def actions(result: Result) -> str:
    """Return what was done to the run by hand."""
    rows = []
    for one in result.actions:
        if one.fault is not None:
            what = " ".join(f"{name}={value}" for name, value in one.fault.items())
        elif one.speed is not None:
            what = number(one.speed)
        else:
            what = f"{number(one.paused_s)} s"
        rows.append((escape(one.at), t(DONE[one.do]), escape(what)))
    return table((t("from"), t("what"), ""), rows, words=3)


def faults(result: Result) -> str:
    """Return faults that somebody wanted, and how many there were by themselves."""
    wanted = [one for one in result.faults if one.cause in {"scheduled", "by hand"}]
    rows = [
        (escape(one.kind), escape(one.target), t(one.cause), escape(one.from_), escape(one.to or t("not over")))
        for one in wanted
    ]
    others = len(result.faults) - len(wanted) + result.faults_not_listed
    said = f"<p>{t('{n} more came by themselves or of others', n=count(others))}</p>" if others else ""
    return table(tuple(map(t, ("kind", "target", "cause", "from", "to"))), rows, words=5) + said
