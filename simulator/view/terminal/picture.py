"""What a terminal knows of a run: the latest document, what changed since the one before, and what was said."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Picture", "Update", "duration", "plain"]

MOST_POINTS = 600
MOST_LINES = 1000
SECOND_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Update:
    """News for a terminal."""

    document: Mapping[str, Any] | None = None
    """Of a feed; None: none newer."""
    alarms: Sequence[Mapping[str, Any]] | None = None
    """Machines that are broken down; None: as before."""
    said: Sequence[str] = ()
    points: Sequence[Mapping[str, float | None]] = ()
    """The history of a run that was not watched from the beginning."""


@dataclass(slots=True)
class Picture:
    """All that the screen is drawn from."""

    document: Mapping[str, Any] = field(default_factory=dict)
    alarms: list[Mapping[str, Any]] = field(default_factory=list)
    points: deque[Mapping[str, float | None]] = field(default_factory=lambda: deque(maxlen=MOST_POINTS))
    log: deque[tuple[float | None, str, str]] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    """Seconds of wall time, a key of the words or nothing, and a text."""
    lines: int = 0
    """Said so far, those that are forgotten included."""
    rates: dict[str, float | None] = field(default_factory=dict)
    """Messages a second at each hop."""

    @property
    def run(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document.get("run", {})
        return found

    @property
    def is_over(self) -> bool:
        return bool(self.run.get("over"))

    def take(self, update: Update) -> None:
        """Take in what is new."""
        self.points.extend(update.points)
        if update.alarms is not None:
            self.alarms = list(update.alarms)
        before = self.document
        if update.document is not None:
            self._take_document(before, update.document)
        for text in update.said:
            self._note("", text)

    def _take_document(self, before: Mapping[str, Any], document: Mapping[str, Any]) -> None:
        self.document = document
        if not self.is_over:
            self.rates = hop_rates(before, document)
            self.points.append(document.get("point", {}))
        was, run = before.get("run", {}), self.run
        if run.get("trouble") != was.get("trouble"):
            self._note("trouble" if run.get("trouble") else "trouble_over", run.get("trouble") or "")
        if run.get("waiting") and run["waiting"] != was.get("waiting"):
            self._note("ending", run["waiting"])

    def _note(self, key: str, text: str) -> None:
        self.log.append((self.run.get("wall_s"), key, plain(text)))
        self.lines += 1


def hop_rates(before: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the rates of all hops; the document has those of three, the others rose since the one before."""
    given = document.get("rates", {})
    rates: dict[str, float | None] = {name: given.get(f"{name}_per_s") for name in ("published", "received", "written")}
    was_s = before.get("run", {}).get("wall_s")
    passed_s = 0 if was_s is None else document["run"]["wall_s"] - was_s
    for name in ("scheduled", "acknowledged"):
        risen = document["messages"][name] - before["messages"][name] if passed_s > 0 else 0
        rates[name] = risen / passed_s if passed_s > 0 else None
    return rates


def plain(text: object) -> str:
    """Return a text that cannot move the cursor or change colours: strangers may have written it."""
    return "".join(one if one.isprintable() else "?" for one in str(text))


def duration(seconds: float | None) -> str:
    """Write a duration in its two largest units: ``1h 30m``."""
    if seconds is None:
        return "-"
    left, found = int(max(0.0, seconds)), []
    for size, unit in SECOND_UNITS:
        count, left = divmod(left, size)
        found += [f"{count}{unit}"] if count else []
    return " ".join(found[:2]) or "0s"
