"""How fast the bridge takes messages from a broker and makes rows of them, beside a bare socket that counts bytes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brokers import Broker
from brokers.bare import bare_line
from brokers.flood import flood
from brokers.frames import publish as publish_packet
from simulator.bench.against import Rival
from simulator.bench.recording import Recording, Stream
from simulator.bench.rounds import Rate, Took, in_turn, report
from simulator.bench.under_test import endpoint_of, protocol_of, settings_of
from simulator.clock import Pace, RealClock
from simulator.errors import OutOfReachError
from simulator.ingest.bridge import Bridge
from simulator.ingest.sentry import guarded
from simulator.ingest.stores.none import NoStore
from simulator.results.latency import Latency
from simulator.results.ledger import Ledger
from simulator.scenario.loader import Loaded

__all__ = ["bridge"]

END = "parksim/bench/end"
WINDOW = 1000
FIRST_S = 60.0
"""How long the first message may take."""
QUIET_S = 5.0
"""A subscriber that hears nothing for so long has heard everything that it will."""


def bridge(
    loaded: Loaded,
    broker: Broker,
    *,
    messages: int,
    rounds: int,
    rival: Rival | None,
    told: Callable[[str], None],
) -> dict[str, Any]:
    """Have another process publish ``messages`` with QoS 0 in each round, as fast as the broker takes them.

    The raw side is a bare subscriber that counts bytes; the product is the whole bridge: received, checked against the
    ledger, turned from JSON into line protocol, booked, and given to a store that forgets. The clock runs from what
    comes first to what comes last. Returns what rounds.report() does, in messages a second, with the messages that the
    broker dropped as ``lost``. Raises BrokerError, ParksimError.
    """
    endpoint = endpoint_of(broker)
    version = protocol_of(endpoint)
    recording = Stream(loaded, qos=0, version=version).record(messages)
    pattern = f"{loaded.scenario.enterprise}/#"
    end = publish_packet(END.encode(), b"the end", qos=0, version=version)
    told(f"the park is recorded; {messages:,} messages a round")
    with tempfile.TemporaryDirectory(prefix="parksim-bench-") as folder:
        file = Path(folder) / "packets"
        file.write_bytes(recording.block.data.tobytes() + end)

        def raw() -> Rate:
            with bare_line(endpoint, "parksim-bench-raw") as line, flood(endpoint, file) as source:
                line.subscribe(pattern, qos=0)
                line.subscribe(END, qos=0)
                cpu_s = time.process_time()
                heard = line.listen(end, on_ready=source.begin)
                took = Took(heard.seconds, time.process_time() - cpu_s)
            whole = len(recording.block.data)
            lost = (whole - (heard.bytes + heard.first - len(end))) / recording.packet_bytes
            return Rate.of((heard.bytes - len(end)) / recording.packet_bytes, took, lost=round(lost))

        def product() -> Rate:
            with flood(endpoint, file) as source:
                return bridged(broker, recording, pattern, source.begin)

        contenders = {"raw": raw, "product": product}
        if rival is not None:
            text = Path(folder) / "recording.txt"
            recording.write_text(text)
            environment = {
                "BENCH": "bridge",
                "HOST": endpoint.host,
                "PORT": endpoint.port,
                "QOS": 0,
                "TOPIC": pattern,
                "END": END,
                "RECORDING": text,
            }

            def against() -> Rate:
                with flood(endpoint, file) as source:
                    return rival.measure(messages, environment, once_ready=source.begin)

            contenders["against"] = against
        found = in_turn(rounds, contenders, told)
    settings = settings_of(loaded, recording, broker) | {"window": WINDOW, "messages": messages}
    return report("bridge", "messages per second", found, settings)


def bridged(broker: Broker, recording: Recording, pattern: str, begin: Callable[[], None]) -> Rate:
    """Carry what comes in into a store that forgets, until all is there or nothing more comes."""
    session = broker.connect("parksim-bench-product", window=WINDOW)
    try:
        clock, ledger = RealClock(), Ledger(len(recording.catalog.assets))
        block = recording.block
        ledger.schedule(block.asset, block.seq, block.readings, recording.marks)
        store = NoStore(recording.catalog)
        carrier = Bridge(
            sessions=[session],
            topics=[[pattern]],
            qos=0,
            catalog=recording.catalog,
            store=store,
            books=ledger,
            reader=guarded(store, recording.catalog, ledger),
            latency=Latency(),
            pace=Pace(0, clock.monotonic_ns(), None),
            clock=clock,
        )
        carrier.subscribe()
        started, started_s = time.perf_counter(), time.process_time()
        begin()
        first = 0
        while not first and time.perf_counter() - started < FIRST_S:
            first = carrier.step()
        begun = last = time.perf_counter()
        cpu_s, done = time.process_time(), first
        while done < len(block) and time.perf_counter() - last < QUIET_S:
            step = carrier.step()
            if step:
                done, last = done + step, time.perf_counter()
        if done == first:
            # a few messages may come all at once: then there is nothing to measure from but the beginning
            begun, cpu_s, first = started, started_s, 0
        took = Took(last - begun, time.process_time() - cpu_s)
    finally:
        session.close()
    if not done:
        message = f"the broker delivered nothing within {FIRST_S:g} s; does somebody else take the messages?"
        raise OutOfReachError(message)
    return Rate.of(done - first, took, lost=len(block) - done, written=ledger.counts().written)
