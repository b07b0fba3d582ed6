"""The words of views and reports in each language: JSON files under ``locale``, in NFC."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from simulator.errors import ScenarioError

__all__ = ["LANGUAGES", "checked_language", "words"]

LANGUAGES = ("en", "vi")
LOCALE = Path(__file__).parent / "locale"


def words(view: str, language: str) -> Mapping[str, str]:
    """Return the words of a view, such as ``terminal``, by key."""
    found: dict[str, str] = json.loads((LOCALE / f"{view}.{language}.json").read_text(encoding="utf-8"))
    return found


def checked_language(language: str) -> str:
    """Return a language that there is. Raises ScenarioError."""
    if language not in LANGUAGES:
        message = f"--lang {language}: there is no such language; there are {' and '.join(LANGUAGES)}"
        raise ScenarioError(message)
    return language
