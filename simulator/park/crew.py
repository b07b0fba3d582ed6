"""The repair crew of a factory: so many repairs at once, each by somebody who is more or less able."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Any, Protocol

import simpy

from simulator.park.stops import whole_ms

__all__ = ["Crew", "Menders"]


class Menders(Protocol):
    """The people of the crew, who have a skill each."""

    def begin(self, post: int) -> tuple[int, float]:
        """Return who works at a post now, and how many times as long as usual his repairs take."""

    def end(self, who: int, work_ns: int, *, planned: bool) -> None:
        """Learn from work that took so long, planned or a repair."""


class Crew(simpy.Resource):
    """Posts of a crew: who calls waits until one is free, and is served in the order of the calls."""

    def __init__(self, env: simpy.Environment, capacity: int) -> None:
        super().__init__(env, capacity)
        self.menders: Menders | None = None
        """None: everybody takes the usual time."""
        self._free = deque(range(capacity))
        """Posts by how long they have been free, so that everybody has his turn."""

    def mend(self, work_ns: int, *, planned: bool = False) -> Generator[simpy.Event, Any, None]:
        """Wait for somebody, and for his work, which takes ``work_ns`` at the usual skill; planned, or a repair."""
        with self.request() as request:
            yield request
            if self.menders is None:
                yield self._env.timeout(work_ns)
                return
            post = self._free.popleft()
            try:
                who, factor = self.menders.begin(post)
                took_ns = whole_ms(work_ns * factor)
                yield self._env.timeout(took_ns)
                self.menders.end(who, took_ns, planned=planned)
            finally:
                # A breakdown from outside may cut the repair short.
                self._free.append(post)
