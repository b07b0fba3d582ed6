"""From JSON messages to line protocol in blocks, without an object per field.

Only messages in the form that our encoder writes (see ``json_blocks``) are taken, and that is checked to the last byte:
no white space, the time, then the number, then sensors of the machine, each at most once and in the order of the
catalogue, with numbers in plain digits. What is written otherwise, though it may be good JSON, is ``odd`` and left to
who reads messages one by one.

A float keeps the digits of its message; an integer gets the ``i`` of line protocol.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Catalog
from simulator.wire.canonical import (
    AHEAD,
    WORD,
    Fields,
    cut_out,
    front,
    gathered,
    numeric,
    separate,
    whole_number,
    words,
)
from simulator.wire.line_protocol import fields, prefix
from simulator.wire.runs import reordered

__all__ = ["LineBlock", "LineBlocks"]

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LAST_MS = 9_223_372_036_854
"""The last millisecond that fits 64 bits of nanoseconds."""


@dataclass(frozen=True, slots=True)
class LineBlock:
    """K lines, one after the other, each with its line feed; int64[K] each but ``data`` and ``start``."""

    data: Bytes
    start: Ints
    """int64[K + 1]: where each line begins, and where the last one ends."""
    place: Ints
    """Which of the messages it was."""
    asset: Ints
    time_ms: Ints
    seq: Ints
    readings: Ints

    def __len__(self) -> int:
        return len(self.place)

    def part(self, first: int, last: int) -> LineBlock:
        """Return the lines [first, last); the bytes are shared."""
        low, high = int(self.start[first]), int(self.start[last])
        rows = slice(first, last)
        return LineBlock(
            self.data[low:high],
            self.start[first : last + 1] - low,
            self.place[rows],
            self.asset[rows],
            self.time_ms[rows],
            self.seq[rows],
            self.readings[rows],
        )

    def only(self, wanted: Mask) -> LineBlock:
        """Return some of the lines."""
        if wanted.all():
            return self
        length = np.diff(self.start)
        return LineBlock(
            self.data[np.repeat(wanted, length)],
            np.concatenate(([0], np.cumsum(length[wanted]))),
            self.place[wanted],
            self.asset[wanted],
            self.time_ms[wanted],
            self.seq[wanted],
            self.readings[wanted],
        )

    @classmethod
    def ordered(cls, parts: list[LineBlock]) -> LineBlock:
        """Join blocks, in the order of the messages that their lines were."""
        if len(parts) == 1:
            return parts[0]
        whole = cls.joined(parts)
        order = np.argsort(whole.place, kind="stable")
        data, start = reordered(whole.data, whole.start, order)
        columns = (whole.place, whole.asset, whole.time_ms, whole.seq, whole.readings)
        return cls(data, start, *(column[order] for column in columns))

    @classmethod
    def joined(cls, parts: list[LineBlock]) -> LineBlock:
        """Put blocks one after the other."""
        lengths = [np.diff(part.start) for part in parts]
        return cls(
            np.concatenate([part.data for part in parts] or [np.empty(0, np.uint8)]),
            np.concatenate(([0], np.cumsum(np.concatenate(lengths or [np.empty(0, np.int64)])))),
            *(
                np.concatenate([getattr(part, name) for part in parts] or [np.empty(0, np.int64)])
                for name in ("place", "asset", "time_ms", "seq", "readings")
            ),
        )


class Table:
    """Texts of different lengths as rows of one matrix that can be taken by number."""

    def __init__(self, texts: list[bytes], *, whole: int = 1) -> None:
        """Rows are as wide as the longest text, and some multiple of ``whole``."""
        self.length = np.array([len(text) for text in texts], dtype=np.int64)
        self.width = -(-max(1, int(self.length.max(initial=0))) // whole) * whole
        rows = np.zeros((len(texts), self.width), dtype=np.uint8)
        for row, text in zip(rows, texts, strict=True):
            row[: len(text)] = np.frombuffer(text, dtype=np.uint8)
        self._rows = rows.view(f"V{self.width}").ravel()
        counts = np.arange(self.width) < self.length[:, np.newaxis]
        self._counts = counts.view(f"V{self.width}").ravel()

    def rows(self, number: Ints) -> Bytes:
        """Return uint8[..., width]."""
        return self._rows.take(number).view(np.uint8).reshape(*number.shape, self.width)

    def counts(self, number: Ints) -> Mask:
        """Return which bytes of the rows count, bool[..., width]."""
        return self._counts.take(number).view(bool).reshape(*number.shape, self.width)


class LineBlocks:
    """Translates the messages of the assets of one Catalog.

    Raises ValueError for a name that line protocol cannot carry.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._prefix = Table([prefix(asset).encode() for asset in catalog.assets])
        labels = [one for asset in catalog.assets for one in fields(asset).values()]
        names = {sensor.name for sensor in catalog.sensors}
        if max(map(len, names), default=0) > AHEAD:
            message = f"the name of a sensor has more than {AHEAD:,} bytes"
            raise ValueError(message)
        self._names = Table([name.encode() for name in sorted(names)], whole=WORD)
        number = {name: i for i, name in enumerate(sorted(names))}
        self._label = Table([f",{label.key}".encode() for label in labels])
        self._is_integer = np.array([label.is_integer for label in labels], dtype=bool)
        marks = marked(words(self._names.rows(np.arange(len(names)))))
        self._order = np.argsort(marks)
        self._sorted_marks = marks[self._order]
        # Which sensor is meant by a name at an asset: rows of a sorted table of asset and name.
        asset = catalog.asset_of.astype(np.int64)
        pair = asset * len(names) + np.array([number[sensor.name] for sensor in catalog.sensors], dtype=np.int64)
        self._by_pair = np.argsort(pair)
        self._pairs = pair[self._by_pair]

    def translate(self, data: Bytes, start: Ints, end: Ints, asset: Ints) -> tuple[LineBlock, Ints]:
        """Return the lines of K payloads, and the places of those that are odd, int64.

        ``start`` and ``end``: int64[K], rising, where payloads stand in ``data``; ``asset``: int64[K], -1 for a topic
        that is none of ours, whose message is odd.
        """
        if not len(start):
            return LineBlock.joined([]), np.empty(0, dtype=np.int64)
        text, edge = cut_out(data, start, end)
        even, found = separate(text, edge)
        even &= asset >= 0
        sensor, told = self._sensors(found, asset)
        even[found.message[~told]] = False
        head = Heads.of(found, len(start))
        even &= head.good & (head.time_ms <= LAST_MS)
        taken = even[head.message]
        parts = []
        for many in np.unique(head.count[taken]).tolist():
            mine = np.flatnonzero(taken & (head.count == many))
            rows = head.first[mine][:, np.newaxis] + 2 + np.arange(many - 2)
            parts.append(self._written(found, rows, sensor[rows], head, asset[head.message[mine]]))
        return LineBlock.ordered(parts), np.flatnonzero(~even)

    def _sensors(self, found: Fields, asset: Ints) -> tuple[Ints, Mask]:
        """Return which sensor each field is of, and whether it is told well; time and number are told well as such."""
        head = np.zeros(len(found.message), dtype=bool)
        first = np.flatnonzero(np.diff(found.message, prepend=-1))
        head[first] = head[first + 1] = True
        body = np.flatnonzero(~head)
        key, colon = found.key[body], found.colon[body]
        length = colon - 1 - key
        width = self._names.width
        name = words(gathered(found.text, key, width) * front(length, width).view(np.uint8))
        number = self._order.take(np.searchsorted(self._sorted_marks, marked(name)), mode="clip")
        known = (length > 0) & (length <= width)
        for column, wanted in zip(name.T, words(self._names.rows(number)).T, strict=True):
            known &= column == wanted
        pair = asset[found.message[body]] * len(self._names.length) + number
        at = np.searchsorted(self._pairs, pair)
        mine = self._by_pair.take(at, mode="clip")
        known &= self._pairs.take(at, mode="clip") == pair
        known &= numeric(found.text, colon + 1, found.end[body], whole=known & self._is_integer[mine])
        # In the order of the catalogue, so that none comes twice.
        known[1:] &= (mine[1:] > mine[:-1]) | (np.diff(body) > 1)
        sensor, told = np.full(len(head), -1), head
        sensor[body], told[body] = mine, known
        return sensor, told

    def _written(self, found: Fields, rows: Ints, sensor: Ints, heads: Heads, asset: Ints) -> LineBlock:
        """Write the lines of messages with the same number of fields; ``rows`` int64[K, F]."""
        text = found.text
        lines, fields_ = rows.shape
        begin, length = found.colon[rows] + 1, found.end[rows] - found.colon[rows] - 1
        value_width = int(length.max(initial=0))
        head = rows[:, 0] - 1
        n_begin, n_length = found.colon[head] + 1, found.end[head] - found.colon[head] - 1
        t_begin, t_length = found.colon[head - 1] + 1, found.end[head - 1] - found.colon[head - 1] - 1
        label = self._label.width
        cell = label + value_width + 1
        n_width, t_width = int(n_length.max()), int(t_length.max())
        at = np.cumsum([self._prefix.width, n_width + 1, fields_ * cell, 1 + t_width, 1]).tolist()
        out = np.empty((lines, at[4]), dtype=np.uint8)
        mask = np.empty((lines, at[4]), dtype=bool)
        out[:, : at[0]], mask[:, : at[0]] = self._prefix.rows(asset), self._prefix.counts(asset)
        out[:, at[0] : at[1] - 1] = gathered(text, n_begin, n_width)
        mask[:, at[0] : at[1] - 1] = front(n_length, n_width)
        out[:, at[1] - 1], mask[:, at[1] - 1] = ord("i"), True
        cells = out[:, at[1] : at[2]].reshape(lines, fields_, cell)
        counts = mask[:, at[1] : at[2]].reshape(lines, fields_, cell)
        cells[:, :, :label], counts[:, :, :label] = self._label.rows(sensor), self._label.counts(sensor)
        cells[:, :, label:-1] = gathered(text, begin, value_width)
        counts[:, :, label:-1] = front(length, value_width)
        integer = self._is_integer.take(sensor)
        cells[:, :, -1], counts[:, :, -1] = ord("i"), integer
        out[:, at[2]], mask[:, at[2]] = ord(" "), True
        out[:, at[2] + 1 : at[3]] = gathered(text, t_begin, t_width)
        mask[:, at[2] + 1 : at[3]] = front(t_length, t_width)
        out[:, at[3]], mask[:, at[3]] = ord("\n"), True
        line = self._prefix.length.take(asset) + n_length + t_length + 3
        line += (self._label.length.take(sensor) + length + integer).sum(axis=1)
        start = np.concatenate(([0], np.cumsum(line)))
        many, place = np.full(lines, fields_, dtype=np.int64), found.message[head]
        return LineBlock(out[mask], start, place, asset, heads.time_ms[place], heads.seq[place], many)


