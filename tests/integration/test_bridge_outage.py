"""With a real broker and a real database: what goes away comes back, and nothing is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import orjson
import pytest
from presses import START_MS, catalog_of, rows_of
from servers import HOST, InfluxDB1, Mosquitto, until

from brokers import Endpoint, ExternalBroker, Outgoing, Session
from simulator.clock import Pace, RealClock
from simulator.ingest.bridge import Bridge
from simulator.ingest.open import open_store
from simulator.ingest.sentry import guarded
from simulator.ingest.store import Row, Store
from simulator.results.latency import Latency
from simulator.results.ledger import Ledger

CATALOG = catalog_of(presses=3, testers=2)
ROWS = rows_of(CATALOG, 600)
END_MS = START_MS + 600_000


class Plant:
    """Publishes rows, and keeps the books of a run."""

    def __init__(self, broker: ExternalBroker) -> None:
        self.ledger = Ledger(len(CATALOG.assets))
        self.sessions: list[Session] = []
        self._broker = broker
        self.publisher = self.connect("plant", keep_session=False)

    def connect(self, name: str, *, keep_session: bool) -> Session:
        """Open a session that ends with the test at the latest."""
        self.sessions.append(self._broker.connect(name, window=200, keep_session=keep_session))
        return self.sessions[-1]

    def publish(self, rows: Sequence[Row]) -> None:
        """Send and wait for the broker's acknowledgement of each."""
        columns = [row.asset for row in rows], [row.seq for row in rows]
        messages = [
            Outgoing(
                CATALOG.assets[row.asset].topic, orjson.dumps({"t": row.time_ms, "n": row.seq} | dict(row.fields)), tag
            )
            for tag, row in enumerate(rows)
        ]
        self.ledger.schedule(*columns, [len(row.fields) for row in rows])
        assert self.publisher.publish(messages, qos=1, timeout_s=30.0) == len(rows)
        until(lambda: self.publisher.in_flight() == 0, deadline_s=30.0, what="the broker to acknowledge")
        self.ledger.publish(*columns)
        self.ledger.acknowledge(*columns)

    def bridge(self, store: Store) -> Bridge:
        return Bridge(
            sessions=[self.connect("bridge", keep_session=True)],
            topics=[["binh-duong/#"]],
            qos=1,
            catalog=CATALOG,
            store=store,
            books=self.ledger,
            reader=guarded(store, CATALOG, self.ledger),
            latency=Latency(),
            pace=Pace(sim_start_ns=START_MS * 1_000_000, wall_start_ns=0, speed=None),
            clock=RealClock(),
        )


@pytest.fixture
def plant(start_mosquitto: Callable[..., Mosquitto]) -> Iterator[Plant]:
    """A plant at a mosquitto that queues as much as the tests send."""
    server = start_mosquitto(settings={"max_queued_messages": 10_000})
    plant = Plant(ExternalBroker(Endpoint("mqtt", HOST, server.port)))
    yield plant
    for session in plant.sessions:
        session.close()


def test_a_database_that_is_killed_and_comes_back_misses_nothing(
    plant: Plant, start_influxdb1: Callable[..., InfluxDB1]
) -> None:
    """While the database is down messages wait at the broker; when it is back all of them are written."""
    database = start_influxdb1()
    with open_store(f"influxdb://{HOST}:{database.port}/park?create=true", CATALOG, run_id="run-1") as store:
        bridge = plant.bridge(store)
        bridge.start()
        plant.publish(ROWS[:1_000])
        until(lambda: plant.ledger.unwritten() == 0, deadline_s=30.0, what="the first rows to be written")
        database.kill()
        plant.publish(ROWS[1_000:])
        until(lambda: bridge.trouble, deadline_s=30.0, what="the bridge to say that the database is away")
        said = bridge.trouble
        database.start()
        assert bridge.drain(60.0)
        bridge.close()
        stored = store.count(from_ms=START_MS, to_ms=END_MS)
    counts = plant.ledger.counts()
    assert (stored, counts.written, counts.unaccounted, bridge.failure) == (len(ROWS), len(ROWS), 0, None)
    assert f"http://{HOST}:{database.port}, park: " in str(said)
    assert bridge.retries["store out of reach"] > 0


def test_what_a_bridge_leaves_behind_the_next_one_writes(
    plant: Plant, start_influxdb1: Callable[..., InfluxDB1]
) -> None:
    """A bridge that ends with a dead database reports what is left; its session keeps it for the next bridge."""
    database = start_influxdb1()
    with open_store(f"influxdb://{HOST}:{database.port}/park?create=true", CATALOG, run_id="run-1") as store:
        first = plant.bridge(store)
        first.start()
        database.kill()
        plant.publish(ROWS)
        assert not first.drain(1.0)
        first.close()
        left = sum(first.left().values())
        plant.sessions.pop().close()
        database.start()
        second = plant.bridge(store)
        second.start()
        drained = second.drain(60.0)
        second.close()
        stored = store.count(from_ms=START_MS, to_ms=END_MS)
    assert 0 < left <= 200
    assert (drained, stored, plant.ledger.counts().unaccounted) == (True, len(ROWS), 0)
