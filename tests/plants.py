"""A broker in memory, who publishes, a bridge with two lanes, and stores that say what a test wants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import orjson
from plain_marks import mark_of
from presses import START_MS, catalog_of

from brokers.endpoint import Outgoing
from brokers.memory import MemoryBroker
from simulator.clock import Clock, Pace
from simulator.errors import StoreError
from simulator.ingest.bridge import Bridge
from simulator.ingest.districts import districts
from simulator.ingest.sentry import guarded
from simulator.ingest.spool import Spool
from simulator.ingest.store import Row
from simulator.ingest.stores.none import NoStore
from simulator.results.latency import Latency
from simulator.results.ledger import Ledger

CATALOG = catalog_of(presses=3, testers=3)
TOPICS = districts(CATALOG, enterprise="binh-duong", lanes=2)
FIRST = {CATALOG.by_topic[topic] for topic in TOPICS[0]}
"""The assets of the first lane; the others are those of the second."""
BUSY = StoreError("slow down", retryable=True, after_s=7.0)


class Shelf(NoStore):
    """A store that keeps what it is given, in that order; ``before`` is called with the assets of each write."""

    def __init__(self, before: Callable[[set[int]], None] = lambda _: None) -> None:
        super().__init__(CATALOG)
        self.lines = None
        self.rows: list[Row] = []
        self._before = before

    def write(self, rows: Sequence[Row]) -> None:
        self._before({row.asset for row in rows})
        self.rows += rows


class Answers:
    """What a store says to the writes of the first lane, then to those of the second; at the end all is well."""

    def __init__(self, first: Sequence[Exception] = (), second: Sequence[Exception] = ()) -> None:
        self._left = {True: list(first), False: list(second)}

    def __call__(self, assets: set[int]) -> None:
        left = self._left[assets <= FIRST]
        if left:
            raise left.pop(0)


class Plant:
    """Everything around a bridge with two lanes: the broker in memory, who publishes, and the books."""

    def __init__(self, store: Shelf, clock: Clock, *, window: int = 1_000, spools: Sequence[Spool] = ()) -> None:
        self.ledger = Ledger(len(CATALOG.assets))
        self.broker = MemoryBroker()
        self._publisher = self.broker.connect("plant", window=1_000)
        self.bridge = Bridge(
            sessions=[self.broker.connect(name, window=window, keep_session=True) for name in ("one", "two")],
            topics=TOPICS,
            qos=1,
            catalog=CATALOG,
            store=store,
            books=self.ledger,
            reader=guarded(store, CATALOG, self.ledger),
            latency=Latency(),
            pace=Pace(sim_start_ns=START_MS * 1_000_000, wall_start_ns=0, speed=None),
            clock=clock,
            spools=spools,
        )
        self.bridge.subscribe()

    def publish(self, rows: Sequence[Row]) -> None:
        columns = [row.asset for row in rows], [row.seq for row in rows]
        payloads = [orjson.dumps({"t": row.time_ms, "n": row.seq} | dict(row.fields)) for row in rows]
        self.ledger.schedule(*columns, [len(row.fields) for row in rows], [mark_of(one) for one in payloads])
        topics = [CATALOG.assets[row.asset].topic for row in rows]
        self.say(*zip(topics, payloads, strict=True))
        self.ledger.publish(*columns)
        self.ledger.acknowledge(*columns)

    def say(self, *messages: tuple[str, bytes]) -> None:
        letters = [Outgoing(topic, payload, tag) for tag, (topic, payload) in enumerate(messages)]
        assert self._publisher.publish(letters, qos=1, timeout_s=10.0) == len(letters)


def numbers_of(rows: Sequence[Row]) -> dict[int, list[int]]:
    """The sequence numbers of each asset, in the order of the rows."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for row in rows:
        found[row.asset].append(row.seq)
    return found
