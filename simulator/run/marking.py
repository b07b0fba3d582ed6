"""Marks on the charts of a run: what happened when, by the wall clock of whoever looked on."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from simulator.park.world import FaultTold
from simulator.results.snapshot import Mark

__all__ = ["Marking"]

MOST = 100
"""Marks that are kept: the last ones."""


class Marking:
    """Keeps when faults were first seen, and seen to be over, and what was done by hand.

    A chart has a point a second, so that is as exact as they need be. Thread-safe: who sends marks what was done, who
    takes snapshots what is seen.
    """

    def __init__(self) -> None:
        self._of: dict[tuple[str, ...], Mark] = {}
        self._number = 0
        self._lock = Lock()

    def see(self, faults: Iterable[FaultTold], wall_s: float) -> None:
        """Take in the faults that are in force, or were."""
        with self._lock:
            for one in faults:
                key = one.kind, one.target, str(one.from_ns)
                mark = self._of.get(key) or Mark("fault", wall_s, None, one.kind, one.target, one.cause)
                if one.to_ns is not None and mark.to_s is None:
                    mark = mark._replace(to_s=wall_s)
                self._of[key] = mark
            self._forget()

    def act(self, what: str, wall_s: float, said: str | None = None) -> None:
        """Mark what was done by hand; a pause lasts until ``over``, everything else no time."""
        mark = Mark(what, wall_s, None if what == "pause" else wall_s, said, None, "by hand")
        with self._lock:
            self._number += 1
            self._of[what, str(self._number)] = mark
            self._forget()

    def over(self, what: str, wall_s: float) -> None:
        """Let what was marked last as this be over."""
        with self._lock:
            for key, mark in self._of.items():
                if mark.what == what and mark.to_s is None:
                    self._of[key] = mark._replace(to_s=wall_s)

    def marks(self) -> tuple[Mark, ...]:
        """Return them, the oldest first."""
        with self._lock:
            return tuple(self._of.values())

    def _forget(self) -> None:
        for key in list(self._of)[: max(0, len(self._of) - MOST)]:
            del self._of[key]
