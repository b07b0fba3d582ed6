"""Cargo: messages that were read and are on their way into a store, as columns; and who reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from brokers.blocks import Arrivals
from simulator.batch import Catalog
from simulator.ingest.decode import Decoder, Refusal
from simulator.ingest.store import Row, Store
from simulator.wire.line_blocks import LineBlock, LineBlocks
from simulator.wire.line_protocol import LineProtocol

__all__ = ["Cargo", "LineReader", "Reader", "Refused", "RowReader", "named", "reader_for"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cargo:
    """Messages of one batch, each at a place among what arrived: first those that are lines already, then rows."""

    lines: LineBlock
    rows: tuple[Row, ...]
    row_place: Ints
    """int64: the places of the rows."""

    def __len__(self) -> int:
        return len(self.lines) + len(self.rows)

    @property
    def place(self) -> Ints:
        """int64[N]: which of the arrivals each was."""
        return np.concatenate((self.lines.place, self.row_place))

    @property
    def asset(self) -> Ints:
        """int64[N]: numbers in the Catalog."""
        return self._column(self.lines.asset, [row.asset for row in self.rows])

    @property
    def seq(self) -> Ints:
        """int64[N]."""
        return self._column(self.lines.seq, [row.seq for row in self.rows])

    @property
    def time_ms(self) -> Ints:
        """int64[N]: milliseconds since the Unix epoch."""
        return self._column(self.lines.time_ms, [row.time_ms for row in self.rows])

    @property
    def readings(self) -> Ints:
        """int64[N]: how many fields each has."""
        return self._column(self.lines.readings, [len(row.fields) for row in self.rows])

    def _column(self, lines: Ints, rows: list[int]) -> Ints:
        return np.concatenate((lines, np.array(rows, dtype=np.int64))) if rows else lines

    def part(self, first: int, last: int) -> Cargo:
        """Return the messages [first, last)."""
        many = len(self.lines)
        of_rows = slice(max(first - many, 0), max(last - many, 0))
        lines = self.lines.part(min(first, many), min(last, many))
        return Cargo(lines, self.rows[of_rows], self.row_place[of_rows])

    def only(self, wanted: NDArray[np.bool_]) -> Cargo:
        """Return some of the messages."""
        if wanted.all():
            return self
        many = len(self.lines)
        chosen = np.flatnonzero(wanted[many:])
        rows = tuple(self.rows[i] for i in chosen.tolist())
        return Cargo(self.lines.only(wanted[:many]), rows, self.row_place[chosen])

    def text(self, protocol: LineProtocol) -> bytes:
        """Return all messages as line protocol. Raises ValueError for a row that it cannot carry."""
        return self.lines.data.tobytes() + "".join(f"{protocol.line(*row)}\n" for row in self.rows).encode()


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that is no row."""

    place: int
    refusal: Refusal


class Reader(Protocol):
    """Reads what arrived. Safe to use from several threads."""

    def read(self, arrivals: Arrivals) -> tuple[Cargo, list[Refused]]:
        """Return what can be stored, and what never will be. Never raises, whatever the bytes."""


NO_LINES = LineBlock.joined([])


class RowReader:
    """Reads message by message, for stores that take values."""

    def __init__(self, catalog: Catalog) -> None:
        self._decoder = Decoder(catalog)

    def read(self, arrivals: Arrivals) -> tuple[Cargo, list[Refused]]:
        """Return what can be stored, and what never will be."""
        return self.read_some(arrivals, range(arrivals.number))

    def read_some(self, arrivals: Arrivals, places: Sequence[int]) -> tuple[Cargo, list[Refused]]:
        """Read the messages at some places."""
        rows, kept, refused = [], [], []
        for place in places:
            topic = arrivals.topic(place).decode(errors="backslashreplace")
            found = self._decoder.decode(topic, arrivals.payload(place))
            if isinstance(found, Refusal):
                refused.append(Refused(place, found))
            else:
                rows.append(found)
                kept.append(place)
        return Cargo(NO_LINES, tuple(rows), np.array(kept, dtype=np.int64)), refused


class LineReader:
    """Reads in blocks, for stores that take line protocol; what is written unlike ours is read message by message."""

    def __init__(self, catalog: Catalog) -> None:
        self._asset_of = {topic.encode(): number for topic, number in catalog.by_topic.items()}
        self._blocks = LineBlocks(catalog)
        self._others = RowReader(catalog)

    def read(self, arrivals: Arrivals) -> tuple[Cargo, list[Refused]]:
        """Return what can be stored, and what never will be."""
        data = np.frombuffer(arrivals.data, dtype=np.uint8)
        asset = np.fromiter(self._assets(arrivals), dtype=np.int64, count=arrivals.number)
        lines, odd = self._blocks.translate(data, arrivals.payload_start, arrivals.payload_end, asset)
        cargo, refused = self._others.read_some(arrivals, odd.tolist())
        return replace(cargo, lines=lines), refused

    def _assets(self, arrivals: Arrivals) -> Iterator[int]:
        data, known = arrivals.data, self._asset_of
        for first, last in zip(arrivals.topic_start.tolist(), arrivals.topic_end.tolist(), strict=True):
            yield known.get(data[first:last], -1)


def reader_for(store: Store, catalog: Catalog) -> Reader:
    """Return who reads for a store: in blocks if it takes line protocol. Raises ValueError, see LineBlocks."""
    return RowReader(catalog) if store.lines is None else LineReader(catalog)


def named(cargo: Cargo, refused: Sequence[Refused]) -> tuple[Ints, Ints, Ints]:
    """Return place, asset and number of each message that says whose it is: first of the cargo, then of the refused."""
    known = [
        (one.place, one.refusal.asset, one.refusal.seq)
        for one in refused
        if one.refusal.asset is not None and one.refusal.seq is not None
    ]
    place, asset, seq = np.array(known, dtype=np.int64).reshape(-1, 3).T
    return (
        np.concatenate((cargo.place, place)),
        np.concatenate((cargo.asset, asset)),
        np.concatenate((cargo.seq, seq)),
    )
