"""Alarms: which machines are broken down, since when, and which of them somebody has acknowledged."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from simulator.batch import Catalog
from simulator.park.packml import State

__all__ = ["ALARM_STATES", "Alarms"]

ALARM_STATES = frozenset({State.ABORTING, State.ABORTED, State.CLEARING})


@dataclass(slots=True)
class Alarm:
    """A machine that is broken down."""

    state: int
    since_s: float
    """Simulated time since the start at which it was first seen so."""
    is_acknowledged: bool = False


class Alarms:
    """The alarms of a park as its states come in. One that ends and comes again is new, and not acknowledged."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._of: dict[int, Alarm] = {}

    def see(self, states: Collection[int], simulated_s: float) -> None:
        """Take in the PackML state of each machine."""
        now = {asset: state for asset, state in enumerate(states) if state in ALARM_STATES}
        for asset in self._of.keys() - now.keys():
            del self._of[asset]
        for asset, state in now.items():
            if asset in self._of:
                self._of[asset].state = state
            else:
                self._of[asset] = Alarm(state, simulated_s)

    def acknowledge(self, topic: str) -> bool:
        """Note that somebody has seen an alarm; return False if that machine has none."""
        alarm = self._of.get(self._catalog.by_topic.get(topic, -1))
        if alarm is not None:
            alarm.is_acknowledged = True
        return alarm is not None

    def counts(self) -> dict[str, int]:
        """Return how many there are, and how many of them nobody has acknowledged."""
        return {"all": len(self._of), "new": sum(not one.is_acknowledged for one in self._of.values())}

    def latest(self, limit: int) -> list[dict[str, Any]]:
        """Return so many of them at most: those that nobody has acknowledged first, and of these the latest."""
        ordered = sorted(self._of.items(), key=lambda one: (one[1].is_acknowledged, -one[1].since_s, one[0]))
        return [
            {
                "topic": self._catalog.assets[asset].topic,
                "kind": self._catalog.assets[asset].kind,
                "state": alarm.state,
                "since_s": alarm.since_s,
                "acknowledged": alarm.is_acknowledged,
            }
            for asset, alarm in ordered[:limit]
        ]
