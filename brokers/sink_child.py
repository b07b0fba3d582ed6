"""The process in which a sink lives: prints its port, serves until standard input ends."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import suppress

__all__ = ["answers", "main"]

AT_ONCE = 1 << 18
CONNECT, PUBLISH, PUBREL, SUBSCRIBE, UNSUBSCRIBE, PINGREQ = 1, 3, 6, 8, 10, 12
MQTT_5 = 5


def answers(data: bytes, version: int) -> tuple[bytes, int, int]:  # noqa: C901 - a branch for each packet
    """Return what to say to the packets at the beginning of some bytes, how many bytes these are, and the version.

    MQTT Version 5.0 and 3.1.1, OASIS, chapter 3. Packets are taken for well formed: they are our own.
    """
    said, at, end = bytearray(), 0, len(data)
    while end - at > 1:
        place, length, shift = at + 1, 0, 0
        while place < end:
            byte = data[place]
            length |= (byte & 0x7F) << shift
            place, shift = place + 1, shift + 7
            if byte < 0x80:
                break
        else:
            break
        after = place + length
        if after > end:
            break
        kind, first = data[at] >> 4, data[at]
        if kind == PUBLISH:
            quality = first >> 1 & 3
            if quality:
                identifier = place + 2 + (data[place] << 8 | data[place + 1])
                said += (b"\x40\x02" if quality == 1 else b"\x50\x02") + data[identifier : identifier + 2]
        elif kind == PUBREL:
            said += b"\x70\x02" + data[place : place + 2]
        elif kind == CONNECT:
            version = data[place + 6]
            said += b"\x20\x03\x00\x00\x00" if version == MQTT_5 else b"\x20\x02\x00\x00"
        elif kind in {SUBSCRIBE, UNSUBSCRIBE}:
            said += granted(kind, data[place:after], version)
        elif kind == PINGREQ:
            said += b"\xd0\x00"
        at = after
    return bytes(said), at, version


def granted(kind: int, packet: bytes, version: int) -> bytes:
    """Grant what a SUBSCRIBE or UNSUBSCRIBE asks for: QoS 1 for each filter."""
    place = 2
    if version == MQTT_5:
        place += 1 + packet[place]  # of properties we send fewer than 128 bytes
    filters = 0
    while place < len(packet):
        place += 2 + (packet[place] << 8 | packet[place + 1]) + (kind == SUBSCRIBE)
        filters += 1
    properties = b"\x00" if version == MQTT_5 else b""
    codes = b"\x01" * filters if kind == SUBSCRIBE else b"\x00" * filters if version == MQTT_5 else b""
    body = packet[:2] + properties + codes
    return bytes([0x90 if kind == SUBSCRIBE else 0xB0, len(body)]) + body


def serve(connection: socket.socket) -> None:
    """Talk to one client until it goes."""
    rest, version = b"", 4
    with connection, suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := connection.recv(AT_ONCE):
            data = rest + data if rest else data
            said, used, version = answers(data, version)
            rest = data[used:]
            if said:
                connection.sendall(said)


def main() -> None:
    """Serve everybody until standard input ends."""

    def welcome(listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201 - the parent reads it
        threading.Thread(target=welcome, args=(listener,), daemon=True).start()
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
