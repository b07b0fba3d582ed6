"""Marks on the charts of a run: what happened when, by the wall clock of whoever looked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from threading import Lock
from typing import NamedTuple

from simulator.results.snapshot import Mark
from simulator.scenario.fault import Fault

__all__ = ["Marking"]

MOST = 100
"""Marks that are kept: the last ones."""


class Awaited(NamedTuple):
    """A fault that begins, or has begun; simulated instants, nanoseconds since the Unix epoch."""

    from_ns: int
    to_ns: int
    mark: Mark


class Marking:
    """Keeps when faults that somebody wanted were seen to begin and to end, and what else was done by hand.

    There is a mark for each fault as it was written, however many machines it strikes. A chart has a point a second, so
    that is as exact as they need be. Thread-safe: who sends marks what was done, who takes snapshots looks at the time.
    """

    def __init__(self, faults: Iterable[Fault], start_ns: int) -> None:
        """``faults`` are planned; ``start_ns`` is the instant from which their times count that are durations."""
        spans = [(*fault.span_ns(start_ns), fault) for fault in faults]
        spans.sort(key=lambda one: one[0])
        self._awaited = deque(Awaited(low, high, marked(fault, "scheduled")) for low, high, fault in spans)
        self._going: dict[int, Awaited] = {}
        self._marks: dict[int, Mark] = {}
        self._number = 0
        self._lock = Lock()

    def see(self, simulated_ns: int, wall_s: float) -> None:
        """Let begin and end what does so by then."""
        with self._lock:
            while self._awaited and self._awaited[0].from_ns <= simulated_ns:
                self._begin(self._awaited.popleft(), wall_s)
            for number, one in list(self._going.items()):
                if one.to_ns <= simulated_ns:
                    self._end(number, wall_s)

    def fault(self, fault: Fault, at_ns: int, wall_s: float) -> None:
        """Mark a fault that was begun by hand."""
        with self._lock:
            self._begin(Awaited(at_ns, at_ns + fault.duration, marked(fault, "by hand")), wall_s)

    def act(self, what: str, wall_s: float, said: str | None = None) -> None:
        """Mark what was done by hand; a pause lasts until ``resumed``, everything else no time."""
        with self._lock:
            self._add(Mark(what, wall_s, None if what == "pause" else wall_s, said, None, "by hand"))

    def resumed(self, wall_s: float) -> None:
        """Let the pause be over."""
        with self._lock:
            for number, mark in self._marks.items():
                if mark.what == "pause" and mark.to_s is None:
                    self._marks[number] = mark._replace(to_s=wall_s)

    def marks(self) -> tuple[Mark, ...]:
        """Return them, the oldest first."""
        with self._lock:
            return tuple(self._marks.values())

    def _begin(self, one: Awaited, wall_s: float) -> None:
        self._going[self._add(one.mark._replace(from_s=wall_s))] = one

    def _end(self, number: int, wall_s: float) -> None:
        del self._going[number]
        if number in self._marks:
            self._marks[number] = self._marks[number]._replace(to_s=wall_s)

    def _add(self, mark: Mark) -> int:
        self._number += 1
        self._marks[self._number] = mark
        for number in list(self._marks)[: max(0, len(self._marks) - MOST)]:
            del self._marks[number]
        return self._number


def marked(fault: Fault, cause: str) -> Mark:
    """Return the mark of a fault that has not begun."""
    return Mark("fault", 0.0, None, fault.kind, fault.target, cause)
