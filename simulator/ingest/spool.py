"""The spool: messages that wait on disk, in the order in which they came, while the database takes none.

A file, or segment, is a row of records; a record holds some messages of one batch:

    magic "prk1" | bytes of the body u32 | messages u32 | crc32 of the body u32 | crc32 of these 16 bytes u32
    body: int32[4, messages], where topics begin and end, and payloads; then the bytes that these count from

Little-endian. Each record has its own checksums, so a flipped bit costs the messages of one record, and a torn end, of
a write that was never confirmed, costs nothing that was acknowledged. A segment is deleted when all its records are
written: after a kill, rows of at most one segment are written a second time, which changes nothing in the database.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from brokers.blocks import Arrivals, merged
from simulator.ingest.disk import Disk

__all__ = ["Damage", "Spool", "SpoolFullError"]

MAGIC = b"prk1"
HEAD = struct.Struct("<4sIII")
CRC = struct.Struct("<I")
HEADER_BYTES = HEAD.size + CRC.size
SEGMENT_NAME = re.compile(r"[0-9a-f]{8}\.spool")
MESSAGES_OF_A_RECORD = 500
SEGMENT_BYTES = 8 << 20
COLUMNS = 4


class SpoolFullError(OSError):
    """The messages do not fit under the cap."""


@dataclass(slots=True)
class Damage:
    """What could not be read back."""

    records: int = 0
    messages: int = 0
    """In records whose header could still be read."""
    stretches: int = 0
    """Runs of bytes that are no records."""
    torn: int = 0
    """Ends of segments that were never written whole: nothing of them had been acknowledged."""

    def told(self) -> dict[str, int]:
        """Return what there is, by name."""
        found = {
            "spooled messages damaged": self.messages,
            "stretches of the spool unreadable": self.stretches,
            "torn ends of the spool": self.torn,
        }
        return {name: n for name, n in found.items() if n}


class Place(NamedTuple):
    """Where a record stands."""

    segment: str
    offset: int
    size: int
    """Bytes, with the header."""
    messages: int


@dataclass(slots=True)
class Segment:
    """What is known of a file."""

    size: int
    waiting: int = 0
    """Records that are not removed."""
    grows: bool = True
    """False after a process or a write that may have left a torn end."""


class Spool:
    """A queue of messages on disk, bounded in bytes. For one thread.

    What an earlier process left is found again when it is opened.
    """

    def __init__(self, disk: Disk, *, cap_bytes: int) -> None:
        """Look through what is there. Raises OSError."""
        self.damage = Damage()
        self.cap_bytes = cap_bytes
        self.messages = 0
        """How many wait."""
        self.size = 0
        """Bytes on disk."""
        self._disk = disk
        self._places: deque[Place] = deque()
        self._segments: dict[str, Segment] = {}
        self._taken = 0
        """Records at the front that ``front`` has returned."""
        self._number = 0
        for name in filter(SEGMENT_NAME.fullmatch, disk.names()):
            self._number = max(self._number, int(name.partition(".")[0], 16))
            self._find(name)

    def __len__(self) -> int:
        return self.messages

    def append(self, arrivals: Arrivals) -> None:
        """Add messages behind all others; on return they are safe.

        Raises SpoolFullError when they do not fit, OSError when the disk fails; then none of them are added.
        """
        bodies = [
            (record(part), part.number)
            for low in range(0, arrivals.number, MESSAGES_OF_A_RECORD)
            for part in [arrivals.rows(slice(low, low + MESSAGES_OF_A_RECORD)).compact()]
        ]
        more = sum(len(body) for body, _ in bodies)
        if self.size + more > self.cap_bytes:
            message = f"the spool is full: {self.size:,} of {self.cap_bytes:,} bytes"
            raise SpoolFullError(message)
        name = self._growing(more)
        try:
            self._disk.append(name, b"".join(body for body, _ in bodies))
        except OSError:
            # its end may be torn
            if name in self._segments:
                self._segments[name].grows = False
            raise
        segment = self._segments.setdefault(name, Segment(0))
        for body, number in bodies:
            self._places.append(Place(name, segment.size, len(body), number))
            segment.size += len(body)
            segment.waiting += 1
        self.size += more
        self.messages += arrivals.number

    def front(self, limit: int) -> Arrivals:
        """Return the oldest messages, about ``limit``, which stay until ``remove``. Raises OSError.

        What is damaged is left out, counted and gone.
        """
        found: list[Arrivals] = []
        number = self._taken = 0
        while self._taken < len(self._places) and number < limit:
            place = self._places[self._taken]
            part = restored(self._disk.read(place.segment, place.offset, place.size))
            self._taken += 1
            if part is None:
                self.damage.records += 1
                self.damage.messages += place.messages
            else:
                found.append(part)
                number += part.number
        if not found and self._taken:
            self.remove()
            return self.front(limit)
        return merged(found)

    def remove(self) -> None:
        """Forget what ``front`` returned last. Raises OSError."""
        while self._taken:
            place = self._places.popleft()
            self._taken -= 1
            self.messages -= place.messages
            segment = self._segments[place.segment]
            segment.waiting -= 1
            if not segment.waiting:
                self._forget(place.segment)

    def parts(self) -> Iterator[Arrivals]:
        """Read everything that waits, a record at a time, without those that are damaged. Raises OSError."""
        for place in tuple(self._places):  # a lane that outlived its deadline may still move them
            part = restored(self._disk.read(place.segment, place.offset, place.size))
            if part is not None:
                yield part

    def _forget(self, name: str) -> None:
        self._disk.remove(name)
        self.size -= self._segments.pop(name).size

    def _growing(self, more: int) -> str:
        """Return the segment that takes so many more bytes."""
        last = next(reversed(self._segments), None)
        if last is not None and self._segments[last].grows and self._segments[last].size + more <= SEGMENT_BYTES:
            return last
        self._number += 1
        return f"{self._number:08x}.spool"

    def _find(self, name: str) -> None:
        """Note the records of a segment that an earlier process left."""
        data = self._disk.read(name)
        segment = Segment(len(data), grows=False)
        offset = 0
        while offset < len(data):
            head = header(data, offset)
            if head is None:
                ahead = next_header(data, offset + 1)
                if len(data) - offset < HEADER_BYTES:
                    self.damage.torn += 1
                else:
                    self.damage.stretches += 1
                offset = len(data) if ahead is None else ahead
                continue
            body, messages = head
            size = HEADER_BYTES + body
            if offset + size > len(data):
                self.damage.torn += 1
                break
            self._places.append(Place(name, offset, size, messages))
            self.messages += messages
            segment.waiting += 1
            offset += size
        self._segments[name] = segment
        self.size += segment.size
        if not segment.waiting:
            self._forget(name)


def record(arrivals: Arrivals) -> bytes:
    """Return compact messages as a record."""
    places = np.stack(arrivals[1 : 1 + COLUMNS]).astype("<i4").tobytes()
    body = places + arrivals.data
    head = HEAD.pack(MAGIC, len(body), arrivals.number, zlib.crc32(body))
    return head + CRC.pack(zlib.crc32(head)) + body


def header(data: bytes, offset: int) -> tuple[int, int] | None:
    """Return bytes of the body and messages of the record that begins at an offset; None if none does."""
    head = data[offset : offset + HEAD.size]
    if len(data) - offset < HEADER_BYTES or not head.startswith(MAGIC):
        return None
    if CRC.unpack_from(data, offset + HEAD.size)[0] != zlib.crc32(head):
        return None
    _, body, messages, _ = HEAD.unpack(head)
    return body, messages


def next_header(data: bytes, offset: int) -> int | None:
    """Return where the next record begins; None if none does."""
    while (offset := data.find(MAGIC, offset)) >= 0:
        if header(data, offset) is not None:
            return offset
        offset += 1
    return None


def restored(data: bytes) -> Arrivals | None:
    """Return the messages of a record, marked as none of any connection; None if it is damaged."""
    head = header(data, 0)
    if head is None:
        return None
    size, number = head
    body = data[HEADER_BYTES : HEADER_BYTES + size]
    if len(body) != size or zlib.crc32(body) != HEAD.unpack_from(data)[3]:
        return None
    places = np.frombuffer(body, dtype="<i4", count=COLUMNS * number).reshape(COLUMNS, number).astype(np.int64)
    none = np.zeros(number, np.int64)
    return Arrivals(body[COLUMNS * number * 4 :], places[0], places[1], places[2], places[3], none, none, none - 1)
