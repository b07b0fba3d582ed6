"""A block of messages as the bytes that go into a socket, with what is known of each message as columns."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Block"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """M messages, one after the other, each a whole MQTT PUBLISH packet or, without frames, its payload alone."""

    data: NDArray[np.uint8]
    """uint8[total]: where packets have identifiers these are 0, for the session to fill in."""
    start: Ints
    """int64[M + 1]: where each message begins in ``data``, and where the last one ends."""
    payload: Ints
    """int64[M]: where each payload begins; it ends where the message does."""
    time_ns: Ints
    asset: Ints
    seq: Ints
    readings: Ints
    """int64[M]: how many sensors speak in each."""

    def __len__(self) -> int:
        return len(self.asset)

    def part(self, first: int, last: int) -> Block:
        """Return the messages [first, last); the bytes are shared."""
        low, high = int(self.start[first]), int(self.start[last])
        rows = slice(first, last)
        return Block(
            self.data[low:high],
            self.start[first : last + 1] - low,
            self.payload[rows] - low,
            self.time_ns[rows],
            self.asset[rows],
            self.seq[rows],
            self.readings[rows],
        )

    def payloads(self) -> list[bytes]:
        """Return every payload, for those who look at single messages."""
        data = self.data.tobytes()
        ends = self.start[1:].tolist()
        return [data[low:high] for low, high in zip(self.payload.tolist(), ends, strict=True)]

    @classmethod
    def joined(cls, parts: list[Block]) -> Block:
        """Put blocks one after the other."""
        length = np.concatenate([np.diff(part.start) for part in parts])
        header = np.concatenate([part.payload - part.start[:-1] for part in parts])
        start = np.concatenate(([0], np.cumsum(length)))
        return cls(
            np.concatenate([part.data for part in parts]),
            start,
            start[:-1] + header,
            np.concatenate([part.time_ns for part in parts]),
            np.concatenate([part.asset for part in parts]),
            np.concatenate([part.seq for part in parts]),
            np.concatenate([part.readings for part in parts]),
        )

    @classmethod
    def ordered(cls, parts: list[Block], order: Ints) -> Block:
        """Join blocks and put their messages into an order, int64[M] of places in the concatenation."""
        if (np.diff(order) == 1).all():
            return cls.joined(parts)
        pieces: list[Any] = []
        for part in parts:
            view = part.data.data
            edges = part.start.tolist()
            pieces += [view[low:high] for low, high in pairwise(edges)]
        length = np.concatenate([np.diff(part.start) for part in parts])[order]
        header = np.concatenate([part.payload - part.start[:-1] for part in parts])[order]
        start = np.concatenate(([0], np.cumsum(length)))
        return cls(
            np.frombuffer(bytearray().join([pieces[place] for place in order.tolist()]), dtype=np.uint8),
            start,
            start[:-1] + header,
            np.concatenate([part.time_ns for part in parts])[order],
            np.concatenate([part.asset for part in parts])[order],
            np.concatenate([part.seq for part in parts])[order],
            np.concatenate([part.readings for part in parts])[order],
        )
