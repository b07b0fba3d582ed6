"""What a report tells of the way of the messages: the ledger, what gateways did, and samples of what is missing."""

from __future__ import annotations

from html import escape

from simulator.load.report.figures import NOTHING, count, number
from simulator.load.report.tables import table
from simulator.load.report.words import t
from simulator.results.result import Gateways, Messages, Result

__all__ = ["LEDGER", "gateways", "ledger", "ledger_rows", "missing", "named", "retries"]

LEDGER = ("scheduled", "published", "acknowledged", "received", "written")
ASIDE = ("spooled", "in_flight", "unaccounted", "duplicates", "reordered", "overwritten")
MOST_PAYLOAD = 200
"""Characters of a payload that was refused; the result has more."""


def ledger_rows(messages: Messages) -> list[tuple[str, int]]:
    """Return every message by what became of it; the names are as written, not escaped."""
    rows = [(name, getattr(messages, name)) for name in LEDGER]
    rows += [(f"dropped: {reason}", many) for reason, many in messages.dropped.items()]
    rows += [(f"dead-lettered: {reason}", many) for reason, many in messages.dead_letter_reasons.items()]
    rows += [(name.replace("_", " "), getattr(messages, name)) for name in ASIDE]
    return rows + [(f"foreign: {reason}", many) for reason, many in messages.foreign.items()]


def named(row: str) -> str:
    """Return the name of a row of the ledger; reasons stay as they are."""
    name, colon, reason = row.partition(": ")
    return f"{t(name)}{colon}{reason}"


def ledger(result: Result) -> str:
    """Return what became of every message, with the readings in them where they are known."""
    readings = {"scheduled": result.readings.scheduled, "written": result.readings.written}
    rows = [
        (escape(named(name)), count(many), count(readings[name]) if name in readings else "")
        for name, many in ledger_rows(result.messages)
    ]
    if result.readings.left_out:
        rows.append((t("left out, for JSON cannot carry them"), "", count(result.readings.left_out)))
    found, before = result.simulated.rows_found, result.simulated.rows_before
    if found is not None:
        rows.append((t("rows that the store itself counted"), count(found), ""))
    if before:
        rows.append((t("of them there before"), count(before), ""))
    return table(("", t("messages"), t("readings")), rows)


def retries(result: Result) -> str:
    """Return what had to be tried again on the way."""
    rows = [(escape(name), count(many)) for name, many in result.retries.items()]
    return table((t("tried again, or otherwise than planned"), t("times")), rows)


def gateways(found: Gateways) -> str:
    """Return what gateways of the scenario kept, dropped and delayed, which is no loss of the pipeline."""
    rows = [
        (t("kept at the end"), count(found.kept)),
        *((escape(f"{t('dropped')}: {reason}"), count(many)) for reason, many in found.dropped.items()),
        (t("sent again on purpose"), count(found.sent_again)),
        (t("left late"), count(found.waited_ms.count)),
    ]
    if found.waited_ms.count:
        waits = {"p50": found.waited_ms.p50, "max": found.waited_ms.max}
        rows += [
            (f"{t('simulated wait')}, {t(name)}", NOTHING if ms is None else f"{number(ms / 1_000)} s")
            for name, ms in waits.items()
        ]
    return table(("", t("messages")), rows)


def missing(result: Result) -> str:
    """Return the first messages that were refused, and the first that never came."""
    refused = [
        (
            f"<code>{escape(letter.topic)}</code>",
            escape(letter.reason),
            f"<code>{escape(letter.payload[:MOST_PAYLOAD])}</code>",
        )
        for letter in result.dead_letters
    ]
    gaps = [(f"<code>{escape(gap.topic)}</code>", f"{gap.first}", f"{gap.last}") for gap in result.gaps]
    return table((t("refused"), t("why"), t("payload")), refused, words=3) + table(
        (t("never received"), t("first number"), t("last number")), gaps
    )
