"""Turns what a model says about a document into problems: one plain sentence per place.

pydantic reports each failed alternative of a union, names its alternatives in the path, and calls a list too short
once one of its items is wrong. None of that is the user's business.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from simulator.scenario.document import Document, Node, Problem, path_text, shown
from simulator.scenario.json_schema import known_keys
from simulator.scenario.quantities import duration_ns, duration_text

__all__ = ["explain", "guess"]

Path_ = tuple[str | int, ...]

MAX_KNOWN = 500
"""Names that a misspelt one is compared with."""

WRONG_KIND = {
    "bool_type": "true or false",
    "date_from_datetime_parsing": "a date such as 2026-02-17",
    "date_parsing": "a date such as 2026-02-17",
    "date_type": "a date such as 2026-02-17",
    "datetime_from_date_parsing": "a date and time with its offset, such as 2026-01-05T06:00:00+07:00",
    "datetime_parsing": "a date and time with its offset, such as 2026-01-05T06:00:00+07:00",
    "datetime_type": "a date and time with its offset, such as 2026-01-05T06:00:00+07:00",
    "decimal_parsing": "a number",
    "decimal_type": "a number",
    "dict_type": "a mapping, lines of `key: value`",
    "finite_number": "a number",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list, each item after a dash",
    "model_type": "a mapping, lines of `key: value`",
    "string_type": "text",
    "tuple_type": "a list, each item after a dash",
}
"""What is allowed where a value is of another kind altogether."""

BOUNDS: Mapping[str, tuple[str, str, str]] = {
    "greater_than": ("gt", "too small", "more than"),
    "greater_than_equal": ("ge", "too small", "at least"),
    "less_than": ("lt", "too large", "less than"),
    "less_than_equal": ("le", "too large", "at most"),
}


def guess(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the known word that is closest, or nothing."""
    plain = word.lower().replace("-", "_").replace(" ", "_")
    by_plain = {one.lower().replace("-", "_"): one for one in islice(known, MAX_KNOWN)}
    close = difflib.get_close_matches(plain[:80], by_plain, n=1, cutoff=0.6)
    return f"; did you mean {by_plain[close[0]]!r}?" if close else ""


