"""Freshness: how long after it was due a message can be found in the database by whoever asks for it, of a sample."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from simulator.batch import Catalog
from simulator.clock import SECOND_NS, Clock
from simulator.errors import ParksimError
from simulator.ingest.readers.values import Reader
from simulator.load.clocks import Offset
from simulator.publish.publisher import Latest, Publisher
from simulator.results.histogram import Histogram
from simulator.scenario.stored import Stored
from simulator.verify.verification import open_reader

__all__ = ["Freshness"]

BETWEEN_NS = SECOND_NS
"""Between two samples."""
LOOK_NS = SECOND_NS // 50
"""Between two questions for the same message, at least: so precise is what is found."""
REST = 2
"""Times as long as a question took, nothing is asked."""
PATIENCE_NS = 60 * SECOND_NS
"""After which a message is not looked for any more; it counts as found then, for it came no earlier."""
ASKED, ASKED_EVERY_NS = 20, 53_000_000
"""How often, and how far apart, the database is asked for its time: a little more than a second in all."""
MS = 1_000_000


class Freshness:
    """Asks a database for the message that was sent last, again and again until it is there, in a thread of its own.

    A committed row need not be found yet: some databases show what they took only a second later.
    """

    def __init__(
        self,
        store: str,
        catalog: Catalog,
        stored: Stored | None,
        *,
        publisher: Publisher,
        found: Histogram,
        offset: Offset,
        clock: Clock,
        told: Callable[[str], object],
    ) -> None:
        """``found`` gets how late messages were, ``offset`` what the database says of its clock.

        Why nothing is asked any more is ``told``.
        """
        self._offset = offset
        self._told = told
        self._store = store
        self._catalog = catalog
        self._stored = stored
        self._publisher = publisher
        self._found = found
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="parksim-freshness", daemon=True)

    def start(self) -> None:
        if self._store != "none":
            self._thread.start()

    def close(self) -> None:
        """End after the question that is under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _run(self) -> None:
        try:
            with open_reader(self._store, self._catalog, self._stored) as reader:
                self._compare_clocks(reader)
                while not self._stop.is_set():
                    began_ns = self._clock.monotonic_ns()
                    latest = self._publisher.latest
                    if latest is not None:
                        self._wait_for(reader, latest)
                    self._clock.wait_until(max(self._clock.monotonic_ns() + LOOK_NS, began_ns + BETWEEN_NS), self._stop)
        except ParksimError as error:
            self._told(f"no sample is looked for: {error}")

    def _compare_clocks(self, reader: Reader) -> None:
        """Ask for the time at many places of a second, so that it is known where the second of the other one begins."""
        for _ in range(ASKED):
            before_ns = self._clock.now_ns()
            second = reader.second()
            if second is None or self._stop.is_set():
                return
            self._offset.told(second, before_ns, self._clock.now_ns())
            self._clock.wait_until(self._clock.monotonic_ns() + ASKED_EVERY_NS, self._stop)

    def _wait_for(self, reader: Reader, latest: Latest) -> None:
        """Ask until the message is there, and note how late that is."""
        while not self._stop.is_set():
            asked_ns = self._clock.monotonic_ns()
            with suppress(ParksimError):
                # one that cannot answer now may do so later, and is that late
                if is_there(reader, latest, len(self._catalog)) or asked_ns - latest.due_ns > PATIENCE_NS:
                    self._found.record(self._clock.monotonic_ns() - latest.due_ns)
                    return
            took_ns = self._clock.monotonic_ns() - asked_ns
            self._clock.wait_until(asked_ns + took_ns + max(LOOK_NS, REST * took_ns), self._stop)


def is_there(reader: Reader, latest: Latest, sensors: int) -> bool:
    """Ask for the row of a message."""
    time_ms = latest.time_ns // MS
    return any(
        bool((values.field == sensors + latest.asset).any())
        for values in reader.values(from_ms=time_ms, to_ms=time_ms + 1)
    )
