"""The marks of a load test: where it stood about every second, and whether it is of any use to go on."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from simulator.clock import SECOND_NS, RealClock
from simulator.load.clocks import ClockWatch, Offset
from simulator.load.tally import Mark, Tally
from simulator.load.thresholds import Threshold
from simulator.results.snapshot import Snapshot
from simulator.run.hops import Hops

__all__ = ["Marks"]

MOST_MARKS = 4_000
"""More than an hour at one a second; some tens of kilobytes each."""


@dataclass
class Marks:
    """What was counted at the beginning, about every second, and in the end; and who asked for an end before."""

    thresholds: Sequence[Threshold] = ()
    stop: threading.Event = field(default_factory=threading.Event)
    hops: Hops | None = None
    marks: list[Mark] = field(default_factory=list)
    lost: Threshold | None = None
    """The threshold because of which the test was ended early."""
    given_up: Callable[[Sequence[Mark]], bool] = lambda _: False
    """Says of the marks so far whether it is of no use to go on."""
    was_given_up: bool = False
    clocks: ClockWatch = field(default_factory=lambda: ClockWatch(RealClock()))
    offset: Offset = field(default_factory=Offset)
    """Of the clock of the database."""
    servers: dict[str, float] = field(default_factory=dict)
    """What broker and database told of themselves."""
    stopped_s: float = math.inf
    """When it was ended early; what comes later is what was under way."""
    _noted: int = 0
    _every: int = 1
    _is_passing: bool = False
    """Whether the last mark goes when the next one comes."""

    def opened(self, hops: Hops) -> None:
        self.hops = hops
        self.clocks.look()
        self._note(0.0)

    def seen(self, snapshot: Snapshot) -> None:
        """Note where the run stands, and end it if a threshold for all of it cannot be met any more."""
        self._note(snapshot.wall_ns / SECOND_NS)
        self.clocks.look()
        if self.lost is None and len(self.marks) > 1:
            whole = Tally(self.marks[0], self.marks[-1])
            self.lost = next((one for one in self.thresholds if one.stage is None and one.is_lost(whole)), None)
            self.was_given_up = self.was_given_up or self.given_up(self.marks)
            if self.lost is not None or self.was_given_up:
                self.stop.set()
                self.stopped_s = min(self.stopped_s, self.marks[-1].wall_s)

    def ended(self, seconds: float) -> None:
        self._note(seconds)

    def _note(self, wall_s: float) -> None:
        """Keep where it stands; of a long test every second mark, then every fourth, and always the last one."""
        assert self.hops is not None
        mark = Mark.of(max(0.0, wall_s), self.hops.ledger.counts(), self.hops.latency, self.hops.effort())
        if self._is_passing:
            self.marks.pop()
        self.marks.append(mark)
        self._noted += 1
        self._is_passing = self._noted % self._every != 0
        if len(self.marks) > MOST_MARKS:
            self.marks = [*self.marks[:-1:2], mark]
            self._every *= 2

    def between(self, from_s: float, to_s: float) -> Tally:
        """Return what came between the marks that are nearest to two instants."""
        before = min(self.marks, key=lambda mark: abs(mark.wall_s - from_s))
        after = min(self.marks, key=lambda mark: abs(mark.wall_s - to_s))
        return Tally(before, after)

    def at_work(self, until_s: float) -> list[Mark]:
        """Return the marks while messages were due: not those of the end, when what is under way drains."""
        return [mark for mark in self.marks[:-1] if mark.wall_s < until_s and mark.wall_s <= self.stopped_s]
