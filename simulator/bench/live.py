"""A park that publishes live while it is measured: as fast as it goes, or at a pace."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from types import TracebackType
from typing import Any, Self

import numpy as np

from brokers import Broker
from brokers.endpoint import Session
from simulator.bench.rounds import Rate, timed
from simulator.clock import SECOND_NS, Pace, RealClock
from simulator.errors import OutOfReachError
from simulator.publish.consignment import Consignment
from simulator.publish.detached import Detached
from simulator.publish.outlet import Gateway
from simulator.publish.pacing import TICK_NS, Ahead, paced
from simulator.publish.publisher import Publisher
from simulator.publish.source import Shipping
from simulator.publish.windows import AHEAD, sampled_per_s, window_ns
from simulator.results.histogram import Histogram
from simulator.results.latency import Latency
from simulator.results.ledger import Ledger
from simulator.scenario.loader import Loaded

__all__ = ["Live"]

BARRIER = "parksim/bench/barrier"
SETTLED_S = 30.0
LEAD_NS = SECOND_NS // 10
WAITS = 3_000


def waiting() -> Histogram:
    """Return by how much this machine wakes up late whoever waits for a millisecond and does nothing else."""
    clock, stop, late = RealClock(), threading.Event(), Histogram()
    for _ in range(WAITS):
        until_ns = clock.monotonic_ns() + TICK_NS
        clock.wait_until(until_ns, stop)
        late.record(clock.monotonic_ns() - until_ns)
    return late


class Live:
    """A park that publishes, with everything that a run does up to the broker; a context manager.

    It is simulated in a process of its own, as in a run that says so much.
    """

    def __init__(self, broker: Broker, loaded: Loaded, *, qos: int, version: int, window: int) -> None:
        self._broker = broker
        self._qos = qos
        self._window = window
        self._source = Detached(loaded.scenario, loaded.types, stop=threading.Event())
        assets = self._source.catalog.assets
        shipping = Shipping(
            qos=qos,
            version=version,
            outlet_of=np.zeros(len(assets), dtype=np.int64),
            outlets=1,
            until_ns=None,
            window_ns=window_ns(None, sampled_per_s(self._source.catalog)),
        )
        self._windows = Ahead(self._source.windows(shipping))
        self._ledger = Ledger(len(assets))

    def measure(self, messages: int) -> Rate:
        """Simulate, encode, book and publish whole windows, a little more than the messages asked for."""
        self._forget()
        made = 0
        before_s = after_s = 0.0

        def windows() -> Iterator[Consignment]:
            nonlocal made, before_s, after_s
            while made < messages:
                window = next(self._windows)
                before_s, after_s = before_s or window.cpu_s, window.cpu_s
                made += len(window.consignment)
                yield window.consignment

        dropped = sum(self._ledger.counts().dropped.values())
        with self._session() as session:
            took = timed(lambda: self._publish(session, windows(), Pace(0, 0, None), Latency()))
        took = took._replace(cpu_s=took.cpu_s + after_s - before_s)
        return Rate.of(made, took, dropped=sum(self._ledger.counts().dropped.values()) - dropped)

    def late(self, per_s: float, seconds: float) -> dict[str, Any]:
        """Publish at a given pace for so long; tell how late messages were handed over, from when they were due.

        Beside it stands how late a loop is that only waits, measured when the publishing is over.
        """
        self._forget()
        first = next(self._windows).consignment
        start_ns = int(first.block.due_ns[0])
        speed = per_s / len(first) * (first.until_ns - start_ns) / SECOND_NS
        until_ns = start_ns + round(seconds * speed * SECOND_NS)
        sent = 0

        def windows() -> Iterator[Consignment]:
            nonlocal sent
            part = first
            while True:
                sent += len(part)
                yield part
                if part.until_ns >= until_ns:
                    return
                part = next(self._windows).consignment

        latency, begun_ns = Latency(), RealClock().monotonic_ns() + LEAD_NS
        with self._session() as session:
            self._publish(session, windows(), Pace(start_ns, begun_ns, speed), latency)
        took_s = (RealClock().monotonic_ns() - begun_ns) / SECOND_NS
        return {
            "asked_per_s": per_s,
            "sent_per_s": sent / took_s,
            "lateness_ms": latency.lateness.as_ms(),
            "waiting_ms": waiting().as_ms(),
        }

    def _forget(self) -> None:
        """Throw away what was made ahead while nobody measured."""
        for _ in range(AHEAD):
            next(self._windows)

    def _session(self) -> closing[Session]:
        return closing(self._broker.connect("parksim-bench-product", window=self._window))

    def _publish(self, session: Session, windows: Iterator[Consignment], pace: Pace, latency: Latency) -> None:
        clock, stop = RealClock(), threading.Event()
        publisher = Publisher(
            [Gateway(session)],
            ledger=self._ledger,
            latency=latency,
            pace=pace,
            clock=clock,
            qos=self._qos,
            credit=None,
            stop=stop,
            hopeless=self._broker.death,
        )
        for part in paced(windows, pace, clock, stop):
            publisher.send(part)
        if not publisher.drain(SETTLED_S):
            message = f"the broker did not acknowledge everything within {SETTLED_S:g} s: {session.trouble()}"
            raise OutOfReachError(message)
        # QoS 0 is not acknowledged; what comes behind it is, once the broker has read it
        session.subscribe(BARRIER, qos=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._windows.close()
        self._source.close()
