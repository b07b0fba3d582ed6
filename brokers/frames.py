"""MQTT packets that a client sends once it is connected, as bytes.

MQTT Version 5.0 and MQTT Version 3.1.1, OASIS, chapter 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brokers.blocks import Packets
from brokers.endpoint import Outgoing

__all__ = [
    "CONNACK",
    "DISCONNECT",
    "LONGEST",
    "LONGEST_TOPIC",
    "MQTT_5",
    "PINGREQ",
    "PUBACK",
    "PUBCOMP",
    "PUBREC",
    "PUBREL",
    "connect",
    "numbered",
    "packed",
    "publish",
    "released",
    "subscribe",
]

MQTT_5 = 5
CONNECT, CONNACK = 0x10, 0x20
PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE = 0x30, 0x40, 0x50, 0x62, 0x70, 0x82
CLEAN_START = 0x02
PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
LONGEST_TOPIC = 65_535
LONGEST = 268_435_455


def length(value: int) -> bytes:
    """Return a length as a variable byte integer, seven bits a byte."""
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def numbered(first: int, identifiers: NDArray[np.int64]) -> bytes:
    """Return a packet of four bytes for each identifier: PUBACK, PUBREC, PUBREL or PUBCOMP, all of success."""
    rows = np.empty((len(identifiers), 4), np.uint8)
    rows[:, 0], rows[:, 1] = first, 2
    rows[:, 2], rows[:, 3] = identifiers >> 8, identifiers & 0xFF
    return rows.tobytes()


def connect(client_id: str, *, version: int, keepalive_s: int, username: str | None, password: str | None) -> bytes:
    """Return a CONNECT that starts clean."""
    properties = b"\0" if version == MQTT_5 else b""
    texts = [client_id, *(text for text in (username, password) if text is not None)]
    flags = CLEAN_START | (username is not None) << 7 | (password is not None) << 6
    body = b"".join(
        [
            b"\0\4MQTT",
            bytes([version, flags]),
            keepalive_s.to_bytes(2, "big"),
            properties,
            *(len(text).to_bytes(2, "big") + text for text in (text.encode() for text in texts)),
        ]
    )
    return bytes([CONNECT]) + length(len(body)) + body


def released(identifiers: NDArray[np.int64]) -> bytes:
    """Return a PUBREL for each identifier."""
    return numbered(PUBREL, identifiers)


def subscribe(identifier: int, pattern: bytes, *, qos: int, version: int) -> bytes:
    """Return a SUBSCRIBE for one pattern."""
    properties = b"\0" if version == MQTT_5 else b""
    body = b"".join([identifier.to_bytes(2, "big"), properties, len(pattern).to_bytes(2, "big"), pattern, bytes([qos])])
    return bytes([SUBSCRIBE]) + length(len(body)) + body


def publish(topic: bytes, payload: bytes, *, qos: int, version: int) -> bytes:
    """Return a PUBLISH; its identifier, with QoS 1 and 2, is 0."""
    tail = b"\0" * (2 * (qos > 0) + (version == MQTT_5))
    remaining = 2 + len(topic) + len(tail) + len(payload)
    head = bytes([PUBLISH | qos << 1]) + length(remaining) + len(topic).to_bytes(2, "big")
    return b"".join([head, topic, tail, payload])


def packed(messages: Sequence[Outgoing], *, qos: int, version: int) -> Packets:
    """Return the packets of messages whose topics are valid."""
    frames = [publish(topic.encode(), payload, qos=qos, version=version) for topic, payload, _ in messages]
    start = np.zeros(len(frames) + 1, np.int64)
    np.cumsum([len(frame) for frame in frames], out=start[1:])
    identifier = None
    if qos:
        behind = np.array([len(payload) + (version == MQTT_5) for _, payload, _ in messages], np.int64)
        identifier = start[1:] - behind - 2
    return Packets(np.frombuffer(b"".join(frames), np.uint8), start, identifier)
