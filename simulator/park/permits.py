"""Applications for permits: they come at random, wait their turn, and are worked on by one of several clerks.

On the clock of the office, which stands still while it is closed, this is M/M/c: exponential times between arrivals and
of work, first come, first served. With an office that never closes, waiting follows Erlang's C formula.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import simpy

from simulator.park.calendar import Calendar
from simulator.park.stops import whole_ms
from simulator.signals.streams import Stream

__all__ = ["Office", "Paper", "office_time"]

Steps = Generator[simpy.Event, Any, None]


@dataclass(slots=True)
class Paper:
    """One application. Times are office time in ns: of its arrival, and how long it waited and took in all."""

    came_ns: int
    waited_ns: int = 0
    took_ns: int = 0


def office_time(calendar: Calendar, at_ns: int, span_ns: int) -> int:
    """Return the instant at which so much office time has passed since another instant."""
    while True:
        change_ns = calendar.next_change(at_ns)
        if calendar.is_open(at_ns):
            if at_ns + span_ns <= change_ns:
                return at_ns + span_ns
            span_ns -= change_ns - at_ns
        at_ns = change_ns


class Office:
    """An office with a queue and clerks. ``changed`` is called after each happening, with the paper it befell."""

    def __init__(
        self,
        env: simpy.Environment,
        calendar: Calendar,
        *,
        between_ns: float,
        work_ns: float,
        clerks: int,
        stream: Callable[[str], Stream],
        changed: Callable[[Paper, str], None],
    ) -> None:
        self._env, self._calendar, self._clerks = env, calendar, clerks
        self._between_ns, self._work_ns = between_ns, work_ns
        self._coming, self._working = stream("arrivals").epoch(0), stream("work").epoch(0)
        self._changed = changed
        self._queue: deque[Paper] = deque()
        self._closed = False
        self.in_hand = 0
        env.process(self._arrivals())

    @property
    def waiting(self) -> int:
        """Applications that no clerk has begun."""
        return len(self._queue)

    def pause(self) -> None:
        """Begin no more applications; those in hand go on."""
        self._closed = True

    def resume(self) -> None:
        """Begin applications again."""
        self._closed = False
        self._serve()

    def _now(self) -> int:
        """Return the office time that has passed."""
        return self._calendar.open_ns(int(self._env.now))

    def _arrivals(self) -> Steps:
        while True:
            now_ns = int(self._env.now)
            next_ns = office_time(self._calendar, now_ns, whole_ms(self._coming.exponential(self._between_ns)))
            yield self._env.timeout(next_ns - now_ns)
            paper = Paper(self._now())
            self._queue.append(paper)
            self._changed(paper, "came")
            self._serve()

    def _serve(self) -> None:
        while self._queue and self.in_hand < self._clerks and not self._closed:
            paper = self._queue.popleft()
            self.in_hand += 1
            paper.waited_ns = self._now() - paper.came_ns
            self._changed(paper, "begun")
            self._env.process(self._work(paper))

    def _work(self, paper: Paper) -> Steps:
        now_ns = int(self._env.now)
        done_ns = office_time(self._calendar, now_ns, whole_ms(self._working.exponential(self._work_ns)))
        yield self._env.timeout(done_ns - now_ns)
        self.in_hand -= 1
        paper.took_ns = self._now() - paper.came_ns
        self._changed(paper, "done")
        self._serve()
