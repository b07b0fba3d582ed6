"""The publisher sends every message once, in order, within bounds, and books what became of it."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import numpy as np
import orjson
import pytest
from presses import START_MS, catalog_of

from brokers.endpoint import Delivery
from brokers.memory import MemoryBroker
from simulator.batch import Batch, Catalog
from simulator.clock import FakeClock, Pace
from simulator.errors import OutOfReachError
from simulator.publish.consignment import Consignor
from simulator.publish.credit import Credit
from simulator.publish.gateways import gateways
from simulator.publish.outlet import Gateway
from simulator.publish.publisher import Publisher
from simulator.results.counts import Counts
from simulator.results.departures import FromSending
from simulator.results.latency import Latency
from simulator.results.ledger import Ledger
from simulator.wire.frames import Frames
from simulator.wire.json_blocks import JsonBlocks

MS = 1_000_000
SECOND = 1_000_000_000


class Bench:
    """A publisher with a broker in memory and somebody who listens."""

    def __init__(
        self,
        *,
        window: int = 100,
        speed: float | None = None,
        credit: int | None = None,
        late_after_ns: int | None = None,
        patience_s: float = 0.1,
        from_sending: bool = False,
    ) -> None:
        self.catalog = catalog_of()
        self.broker = MemoryBroker()
        self.listener = self.broker.connect("listener", window=60_000, keep_session=True)
        self.listener.subscribe("binh-duong/#", qos=1)
        assets = len(self.catalog.assets)
        self.ledger = Ledger(assets)
        self.latency = Latency(from_sending=FromSending(assets) if from_sending else None)
        self.clock, self.stop = FakeClock(), threading.Event()
        self.idle = True
        self.despair: str | None = None
        bound = None
        if credit is not None:
            bound = Credit(self.ledger, bridge_is_idle=lambda: self.idle, limit=credit, patience_polls=5)
        gateway = self.broker.connect("gateway", window=window)
        frames = Frames([asset.topic for asset in self.catalog.assets], qos=1, version=gateway.version)
        alone = np.zeros(len(self.catalog.assets), np.int64)
        self.consignor = Consignor(JsonBlocks(self.catalog, frames), alone, gateways=1)
        self.publisher = Publisher(
            [Gateway(gateway)],
            ledger=self.ledger,
            latency=self.latency,
            pace=Pace(START_MS * MS, self.clock.monotonic_ns(), speed),
            clock=self.clock,
            qos=1,
            credit=bound,
            stop=self.stop,
            hopeless=lambda: self.despair,
            patience_s=patience_s,
            farewell_s=0.05,
            late_after_ns=late_after_ns,
        )

    def send(self, batch: Batch) -> None:
        """Write the messages of a batch and hand them over."""
        self.publisher.send(self.consignor.consign(batch))

    def arrived(self) -> list[Delivery]:
        return self.listener.receive(limit=60_000, timeout_s=0)

    def balanced(self) -> Counts:
        """Return the counts, which must balance."""
        counts = self.ledger.counts()
        ended = counts.written + sum(counts.dead_lettered.values()) + sum(counts.dropped.values())
        assert counts.scheduled == ended + counts.in_flight + counts.unaccounted
        return counts


def ticks(catalog: Catalog, count: int, *, first: int = 0) -> Batch:
    """``count`` seconds in which every sensor of every asset speaks."""
    sensors = len(catalog)
    time_ns = np.repeat((START_MS + 1000 * np.arange(first, first + count)) * MS, sensors)
    sensor = np.tile(np.arange(sensors, dtype=np.int32), count)
    return Batch(time_ns, sensor, np.ones(len(sensor)), int(time_ns[-1]) + SECOND)


def test_every_message_arrives_once_and_in_order() -> None:
    """Per asset the numbers go up by one from 0, whatever the window, and the books say so."""
    bench = Bench(window=3)
    for first in (0, 50):
        bench.send(ticks(bench.catalog, 50, first=first))
    assert bench.publisher.drain(5)
    numbers: dict[str, list[int]] = {}
    for delivery in bench.arrived():
        numbers.setdefault(delivery.topic, []).append(orjson.loads(delivery.payload)["n"])
    assert {asset.topic: list(range(100)) for asset in bench.catalog.assets} == numbers
    counts = bench.balanced()
    assert (counts.scheduled, counts.published, counts.acknowledged) == (300, 300, 300)
    assert 100 * len(bench.catalog) == counts.readings_scheduled


def test_a_refused_message_is_a_drop_with_its_reason() -> None:
    """What the broker denies is counted as refused, and the other assets go on."""
    bench = Bench()
    bench.broker.refuse(bench.catalog.assets[1].topic)
    bench.send(ticks(bench.catalog, 10))
    bench.publisher.drain(5)
    counts = bench.balanced()
    assert counts.dropped == {"refused: Not authorized": 10}
    assert counts.acknowledged == 20
    assert Counter(d.topic for d in bench.arrived())[bench.catalog.assets[1].topic] == 0


def test_a_full_window_is_waited_for() -> None:
    """A broker that is slow makes the publisher late; it loses nothing."""
    bench = Bench(window=2)
    bench.broker.hold()
    sender = threading.Thread(target=bench.send, args=(ticks(bench.catalog, 5),))
    sender.start()
    with bench.broker.change:
        bench.broker.change.wait_for(lambda: bench.ledger.counts().published == 2, 0.1)
    assert bench.ledger.counts().published <= 2
    bench.broker.release()
    sender.join(10)
    assert bench.publisher.drain(5)
    counts = bench.balanced()
    assert (counts.acknowledged, counts.dropped) == (15, {})


def test_an_open_loop_drops_what_is_too_late() -> None:
    """After 8.5 s of ten messages of each asset, a second apart, four were due more than 5 s ago."""
    bench = Bench(speed=1, late_after_ns=5 * SECOND)
    bench.clock.advance(8 * SECOND + SECOND // 2)
    bench.send(ticks(bench.catalog, 10))
    assert bench.publisher.drain(5)
    counts = bench.balanced()
    assert (counts.scheduled, counts.acknowledged, counts.dropped) == (30, 18, {"not sent in time": 12})
    assert {orjson.loads(one.payload)["n"] for one in bench.arrived()} == {4, 5, 6, 7, 8, 9}
    assert bench.latency.lateness.max == 4 * SECOND + SECOND // 2


def test_lateness_runs_from_the_due_time() -> None:
    """Three messages that were due 7 ms ago are 7 ms late."""
    bench = Bench(speed=1)
    bench.clock.advance(7 * MS)
    bench.send(ticks(bench.catalog, 1))
    found = bench.latency.lateness
    assert (len(found), found.min, found.max) == (3, 7 * MS, 7 * MS)
    bench.publisher.drain(5)
    assert len(bench.latency.publish) == 3


def test_at_full_speed_no_latency_is_recorded() -> None:
    """Nothing is due, so nothing is late."""
    bench = Bench(speed=None)
    bench.send(ticks(bench.catalog, 1))
    bench.publisher.drain(5)
    assert (len(bench.latency.lateness), len(bench.latency.publish)) == (0, 0)


def test_a_broker_that_takes_nothing_is_given_up_in_the_end() -> None:
    """Once its patience is over the run ends with the reason, and what was not sent is a counted drop."""
    bench = Bench(window=4)
    bench.broker.drop_connections(stay_down=True)
    with pytest.raises(OutOfReachError, match=r"nothing for 0\.1 s: the connection is lost"):
        bench.send(ticks(bench.catalog, 5))
    bench.publisher.abandon("not acknowledged")
    counts = bench.balanced()
    assert counts.dropped == {"no broker for 0.1 s": 11, "not acknowledged": 4}


def test_what_is_hopeless_ends_the_wait_for_credit_at_once() -> None:
    """With the credit used up no window fills, so it is asked whether waiting makes sense; what is left is dropped."""
    bench = Bench(credit=4)
    bench.idle = False
    bench.despair = "the broker has ended with exit status 3"
    with pytest.raises(OutOfReachError, match="ended with exit status 3"):
        bench.send(ticks(bench.catalog, 5))
    counts = bench.balanced()
    assert (counts.published, counts.dropped) == (4, {"not sent after a failure": 11})


def test_after_a_failure_the_rest_of_the_batch_is_booked() -> None:
    """The books hold the whole batch, so that a result says exactly what was to be sent."""
    bench = Bench(window=4)
    bench.broker.drop_connections(stay_down=True)
    with pytest.raises(OutOfReachError):
        bench.send(ticks(bench.catalog, 5))
    counts = bench.balanced()
    assert (counts.scheduled, counts.dropped) == (15, {"no broker for 0.1 s": 11})


def test_a_stopped_run_says_a_short_farewell() -> None:
    """Once stopped, a short while without progress is enough, and that is no failure of the broker."""
    bench = Bench(window=4)
    bench.broker.hold()
    bench.stop.set()
    bench.send(ticks(bench.catalog, 5))
    assert bench.balanced().dropped == {"not sent before the run was stopped": 11}
    assert not bench.publisher.drain(0.01)
    assert bench.publisher.in_flight() == 4


def test_an_abandoned_message_that_arrives_counts_as_written() -> None:
    """The acknowledgement came too late; the message did not."""
    bench = Bench()
    bench.broker.hold()
    bench.send(ticks(bench.catalog, 1))
    bench.publisher.abandon("not acknowledged")
    bench.broker.release()
    bench.ledger.write([0, 1, 2], [0, 0, 0], [4, 4, 2])
    counts = bench.balanced()
    assert (counts.written, counts.dropped, counts.in_flight) == (3, {}, 0)


def test_credit_bounds_what_queues_behind_the_broker() -> None:
    """No more than the limit is handed over and unwritten; writing makes room."""
    bench = Bench(credit=6)
    bench.idle = False
    sender = threading.Thread(target=bench.send, args=(ticks(bench.catalog, 4),))
    sender.start()
    written = 0
    while sender.is_alive() or written < 12:
        for delivery in bench.listener.receive(limit=1, timeout_s=1):
            unwritten = bench.ledger.unwritten()
            assert unwritten <= 6
            asset = bench.catalog.by_topic[delivery.topic]
            bench.ledger.write(asset, orjson.loads(delivery.payload)["n"], 1)
            written += 1
    sender.join()
    assert bench.balanced().written == 12


def test_credit_writes_off_what_an_idle_bridge_will_never_see() -> None:
    """Lost messages hold the run up for a while, not for ever, and only while the bridge is idle."""
    ledger = Ledger(1)
    idle = False
    credit = Credit(ledger, bridge_is_idle=lambda: idle, limit=2, patience_polls=3)
    ledger.schedule([0, 0], [0, 1], [1, 1])
    ledger.publish([0, 0], [0, 1])
    assert [credit.room() for _ in range(5)] == [0] * 5
    idle = True
    assert [credit.room() for _ in range(4)] == [0, 0, 0, 2]
    ledger.write([0, 0], [0, 1], [1, 1])
    assert credit.room() == 2


def test_credit_has_less_patience_once_messages_were_lost() -> None:
    """The next losses are written off sooner; one that comes all the same brings the patience back."""
    ledger = Ledger(1)
    credit = Credit(ledger, bridge_is_idle=lambda: True, limit=2, patience_polls=500)
    waits = []

    def lose(first: int) -> None:
        ledger.schedule([0, 0], [first, first + 1], [1, 1])
        ledger.publish([0, 0], [first, first + 1])
        waits.append(next(poll for poll in range(1000) if credit.room() == 2))

    lose(0)
    lose(2)
    lose(4)
    ledger.write([0, 0], [0, 1], [1, 1])
    assert credit.room() == 2
    lose(6)
    assert waits == [501, 11, 11, 501]


@pytest.mark.parametrize(("per", "expected"), [("site", ["e/a", "e/b"]), ("factory", ["e/a/f", "e/b/f", "e/b/g"])])
def test_gateways_share_a_connection_per_site_or_factory(per: str, expected: list[str]) -> None:
    """Assets under the same levels of the path share a gateway."""
    paths = ["e/a/f/1/x", "e/a/f/2/x", "e/b/f/1/x", "e/b/g/1/x"]
    assets = [replace(catalog_of().assets[0], path=tuple(path.split("/"))) for path in paths]
    names, numbers = gateways(assets, per)
    assert names == expected
    assert [path.startswith(names[number] + "/") for path, number in zip(paths, numbers, strict=True)] == [True] * 4
