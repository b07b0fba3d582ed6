"""What the connections of a swarm say, put together from pieces."""

from __future__ import annotations

import numpy as np

from brokers.errors import BrokerError, LimitError, ProtocolError, RefusedError
from brokers.frames import CONNACK
from brokers.splitter import PUBACK, SHORT, Answers, Split, Splitter

__all__ = ["Ears", "wrong_with"]

MOST_PACKET = 64 * 1024
"""Bytes of the largest packet that a device is sent: none is subscribed to anything."""
NO_ROOM = {0x03: "server unavailable", 0x88: "server unavailable", 0x89: "server busy", 0x97: "quota exceeded"}
"""CONNACK codes of a broker that is full: of MQTT 3.1.1 the first, of MQTT 5 the others."""


class Ears:
    """Pairs of ears, by number; one remembers something only in the middle of a packet."""

    def __init__(self, *, version: int, address: str) -> None:
        self._version = version
        self._address = address
        self._begun: dict[int, bytes] = {}
        self._splitters: dict[int, Splitter] = {}

    def connack(self, device: int, chunk: bytes) -> tuple[bytes, bytes] | None:
        """Return the first packet, and what comes behind it; None if it is not complete yet."""
        chunk = self._begun.pop(device, b"") + chunk
        if len(chunk) < 2 or len(chunk) < 2 + chunk[1]:
            self._begun[device] = chunk
            return None
        return chunk[: 2 + chunk[1]], chunk[2 + chunk[1] :]

    def is_puback(self, device: int, chunk: bytes) -> bool:
        """Say whether this is one acknowledgement, which is what a device hears nearly always."""
        return chunk[0] == PUBACK << 4 and len(chunk) == 2 + chunk[1] and device not in self._splitters

    def pubacks(self, chunks: list[bytes]) -> Answers | None:
        """Return acknowledgements of many devices, one each; None if some are not of the usual lengths."""
        data = b"".join(chunk if len(chunk) > SHORT else chunk + b"\0" for chunk in chunks)
        if len(data) != (SHORT + 1) * len(chunks):
            return None
        rows = np.frombuffer(data, np.uint8).reshape(-1, SHORT + 1).astype(np.int64)
        return Answers(PUBACK, rows[:, 2] << 8 | rows[:, 3], rows[:, 4])

    def split(self, device: int, chunk: bytes) -> Split:
        """Return the packets that a chunk completes. Raises ProtocolError."""
        splitter = self._splitters.pop(device, None) or Splitter(
            version=self._version, epoch=0, address=self._address, max_packet=MOST_PACKET
        )
        split = splitter.feed(chunk)
        if not splitter.is_between_packets():
            self._splitters[device] = splitter
        return split

    def forget(self, device: int) -> None:
        self._begun.pop(device, None)
        self._splitters.pop(device, None)


def wrong_with(answer: bytes, *, up: int, address: str) -> BrokerError | None:
    """Return what is wrong with an answer to CONNECT; ``up`` connections have had a better one."""
    if answer[0] != CONNACK or len(answer) < 4:
        what = "it answers CONNECT with something else than CONNACK"
        return ProtocolError(what, address=address, advice="is it an MQTT broker?")
    code = answer[3]
    if code in NO_ROOM:
        what = f"the broker refuses new connections while {up:,} are up: {NO_ROOM[code]}"
        return LimitError(what, address=address, advice="raise its limit of connections")
    if code:
        what = f"the broker refuses a connection: reason code 0x{code:02X}"
        return RefusedError(what, address=address, advice="look into the broker's log for the reason")
    return None
