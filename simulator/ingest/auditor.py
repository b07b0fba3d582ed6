"""The auditor: stands where the bridge would when someone else carries the messages, and only looks at the database.

Rows are read back while the run goes on, a short stretch of simulated time at a time, and booked by their sequence
number; so loss is known by message, not by count.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Catalog
from simulator.clock import SECOND_NS, Clock, Pace
from simulator.errors import StoreError
from simulator.ingest.books import Books
from simulator.ingest.dead_letters import DeadLetters
from simulator.ingest.readers.values import Reader, Values
from simulator.ingest.store import Row
from simulator.wire.line_protocol import LineProtocol

__all__ = ["AuditedStore", "Auditor", "found_rows"]

Ints = NDArray[np.int64]
MS = 1_000_000
LOOK_NS = SECOND_NS
REST = 4
"""Times as long as a look took, nothing is asked: reading shall not be what the database is busy with."""
LATE_NS = 10 * SECOND_NS
"""Of wall time, for which rows are looked for again during the run; at the end all of it is."""
QUIET_S = 5.0
"""An ingester whose database has shown nothing new for so long has nothing more."""


def found_rows(values: Sequence[Values], catalog: Catalog) -> tuple[Ints, Ints, Ints, Ints]:
    """Return asset, sequence number, instant (ms) and readings of every row among some values, int64[N] each."""
    joined = Values.joined(values)
    is_number = joined.field >= len(catalog)
    numbers = joined.picked(is_number)
    asset = numbers.field - len(catalog)
    rest = joined.picked(~is_number)
    sensors = np.concatenate([np.full(len(one.sensors), place) for place, one in enumerate(catalog.assets)])
    place = np.stack((sensors[rest.field], rest.time_ms)) if len(rest) else np.empty((2, 0), np.int64)
    rows, count = np.unique(place, axis=1, return_counts=True)
    readings = dict(zip(zip(*rows.tolist(), strict=True), count.tolist(), strict=True)) if len(rest) else {}
    of_each = [readings.get(key, 0) for key in zip(asset.tolist(), numbers.time_ms.tolist(), strict=True)]
    return asset, numbers.value.astype(np.int64), numbers.time_ms, np.array(of_each, dtype=np.int64)


class AuditedStore:
    """A database that someone else writes to: asked, never written to."""

    lines: LineProtocol | None = None

    def __init__(self, reader: Reader, catalog: Catalog) -> None:
        self._reader = reader
        self._catalog = catalog
        self._lock = threading.Lock()

    def describe(self) -> str:
        return f"{self._reader.describe()}, written to by someone else"

    def write(self, rows: Sequence[Row]) -> None:
        message = f"{len(rows)} rows: this database is only looked at"
        raise StoreError(message, retryable=False)

    def write_lines(self, body: bytes) -> None:
        message = f"{len(body)} bytes: this database is only looked at"
        raise StoreError(message, retryable=False)

    def rows(self, *, from_ms: int, to_ms: int) -> tuple[Ints, Ints, Ints, Ints]:
        """Return what ``found_rows`` does of a stretch of time. Raises StoreError."""
        with self._lock:
            return found_rows(list(self._reader.values(from_ms=from_ms, to_ms=to_ms)), self._catalog)

    def count(self, *, from_ms: int, to_ms: int) -> int:
        """Count the rows of the catalogue's assets with from_ms <= time < to_ms. Raises StoreError."""
        asset, _, time_ms, _ = self.rows(from_ms=from_ms, to_ms=to_ms)
        return len(np.unique(np.stack((asset, time_ms)), axis=1).T)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class Auditor:
    """Books what the database shows. Has the shape of a Bridge for whoever waits for the end of a run."""

    def __init__(self, store: AuditedStore, books: Books, pace: Pace, clock: Clock) -> None:
        self.dead_letters = DeadLetters()
        self.failure: Exception | None = None
        self.trouble: str | None = None
        self.retries: Counter[str] = Counter()
        self.damage: Counter[str] = Counter()
        self.backlog = 0
        self._store = store
        self._books = books
        self._pace = pace
        self._clock = clock
        self._stop = threading.Event()
        self._new_ns = clock.monotonic_ns()
        self._thread = threading.Thread(target=self._run, name="parksim-auditor", daemon=True)
        self._sighted: dict[tuple[int, int], int] = {}
        """Readings of the rows that were seen once, by asset and number: some databases show a row field by field."""

    def start(self) -> None:
        self._thread.start()

    def hours(self) -> tuple[Counter[str], int]:
        """Return nothing: what someone else's ingester does is not seen."""
        return Counter(), 1

    def is_idle(self) -> bool:
        return True

    def stuck_s(self) -> float:
        return 0.0

    def take_stock(self) -> tuple[list[int], list[int]]:
        return [], []

    def still_spooled(self) -> int:
        return 0

    def drain(self, deadline_s: float) -> bool:
        """Look until every message is there; return False if the database shows nothing new for a while."""
        self.close(timeout_s=deadline_s)
        began_ns = self._new_ns = self._clock.monotonic_ns()
        while True:
            self._look(self._pace.sim_start_ns)
            if not self._books.unwritten():
                return True
            now_ns = self._clock.monotonic_ns()
            if now_ns - self._new_ns > QUIET_S * SECOND_NS or now_ns - began_ns > deadline_s * SECOND_NS:
                return False
            self._clock.wait_until(now_ns + LOOK_NS)

    def close(self, *, timeout_s: float = 40.0) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            began_ns = self._clock.monotonic_ns()
            self._look(self._simulated_ns(began_ns - LATE_NS))
            took_ns = self._clock.monotonic_ns() - began_ns
            self._clock.wait_until(began_ns + took_ns + max(LOOK_NS, REST * took_ns), self._stop)

    def _simulated_ns(self, wall_ns: int) -> int:
        """Return a simulated instant that was due at about that time, or earlier."""
        pace = self._pace
        if pace.curve is not None:
            at = np.interp(wall_ns, pace.curve.wall_ns, pace.curve.sim_ns)
            return max(pace.sim_start_ns, int(at))
        return max(pace.sim_start_ns, pace.sim_start_ns + round((wall_ns - pace.wall_start_ns) * (pace.speed or 0.0)))

    def _look(self, from_ns: int) -> None:
        to_ns = max(from_ns, self._simulated_ns(self._clock.monotonic_ns())) + SECOND_NS
        try:
            asset, seq, time_ms, readings = self._store.rows(from_ms=from_ns // MS, to_ms=to_ns // MS)
        except StoreError as error:
            self.trouble = str(error)
            self.retries["database could not be asked"] += 1
            return
        self.trouble = None
        unknown = ~self._books.is_written(asset, seq)
        keys = list(zip(asset.tolist(), seq.tolist(), strict=True))
        known = {key: many for key, many, new in zip(keys, readings.tolist(), unknown.tolist(), strict=True) if new}
        # seen twice alike: now it is whole
        whole = np.array([self._sighted.get(key) == known.get(key, -1) for key in keys], dtype=bool)
        self._sighted, is_new = known, known != self._sighted
        if whole.any():
            order = np.lexsort((seq[whole], asset[whole]))
            asset, seq, time_ms, readings = (column[whole][order] for column in (asset, seq, time_ms, readings))
            self._books.receive(asset, seq, time_ms)
            self._books.write(asset, seq, readings)
        if is_new:
            self._new_ns = self._clock.monotonic_ns()
