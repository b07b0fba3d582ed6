"""Latency from the due time sees a pipeline that stalls and pushes back; latency from sending does not."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from child_server import until
from presses import START_MS, catalog_of
from test_publisher import Bench, ticks

from simulator.clock import Pace
from simulator.ingest.bridge import Bridge
from simulator.ingest.sentry import guarded
from simulator.ingest.stores.none import NoStore
from simulator.results.departures import Departures

SECOND = 1_000_000_000


class Pipeline(Bench):
    """A publisher, a broker in memory that pushes back while its subscriber is held up, and a bridge."""

    def __init__(self) -> None:
        super().__init__(window=3, speed=1.0, patience_s=30.0, from_sending=True)
        assert self.latency.from_sending is not None
        self.sending = self.latency.from_sending
        store = NoStore(self.catalog)
        self.bridge = Bridge(
            sessions=[self.listener],
            topics=[["binh-duong/#"]],
            qos=1,
            catalog=self.catalog,
            store=store,
            books=self.ledger,
            reader=guarded(store, self.catalog, self.ledger),
            latency=self.latency,
            pace=Pace(START_MS * 1_000_000, self.clock.monotonic_ns(), 1.0),
            clock=self.clock,
        )

    def play(self, first: int, number: int) -> None:
        """Send so many seconds of the park, each when it is due."""
        for second in range(first, first + number):
            self.clock.advance(second * SECOND - self.clock.monotonic_ns())
            self.send(ticks(self.catalog, 1, first=second))
            self.publisher.collect()
            self.bridge.step()


def test_a_stalled_subscriber_shows_from_the_due_time_only() -> None:
    """Three messages of 300 are under way when it stalls, for 20 s; 27 wait to be sent, and so did their latency."""
    pipeline = Pipeline()
    pipeline.play(0, 50)
    pipeline.broker.hold()
    sender = threading.Thread(target=pipeline.send, args=(ticks(pipeline.catalog, 10, first=50),))
    sender.start()
    until(lambda: pipeline.ledger.counts().published == 153, deadline_s=10, what="a full window")
    pipeline.clock.advance(20 * SECOND)
    waits, now_ns = (np.array([0]), np.array([51])), pipeline.clock.monotonic_ns()
    until(lambda: pipeline.sending.departures.of(*waits)[0] == now_ns, deadline_s=10, what="another attempt to send")
    pipeline.broker.release()
    sender.join(10)
    pipeline.publisher.collect()
    while pipeline.bridge.step():
        pass
    pipeline.play(70, 40)
    # acknowledgements bear the real clock, whatever the test says
    for hop in ("broker", "end_to_end"):
        corrected, uncorrected = getattr(pipeline.latency, hop), getattr(pipeline.sending, hop)
        assert (len(corrected), len(uncorrected)) == (300, 300), hop
        assert corrected.percentile(99) > 10 * SECOND, hop
        assert uncorrected.percentile(99) < SECOND, hop
        # but the three that were under way are in it
        assert uncorrected.max > 18 * SECOND, hop


@pytest.mark.parametrize(("assets", "each"), [(1, 4_096), (500, 4_096), (1_000, 2_048), (30_000, 64), (1 << 20, 16)])
def test_memory_of_departures_is_bounded(assets: int, each: int) -> None:
    """The more assets, the fewer messages of each are remembered."""
    assert Departures(assets).each == each


def test_an_old_departure_is_unknown() -> None:
    """Not mistaken for a later message of the same asset."""
    departures = Departures(1)
    for seq in range(departures.each + 1):
        departures.note(np.array([0]), np.array([seq]), seq)
    at_ns, is_known = departures.of(np.array([0, 0, 0]), np.array([0, 1, departures.each]))
    assert is_known.tolist() == [False, True, True]
    assert at_ns[1:].tolist() == [1, departures.each]


def test_nothing_is_known_before_the_first() -> None:
    """Number 0 included."""
    assert not Departures(len(catalog_of().assets)).of(np.array([0]), np.array([0]))[1].any()