def explain(
    error: ValidationError, model: type[BaseModel], document: Document, data: object, *, limit: int
) -> list[Problem]:
    """Return one problem per place that the model complains about, in the order of the file.

    ``data`` is the document as plain Python. Only the first ``limit`` problems are put into words.
    """
    places: dict[Path_, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        path = real_path(details, document.root)
        if not is_echo(details, document.node(path)):
            places.setdefault(path, []).append(details)
    in_order = sorted(places.items(), key=lambda place: document.key_mark(place[0]))
    problems = []
    for path, complaints in in_order[:limit]:
        if complaints[0]["type"] == "extra_forbidden":
            problems.append(unknown_key(path, known_keys(model, data, path[:-1]), document))
        else:
            problems.append(problem(path, complaints, document))
    return problems + [Problem(document.mark(path), path_text(path), "") for path, _ in in_order[limit:]]


def real_path(details: ErrorDetails, root: Node) -> Path_:
    """Return the path that the user sees: without the names of alternatives that pydantic tried."""
    path: list[str | int] = []
    node: Node | None = root
    steps = details["loc"]
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        child = node.child(step) if node is not None else None
        is_tag = (not last and child is None) or (node is not None and not last and kind_of(node) == step)
        if child is None and last and details["type"] == "missing":
            path.append(step)
        elif child is not None and not is_tag:
            path.append(step)
            node = child
    if details["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        path.append(str(details["ctx"]["discriminator"]).strip("'"))
    return (*path, *field_named(details, node))


def kind_of(node: Node) -> object:
    """Return what a mapping says its kind is: pydantic puts this word into the path."""
    kind = node.child("kind")
    return kind.value if kind is not None else None


def field_named(details: ErrorDetails, node: Node | None) -> tuple[str, ...]:
    """Return the key that a check of a whole mapping begins its sentence with, such as ``initial(=5)``."""
    match = re.match(r"(\w+)(?:: |\(=)", said(details))
    if details["type"] != "value_error" or match is None or node is None or not isinstance(node.value, dict):
        return ()
    return (match[1],)


def said(details: ErrorDetails) -> str:
    return str(details.get("ctx", {}).get("error", details["msg"]))


def is_echo(details: ErrorDetails, node: Node | None) -> bool:
    """Say whether a list is only called too short since items of it are wrong."""
    if details["type"] != "too_short" or node is None or not isinstance(node.value, list | dict):
        return False
    return bool(len(node.value) >= details["ctx"]["min_length"])


def problem(path: Path_, complaints: Sequence[ErrorDetails], document: Document) -> Problem:
    """Return the one problem that the complaints about a place amount to."""
    details = complaints[0]
    if details["type"] == "missing":
        return document.problem(path, "missing, must be given")
    node = document.node(path)
    # pydantic gives what a quantity was turned into; the user knows what the file says
    value = node.plain() if node is not None else details["input"]
    deep = [one for one in complaints if one["type"] not in WRONG_KIND and one["type"] != "literal_error"]
    if deep:
        return document.problem(path, sentence(deep[0], path, value))
    allowed = " or ".join(dict.fromkeys(allowed_by(one) for one in complaints))
    if value is None:
        return document.problem(path, f"has no value, must be {allowed}")
    words = [word for one in complaints for word in re.findall(r"'([^']*)'", str(one.get("ctx", {}).get("expected")))]
    hint = guess(value, words) if isinstance(value, str) else ""
    if [one["type"] for one in complaints] == ["string_type"] and isinstance(value, int | float):
        hint = f'; write "{shown(value)}" in quotes'
    return document.problem(path, f"{shown(value)} is not allowed here, must be {allowed}{hint}")


def unknown_key(path: Path_, known: Sequence[str], document: Document) -> Problem:
    parent = document.node(path[:-1])
    key = str(path[-1])
    here = parent.value if parent is not None and isinstance(parent.value, dict) else {}
    hint = guess(key, [one for one in known if one not in here])
    if not hint and known:
        hint = f"; known here: {', '.join(known)}"
    return Problem(document.key_mark(path), path_text(path), f"unknown key{hint}")


def allowed_by(details: ErrorDetails) -> str:
    if details["type"] == "literal_error":
        return str(details["ctx"]["expected"])
    return WRONG_KIND[details["type"]]


def sentence(details: ErrorDetails, path: Path_, value: object) -> str:
    """Say what is wrong with a value that is of the right kind."""
    kind, context = details["type"], details.get("ctx", {})
    if kind in BOUNDS:
        key, verdict, relation = BOUNDS[kind]
        return f"{shown(value)} is {verdict}, must be {relation} {bound(context[key], value)}"
    return OTHERS.get(kind, fallback)(details, path)


def bound(limit: Any, value: object) -> str:
    """Write a limit in the unit that the value was written in."""
    if isinstance(value, str):
        try:
            duration_ns(value)
        except ValueError:
            pass
        else:
            return "0" if limit == 0 else duration_text(int(limit))
    return f"{limit:g}" if isinstance(limit, float) else f"{limit:f}" if isinstance(limit, Decimal) else str(limit)


def checked(details: ErrorDetails, path: Path_) -> str:
    """Return what one of our own checks says, without the key that the path has already."""
    return said(details).removeprefix(f"{path[-1]}: " if path else "")


def tag(details: ErrorDetails, _path: Path_) -> str:
    value, expected = details["ctx"]["tag"], details["ctx"]["expected_tags"]
    hint = guess(value, re.findall(r"\w+", expected))
    return f"{shown(value)} is not allowed here, must be one of {expected}{hint}"


def fallback(details: ErrorDetails, _path: Path_) -> str:
    """Say it with pydantic's words where we have none of our own."""
    text = details["msg"].replace("Input should be", "must be")
    return f"{shown(details['input'])}: {text if text.isprintable() else ascii(text)}"


def items(number: int) -> str:
    return "1 item" if number == 1 else f"{number} items"


OTHERS: Mapping[str, Callable[[ErrorDetails, Path_], str]] = {
    "value_error": checked,
    "union_tag_invalid": tag,
    "union_tag_not_found": lambda _details, _path: "missing, must be given",
    "too_short": lambda details, _path: f"too short, must have at least {items(details['ctx']['min_length'])}",
    "too_long": lambda details, _path: f"too long, must have at most {items(details['ctx']['max_length'])}",
}
