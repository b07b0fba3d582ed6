"""What our sessions write and read, paho reads and writes: a second opinion on every byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from queue import Queue

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from servers import HOST, Mosquitto, until

from brokers import Endpoint, Outgoing
from brokers.frames import packed
from brokers.session import LineSession

DEADLINE_S = 20.0
PAYLOADS = [b"", b"x", bytes(range(256)), b"y" * 127, b"y" * 128, b"z" * 20_000]
TOPIC = "khu-công-nghiệp/máy ép"


@contextmanager
def paho(port: int, version: int) -> Iterator[Client]:
    """A paho client that is connected and runs its own loop."""
    ready: Queue[object] = Queue()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion(version))
    client.on_connect = lambda *_: ready.put(None)
    client.on_subscribe = lambda *_: ready.put(None)
    client.connect(HOST, port)
    client.loop_start()
    ready.get(timeout=DEADLINE_S)
    client.subscribe("to-paho/#", 2)
    ready.get(timeout=DEADLINE_S)
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_paho_reads_what_we_write(mosquitto_server: Mosquitto, version: int, qos: int) -> None:
    """Topic, payload and QoS of every packet of a block, lengths of one to three bytes."""
    heard: Queue[MQTTMessage] = Queue()
    endpoint = Endpoint("mqtt", HOST, mosquitto_server.port, version=version)  # type: ignore[arg-type]
    with (
        paho(mosquitto_server.port, version) as client,
        closing(LineSession(endpoint, "writes", window=20)) as session,
    ):
        client.on_message = lambda _client, _data, message: heard.put(message)
        messages = [Outgoing(f"to-paho/{TOPIC}", payload, 0) for payload in PAYLOADS]
        packets = packed(messages, qos=qos, version=session.version)
        assert session.publish_packets(packets, qos=qos, timeout_s=DEADLINE_S) == len(PAYLOADS)
        found = [heard.get(timeout=DEADLINE_S) for _ in PAYLOADS]
    assert [(one.topic, one.payload, one.qos) for one in found] == [(f"to-paho/{TOPIC}", p, qos) for p in PAYLOADS]


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_we_read_what_paho_writes(mosquitto_server: Mosquitto, version: int, qos: int) -> None:
    """Topic, payload and QoS of every message, with MQTT 5 those with long properties too."""
    properties = None
    if version == 5:
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = [("line", "ép nhựa"), ("long", "p" * 200)]
        properties.ContentType = "application/json"
    endpoint = Endpoint("mqtt", HOST, mosquitto_server.port, version=version)  # type: ignore[arg-type]
    with (
        paho(mosquitto_server.port, version) as client,
        closing(LineSession(endpoint, "reads", window=20)) as session,
    ):
        session.subscribe("to-us/#", qos=qos)
        for payload in PAYLOADS:
            client.publish(f"to-us/{TOPIC}", payload, qos, properties=properties)
        found: list[tuple[str, bytes, int]] = []

        def is_done() -> bool:
            part = session.receive_block(limit=100, timeout_s=0.2)
            session.acknowledge_block(part, part.number)
            found.extend((one.topic, one.payload, one.qos) for one in part.deliveries())
            return len(found) >= len(PAYLOADS)

        until(is_done, deadline_s=DEADLINE_S, what="all messages")
    assert found == [(f"to-us/{TOPIC}", payload, qos) for payload in PAYLOADS]
