"""Messages in blocks: columns of NumPy instead of an object for each message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from brokers.endpoint import Acknowledgement, Delivery

__all__ = ["Arrivals", "Packets", "Settled", "arrived", "check_qos", "merged"]

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]


class Packets(NamedTuple):
    """Complete PUBLISH packets on their way out, one behind the other. A session never writes into them."""

    data: Bytes
    """uint8[total]; identifiers are 0, the session numbers its own copy."""
    start: Ints
    """int64[M + 1]: where each packet begins, and where the last one ends."""
    identifier: Ints | None
    """int64[M]: where the two bytes of each packet's identifier stand in ``data``; None with QoS 0, which has none."""

    @property
    def number(self) -> int:
        """How many packets there are: M."""
        return len(self.start) - 1

    def part(self, first: int, last: int) -> Self:
        """Return the packets from ``first`` to before ``last``, sharing their bytes."""
        identifier = None if self.identifier is None else self.identifier[first:last]
        return self._replace(start=self.start[first : last + 1], identifier=identifier)


class Settled(NamedTuple):
    """The ends of outgoing messages, as far as this hop knows, in the order in which they were learnt."""

    tag: Ints
    """int64[K]: the numbers of those that the broker took (with QoS 0: the socket)."""
    at_ns: Ints
    """int64[K]: time.monotonic_ns() when it was learnt."""
    refused: list[Acknowledgement]
    """Those that were refused, each with the reason."""


class Arrivals(NamedTuple):
    """Messages that came in, in order; row i's topic is ``data[topic_start[i]:topic_end[i]]``, in UTF-8."""

    data: bytes
    topic_start: Ints
    topic_end: Ints
    payload_start: Ints
    payload_end: Ints
    qos: Ints
    mid: Ints
    """Packet identifiers; 0 with QoS 0."""
    epoch: Ints
    """Over which connection each came: an acknowledgement of an older one is discarded, never sent."""

    @classmethod
    def none(cls) -> Self:
        """Return an empty block."""
        none = np.zeros(0, np.int64)
        return cls(b"", none, none, none, none, none, none, none)

    @property
    def number(self) -> int:
        """How many messages there are: K."""
        return len(self.topic_start)

    @property
    def size(self) -> int:
        """Bytes of topics and payloads."""
        return int((self.payload_end - self.topic_start).sum())

    def rows(self, rows: slice | NDArray[np.bool_]) -> Self:
        """Return some of the messages, sharing their bytes."""
        columns = self[1:]
        return type(self)(self.data, *(column[rows] for column in columns))

    def compact(self) -> Self:
        """Return the same messages without bytes before the first and after the last of them."""
        if not self.number:
            return self.none()
        first, last = int(self.topic_start[0]), int(self.payload_end[-1])
        a, b, c, d = (column - first for column in self[1:5])
        return type(self)(self.data[first:last], a, b, c, d, self.qos, self.mid, self.epoch)

    def topic(self, row: int) -> bytes:
        return self.data[self.topic_start[row] : self.topic_end[row]]

    def payload(self, row: int) -> bytes:
        return self.data[self.payload_start[row] : self.payload_end[row]]

    def deliveries(self) -> list[Delivery]:
        """Return an object for each message. Raises UnicodeDecodeError for a topic that is no UTF-8."""
        data = self.data
        columns = zip(*(column.tolist() for column in self[1:]), strict=True)
        return [
            Delivery(data[topic:end].decode(), data[payload:last], qos, epoch, mid)
            for topic, end, payload, last, qos, mid, epoch in columns
        ]


def merged(blocks: Sequence[Arrivals]) -> Arrivals:
    """Return several blocks as one, in their order."""
    if len(blocks) == 1:
        return blocks[0]
    if not blocks:
        return Arrivals.none()
    blocks = [block.compact() for block in blocks]
    sizes = np.array([len(block.data) for block in blocks])
    shift = np.repeat(np.cumsum(sizes) - sizes, [block.number for block in blocks])
    columns = [np.concatenate(parts) for parts in zip(*(block[1:] for block in blocks), strict=True)]
    places = (column + shift for column in columns[:4])
    return Arrivals(b"".join(block.data for block in blocks), *places, *columns[4:])


def arrived(deliveries: Sequence[Delivery]) -> Arrivals:
    """Return deliveries as a block."""
    texts = [(one.topic.encode(), one.payload) for one in deliveries]
    sizes = np.array([(len(topic), len(payload)) for topic, payload in texts], np.int64).reshape(-1, 2)
    ends = np.cumsum(sizes).reshape(-1, 2)
    begins = ends - sizes
    qos, epoch, mid = (np.array([one[place] for one in deliveries], np.int64) for place in (2, 3, 4))
    data = b"".join(part for text in texts for part in text)
    return Arrivals(data, begins[:, 0], ends[:, 0], begins[:, 1], ends[:, 1], qos, mid, epoch)


def check_qos(packets: Packets, qos: int) -> None:
    """Raise ValueError for packets that cannot be of this QoS."""
    if (packets.identifier is None) != (qos == 0):
        message = f"packets of qos(={qos}) must have identifiers with QoS 1 and 2, and none with QoS 0"
        raise ValueError(message)
