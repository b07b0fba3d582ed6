"""The bridge: everything between a broker and a store, over one lane or several side by side."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Sequence
from itertools import repeat

from brokers.endpoint import Session
from simulator.batch import Catalog
from simulator.clock import SECOND_NS, Clock, Pace
from simulator.ingest.books import Books
from simulator.ingest.cargo import Reader
from simulator.ingest.dead_letters import DeadLetters
from simulator.ingest.lane import Lane
from simulator.ingest.spool import Spool
from simulator.ingest.store import Store
from simulator.results.latency import Latency

__all__ = ["Bridge"]

QUIET_S = 3.0
"""A connected broker that has sent nothing for so long has nothing more."""
POLL_NS = SECOND_NS // 50


class Bridge:
    """Carries what a broker sends into one store: a lane for each session, in a thread of its own or step by step.

    While a write of one lane waits for the store the others receive, translate and write. ``topics`` says for each
    session what it subscribes to. No message may fall to two of them, and those of an asset must all fall to the same,
    or they would overtake one another: see ``simulator.ingest.districts``. With ``spools``, one for each session, what
    the store does not take waits on disk.
    """

    def __init__(
        self,
        *,
        sessions: Sequence[Session],
        topics: Sequence[Sequence[str]],
        qos: int,
        catalog: Catalog,
        store: Store,
        books: Books,
        reader: Reader,
        latency: Latency,
        pace: Pace,
        clock: Clock,
        spools: Sequence[Spool] = (),
        dead_letters: DeadLetters | None = None,
    ) -> None:
        self.dead_letters = DeadLetters() if dead_letters is None else dead_letters
        self.failure: Exception | None = None
        """What ended the first thread that ended, if it was not close()."""
        self._books = books
        self._clock = clock
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lanes = [
            Lane(
                session=session,
                topics=its_topics,
                qos=qos,
                catalog=catalog,
                reader=reader,
                store=store,
                books=books,
                latency=latency,
                dead_letters=self.dead_letters,
                pace=pace,
                clock=clock,
                stop=self._stop,
                spool=spool,
            )
            for session, its_topics, spool in zip(sessions, topics, spools or repeat(None, len(sessions)), strict=True)
        ]

    def start(self) -> None:
        """Subscribe and carry, a thread for each lane, until close(). Raises BrokerError when the broker refuses."""
        self.subscribe()
        self._threads = [
            threading.Thread(target=self._run, args=(lane,), name=f"bridge-{number}", daemon=True)
            for number, lane in enumerate(self._lanes)
        ]
        for thread in self._threads:
            thread.start()

    def subscribe(self) -> None:
        """Subscribe only, for a caller of step(). Raises BrokerError when the broker refuses."""
        for lane in self._lanes:
            lane.subscribe()

    @property
    def backlog(self) -> int:
        """Messages received and not yet acknowledged, and those in spools."""
        return sum(lane.backlog for lane in self._lanes)

    @property
    def retries(self) -> Counter[str]:
        """Writes that did not go through and were or will be tried again, by kind of reason."""
        total: Counter[str] = Counter()
        for lane in self._lanes:
            total.update(lane.retries.copy())  # at once: its thread may be adding a reason
        return total

    def hours(self) -> tuple[Counter[str], int]:
        """Return how the lanes spent their time, nanoseconds by what they did, and how many lanes there are."""
        total: Counter[str] = Counter()
        for lane in self._lanes:
            total.update(lane.hours.told())
        return total, len(self._lanes)

    @property
    def trouble(self) -> str | None:
        """What the store says while it does not take a batch, to the lane that waits longest; None when all is well."""
        longest_first = sorted(self._lanes, key=Lane.stuck_s, reverse=True)
        of_store = next((lane.trouble for lane in longest_first if lane.trouble), None)
        of_spool = next((lane.spool_trouble for lane in longest_first if lane.spool_trouble), None)
        return "; ".join(filter(None, (of_store, of_spool, self.dead_letters.trouble))) or None

    def stuck_s(self) -> float:
        """Return for how long the store has taken nothing of what waits in some lane; 0 while nothing waits."""
        return max(lane.stuck_s() for lane in self._lanes)

    def is_idle(self) -> bool:
        """Say whether the broker hears every lane and nothing is in hand."""
        return all(lane.is_idle() for lane in self._lanes)

    def take_stock(self) -> tuple[list[int], list[int]]:
        """Return asset and sequence number of every message that has come and is neither written nor a dead letter.

        For the end, after close(): what the sessions still have waiting is looked at too, and stays unacknowledged.
        """
        stocks = [lane.take_stock() for lane in self._lanes]
        return [one for assets, _ in stocks for one in assets], [one for _, numbers in stocks for one in numbers]

    def left(self) -> dict[str, int]:
        """Return how many received messages are not written yet, by topic."""
        return {topic: n for lane in self._lanes for topic, n in lane.left().items()}

    def still_spooled(self) -> int:
        """Return how many messages of the spools are sound and not written; for the end, after close().

        Raises OSError.
        """
        return sum(lane.still_spooled() for lane in self._lanes)

    @property
    def damage(self) -> Counter[str]:
        """What of the spools could not be read back, by kind."""
        total: Counter[str] = Counter()
        for lane in self._lanes:
            total.update(lane.damage)
        return total

    def step(self) -> int:
        """Let each lane do a step, one after the other; return how many messages were written or buried."""
        return sum(lane.step() for lane in self._lanes)

    def drain(self, deadline_s: float) -> bool:
        """Go on until everything that the broker acknowledged is written; return False if something is not.

        Ends early when nothing more comes: of each lane the thread has failed, or its connected broker has been quiet
        for 3 s. Steps itself if the threads were never started.
        """
        began_ns = self._clock.monotonic_ns()
        while self.backlog or self._books.unwritten():
            now = self._clock.monotonic_ns()
            passed_s = (now - began_ns) / SECOND_NS
            quiet_s = min((min(lane.silent_s(), passed_s) for lane in self._at_work()), default=math.inf)
            if quiet_s > QUIET_S or passed_s >= deadline_s:
                return False
            if not self._threads:
                self.step()
            self._clock.wait_until(now + POLL_NS)
        return True

    def close(self, *, timeout_s: float = 40.0) -> None:
        """Stop after the writes that are under way, ``timeout_s`` for all of them. Twice is once.

        What is not written then stays unacknowledged: see left(). Sessions and store belong to who opened them.
        """
        self._stop.set()
        until_ns = self._clock.monotonic_ns() + round(timeout_s * SECOND_NS)
        for thread in self._threads:
            thread.join(max(0.0, (until_ns - self._clock.monotonic_ns()) / SECOND_NS))

    def _at_work(self) -> list[Lane]:
        if not self._threads:
            return self._lanes
        return [lane for lane, thread in zip(self._lanes, self._threads, strict=True) if thread.is_alive()]

    def _run(self, lane: Lane) -> None:
        try:
            while not self._stop.is_set():
                lane.step()
        except Exception as error:  # noqa: BLE001 - kept for the run, which ends on it; a dead thread tells nobody
            self.failure = self.failure or error
