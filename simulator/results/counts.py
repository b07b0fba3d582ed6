"""Counts: the balance of a run at one moment."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Counts"]


@dataclass(frozen=True, slots=True)
class Counts:
    """The balance of a run at one moment.

    ``scheduled == written + dead_lettered + dropped + spooled + in_flight + unaccounted``, whatever has happened so
    far. Hops count unique messages; ``duplicates`` and ``reordered`` are as the bridge saw them.
    """

    scheduled: int
    published: int
    acknowledged: int
    received: int
    written: int
    dead_lettered: dict[str, int]
    dropped: dict[str, int]
    duplicates: int
    reordered: int
    in_flight: int
    unaccounted: int
    readings_scheduled: int
    readings_written: int
    foreign: dict[str, int] = field(default_factory=dict)
    kept: int = 0
    """Of those in flight, what gateways of the scenario keep, or what is on its way from them."""
    spilled: dict[str, int] = field(default_factory=dict)
    """Of those dropped, what gateways of the scenario dropped because it says so, by reason."""
    overwritten: int = 0
    """Of those received, how many bear the instant of the message before of their asset: one row for both."""
    spooled: int = 0
    """On the disk of the bridge."""

    def __add__(self, other: Counts) -> Counts:
        """Return the balance of two runs of different machines together."""
        total: dict[str, Any] = {}
        for name, mine in asdict(self).items():
            theirs = getattr(other, name)
            if isinstance(mine, dict):
                total[name] = {
                    reason: mine.get(reason, 0) + theirs.get(reason, 0) for reason in sorted({*mine, *theirs})
                }
            else:
                total[name] = mine + theirs
        return Counts(**total)

    @property
    def rows(self) -> int:
        """How many rows of a store were written; a few less where two messages bear the same instant."""
        return max(0, self.written - self.overwritten)

    @property
    def lost(self) -> int:
        """How many will never be written, but for what gateways of the scenario drop on purpose."""
        given_up = sum(self.dropped.values()) - sum(self.spilled.values())
        return self.unaccounted + given_up + sum(self.dead_lettered.values())

    def messages(self) -> dict[str, Any]:
        """Return ``messages{}`` of the result."""
        found = asdict(self)
        del found["readings_scheduled"], found["readings_written"], found["kept"], found["spilled"]
        reasons = found["dead_lettered"]
        return found | {"dead_lettered": sum(reasons.values()), "dead_letter_reasons": reasons}

    def readings(self) -> dict[str, int]:
        """Return ``readings{}`` of the result."""
        return {"scheduled": self.readings_scheduled, "written": self.readings_written}
