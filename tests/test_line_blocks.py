"""Blocks of lines: what reading each message by itself gives, and nothing that was not checked to the last byte."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.batch import Asset, Batch, Catalog, Sensor
from simulator.ingest.decode import Decoder
from simulator.ingest.store import Row
from simulator.wire.frames import Frames
from simulator.wire.json_blocks import JsonBlocks
from simulator.wire.line_blocks import LineBlock, LineBlocks
from simulator.wire.line_protocol import LineProtocol

START_MS = 1_767_225_600_000
TAGS = {"province": "binh-duong", "park": "vsip2a", "factory": "a b", "line": "x,y", "machine": "m=1"}


def sensor(name: str, decimals: int) -> Sensor:
    return Sensor(name, "1", decimals=decimals, low=-1e9, high=1e9, period_ns=1)


PRESS = (sensor("state", 0), sensor("power_kw", 2), sensor("barrel_zone_1_c", 1), sensor("barrel_zone_2_c", 1))
TESTER = (sensor("x", 0), sensor("y", 3))
CATALOG = Catalog(
    (
        Asset(("e", "s", "f", "l", "press-1"), "press", TAGS, 0, PRESS, 0),
        Asset(("e", "s", "f", "l", "tester"), "tester", {}, 4, TESTER, 0),
        Asset(("e", "s", "f", "l", "press-2"), "press", TAGS, 6, PRESS, 0),
    )
)
DECODER, LINES = Decoder(CATALOG), LineProtocol(CATALOG)


def read_one(asset: int, payload: bytes) -> str | None:
    """Return the line that the reader of single messages makes, or None."""
    row = DECODER.decode(CATALOG.assets[asset].topic, payload)
    return LINES.line(row.asset, row.time_ms, row.seq, row.fields) if isinstance(row, Row) else None


def translated(messages: list[tuple[int, bytes]], *, between: bytes = b"") -> tuple[dict[int, str], list[int]]:
    """Return the lines by place, and the odd places."""
    data, start, end = between, [], []
    for _, payload in messages:
        start.append(len(data))
        data += payload
        end.append(len(data))
        data += between
    lines, odd = LineBlocks(CATALOG).translate(
        np.frombuffer(data, dtype=np.uint8),
        np.array(start, dtype=np.int64),
        np.array(end, dtype=np.int64),
        np.array([asset for asset, _ in messages], dtype=np.int64),
    )
    text = lines.data.tobytes().decode()
    assert np.diff(lines.start).tolist() == [len(line) for line in text.splitlines(keepends=True)]
    for place, asset, seq, readings in zip(*(c.tolist() for c in columns(lines)), strict=True):
        row = DECODER.decode(CATALOG.assets[messages[place][0]].topic, messages[place][1])
        assert isinstance(row, Row)
        assert (row.asset, row.seq, len(row.fields)) == (asset, seq, readings)
    return dict(zip(lines.place.tolist(), text.splitlines(), strict=True)), odd.tolist()


def columns(lines: LineBlock) -> tuple[np.ndarray, ...]:
    return lines.place, lines.asset, lines.seq, lines.readings


@given(
    st.sets(st.tuples(st.integers(0, 3), st.integers(0, len(CATALOG) - 1)), min_size=1),
    st.lists(st.integers(-(10**8), 10**8), min_size=40, max_size=40),
    st.sampled_from([b"", b',":{}"', b"\x30\x80topic"]),
)
def test_our_own_messages_become_the_lines_that_reading_each_gives(
    spoken: set[tuple[int, int]], values: list[int], between: bytes
) -> None:
    """Any sensors, any values, whatever stands between the payloads."""
    rows = sorted(spoken)
    numbers = np.array([sensor for _, sensor in rows], dtype=np.int32)
    scale = np.array([10.0 ** CATALOG.sensors[number].decimals for number in numbers])
    value = np.array(values[: len(rows)]) / scale
    batch = Batch(np.array([(START_MS + tick) * 1_000_000 for tick, _ in rows]), numbers, value)
    block = JsonBlocks(CATALOG).block(batch)
    messages = list(zip(block.asset.tolist(), block.payloads(), strict=True))
    lines, odd = translated(messages, between=between)
    assert not odd
    assert lines == {place: read_one(asset, payload) for place, (asset, payload) in enumerate(messages)}


GOOD = b'{"t":1767225600000,"n":17,"state":6,"power_kw":41.2,"barrel_zone_2_c":-0.5}'
ODD = [
    b"",
    b"{}",
    b'{"t":1767225600000}',
    b'{"t":1767225600000,"n":17}',
    b'{"t":1767225600000,"n":17,"state":6',
    b'{"t":1767225600000,"n":17,"state":6]',
    b'["t":1767225600000,"n":17,"state":6}',
    b'{"t":1767225600000,"n":17,"state":6.5}',
    b'{"t":1767225600000,"n":17,"state":"6"}',
    b'{"t":1767225600000,"n":17,"state":true}',
    b'{"t":1767225600000,"n":17,"state":-0}',
    b'{"t":1767225600000,"n":17,"state":06}',
    b'{"t":1767225600000,"n":17,"state":6,"state":7}',
    b'{"t":1767225600000,"n":17,"power_kw":1,"state":7}',
    b'{"t":1767225600000,"n":17,"power_kw":1.50}',
    b'{"t":1767225600000,"n":17,"power_kw":1.}',
    b'{"t":1767225600000,"n":17,"power_kw":.5}',
    b'{"t":1767225600000,"n":17,"power_kw":1e3}',
    b'{"t":1767225600000,"n":17,"power_kw":--1}',
    b'{"t":1767225600000,"n":17,"power_kw":1-1}',
    b'{"t":1767225600000,"n":17,"power_kw":-}',
    b'{"t":1767225600000,"n":17,"power_kw":}',
    b'{"t":1767225600000,"n":17,"power_kw":1.2.3}',
    b'{"t":1767225600000,"n":17,"power":1}',
    b'{"t":1767225600000,"n":17,"power_kwh":1}',
    b'{"t":1767225600000,"n":17,"x":1}',
    b'{"t":1767225600000,"n":-17,"state":1}',
    b'{"t":1767225600000,"n":017,"state":1}',
    b'{"t":1767225600000,"n":1.5,"state":1}',
    b'{"t":-5,"n":1,"state":1}',
    b'{"t":9223372036855,"n":1,"state":1}',
    b'{"n":17,"t":1767225600000,"state":6}',
    b'{"t":1767225600000, "n":17,"state":6}',
    b'{"t":1767225600000,"n":17,"state":6} ',
    b'{"t":1767225600000,"n":17,state:6}',
    b'{"t":1767225600000,"n":17,"st"te":6}',
    b'{"t":1767225600000,"n":17,"power_kw":1234567890123456789}',
    b'{"t":1767225600000,"n":1234567890123456789,"state":1}',
    b'{"t":1767225600000,"n":17,"state":6,"power_kw":41.2,"barrel_zone_2_c":{"a":1}}',
    b"\xff\xfe\xfd",
]


@pytest.mark.parametrize("payload", ODD)
def test_what_is_not_written_as_ours_is_odd(payload: bytes) -> None:
    """It is left alone, and spoils neither of its neighbours."""
    lines, odd = translated([(0, GOOD), (0, payload), (2, GOOD)])
    assert odd == [1]
    assert lines == {0: read_one(0, GOOD), 2: read_one(2, GOOD)}


def test_a_message_of_an_unknown_topic_is_odd() -> None:
    """Nobody can say what its names mean."""
    lines, odd = translated([(-1, GOOD), (0, GOOD)])
    assert odd == [0]
    assert lines == {1: read_one(0, GOOD)}


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=3))
def test_a_changed_byte_is_never_taken_for_something_else(changes: list[tuple[int, int]]) -> None:
    """Whatever is not odd is what reading the message by itself gives."""
    payload = bytearray(GOOD)
    for at, byte in changes:
        payload[at] = byte
    lines, odd = translated([(0, GOOD), (0, bytes(payload)), (0, GOOD)])
    assert (1 in odd) or lines[1] == read_one(0, bytes(payload))
    assert lines[0] == lines[2] == read_one(0, GOOD)


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_no_bytes_can_harm(payloads: list[bytes]) -> None:
    """Garbage is odd."""
    _, odd = translated([(0, payload) for payload in payloads])
    assert odd == list(range(len(payloads)))


def test_lines_can_be_taken_in_parts() -> None:
    """A part has its own lines and nothing else."""
    topics = [asset.topic for asset in CATALOG.assets]
    batch = Batch(
        np.repeat((START_MS + np.arange(4)) * 1_000_000, len(CATALOG)),
        np.tile(np.arange(len(CATALOG)), 4).astype(np.int32),
        np.arange(4.0 * len(CATALOG)),
    )
    block = JsonBlocks(CATALOG, Frames(topics, qos=0, version=4)).block(batch)
    lines, odd = LineBlocks(CATALOG).translate(block.data, block.payload, block.start[1:], block.asset)
    assert not len(odd)
    whole = lines.data.tobytes().splitlines(keepends=True)
    assert lines.part(2, 5).data.tobytes().splitlines(keepends=True) == whole[2:5]
    assert LineBlock.joined([lines.part(0, 2), lines.part(2, len(lines))]).data.tobytes() == b"".join(whole)
