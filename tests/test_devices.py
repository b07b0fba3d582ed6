"""Where each device has a connection of its own: which it uses, what it waits for, and what a scenario may say."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from presses import START_MS, catalog_of
from scenario_texts import PARK, load, problems

from brokers import LimitError
from brokers.blocks import Packets, Settled
from brokers.errors import AddressError
from brokers.memory import MemoryBroker
from simulator.batch import Batch
from simulator.clock import SECOND_NS, FakeClock, Pace
from simulator.plan import plan
from simulator.publish import outlet as outlet_module
from simulator.publish.consignment import Consignor
from simulator.publish.gateways import connection_count, gateways
from simulator.publish.outlet import Devices
from simulator.publish.publisher import Publisher
from simulator.results.latency import Latency
from simulator.results.ledger import Ledger
from simulator.run import uplink as uplink_module
from simulator.run.uplink import make_room, patience_s
from simulator.run.vigil import Vigil
from simulator.scenario.messaging import Messaging
from simulator.wire.frames import Frames
from simulator.wire.json_blocks import JsonBlocks

MS = 1_000_000


class Flights:
    """The interface of a swarm without a broker: what is up takes everything and acknowledges it at once."""

    version = 5

    def __init__(self, devices: int) -> None:
        self.up = np.ones(devices, dtype=bool)
        self.sent: list[int] = []
        """The device of each packet that was taken, in order."""
        self.told: list[int] = []

    def publish_packets(
        self, packets: Packets, device: NDArray[np.int64], *, qos: int, timeout_s: float, enough: int | None = None
    ) -> NDArray[np.bool_]:
        assert (packets.number, qos, enough) == (len(device), 1, 1)
        taken = self.up[device]
        self.told += range(len(self.sent), len(self.sent) + int(taken.sum()))
        self.sent += device[taken].tolist()
        return taken

    def settled(self) -> Settled:
        tags, self.told = np.array(self.told, dtype=np.int64), []
        return Settled(tags, np.zeros(len(tags), dtype=np.int64), [])

    def is_up(self) -> NDArray[np.bool_]:
        return self.up

    def trouble(self) -> str | None:
        return None if self.up.all() else "127.0.0.1:1883: connection refused"


def test_each_machine_has_a_connection_and_the_truth_uses_that_of_its_machine() -> None:
    """What speaks for a machine beside its readings goes through its connection; for a factory, through the first."""
    paths = ["e/a/f/1/x", "e/a/f/1/y", "e/a/f/1/x/_truth", "e/a/f/1/y/_kpi", "e/a/f/_kpi"]
    assets = [replace(catalog_of().assets[0], path=tuple(path.split("/"))) for path in paths]
    assert gateways(assets, "device") == (["e/a/f/1/x", "e/a/f/1/y"], [0, 1, 0, 1, 0])


def test_the_plan_counts_devices(tmp_path: Path) -> None:
    """Three presses and a packer are four connections, and the text says what they are of."""
    planned = plan(load(tmp_path, PARK + "messaging: {connections: device, qos: 0}\n"))
    assert (planned.connections, planned.connections_of) == (4, "device")
    assert connection_count(load(tmp_path, PARK).scenario) == 1


def test_a_device_that_is_away_holds_up_none_of_the_others() -> None:
    """Its messages wait and go out when it is back, in order, while the others have long been heard."""
    catalog = catalog_of()
    devices = len(catalog.assets)
    swarm: Any = Flights(devices)
    frames = Frames([asset.topic for asset in catalog.assets], qos=1, version=5)
    consignor = Consignor(JsonBlocks(catalog, frames), np.zeros(devices, dtype=np.int64), gateways=1)
    ledger, clock, stop = Ledger(devices), FakeClock(), threading.Event()
    asked = 0

    def hopeless() -> str | None:
        """Let the device back once the publisher has found that only its messages are left."""
        nonlocal asked
        asked += 1
        swarm.up[1] = asked > 3
        return None

    publisher = Publisher(
        [Devices(swarm, np.arange(devices))],
        ledger=ledger,
        latency=Latency(),
        pace=Pace(START_MS * MS, clock.monotonic_ns(), None),
        clock=clock,
        qos=1,
        credit=None,
        stop=stop,
        hopeless=hopeless,
    )
    swarm.up[1] = False
    time_ns = np.repeat((START_MS + 1000 * np.arange(5)) * MS, len(catalog))
    sensor = np.tile(np.arange(len(catalog), dtype=np.int32), 5)
    publisher.send(consignor.consign(Batch(time_ns, sensor, np.ones(len(sensor)), int(time_ns[-1]) + SECOND_NS)))
    assert publisher.drain(1)
    assert swarm.sent == [device for device in range(devices) if device != 1] * 5 + [1] * 5
    counts = ledger.counts()
    assert (counts.scheduled, counts.published, counts.acknowledged) == (5 * devices,) * 3


def test_a_device_that_stays_away_is_hopeless_once_its_patience_is_over() -> None:
    """Each device has its own; the sentence says how many, and what keeps them away."""
    clock, swarm = FakeClock(), Flights(3)
    bridge: Any = SimpleNamespace(failure=None, trouble=None, stuck_s=lambda: 0.0)
    vigil = Vigil(
        broker=MemoryBroker(),
        bridge=bridge,
        sessions=(),
        swarm=swarm,  # type: ignore[arg-type]
        clock=clock,
        patience_s=30.0,
        store_patience_s=300.0,
    )

    def after(seconds: float, *, away: tuple[int, ...]) -> str | None:
        clock.advance(round(seconds * SECOND_NS))
        swarm.up[:] = True
        swarm.up[list(away)] = False
        return vigil.hopeless()

    assert [after(1000, away=()), after(0, away=(1,)), after(29, away=(0,)), after(29, away=(0, 1))] == [None] * 4
    what = "1 of 3 devices have had no connection to the broker for 30 s: 127.0.0.1:1883: connection refused"
    assert after(1, away=(0, 1)) == what


MISTAKES = [
    ("{connections: device, qos: 2}", "messaging.qos: 2 is for gateways, must be 0 or 1"),
    ("{connections: device, gateway_per: line}", "messaging.gateway_per: devices share no connections; remove this"),
    ("{connect_within: 5s}", "messaging.connect_within: only devices connect spread over time"),
    ("{connections: swarm}", "messaging.connections: 'swarm' is not allowed here, must be 'gateway' or 'device'"),
    ("{bridge_workers: 0}", "messaging.bridge_workers: 0 is too small, must be at least 1"),
    ("{bridge_workers: 17}", "messaging.bridge_workers: 17 is too large, must be at most 16"),
]


@pytest.mark.parametrize(("messaging", "told"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_what_devices_cannot_do_is_told(tmp_path: Path, messaging: str, told: str) -> None:
    """One sentence, with its place and what to write instead."""
    (problem,) = problems(tmp_path, f"{PARK}messaging: {messaging}\n")
    assert told in problem
    assert problem.startswith(f"small.yaml:{PARK.count(chr(10)) + 1}:")


@pytest.mark.parametrize(
    ("broker", "told"),
    [
        ("memory", "memory: a broker in this process has no port"),
        ("mqtts://broker.example:8883", "mqtts://broker.example:8883: devices connect over plain TCP only"),
        ("wss://broker.example:443", "wss://broker.example:443/mqtt: devices connect over plain TCP only"),
    ],
)
def test_a_broker_that_devices_cannot_reach_is_refused(broker: str, told: str) -> None:
    """Before anything is started; the advice names the other way."""
    with pytest.raises(AddressError, match="write `connections: gateway`") as raised:
        make_room(broker, devices=3)
    assert str(raised.value).startswith(told)


def test_too_few_open_files_are_a_warning_and_then_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`parksim check` warns with the figure to ask for; a run is refused before its broker is started."""
    monkeypatch.setattr(outlet_module, "most_files", lambda: 40)
    (warning,) = plan(load(tmp_path, PARK + "messaging: {connections: device}\n")).warnings
    what = "4 devices need 68 open files, and a process may have 40 here; raise the limit (ulimit -n 68)"
    assert warning == f"messaging.connections: {what}"
    with pytest.raises(LimitError, match="open files"):
        make_room("mosquitto", devices=50_000_000)


def test_a_broker_may_be_away_for_longer_where_devices_take_their_time() -> None:
    """The time over which they come back is added to the patience of the run."""
    assert patience_s(Messaging(connections="device", connect_within="20s"), 30.0) == 50.0


def test_connecting_is_told_while_it_takes_long() -> None:
    """Every five seconds, and at the end; a run that is stopped does not wait."""
    clock, stop = FakeClock(), threading.Event()
    said: list[str] = []

    class Slow:
        def connect(self, *, within_s: float, timeout_s: float, goes_on: Any) -> None:
            assert (within_s, timeout_s) == (60.0, 60.0 + 30.0 + 20.0)
            for up in (10, 500, 1500):
                clock.advance(3 * SECOND_NS)
                assert goes_on(up)

    swarm: Any = Slow()
    messaging = Messaging(connections="device", connect_within="60s")
    uplink_module.gather(swarm, messaging, devices=2000, timeout_s=30.0, clock=clock, stop=stop, told=said.append)
    assert said == [
        "devices: connecting 2,000 over 60 s",
        "devices: 500 of 2,000 are connected",
        "devices: all 2,000 are connected",
    ]
