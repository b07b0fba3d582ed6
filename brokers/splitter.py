"""What comes in from a broker, cut into packets: any cut of the stream gives the same packets.

One short loop finds where packets begin, as each tells only where the next one does; all else is columns.
MQTT Version 5.0 and MQTT Version 3.1.1, OASIS, chapters 2 and 3.
"""

from __future__ import annotations

from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from brokers.blocks import Arrivals, Packets
from brokers.errors import ProtocolError
from brokers.frames import LONGEST, MQTT_5

__all__ = [
    "PUBACK",
    "PUBCOMP",
    "PUBREC",
    "PUBREL",
    "SERVER_DISCONNECT",
    "SUBACK",
    "Answers",
    "Split",
    "Splitter",
    "unpacked",
]

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, PINGRESP, SERVER_DISCONNECT = 3, 4, 5, 6, 7, 9, 13, 14
ANSWERS = (PUBACK, PUBREC, PUBREL, PUBCOMP)
ALONE = (SUBACK, PINGRESP, SERVER_DISCONNECT)
FLAGS = {PUBREL: 2}
BEGINNINGS = {*range(0x30, 0x36), *range(0x38, 0x3E), 0x40, 0x50, 0x62, 0x70, 0x90, 0xD0, 0xE0}
"""First bytes of all packets to a client: the type, and the flags that it may have."""
SHORT = 4
"""Bytes of an acknowledgement without a reason code."""
ROW = {
    SHORT: np.dtype([("head", ">u2"), ("identifier", ">u2")]),
    SHORT + 1: np.dtype([("head", ">u2"), ("identifier", ">u2"), ("code", "u1")]),
}
NOBODY_LISTENS = 0x10
"""The reason code of a message that was taken and has no subscriber."""
SEVEN_BITS, MORE = 0x7F, 0x80
LENGTH_BYTES = 4


class Answers(NamedTuple):
    """Packets of one kind that are an identifier and a reason code."""

    kind: int
    """The type of packet: 4 PUBACK, 5 PUBREC, 6 PUBREL, 7 PUBCOMP."""
    identifier: Ints
    code: Ints | None
    """Reason codes; None where all mean success."""


class Split(NamedTuple):
    """What a piece of the stream completed."""

    arrivals: Arrivals
    answers: list[Answers]
    alone: list[tuple[int, bytes]]
    """Packets that come one at a time, type and body: 9 SUBACK, 13 PINGRESP, 14 DISCONNECT."""


NOTHING = Split(Arrivals.none(), [], [])


