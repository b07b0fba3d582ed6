"""Quantities as people write them: ``10m``, ``25k/s``, ``40k``, ``1s``."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

__all__ = ["Amount", "Duration", "Name", "duration_ns", "duration_text", "instant_ns"]

UNITS_NS = {
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
SCALES = {"": 1, "k": 1_000, "M": 1_000_000}
NUMBER = r"\d+(?:\.\d+)?"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def duration_ns(text: object) -> int:
    """Return nanoseconds for ``500ms``, ``10s``, ``1.5h``, ``2d`` or a sum such as ``1h 30m``; always whole ms.

    Raises ValueError for anything else, a bare number included: its unit would be a guess.
    """
    parts = re.findall(rf"({NUMBER})\s*(ms|s|min|m|h|d)(?![a-z])", text) if isinstance(text, str) else []
    if not parts or re.sub(rf"({NUMBER})\s*(ms|s|min|m|h|d)(?![a-z])", "", str(text)).strip():
        message = f"{text!r} is no duration; write a number with ms, s, m, h or d, such as 500ms, 10s or 1h 30m"
        raise ValueError(message)
    total = sum(Decimal(number) * UNITS_NS[unit] for number, unit in parts)
    if total % UNITS_NS["ms"]:
        message = f"{text!r} is finer than a millisecond, the finest step that parksim keeps"
        raise ValueError(message)
    if total > 36_525 * UNITS_NS["d"]:
        message = f"{text!r} is longer than a hundred years"
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
    match = re.fullmatch(rf"({NUMBER})\s*([kM]?)", value.strip()) if isinstance(value, str) else None
    if match is None:
        return value
    number = Decimal(match[1]) * SCALES[match[2]]
    return int(number) if number == int(number) else float(number)


def instant_ns(instant: datetime) -> int:
    """Return nanoseconds since the Unix epoch of an aware instant, cut to whole milliseconds."""
    since = instant - EPOCH
    return (since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000) * UNITS_NS["ms"]


Duration = Annotated[
    int,
    BeforeValidator(duration_ns),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*({NUMBER}\s*(ms|s|min|m|h|d)\s*)+$",
            "examples": ["500ms", "10s", "1h 30m"],
        }
    ),
]
"""Integer nanoseconds in Python, a number with a unit in the file."""

Amount = Annotated[
    int,
    BeforeValidator(amount),
    WithJsonSchema(
        {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": rf"^{NUMBER}\s*[kM]?$"}], "examples": ["40k"]}
    ),
]
"""A whole number of pieces; ``k`` and ``M`` are allowed."""


def name(value: object) -> object:
    """Refuse a name that MQTT topics or line protocol would read as something else."""
    if isinstance(value, str) and re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", value) is None:
        message = f"{value!r} is no name; use 1 to 63 of a-z, 0-9, - and _, starting with a letter or digit"
        raise ValueError(message)
    return value


Name = Annotated[
    str, BeforeValidator(name), WithJsonSchema({"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$"})
]
"""A level of a topic and the value of a tag."""
