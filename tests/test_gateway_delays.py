"""Latency of what a gateway kept runs from when it lets go, whatever time the message bears."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from presses import START_MS, catalog_of

from brokers.memory import MemoryBroker
from simulator.batch import Batch, Relayed
from simulator.clock import FakeClock, Pace
from simulator.ingest.bridge import Bridge
from simulator.ingest.sentry import guarded
from simulator.ingest.stores.sqlite import SqliteStore
from simulator.publish.consignment import Consignor
from simulator.publish.gateway_book import GatewayBook
from simulator.publish.outlet import Gateway
from simulator.publish.publisher import Publisher
from simulator.results.latency import Latency
from simulator.results.ledger import Ledger
from simulator.wire.frames import Frames
from simulator.wire.json_blocks import JsonBlocks

MS = 1_000_000
START_NS = START_MS * MS
HALF_HOUR_NS = 1_800_000 * MS


def kept_for_half_an_hour() -> Batch:
    """Three messages of a press, dated half a second wrong, that leave half an hour later; one of them twice."""
    born_ns = START_NS + 1_000 * MS * np.array([0, 1, 2, 2])
    due_ns = START_NS + HALF_HOUR_NS + MS * np.array([0, 20, 40, 60])
    seq = np.array([0, 1, 2, 2])
    born = np.column_stack((born_ns, np.zeros(4, np.int64), seq, np.ones(4, np.int64)))[:3]
    relayed = Relayed(
        due_ns, born_ns, seq, np.array([False, False, False, True]), born, np.empty((0, 3), dtype=np.int64)
    )
    return Batch(born_ns + 500 * MS, np.ones(4, np.int32), np.arange(4.0).clip(max=2), int(due_ns[-1]) + MS, relayed)


def test_latency_runs_from_when_a_gateway_lets_go(tmp_path: Path) -> None:
    """Handed over 70 ms after the first was due, and written 30 ms later: 10 to 70 ms, and 40 to 100."""
    catalog, broker, clock = catalog_of(), MemoryBroker(), FakeClock()
    ledger, latency, book = Ledger(len(catalog.assets)), Latency(), GatewayBook()
    pace = Pace(START_NS, clock.monotonic_ns(), 1.0)
    with SqliteStore(tmp_path / "park.db", catalog, run_id="r") as store:
        bridge = Bridge(
            sessions=[broker.connect("bridge", window=100)],
            topics=[["binh-duong/#"]],
            qos=1,
            catalog=catalog,
            store=store,
            books=ledger,
            reader=guarded(store, catalog, ledger),
            latency=latency,
            pace=pace,
            clock=clock,
        )
        bridge.subscribe()
        gateway = broker.connect("gateway", window=100)
        frames = Frames([asset.topic for asset in catalog.assets], qos=1, version=gateway.version)
        consignor = Consignor(JsonBlocks(catalog, frames), np.zeros(len(catalog.assets), np.int64), gateways=1)
        publisher = Publisher(
            [Gateway(gateway)],
            ledger=ledger,
            latency=latency,
            pace=pace,
            clock=clock,
            qos=1,
            credit=None,
            stop=threading.Event(),
            hopeless=lambda: None,
            book=book,
        )
        clock.advance(HALF_HOUR_NS + 70 * MS)
        publisher.send(consignor.consign(kept_for_half_an_hour()))
        assert publisher.drain(5)
        clock.advance(30 * MS)
        while bridge.step():
            pass
        found = store.count(from_ms=0, to_ms=2 * START_MS)
    counts = ledger.counts()
    assert (counts.scheduled, counts.published, counts.acknowledged, counts.written, found) == (3, 3, 3, 3, 3)
    assert (counts.duplicates, book.sent_again, counts.in_flight, ledger.unwritten()) == (1, 1, 0, 0)
    assert (latency.lateness.min, latency.lateness.max, len(latency.lateness)) == (30 * MS, 70 * MS, 3)
    assert (latency.broker.min, latency.broker.max) == (60 * MS, 100 * MS)
    assert (latency.end_to_end.min, latency.end_to_end.max, len(latency.end_to_end)) == (60 * MS, 100 * MS, 3)
    assert not latency.expects
    assert (book.waited.min, book.waited.max) == (HALF_HOUR_NS - 1_960 * MS, HALF_HOUR_NS)
