"""A block of messages as the bytes that go into a socket, with what is known of each message as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.wire.runs import reordered

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
    """int64[M]: what each is dated."""
    asset: Ints
    seq: Ints
    readings: Ints
    """int64[M]: how many sensors speak in each."""
    due_ns: Ints
    """int64[M]: when each is to be sent, in simulated time."""
    born_ns: Ints
    """int64[M]: when each was measured, in simulated time."""
    again: NDArray[np.bool_]
    """bool[M]: whether it is sent for another time."""

    def __len__(self) -> int:
        return len(self.asset)

    @property
    def columns(self) -> tuple[NDArray[Any], ...]:
        """What is known of each message, from ``time_ns`` on."""
        return self.time_ns, self.asset, self.seq, self.readings, self.due_ns, self.born_ns, self.again

    def part(self, first: int, last: int) -> Block:
        """Return the messages [first, last); the bytes are shared."""
        if first == 0 and last == len(self):
            return self
        low, high = int(self.start[first]), int(self.start[last])
        columns = (column[first:last] for column in self.columns)
        return Block(self.data[low:high], self.start[first : last + 1] - low, self.payload[first:last] - low, *columns)

    def picked(self, rows: Ints) -> Block:
        """Return some of the messages, one at least if there are any, in an order, int64[M] of places."""
        data, start = reordered(self.data, self.start, rows)
        header = (self.payload - self.start[:-1])[rows]
        return Block(data, start, start[:-1] + header, *(column[rows] for column in self.columns))

    def payloads(self) -> list[bytes]:
        """Return every payload, for those who look at single messages."""
        data = self.data.tobytes()
        ends = self.start[1:].tolist()
        return [data[low:high] for low, high in zip(self.payload.tolist(), ends, strict=True)]

    @classmethod
    def none(cls) -> Block:
        """Return a block without messages."""
        none = np.empty(0, dtype=np.int64)
        return cls(
            np.empty(0, dtype=np.uint8), np.zeros(1, dtype=np.int64), none, none, none, none, none, none, none, none > 0
        )

    @classmethod
    def joined(cls, parts: list[Block]) -> Block:
        """Put blocks one after the other."""
        if not parts:
            return cls.none()
        length = np.concatenate([np.diff(part.start) for part in parts])
        header = np.concatenate([part.payload - part.start[:-1] for part in parts])
        columns = (np.concatenate(column) for column in zip(*(part.columns for part in parts), strict=True))
        start = np.concatenate(([0], np.cumsum(length)))
        return cls(np.concatenate([part.data for part in parts]), start, start[:-1] + header, *columns)

    @classmethod
    def ordered(cls, parts: list[Block], order: Ints) -> Block:
        """Join blocks and put their messages into an order, int64[M] of places in the concatenation."""
        return cls.joined(parts).picked(order)
