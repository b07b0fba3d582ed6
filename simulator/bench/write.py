"""How fast messages become rows of a database, beside bare HTTP requests with bodies that were made before."""

from __future__ import annotations

import http.client
import ssl
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from brokers.blocks import Arrivals
from simulator.batch import Catalog
from simulator.bench.against import Rival
from simulator.bench.recording import Recording, Stream
from simulator.bench.rounds import Rate, in_turn, report, timed
from simulator.bench.under_test import settings_of
from simulator.errors import OutOfReachError, ScenarioError
from simulator.ingest.cargo import LineReader
from simulator.ingest.lane import MOST_AT_ONCE
from simulator.ingest.open import open_store
from simulator.ingest.stores.influxdb import Address, InfluxStore
from simulator.scenario.loader import Loaded

__all__ = ["write"]

T = TypeVar("T")

RAW_TIMEOUT_S = 60.0


def write(
    loaded: Loaded,
    store: str,
    *,
    messages: int,
    workers: int,
    rounds: int,
    rival: Rival | None,
    told: Callable[[str], None],
) -> dict[str, Any]:
    """Write ``messages`` rows in each round, 5,000 a request; every contender has rows of its own in every round.

    The raw side posts bodies of line protocol that are ready, over connections of the standard library; the product
    writes such bodies through the store of a run; ``from_json`` also makes them, of JSON messages as they come from a
    broker. All have as many ``workers``, each with a connection. Returns what rounds.report() does, in rows a second.
    Raises ParksimError.
    """
    if not store.startswith("influxdb"):
        message = f"--store {store.partition(':')[0]}: bench write needs influxdb://HOST:8086/BUCKET?org=ORG"
        raise ScenarioError(message)
    stream = Stream(loaded, qos=0, version=5)
    address = Address.parse(store)
    first = stream.record(messages)
    told(f"the park is recorded; {messages:,} rows a round, {first.readings_per_message:.1f} readings each")
    with (
        open_store(store, stream.catalog, run_id="bench") as opened,
        tempfile.TemporaryDirectory(prefix="parksim-bench-") as folder,
    ):
        assert isinstance(opened, InfluxStore)

        def next_batches() -> list[Arrivals]:
            return batches_of(stream.record(messages))

        def raw() -> Rate:
            bodies = bodies_of(next_batches(), stream.catalog)
            path, headers = opened.bare_request()
            return measured(bodies, lambda mine: post(address, path, headers, mine))

        def product() -> Rate:
            bodies = bodies_of(next_batches(), stream.catalog)
            return measured(bodies, lambda mine: store_bodies(mine, opened))

        def from_json() -> Rate:
            return measured(next_batches(), lambda mine: carry(mine, opened, LineReader(stream.catalog)))

        def measured(items: Sequence[T], work: Callable[[Sequence[T]], object]) -> Rate:
            return Rate.of(messages, timed(lambda: in_threads(items, workers, work)))

        contenders = {"raw": raw, "product": product, "from_json": from_json}
        if rival is not None:
            text = Path(folder) / "lines.txt"

            def against() -> Rate:
                text.write_bytes(b"".join(bodies_of(next_batches(), stream.catalog)))
                return rival.measure(messages, {"BENCH": "write", "STORE": store, "RECORDING": text})

            contenders["against"] = against
        found = in_turn(rounds, contenders, told)
        settings = settings_of(loaded, first) | {
            "store": opened.describe(),
            "rows": messages,
            "rows_per_request": MOST_AT_ONCE,
            "workers": workers,
        }
    return report("write", "rows per second", found, settings)


def store_bodies(bodies: Sequence[bytes], store: InfluxStore) -> None:
    for body in bodies:
        store.write_lines(body)


def carry(batches: Sequence[Arrivals], store: InfluxStore, reader: LineReader) -> None:
    """Make lines of messages, and write them."""
    assert store.lines is not None
    for batch in batches:
        cargo, _ = reader.read(batch)
        store.write_lines(cargo.text(store.lines))


def batches_of(recording: Recording) -> list[Arrivals]:
    """Return messages as a broker would hand them over, a request's worth each."""
    block = recording.block
    data, zeros = block.data.tobytes(), np.zeros(len(block), np.int64)
    topics = [asset.topic.encode() for asset in recording.catalog.assets]
    size = np.array([len(topic) for topic in topics], np.int64)[block.asset]
    # the topic ends before the length of the properties, one byte, which QoS 0 of MQTT 5 has before the payload
    ends = block.payload - 1
    whole = Arrivals(data, ends - size, ends, block.payload, block.start[1:], zeros, zeros, zeros)
    return [whole.rows(slice(first, first + MOST_AT_ONCE)).compact() for first in range(0, len(block), MOST_AT_ONCE)]


def bodies_of(batches: Sequence[Arrivals], catalog: Catalog) -> list[bytes]:
    """Return the same rows as bodies of requests."""
    reader = LineReader(catalog)
    return [reader.read(batch)[0].lines.data.tobytes() for batch in batches]


def in_threads(items: Sequence[T], workers: int, work: Callable[[Sequence[T]], object]) -> None:
    """Divide the items among so many threads, and wait for all of them. Raises what the first one raised."""
    failures: list[Exception] = []

    def run(mine: Sequence[T]) -> None:
        try:
            work(mine)
        except Exception as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(items[number::workers],)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def post(address: Address, path: str, headers: dict[str, str], bodies: Sequence[bytes]) -> None:
    """Post bodies over one connection. Raises OutOfReachError for any answer but 2xx."""
    if address.tls:
        context = ssl.create_default_context()
        link: http.client.HTTPConnection = http.client.HTTPSConnection(
            address.host, address.port, timeout=RAW_TIMEOUT_S, context=context
        )
    else:
        link = http.client.HTTPConnection(address.host, address.port, timeout=RAW_TIMEOUT_S)
    try:
        for body in bodies:
            link.request("POST", path, body=body, headers=headers)
            answer = link.getresponse()
            said = answer.read()
            if answer.status // 100 != 2:
                message = f"store {address.shown}: HTTP {answer.status}: {said[:200].decode(errors='replace')}"
                raise OutOfReachError(message)
    finally:
        link.close()