class Splitter:
    """A paper knife for the stream of one connection. Raises ProtocolError for whatever is no packet to a client."""

    def __init__(self, *, version: int, epoch: int, address: str, max_packet: int) -> None:
        self._is_5 = version == MQTT_5
        self._epoch = epoch
        self._address = address
        self._max_packet = max_packet
        self._begun: list[bytes] = []
        self._missing = 0
        """Bytes without which no packet can be complete."""

    def feed(self, chunk: bytes) -> Split:
        """Return the packets that the next bytes of the stream complete."""
        if len(chunk) < self._missing:
            self._begun.append(chunk)
            self._missing -= len(chunk)
            return NOTHING
        data = b"".join([*self._begun, chunk]) if self._begun else chunk
        if not data:
            return NOTHING
        if data[0] == PUBACK << 4 and (answers := self._only_pubacks(data)) is not None:
            self._begun, self._missing = [], 0
            return Split(NOTHING.arrivals, [answers], [])
        starts, end = self._walk(data)
        self._begun = [data[end:]] if end < len(data) else []
        return self._columns(data, starts, end) if starts else NOTHING

    def is_between_packets(self) -> bool:
        """Say whether nothing of a packet waits for the rest of it."""
        return not self._begun

    def _only_pubacks(self, data: bytes) -> Answers | None:
        """Return what a publisher hears nearly always: nothing but whole PUBACKs of one length."""
        size = data[1] + 2 if len(data) > 1 else 0
        if size not in ROW or (size > SHORT and not self._is_5) or len(data) % size:
            return None
        number = len(data) // size
        if data[::size].count(data[0]) < number or data[1::size].count(data[1]) < number:
            return None
        rows = np.frombuffer(data, ROW[size])
        identifier = rows["identifier"].astype(np.int64)
        if not identifier.all():
            return None
        code = None
        if size > SHORT and data[4::size].count(0) + data[4::size].count(NOBODY_LISTENS) < number:
            code = rows["code"].astype(np.int64)
        return Answers(PUBACK, identifier, code)

    def _walk(self, data: bytes) -> tuple[list[int], int]:
        """Return where each complete packet begins, and where the last one ends."""
        starts: list[int] = []
        place, end, self._missing = 0, len(data), 0
        while place + 2 <= end:
            size = data[place + 1]
            if size <= SEVEN_BITS:
                following = place + 2 + size
            elif place + 2 < end and (high := data[place + 2]) <= SEVEN_BITS:
                following = place + 3 + (size & SEVEN_BITS | high << 7)
            else:
                groups = data[place + 1 : place + 1 + LENGTH_BYTES]
                size, used = self._long(groups)
                if not used:
                    break
                following = place + 1 + used + size
                if following - place > self._max_packet:
                    self._fail(f"a packet of {following - place:,} bytes, more than the {self._max_packet:,} we take")
            if following > end:
                self._missing = following - end
                break
            starts.append(place)
            place = following
        if place < end and data[place] not in BEGINNINGS:
            self._fail(f"a packet that begins with 0x{data[place]:02X}")  # its end may never come
        return starts, place

    def _long(self, groups: bytes) -> tuple[int, int]:
        """Return a length of several bytes, and how many bytes it takes; 0 of them if it is not complete yet."""
        size = 0
        for number, group in enumerate(groups):
            size |= (group & SEVEN_BITS) << 7 * number
            if group < MORE:
                return size, number + 1
        if len(groups) == LENGTH_BYTES:
            self._fail("a packet length of more than four bytes")
        return 0, 0

    def _columns(self, data: bytes, starts: list[int], end: int) -> Split:
        text = np.frombuffer(data, np.uint8)
        start = np.array(starts, np.int64)
        first = text.take(start)
        body = start + 2
        more = text.take(start + 1) >= MORE
        while more.any():
            body += more
            more &= text.take(body - 1) >= MORE
        ends = np.append(start[1:], end)
        if int(first.min()) >> 4 == PUBLISH and int(first.max()) >> 4 == PUBLISH:
            return Split(self._publishes(data, text, first, body, ends), [], [])
        return self._mixed(data, text, first, body, ends)

    def _mixed(self, data: bytes, text: Bytes, first: Bytes, body: Ints, ends: Ints) -> Split:
        kind = first >> 4
        arrivals, answers, alone = NOTHING.arrivals, [], []
        for one in np.flatnonzero(np.bincount(kind)).tolist():
            rows = kind == one
            if one == PUBLISH:
                arrivals = self._publishes(data, text, first[rows], body[rows], ends[rows])
                continue
            if ((first[rows] & 0x0F) != FLAGS.get(one, 0)).any():
                self._fail(f"a packet of type {one} with wrong flags")
            if one in ANSWERS:
                answers.append(self._answers(one, text, body[rows], ends[rows]))
            elif one in ALONE and (one != SERVER_DISCONNECT or self._is_5):
                places = zip(body[rows].tolist(), ends[rows].tolist(), strict=True)
                alone += [(one, data[begin:last]) for begin, last in places]
            else:
                self._fail(f"a packet of type {one}, which no broker sends to a connected client")
        return Split(arrivals, answers, alone)

    def _answers(self, kind: int, text: Bytes, body: Ints, ends: Ints) -> Answers:
        size = ends - body
        if (size != 2).any() if not self._is_5 else (size < 2).any():
            self._fail(f"an acknowledgement of type {kind} of the wrong length")
        identifier = text[body].astype(np.int64) << 8 | text[body + 1]
        if not identifier.all():
            self._fail(f"an acknowledgement of type {kind} without an identifier")
        long = size > 2
        if not long.any():
            return Answers(kind, identifier, None)
        code = np.zeros(len(body), np.int64)
        code[long] = text[body[long] + 2]
        return Answers(kind, identifier, code)

    def _publishes(self, data: bytes, text: Bytes, first: Bytes, body: Ints, ends: Ints) -> Arrivals:
        qos = (first >> 1 & 3).astype(np.int64)
        begin = body + 2
        # Beyond the end of a wrong message anything will do: it is found wrong below.
        topic_end = begin + _pairs(text, body)
        if qos.any():
            numbered = qos > 0
            mid = _pairs(text, topic_end) * numbered
            behind = topic_end + 2 * numbered
        else:
            numbered, mid, behind = None, qos, topic_end
        payload = self._behind_properties(data, text, behind, ends) if self._is_5 else behind
        if (payload > ends).any() or (topic_end == begin).any():
            self._fail("a message that ends within its header, or has no topic")  # nor an alias: we allow none
        if numbered is not None and ((qos == 3).any() or (mid[numbered] == 0).any()):
            self._fail("a message with QoS 3, or without an identifier")
        return Arrivals(data, begin, topic_end, payload, ends, qos, mid, np.full(len(body), self._epoch))

    def _behind_properties(self, data: bytes, text: Bytes, place: Ints, ends: Ints) -> Ints:
        """Return where payloads begin, given where the lengths of the properties stand."""
        size = text.take(place, mode="clip").astype(np.int64)
        payload: Ints = place + 1 + size
        for row in np.flatnonzero(size > SEVEN_BITS).tolist():
            begin = int(place[row])
            long, used = self._long(data[begin : min(begin + LENGTH_BYTES, int(ends[row]))])
            payload[row] = begin + used + long if used else len(data) + 1
        return payload

    def _fail(self, what: str) -> NoReturn:
        said, advice = (
            f"the broker sent {what}",
            "is it an MQTT broker, with nothing in between that changes the stream?",
        )
        raise ProtocolError(said, address=self._address, advice=advice)


def unpacked(packets: Packets, *, version: int) -> Arrivals:
    """Return packets on their way out as if they had come in, the identifiers 1. Raises ProtocolError."""
    data = packets.data[packets.start[0] : packets.start[-1]].copy()
    if packets.identifier is not None:
        data[packets.identifier - packets.start[0] + 1] = 1
    splitter = Splitter(version=version, epoch=0, address="a packet of ours", max_packet=LONGEST + 5)
    return splitter.feed(data.tobytes()).arrivals


def _pairs(text: Bytes, place: Ints) -> Ints:
    """Return the numbers of two bytes that stand at the places."""
    high = text.take(place, mode="clip").astype(np.int64)
    high <<= 8
    high |= text.take(place + 1, mode="clip")
    return high
