"""How near a session comes to the limit of mosquitto: raw sockets and sessions in turn, as JSON. No test.

Raw is what nothing in Python can beat by much: a bare socket that sends the same packets out of memory and, with QoS 1,
counts the bytes of PUBACKs; as a subscriber, one that counts bytes. mosquitto runs with set_tcp_nodelay true.

    python tests/benchmarks/sessions.py [--rounds 7] [--only publish-0,publish-1,receive,swarm] [--devices 19900]

A busy machine shows in "load": with more than 2 on two cores the broker does not get the core that raw and product
compete for, and ratios say how much CPU each takes rather than how near they come to the broker's limit.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brokers import Endpoint, ManagedMosquitto
from brokers.blocks import Packets
from brokers.endpoint import Outgoing
from brokers.frames import packed, subscribe
from brokers.session import LineSession
from brokers.swarm import Swarm

HOST = "127.0.0.1"
TOPIC = "binh-duong/vsip2a/wiring-devices/moulding/press-01"
PAYLOAD = b'{"t":1764109722000,"n":1234567,"state":6,"power_kw":41.2,"barrel_c":212.4,"cycle_s":15.31}'
BLOCK = 2000
NUMBER = {0: 200_000, 1: 30_000}
END = b"the end"


def block(qos: int, number: int = BLOCK, version: int = 5) -> Packets:
    """Return so many packets with one topic."""
    return packed([Outgoing(TOPIC, PAYLOAD, 0)] * number, qos=qos, version=version)


def raw_connect(port: int, name: str, version: int = 5) -> socket.socket:
    """Open a bare MQTT connection."""
    level, properties = (5, b"\0") if version == 5 else (4, b"")
    body = b"\0\4MQTT" + bytes([level, 2, 0, 0]) + properties + len(name).to_bytes(2, "big") + name.encode()
    door = socket.create_connection((HOST, port))
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    door.sendall(bytes([0x10, len(body)]) + body)
    assert door.recv(100)[0] == 0x20
    return door


@dataclass
class Rate:
    """Messages a second, and seconds of our own CPU a million of them."""

    per_s: float
    cpu_s: float


def timed(number: int, work: Callable[[], None]) -> Rate:
    cpu, begun = time.process_time(), time.perf_counter()
    work()
    wall = time.perf_counter() - begun
    return Rate(number / wall, (time.process_time() - cpu) * 1e6 / number)


def raw_publish_0(port: int, number: int) -> Rate:
    data = memoryview(block(0).data)
    barrier = subscribe(1, b"barrier", qos=0, version=5)

    def work() -> None:
        for _ in range(number // BLOCK):
            door.sendall(data)
        door.sendall(barrier)
        assert door.recv(100)[0] == 0x90

    with raw_connect(port, "raw") as door:
        return timed(number, work)


def publish_0(port: int, number: int, *, window: int) -> Rate:
    packets = block(0)

    def work() -> None:
        for _ in range(number // BLOCK):
            assert session.publish_packets(packets, qos=0, timeout_s=10) == BLOCK
            session.settled()
        session.subscribe("barrier", qos=0)

    with closing(LineSession(Endpoint("mqtt", HOST, port), "product", window=window)) as session:
        return timed(number, work)


def raw_publish_1(port: int, number: int, *, window: int) -> Rate:
    packets = block(1, number)
    data = packets.data.copy()
    mids = np.arange(number) % 65_000 + 1
    data[packets.identifier], data[packets.identifier + 1] = mids >> 8, mids & 255
    view, size = memoryview(data), len(data) // number
    answer = 5  # PUBACK with the reason that there is no subscriber

    def work() -> None:
        sent, heard = min(window, number), 0
        door.sendall(view[: sent * size])
        while heard < number * answer:
            heard += len(door.recv(65_536))
            upto = min(number, heard // answer + window)
            if upto > sent:
                door.sendall(view[sent * size : upto * size])
                sent = upto

    with raw_connect(port, "raw") as door:
        return timed(number, work)


def publish_1(port: int, number: int, *, window: int) -> Rate:
    packets = block(1)

    def work() -> None:
        settled = 0
        for _ in range(number // BLOCK):
            assert session.publish_packets(packets, qos=1, timeout_s=10) == BLOCK
            settled += len(session.settled().tag)
        while settled < number:
            settled += len(session.settled().tag)

    with closing(LineSession(Endpoint("mqtt", HOST, port), "product", window=window)) as session:
        return timed(number, work)


FLOOD = """
import sys, time
sys.path[:0] = {paths!r}
from sessions import END, TOPIC, block, raw_connect
from brokers.frames import publish
with raw_connect({port}, "flood") as door:
    data = memoryview(block({qos}).data)
    for _ in range({number} // {block}):
        door.sendall(data)
    door.sendall(publish(TOPIC.encode(), END, qos=0, version=5))
    door.recv(1)
"""


class Flood:
    """Another process that publishes as fast as a bare socket takes it."""

    def __init__(self, port: int, number: int) -> None:
        paths = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
        text = FLOOD.format(paths=paths, port=port, qos=0, number=number, block=BLOCK)
        self._child = subprocess.Popen([sys.executable, "-c", text])

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._child.terminate()
        self._child.wait()


def raw_receive(port: int, number: int) -> Rate:
    size = len(block(0, 1).data)
    with raw_connect(port, "raw-sub") as door:
        door.sendall(subscribe(1, TOPIC.encode(), qos=0, version=5))
        assert door.recv(100)[0] == 0x90
        with Flood(port, number):
            total = len(chunk := door.recv(1))
            cpu, begun = time.process_time(), time.perf_counter()
            while not chunk.endswith(END):
                chunk = door.recv(262_144)
                total += len(chunk)
            wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
    received = total // size
    return Rate(received / wall, cpu * 1e6 / received)


def receive(port: int, number: int) -> Rate:
    with closing(LineSession(Endpoint("mqtt", HOST, port), "product-sub", window=1000)) as session:
        session.subscribe(TOPIC, qos=0)
        with Flood(port, number):
            arrivals = session.receive_block(limit=5000, timeout_s=10)
            received = arrivals.number
            cpu, begun = time.process_time(), time.perf_counter()
            while arrivals.payload(arrivals.number - 1) != END:
                arrivals = session.receive_block(limit=5000, timeout_s=10)
                received += arrivals.number
            wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return Rate(received / wall, cpu * 1e6 / received)


def swarm(endpoint: Endpoint, number: int, rounds: int) -> dict[str, object]:
    """Connect devices and have each publish ten messages with QoS 1; medians, and the most memory a connection took."""
    found: list[tuple[float, float, float]] = []
    device = np.arange(number)
    messages = [Outgoing(f"swarm/{one}", PAYLOAD, 0) for one in range(number)]
    for _ in range(rounds):
        before, begun = memory(), time.perf_counter()
        with Swarm(endpoint, [f"device-{one}" for one in range(number)]) as devices:
            devices.connect(timeout_s=120)
            connected = time.perf_counter()
            packets = packed(messages, qos=1, version=devices.version)
            posted = time.perf_counter()
            settled = 0
            for _ in range(10):
                assert devices.publish_packets(packets, device, qos=1, timeout_s=60).all()
                settled += len(devices.settled().tag)
            while settled < 10 * number:
                settled += len(devices.settled().tag)
            ended = time.perf_counter()
            found.append((number / (connected - begun), 10 * number / (ended - posted), (memory() - before) / number))
    connects, published, taken = zip(*found, strict=True)
    return {
        "devices": number,
        "connects_per_s": round(statistics.median(connects)),
        "published_per_s": round(statistics.median(published)),
        "bytes_per_connection": round(max(taken)),
    }


def memory() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def compare(rounds: int, raw: Callable[[], Rate], product: Callable[[], Rate]) -> dict[str, object]:
    """Measure both in turn; medians, and the median of the ratios of the rounds."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            second = product()
            pairs.append((raw(), second))
        else:
            first = raw()
            pairs.append((first, product()))
    return {
        "raw_per_s": round(statistics.median(one.per_s for one, _ in pairs)),
        "product_per_s": round(statistics.median(two.per_s for _, two in pairs)),
        "ratio": round(statistics.median(two.per_s / one.per_s for one, two in pairs), 3),
        "ratios": [round(two.per_s / one.per_s, 3) for one, two in pairs],
        "raw_cpu_us": round(statistics.median(one.cpu_s for one, _ in pairs), 2),
        "product_cpu_us": round(statistics.median(two.cpu_s for _, two in pairs), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="publish-0,publish-1,receive,swarm")
    parser.add_argument("--devices", type=int, default=5000)
    arguments = parser.parse_args()
    only, rounds = arguments.only.split(","), arguments.rounds
    found: dict[str, object] = {"bytes_per_packet": len(block(0, 1).data), "cores": os.cpu_count(), "rounds": rounds}
    with ManagedMosquitto(durable=False) as broker:
        port = broker.endpoint.port
        if "publish-0" in only:
            for window in (100, 1000, 10_000):
                found[f"publish QoS 0, window {window}"] = compare(
                    rounds,
                    lambda: raw_publish_0(port, NUMBER[0]),
                    lambda window=window: publish_0(port, NUMBER[0], window=window),
                )
        if "publish-1" in only:
            for window in (20, 100, 1000):
                found[f"publish QoS 1, window {window}"] = compare(
                    rounds,
                    lambda window=window: raw_publish_1(port, NUMBER[1], window=window),
                    lambda window=window: publish_1(port, NUMBER[1], window=window),
                )
        if "receive" in only:
            found["receive QoS 0"] = compare(
                rounds, lambda: raw_receive(port, NUMBER[0] // 2), lambda: receive(port, NUMBER[0] // 2)
            )
        if "swarm" in only:
            found["swarm"] = swarm(broker.endpoint, arguments.devices, rounds)
    found["load"] = os.getloadavg()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
