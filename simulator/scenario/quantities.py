"""Quantities as people write them: ``10m``, ``25k/s``, ``40k``, ``1s``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from simulator.scenario.document import shown

__all__ = [
    "NAME",
    "Amount",
    "Duration",
    "Name",
    "Rate",
    "duration_ns",
    "duration_text",
    "instant_ns",
    "instant_text",
    "rate_per_s",
    "valid_name",
]

NUMBER = r"[0-9]{1,20}(?:\.[0-9]{1,20})?"
UNITS_NS = {
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
PART = rf"({NUMBER})\s*(ms|s|min|m|h|d)(?![a-z])"
SCALES = {"": 1, "k": 1_000, "M": 1_000_000}
NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
MOST_PIECES = 10**12
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def duration_ns(text: object) -> int:
    """Return nanoseconds for ``500ms``, ``10s``, ``1.5h``, ``2d`` or a sum such as ``1h 30m``; always whole ms.

    Raises ValueError for anything else, a bare number included: its unit would be a guess.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        message = f"{text!r} has no unit; write {text!r}s, {text!r}m or {text!r}h"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports a ValueError and lets a TypeError through
    if not isinstance(text, str) or len(text) > 100 or re.fullmatch(rf"\s*(?:{PART}\s*)+", text, re.ASCII) is None:
        message = f"{shown(text)} is no duration; write a number with ms, s, m, h or d, such as 500ms, 10s or 1h 30m"
        raise ValueError(message)
    parts = re.findall(PART, text, re.ASCII)
    total = sum(Decimal(number) * UNITS_NS[unit] for number, unit in parts)
    if total > 36_525 * UNITS_NS["d"]:
        message = f"{text!r} is longer than a hundred years"
        raise ValueError(message)
    if total % UNITS_NS["ms"]:
        message = f"{text!r} is finer than a millisecond, the finest step that parksim keeps"
        raise ValueError(message)
    return int(total)


def duration_text(ns: int) -> str:
    """Write a duration the shortest way that ``duration_ns`` reads back: ``1h 30m``."""
    words = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, ns = divmod(ns, UNITS_NS[unit])
        if count:
            words.append(f"{count}{unit}")
    return " ".join(words) or "0s"


def amount(value: object) -> object:
    """Return a whole number for ``40k`` or ``1.5M``; leave anything that is no such text to the model's own check."""
    if type(value) is int:
        return in_bounds(value)
    match = re.fullmatch(rf"({NUMBER})\s*([kM]?)", value.strip(), re.ASCII) if isinstance(value, str) else None
    if match is None:
        return value
    number = Decimal(match[1]) * SCALES[match[2]]
    return in_bounds(int(number)) if number == int(number) else float(number)


def in_bounds(number: int) -> int:
    """Refuse counts that 64-bit sums could not hold."""
    if number > MOST_PIECES:
        message = f"{number} is more than a million million pieces, the most that parksim counts"
        raise ValueError(message)
    return number


def rate_per_s(text: object) -> float:
    """Return how many a second ``500/s``, ``5k/s`` or ``1.5M/s`` are. Raises ValueError for anything else."""
    match = re.fullmatch(rf"({NUMBER})\s*([kM]?)\s*/\s*s", text.strip(), re.ASCII) if isinstance(text, str) else None
    if match is None:
        message = f"{shown(text)} is no rate; write a number, k or M for thousands or millions, and /s, such as 25k/s"
        raise ValueError(message)
    return float(Decimal(match[1]) * SCALES[match[2]])


def instant_ns(instant: datetime) -> int:
    """Return nanoseconds since the Unix epoch of an aware instant, cut to whole milliseconds."""
    since = instant - EPOCH
    return (since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000) * UNITS_NS["ms"]


def instant_text(ns: int, zone: tzinfo) -> str:
    """Write nanoseconds since the Unix epoch as ISO 8601 with milliseconds and offset."""
    moment = EPOCH + timedelta(milliseconds=ns // UNITS_NS["ms"])
    return moment.astimezone(zone).isoformat(timespec="milliseconds")


Duration = Annotated[
    int,
    BeforeValidator(duration_ns),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*(?:{PART}\s*)+$",
            "examples": ["500ms", "10s", "1h 30m"],
        }
    ),
]
"""Integer nanoseconds in Python, a number with a unit in the file."""

Rate = Annotated[
    float,
    BeforeValidator(rate_per_s),
    WithJsonSchema({"type": "string", "pattern": rf"^\s*{NUMBER}\s*[kM]?\s*/\s*s\s*$", "examples": ["500/s", "25k/s"]}),
]
"""Per second in Python, a number with ``/s`` in the file."""

Amount = Annotated[
    int,
    BeforeValidator(amount),
    WithJsonSchema(
        {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": rf"^{NUMBER}\s*[kM]?$"}], "examples": ["40k"]}
    ),
]
"""A whole number of pieces; ``k`` and ``M`` are allowed."""


def valid_name(value: object) -> object:
    """Refuse a name that MQTT topics or line protocol would read as something else."""
    if isinstance(value, str) and re.fullmatch(NAME, value) is None:
        message = f"{shown(value)} is no name; use 1 to 63 of a-z, 0-9, - and _, starting with a letter or digit"
        raise ValueError(message)
    return value


Name = Annotated[str, BeforeValidator(valid_name), WithJsonSchema({"type": "string", "pattern": NAME})]
"""A level of a topic and the value of a tag."""
