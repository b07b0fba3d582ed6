"""Marks on the charts of a run: what happened when, by the wall clock of whoever looked on."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.park.world import FaultTold
from simulator.results.snapshot import Mark

__all__ = ["Marking"]

MOST = 100
"""Marks that are kept: the last ones."""


class Marking:
    """Keeps when faults were first seen, and seen to be over, and what was done by hand.

    A chart has a point a second, so that is as exact as they need be.
    """

    def __init__(self) -> None:
        self._of: dict[tuple[str, ...], Mark] = {}

    def see(self, faults: Iterable[FaultTold], wall_s: float) -> None:
        """Take in the faults that are in force, or were."""
        for one in faults:
            key = one.kind, one.target, str(one.from_ns)
            mark = self._of.get(key) or Mark("fault", wall_s, None, one.kind, one.target, one.cause)
            if one.to_ns is not None and mark.to_s is None:
                mark = mark._replace(to_s=wall_s)
            self._of[key] = mark
        self._forget()

    def act(self, what: str, wall_s: float, said: str | None = None) -> None:
        """Mark what was done by hand; a pause lasts until ``over``, everything else no time."""
        self._of[what, str(len(self._of)), str(wall_s)] = Mark(
            what, wall_s, None if what == "pause" else wall_s, said, None, "by hand"
        )
        self._forget()

    def over(self, what: str, wall_s: float) -> None:
        """Let what was marked last as this be over."""
        for key, mark in self._of.items():
            if mark.what == what and mark.to_s is None:
                self._of[key] = mark._replace(to_s=wall_s)

    def marks(self) -> tuple[Mark, ...]:
        """Return them, the oldest first."""
        return tuple(self._of.values())

    def _forget(self) -> None:
        for key in list(self._of)[: max(0, len(self._of) - MOST)]:
            del self._of[key]
