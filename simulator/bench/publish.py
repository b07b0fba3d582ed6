"""How fast live readings go into a broker, beside a bare socket that sends the same packets out of memory."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brokers import Broker
from brokers.bare import bare_line, numbered_packets
from brokers.endpoint import Session
from simulator.bench.against import Rival
from simulator.bench.recording import Stream
from simulator.bench.rounds import Rate, in_turn, report, timed
from simulator.bench.under_test import endpoint_of, settings_of
from simulator.clock import Pace, RealClock
from simulator.errors import OutOfReachError
from simulator.publish.outlet import Gateway
from simulator.publish.pacing import ahead, paced
from simulator.publish.publisher import Publisher
from simulator.results.histogram import Latency
from simulator.results.ledger import Ledger
from simulator.scenario.loader import Loaded

__all__ = ["publish"]

BARRIER = "parksim/bench/barrier"
SETTLED_S = 30.0


def publish(
    loaded: Loaded,
    broker: Broker,
    *,
    qos: int,
    window: int,
    messages: int,
    rounds: int,
    rival: Rival | None,
    told: Callable[[str], None],
) -> dict[str, Any]:
    """Publish ``messages`` in each round: raw, by the product, and by a rival if there is one; no one subscribes.

    The product simulates, encodes, books and sends while it is measured; the raw side sends packets of the same park
    that were made before. Both end when the broker has read the last one (QoS 0), or acknowledged it. Returns what
    rounds.report() does, in messages a second. Raises BrokerError, ParksimError.
    """
    endpoint = endpoint_of(broker)
    with bare_line(endpoint, "parksim-bench-look") as line:
        version = line.version
    stream = Stream(loaded, qos=qos, version=version)
    recording = stream.record(messages)
    data, ends = numbered_packets(recording.packets()), recording.block.start[1:].tolist()
    live = Live(broker, stream, qos=qos, window=window, messages=messages)
    told(f"the park is warm; {messages:,} messages a round")

    def raw() -> Rate:
        with bare_line(endpoint, "parksim-bench-raw") as line:
            if qos:
                return Rate.of(messages, timed(lambda: line.publish(data, ends, window=window)))
            return Rate.of(messages, timed(lambda: line.pour(data)))

    contenders: dict[str, Callable[[], Rate]] = {"raw": raw, "product": live.measure}
    with tempfile.TemporaryDirectory(prefix="parksim-bench-") as folder:
        if rival is not None:
            text = Path(folder) / "recording.txt"
            recording.write_text(text)
            environment = {
                "BENCH": "publish",
                "HOST": endpoint.host,
                "PORT": endpoint.port,
                "QOS": qos,
                "WINDOW": window,
                "RECORDING": text,
            }
            contenders["against"] = lambda: rival.measure(messages, environment)
        found = in_turn(rounds, contenders, told)
    settings = settings_of(loaded, recording, broker) | {"window": window, "messages": messages}
    return report("publish", "messages per second", found, settings)


class Live:
    """A park that publishes, with everything that a run does up to the broker."""

    def __init__(self, broker: Broker, stream: Stream, *, qos: int, window: int, messages: int) -> None:
        self._broker = broker
        self._stream = stream
        self._qos = qos
        self._window = window
        self._messages = messages
        self._ledger = Ledger(len(stream.catalog.assets))
        self._made = 0

    def measure(self) -> Rate:
        """Simulate, encode, book and publish whole windows, a little more than the messages asked for."""
        session = self._broker.connect("parksim-bench-product", window=self._window)
        dropped = sum(self._ledger.counts().dropped.values())
        try:
            took = timed(lambda: self._publish(session))
        finally:
            session.close()
        return Rate.of(self._made, took, dropped=sum(self._ledger.counts().dropped.values()) - dropped)

    def _publish(self, session: Session) -> None:
        clock, stop = RealClock(), threading.Event()
        pace = Pace(self._stream.world.start_ns, clock.monotonic_ns(), None)
        publisher = Publisher(
            [Gateway(session)],
            ledger=self._ledger,
            latency=Latency(),
            pace=pace,
            clock=clock,
            qos=self._qos,
            credit=None,
            stop=stop,
            hopeless=self._broker.death,
        )
        for part in paced(ahead(self._stream.consignments(self._messages, self._count)), pace, clock, stop):
            publisher.send(part)
        if not publisher.drain(SETTLED_S):
            message = f"the broker did not acknowledge everything within {SETTLED_S:g} s: {session.trouble()}"
            raise OutOfReachError(message)
        # QoS 0 is not acknowledged; what comes behind it is, once the broker has read it
        session.subscribe(BARRIER, qos=0)

    def _count(self, made: int) -> None:
        self._made = made
