"""The words of a report in the language that it is written in: English texts are their own keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from simulator.languages import words

__all__ = ["in_language", "language", "localised", "t"]

ENGLISH = "en"
LANGUAGE: ContextVar[str] = ContextVar("language", default=ENGLISH)
WORDS: ContextVar[Mapping[str, str]] = ContextVar("words", default={})  # noqa: B039 - nobody changes it
COMMAS = str.maketrans(",.", ".,")


@contextmanager
def in_language(wanted: str) -> Iterator[None]:
    """Write what is written within in this language. Raises ScenarioError if there is none such."""
    known = words("report", wanted)
    before = LANGUAGE.set(wanted), WORDS.set(known)
    try:
        yield
    finally:
        LANGUAGE.reset(before[0])
        WORDS.reset(before[1])


def language() -> str:
    """Return the language that is written in."""
    return LANGUAGE.get()


def t(text: str, **values: object) -> str:
    """Return a text in the language that is written in, with values for its {names}."""
    found = WORDS.get().get(text, text)
    return found.format(**values) if values else found


def localised(number: str) -> str:
    """Return a number, written as in English, as it is written in that language."""
    return number if language() == ENGLISH else number.translate(COMMAS)