@dataclass(frozen=True, slots=True)
class Heads:
    """The first two fields of messages: time and number.

    ``first``, ``count`` and ``message`` are of each message that has fields: where they begin, how many they are, and
    which message it is; ``time_ms``, ``seq`` and ``good`` are of all messages.
    """

    first: Ints
    count: Ints
    message: Ints
    time_ms: Ints
    seq: Ints
    good: Mask

    @classmethod
    def of(cls, found: Fields, messages: int) -> Heads:
        """Read times and numbers of the messages that have fields; the others are not good."""
        first = np.flatnonzero(np.diff(found.message, prepend=-1))
        count = np.diff(first, append=len(found.message))
        owner = found.message[first]
        columns = np.zeros((2, messages), dtype=np.int64)
        good = np.zeros(messages, dtype=bool)
        good[owner] = True
        for column, rows in zip(columns, (first, first + 1), strict=True):
            column[owner], is_number = whole_number(found.text, found.colon[rows] + 1, found.end[rows])
            good[owner] &= is_number
        return cls(first, count, owner, columns[0], columns[1], good)


def marked(name: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a number for each name, given in words; names may share one."""
    mark = np.zeros(len(name), dtype=np.uint64)
    for column in name.T:
        mark = (mark ^ column) * np.uint64(0x9E3779B97F4A7C15)
    return mark
