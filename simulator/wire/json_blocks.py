"""Messages as JSON in blocks: the same bytes as the plain encoder writes, without an object per reading.

The messages of a batch are sorted by shape: which fields they have, with how many decimals. The messages of a shape
are a matrix, a row each, in which what stands between the numbers is the same in all rows; a mask leaves out what a row
does not have (see ``digits``), and one selection by the mask makes the bytes of all of them.

The bytes are a public contract:

    {"t":1767225600000,"n":17,"state":6,"power_kw":41.2}

- UTF-8 without spaces or line ends. First ``t``, milliseconds since the Unix epoch (``time_ns // 1_000_000``), then
  ``n``, the message's number within its asset, from 0 without a gap; then the readings in the order of the Catalog.
- A number is ``i / 10**decimals``, where ``i`` is ``value * 10**decimals`` in float64, rounded to the nearest integer,
  ties to even. It is written with the fewest digits: no exponent, no zeros at the end of a fraction, no point without
  a fraction, one 0 before the point, no minus before a zero.
- A reading that is not finite, or whose ``i`` exceeds 2**53 (float64 no longer holds every integer there), is left
  out of its message and counted; JSON has no word for it. A message without any reading is not made and takes no
  number.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Batch, Catalog, message_starts
from simulator.wire.block import Block
from simulator.wire.digits import EXACT, WORD, Numbers, words_of
from simulator.wire.frames import Frames

__all__ = ["JsonBlocks", "Messages"]

Ints = NDArray[np.int64]
Words = NDArray[np.uint32]
MS = 1_000_000
ROWS_AT_ONCE = 4_096
"""Messages of a matrix: enough to make the calls cheap, few enough for the caches."""
HEAD_T, HEAD_N, TAIL = words_of(b'{"t":'), words_of(b',"n":'), words_of(b"}")
CONSTANT = len(b'{"t":,"n":}')


class Shape(NamedTuple):
    """What the messages of one shape have in common."""

    keys: Ints
    """int64[F]: the key of each field."""
    label: Words
    """uint32[F, K]: what stands before each number, right-aligned."""
    in_label: NDArray[np.bool_]
    """bool[F, 4 * K]: which bytes of that count."""
    decimals: Ints
    constant: int
    """Bytes of a message beside its numbers."""


class Messages(NamedTuple):
    """The messages of a batch, before they are written."""

    first: Ints
    """int64[M]: the first reading of each."""
    sensor: NDArray[np.int32]
    """int32[N]: of each reading that is sent."""
    scaled: Ints
    """int64[N]: its value in units of the last decimal."""
    columns: tuple[NDArray[Any], ...]
    """What a Block knows of each message, from ``time_ns`` on."""


class JsonBlocks:
    """Turns batches into blocks of messages and numbers the messages, per asset from 0.

    With ``frames`` the messages are whole MQTT packets.
    """

    def __init__(self, catalog: Catalog, frames: Frames | None = None) -> None:
        self._frames = frames
        self._asset_of = catalog.asset_of
        self._scale = catalog.scale
        names = {(sensor.name, sensor.decimals): 0 for sensor in catalog.sensors}
        self._names = list(names)
        key = {name: number for number, name in enumerate(self._names)}
        self._key = np.array([key[sensor.name, sensor.decimals] for sensor in catalog.sensors], dtype=np.int64)
        # Odd and spread over 64 bits, so that sums of them tell shapes apart.
        spread = np.random.Generator(np.random.Philox(key=len(self._names)))
        self._weight = spread.integers(0, 2**63, len(self._names), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        self._shapes: dict[int, Shape] = {}
        self._next: Ints = np.zeros(len(catalog.assets), np.int64)
        self.left_out = 0
        """Readings that JSON cannot carry."""

    def block(self, batch: Batch, *, lane: Ints | None = None) -> Block:
        """Return the messages of a batch in its order: by when they leave, then asset.

        With ``lane``, int64[assets], those of the lowest lane come first, and so on, each lane in that order.
        """
        found = self.messages(batch)
        if not len(found.first):
            return Block.none()
        return self._messages(found.first, found.columns, self._key[found.sensor], found.scaled, lane)

    def messages(self, batch: Batch) -> Messages:
        """Return the messages of a batch in its order, numbered, without what JSON cannot carry."""
        with np.errstate(over="ignore"):
            scaled = np.rint(batch.value * self._scale[batch.sensor])
        kept = np.abs(scaled) <= EXACT  # false for NaN, too
        time_ns, sensor, due_ns, born_ns = batch.time_ns, batch.sensor, batch.due_ns, batch.time_ns
        seq = again = None
        if batch.relayed is not None:
            born_ns, seq, again = batch.relayed.born_ns, batch.relayed.seq, batch.relayed.again
        if not kept.all():
            self.left_out += int(np.count_nonzero(~kept))
            time_ns, sensor, due_ns, born_ns = time_ns[kept], sensor[kept], due_ns[kept], born_ns[kept]
            scaled = scaled[kept]
            seq = None if seq is None else seq[kept]
            again = None if again is None else again[kept]
        asset = self._asset_of[sensor]
        first = message_starts(time_ns, asset, due_ns) if seq is not None else message_starts(time_ns, asset)
        owner = asset[first].astype(np.int64)
        columns = (
            time_ns[first],
            owner,
            self._number(owner) if seq is None else seq[first],
            np.diff(first, append=len(asset)),
            due_ns[first],
            born_ns[first],
            np.zeros(len(first), dtype=bool) if again is None else again[first],
        )
        return Messages(first, sensor, scaled.astype(np.int64), columns)

    def carries(self, sensor: NDArray[np.int32], value: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say of each reading whether JSON can carry it."""
        with np.errstate(over="ignore"):
            return np.asarray(np.abs(np.rint(value * self._scale[sensor])) <= EXACT)

    def _messages(
        self, first: Ints, columns: tuple[NDArray[Any], ...], key: Ints, digits: Ints, lane: Ints | None
    ) -> Block:
        parts, places = [], []
        for rows, shape in self._by_shape(first, columns[3], key):
            for low in range(0, len(rows), ROWS_AT_ONCE):
                mine = rows[low : low + ROWS_AT_ONCE]
                values = digits[first[mine][:, np.newaxis] + np.arange(len(shape.keys))]
                parts.append(self._written(shape, values, tuple(column[mine] for column in columns)))
                places.append(mine)
        place = np.concatenate(places)
        if lane is None:
            return Block.ordered(parts, np.argsort(place))
        return Block.ordered(parts, np.lexsort((place, lane[columns[1][place]])))

    def _number(self, asset: Ints) -> Ints:
        """Return the number of each message within its asset, and count on."""
        order = np.argsort(asset, kind="stable")
        mine = asset[order]
        begins = np.flatnonzero(np.diff(mine, prepend=-1))
        lengths = np.diff(begins, append=len(mine))
        seq = np.empty(len(asset), dtype=np.int64)
        seq[order] = self._next[mine] + np.arange(len(mine)) - np.repeat(begins, lengths)
        self._next[mine[begins]] += lengths
        return seq

    def _by_shape(self, first: Ints, count: Ints, key: Ints) -> list[tuple[Ints, Shape]]:
        """Return the messages of each shape in order, and the shape."""
        place = np.arange(len(key)) - np.repeat(first, count)
        # Unsigned numbers wrap around, so this is a checksum of the keys in their order.
        sums = np.add.reduceat(self._weight[key] * (2 * place + 1).astype(np.uint64), first)
        kinds, which = np.unique(sums, return_inverse=True)
        if len(kinds) == 1:
            rows = [np.arange(len(first))]
        else:
            order = np.argsort(which, kind="stable")
            rows = np.split(order, np.flatnonzero(np.diff(which[order])) + 1)
        found: list[tuple[Ints, Shape]] = []
        for kind, mine in zip(kinds.tolist(), rows, strict=True):
            found += self._certain(kind, mine, first, count, key)
        return found

    def _certain(self, kind: int, mine: Ints, first: Ints, count: Ints, key: Ints) -> list[tuple[Ints, Shape]]:
        """Return messages whose checksums agree by what they really are, should two shapes share a checksum."""
        pattern = key[first[mine[0]] : first[mine[0]] + count[mine[0]]]
        shape = self._shapes.get(kind)
        if shape is None or not np.array_equal(shape.keys, pattern):
            shape = self._shapes[kind] = self._shape(pattern)
        fields = len(pattern)
        same = count[mine] == fields
        rows = mine[same]
        agrees = (key[first[rows][:, np.newaxis] + np.arange(fields)] == pattern).all(axis=1)
        others = np.concatenate((mine[~same], rows[~agrees]))
        found = [(rows[agrees], shape)]
        return found + self._certain(kind, np.sort(others), first, count, key) if len(others) else found

    def _shape(self, keys: Ints) -> Shape:
        labels = [f',"{self._names[key][0]}":'.encode() for key in keys.tolist()]
        widest = max(len(label) for label in labels)
        table = np.stack([words_of(label.rjust(widest, b"\0")) for label in labels])
        decimals = np.array([self._names[key][1] for key in keys.tolist()], dtype=np.int64)
        return Shape(keys, table, table.view(np.uint8) > 0, decimals, CONSTANT + sum(map(len, labels)))

    def _written(self, shape: Shape, values: Ints, columns: tuple[NDArray[Any], ...]) -> Block:
        """Write messages of one shape; ``values`` int64[M, F] in units of the last decimal."""
        messages, fields = values.shape
        time_ns, asset, seq, *_ = columns
        body, when, number = Numbers.of(values, decimals=shape.decimals), Numbers.of(time_ns // MS), Numbers.of(seq)
        label, digits = shape.label.shape[1], body.columns.words
        header = self._frames.words if self._frames else 0
        at = np.cumsum([header, len(HEAD_T), when.columns.words, len(HEAD_N), number.columns.words]).tolist()
        end = at[4] + fields * (label + digits)
        text = np.empty((messages, end + len(TAIL)), dtype=np.uint32)
        mask = np.empty((messages, WORD * (end + len(TAIL))), dtype=bool)
        for first, constant in ((at[0], HEAD_T), (at[2], HEAD_N), (end, TAIL)):
            text[:, first : first + len(constant)] = constant
            mask[:, WORD * first : WORD * (first + len(constant))] = constant.view(bool)
        payload = np.full(messages, shape.constant)
        for (first, last), one in ((at[1:3], when), (at[3:5], number)):
            payload += one.write(text[:, first:last], mask[:, WORD * first : WORD * last])
        cells = text[:, at[4] : end].reshape(messages, fields, label + digits)
        cells[:, :, :label] = shape.label
        in_cells = mask[:, WORD * at[4] : WORD * end].reshape(messages, fields, WORD * (label + digits))
        in_cells[:, :, : WORD * label] = shape.in_label
        payload += body.write(cells[:, :, label:], in_cells[:, :, WORD * label :]).sum(axis=1)
        before = np.zeros(messages, dtype=np.int64)
        if self._frames:
            before = self._frames.write(text[:, :header], mask[:, : WORD * header], asset, payload)
        start = np.concatenate(([0], np.cumsum(before + payload)))
        data = text.view(np.uint8)[mask]
        return Block(data, start, start[:-1] + before, *columns)
