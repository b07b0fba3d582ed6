"""Very many connections of one process: each device on its own, storms, limits that are told by name."""

from __future__ import annotations

import os
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from servers import HOST, Mosquitto, free_ports, until

from brokers import BrokerError, Endpoint, LimitError, ManagedMosquitto, Outgoing, UnreachableError
from brokers.blocks import Arrivals, Packets, merged
from brokers.errors import AddressError
from brokers.frames import packed
from brokers.limits import SPARE_FILES
from brokers.mosquitto import find_mosquitto
from brokers.session import LineSession
from brokers.swarm import Swarm

DEADLINE_S = 60.0
LONG = os.environ.get("PARKSIM_LONG_TESTS") == "true"
"""As many connections as the system allows, 20,000 if it does; else a tenth of that, which takes a second or two."""
StartMosquitto = Callable[..., Mosquitto]


@pytest.fixture(scope="module")
def broker() -> Iterator[ManagedMosquitto]:
    """A mosquitto of our own, shared by the tests of this module."""
    if find_mosquitto() is None and os.environ.get("CI") != "true":
        pytest.skip("mosquitto is not installed: apt-get install mosquitto, or make servers")
    with ManagedMosquitto(durable=False) as started:
        yield started


def ids(number: int) -> list[str]:
    return [f"device-{n}" for n in range(number)]


def block(swarm: Swarm, device: list[int], *, qos: int) -> Packets:
    """One packet for each entry, to the topic of its device, numbered."""
    messages = [Outgoing(f"swarm/{one}", b"%d" % number, 0) for number, one in enumerate(device)]
    return packed(messages, qos=qos, version=swarm.version)


def settle(swarm: Swarm, number: int) -> list[int]:
    """Wait for that many to be settled, none refused; return their tags."""
    tags: list[int] = []

    def is_done() -> bool:
        ends = swarm.settled()
        assert ends.refused == []
        tags.extend(ends.tag.tolist())
        return len(tags) >= number

    until(is_done, deadline_s=DEADLINE_S, what=f"{number} messages to be settled")
    return tags


def take(session: LineSession, number: int) -> Arrivals:
    """Receive that many as one block."""
    blocks: list[Arrivals] = []

    def is_done() -> bool:
        part = session.receive_block(limit=number, timeout_s=0.2)
        session.acknowledge_block(part, part.number)
        blocks.append(part)
        return sum(one.number for one in blocks) >= number

    until(is_done, deadline_s=DEADLINE_S, what=f"{number} messages")
    return merged(blocks)


def memory() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_many_devices_publish_on_connections_of_their_own(broker: ManagedMosquitto) -> None:
    """Thousands connect at thousands a second with less than 8 KB each; everything they send is acknowledged."""
    number = min(20_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE_FILES - 36) if LONG else 2000
    before, begun = memory(), time.monotonic()
    with Swarm(broker.endpoint, ids(number)) as swarm:
        swarm.connect(timeout_s=DEADLINE_S)
        took_s = time.monotonic() - begun
        assert (swarm.connected(), swarm.trouble()) == (number, None)
        packets = block(swarm, list(range(number)), qos=1)
        assert swarm.publish_packets(packets, np.arange(number), qos=1, timeout_s=DEADLINE_S).all()
        assert sorted(settle(swarm, number)) == list(range(number))
        assert (memory() - before) / number < 8192
        assert swarm.counters() == {}
    assert number / took_s > 500, "5,000/s on a free core; this machine may be busy"


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("qos", [0, 1])
def test_packets_of_a_device_keep_their_order(broker: ManagedMosquitto, version: int, qos: int) -> None:
    """Devices in any order in a block, many packets each, through small windows: each topic arrives in its order."""
    plain = broker.endpoint
    endpoint = Endpoint("mqtt", plain.host, plain.port, version=version)  # type: ignore[arg-type]
    device = np.random.default_rng(7).integers(0, 20, 1000)
    with (
        closing(LineSession(endpoint, "listens", window=1000)) as session,
        Swarm(endpoint, ids(20), window=4) as swarm,
    ):
        session.subscribe("swarm/#", qos=qos)
        swarm.connect(timeout_s=DEADLINE_S)
        packets = block(swarm, device.tolist(), qos=qos)
        assert swarm.publish_packets(packets, device, qos=qos, timeout_s=DEADLINE_S).all()
        assert sorted(settle(swarm, 1000)) == list(range(1000))
        arrivals = take(session, 1000)
    for one in range(20):
        topic = b"swarm/%d" % one
        came = [int(arrivals.payload(row)) for row in range(1000) if arrivals.topic(row) == topic]
        assert came == np.flatnonzero(device == one).tolist()


def test_a_storm(broker: ManagedMosquitto) -> None:
    """Half of the connections cut off while they publish: all come back, and nothing that was taken is missing."""
    number = 200
    with (
        closing(LineSession(broker.endpoint, "watches", window=1000)) as session,
        Swarm(broker.endpoint, ids(number)) as swarm,
    ):
        session.subscribe("swarm/#", qos=1)
        swarm.connect(timeout_s=DEADLINE_S)
        device = np.tile(np.arange(number), 5)
        packets = block(swarm, device.tolist(), qos=1)
        swarm.publish_packets(packets, device, qos=1, timeout_s=0)
        swarm.storm(np.arange(0, number, 2), within_s=0.2)
        assert swarm.connected() == number // 2
        settle(swarm, 1000)
        until(lambda: swarm.connected() == number, deadline_s=DEADLINE_S, what="all to be back")
        seen: set[int] = set()  # some come twice, as their acknowledgement was on its way

        def is_complete() -> bool:
            part = session.receive_block(limit=1000, timeout_s=0.2)
            session.acknowledge_block(part, part.number)
            seen.update(int(part.payload(row)) for row in range(part.number))
            return seen == set(range(1000))

        until(is_complete, deadline_s=DEADLINE_S, what="all 1000 messages")
        assert swarm.counters() == {"reconnects": number // 2}


def test_a_broker_that_crashes(start_mosquitto: StartMosquitto) -> None:
    """All connections are lost, wait, and come back spread over time; windows of packets go out then."""
    server = start_mosquitto()
    with Swarm(Endpoint("mqtt", HOST, server.port), ids(50), window=2, spread_s=0.3) as swarm:
        swarm.connect(timeout_s=DEADLINE_S)
        server.kill()
        until(lambda: not swarm.connected(), deadline_s=DEADLINE_S, what="the loss to be noticed")
        device = np.tile(np.arange(50), 3)
        packets = block(swarm, device.tolist(), qos=1)
        taken = swarm.publish_packets(packets, device, qos=1, timeout_s=0)
        assert np.flatnonzero(taken).tolist() == list(range(100))
        assert not swarm.publish_packets(block(swarm, [0], qos=0), np.zeros(1, int), qos=0, timeout_s=0).any()
        server.start()
        assert sorted(settle(swarm, 100)) == list(range(100))
        until(lambda: swarm.connected() == 50, deadline_s=DEADLINE_S, what="all to be back")
        assert swarm.counters()["connections_lost"] == 50
        assert swarm.counters()["reconnects"] == 50


def test_refusals_are_told(start_mosquitto: StartMosquitto) -> None:
    """A denied message, and one that is too large, come back with their reasons; the others are settled."""
    server = start_mosquitto(acl="topic write swarm/1\n", settings={"max_packet_size": 500})
    with Swarm(Endpoint("mqtt", HOST, server.port), ids(2)) as swarm:
        swarm.connect(timeout_s=DEADLINE_S)
        topics = [("swarm/0", b"no"), ("swarm/1", b"yes"), ("swarm/1", bytes(600)), ("swarm/1", b"yes")]
        packets = packed([Outgoing(*one, 0) for one in topics], qos=1, version=swarm.version)
        assert swarm.publish_packets(packets, np.array([0, 1, 1, 1]), qos=1, timeout_s=DEADLINE_S).all()
        tags: list[int] = []
        refused: dict[int, str] = {}

        def is_done() -> bool:
            ends = swarm.settled()
            tags.extend(ends.tag.tolist())
            refused.update({ack.tag: (ack.refused or "")[:16] for ack in ends.refused})
            return len(tags) + len(refused) >= 4

        until(is_done, deadline_s=DEADLINE_S, what="four ends")
        assert (sorted(tags), refused) == ([1, 3], {0: "Not authorized", 2: "Packet too large"})
        assert swarm.counters() == {"refused": 2}


def test_idle_connections_are_kept_alive(start_mosquitto: StartMosquitto) -> None:
    """Devices that say nothing for several keep-alives stay connected."""
    server = start_mosquitto()
    with Swarm(Endpoint("mqtt", HOST, server.port), ids(3), keepalive_s=1) as swarm:
        swarm.connect(timeout_s=DEADLINE_S)
        pings = "Received PINGREQ from device-2"
        until(lambda: server.log().count(pings) >= 4, deadline_s=DEADLINE_S, what="four pings")
        assert (swarm.connected(), swarm.counters()) == (3, {})


def test_a_broker_that_falls_silent(start_mosquitto: StartMosquitto) -> None:
    """Connections to a broker that answers nothing any more are given up."""
    server = start_mosquitto()
    with Swarm(Endpoint("mqtt", HOST, server.port), ids(3), keepalive_s=1) as swarm:
        swarm.connect(timeout_s=DEADLINE_S)
        server.freeze()
        until(lambda: swarm.counters().get("no_answer") == 3, deadline_s=DEADLINE_S, what="silence to be noticed")
        assert "no answer" in (swarm.trouble() or "")
        server.thaw()
        until(lambda: swarm.connected() == 3, deadline_s=DEADLINE_S, what="all to be back")


# Limits


def test_too_few_open_files(broker: ManagedMosquitto) -> None:
    """More connections than the process may open files: told before the first, with the command that helps."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    try:
        with pytest.raises(LimitError, match=f"ulimit -n {hard + SPARE_FILES}"):
            Swarm(broker.endpoint, ids(hard))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def test_a_broker_with_a_limit_of_connections(start_mosquitto: StartMosquitto) -> None:
    """A broker that takes no more is told as such, with how many it took."""
    server = start_mosquitto(settings={"max_connections": 30})
    with (
        Swarm(Endpoint("mqtt", HOST, server.port), ids(60)) as swarm,
        pytest.raises(LimitError, match=r"while 3[01] are up.*max_connections"),
    ):
        swarm.connect(timeout_s=DEADLINE_S)


def test_ports_that_run_out(broker: ManagedMosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """When an address has no port left the next one is used; when none is left, the limit is told."""
    real = socket.socket.connect_ex
    froms: set[str] = set()

    class Scarce(socket.socket):
        """A socket on a machine whose addresses have ten ports each."""

        def connect_ex(self, where: object) -> int:
            address = self.getsockname()[0]
            if sum(one == address for one in used) >= 10:
                return 99
            used.append(address)
            froms.add(address)
            return real(self, where)

    used: list[str] = []
    monkeypatch.setattr("brokers.doors.socket.socket", Scarce)
    with Swarm(broker.endpoint, ids(25)) as swarm:
        swarm.connect(timeout_s=DEADLINE_S)
        assert froms == {"127.0.0.1", "127.0.0.2", "127.0.0.3"}
    monkeypatch.setattr("brokers.limits.LAST_SOURCE", 2)
    used.clear()
    with (
        Swarm(broker.endpoint, ids(25)) as swarm,
        pytest.raises(LimitError, match=r"ports \d+ to \d+ of this machine are all in use"),
    ):
        swarm.connect(timeout_s=DEADLINE_S)


def test_nobody_listens() -> None:
    """A port where nobody listens is told as such."""
    (port,) = free_ports(1)
    with pytest.raises(UnreachableError, match="nobody listens"):
        Swarm(Endpoint("mqtt", HOST, port), ids(3))


@pytest.mark.parametrize("scheme", ["mqtts", "ws", "wss"])
def test_only_plain_tcp(scheme: str) -> None:
    """TLS and WebSocket are for gateways."""
    with pytest.raises(AddressError, match="plain TCP only"):
        Swarm(Endpoint(scheme, HOST, 1), ids(3))  # type: ignore[arg-type]


def test_a_closed_swarm(broker: ManagedMosquitto) -> None:
    """Closing twice is closing once; whoever publishes then is told so, and no socket stays open."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    swarm = Swarm(broker.endpoint, ids(30))
    swarm.connect(timeout_s=DEADLINE_S)
    packets = block(swarm, [0], qos=1)
    swarm.close()
    swarm.close()
    with pytest.raises(BrokerError, match="closed"):
        swarm.publish_packets(packets, np.zeros(1, int), qos=1, timeout_s=0)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
    assert not [thread for thread in threading.enumerate() if thread.name == "mqtt-swarm"]
