"""Blocks of JSON messages: byte for byte what the plain encoder writes, one message at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_json import JsonEncoder, number_text

from simulator.batch import Asset, Batch, Catalog, Sensor
from simulator.wire.block import Block
from simulator.wire.digits import EXACT, Numbers
from simulator.wire.frames import LONGEST, Frames
from simulator.wire.json_blocks import JsonBlocks

START_MS = 1_767_225_600_000
NAMES = ("state", "power_kw", "x", "barrel_zone_1_c", "leak-m3_min")


def catalog_of(decimals: list[list[int]]) -> Catalog:
    assets, first = [], 0
    for number, columns in enumerate(decimals):
        sensors = tuple(
            Sensor(NAMES[i], "1", decimals=d, low=-1e9, high=1e9, period_ns=1) for i, d in enumerate(columns)
        )
        path = ("binh-duong", "vsip2a", "plant", "line", f"machine-{10**number}")
        assets.append(Asset(path, "kind", {}, first, sensors, 0))
        first += len(sensors)
    return Catalog(tuple(assets))


FLOATS = st.floats(allow_nan=True, allow_infinity=True)
MODEST = st.integers(-(10**7), 10**7).map(lambda n: n / 1000)


@st.composite
def batches(draw: st.DrawFn) -> tuple[Catalog, list[Batch]]:
    """Draw a catalogue and some windows in which any sensor may speak at any tick."""
    decimals = draw(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=5), min_size=1, max_size=4))
    catalog = catalog_of(decimals)
    windows = []
    for window in range(draw(st.integers(1, 3))):
        spoken = draw(st.sets(st.tuples(st.integers(0, 4), st.integers(0, len(catalog) - 1)), max_size=30))
        rows = sorted(spoken)
        values = draw(st.lists(st.one_of(FLOATS, MODEST), min_size=len(rows), max_size=len(rows)))
        time_ns = [(START_MS + 1000 * window + tick) * 1_000_000 for tick, _ in rows]
        windows.append(
            Batch(
                np.array(time_ns, dtype=np.int64),
                np.array([sensor for _, sensor in rows], dtype=np.int32),
                np.array(values, dtype=np.float64),
            )
        )
    return catalog, windows


@given(batches())
def test_blocks_are_what_the_plain_encoder_writes(drawn: tuple[Catalog, list[Batch]]) -> None:
    """Payloads, order, numbers and what is left out agree for any values, shapes and windows."""
    catalog, windows = drawn
    plain, blocks = JsonEncoder(catalog), JsonBlocks(catalog)
    for batch in windows:
        expected = list(plain.messages(batch))
        block = blocks.block(batch)
        assert [message.payload for message in expected] == block.payloads()
        assert [message.asset for message in expected] == block.asset.tolist()
        assert [message.seq for message in expected] == block.seq.tolist()
        assert [message.time_ns for message in expected] == block.time_ns.tolist()
        assert [message.readings for message in expected] == block.readings.tolist()
    assert plain.left_out == blocks.left_out


@given(
    st.lists(st.integers(-EXACT, EXACT), min_size=1, max_size=20),
    st.integers(0, 12),
)
def test_a_number_has_the_fewest_digits(scaled: list[int], decimals: int) -> None:
    """Any integer that float64 holds, at any resolution."""
    numbers = Numbers.of(np.array(scaled, dtype=np.int64), decimals=np.array(decimals))
    text = np.empty((len(scaled), numbers.columns.words), dtype=np.uint32)
    mask = np.empty((len(scaled), 4 * numbers.columns.words), dtype=bool)
    length = numbers.write(text, mask)
    found = [row[kept].tobytes().decode() for row, kept in zip(text.view(np.uint8), mask, strict=True)]
    expected = []
    for one in scaled:
        whole, fraction = divmod(abs(one), 10**decimals)
        digits = f"{fraction:0{decimals}d}".rstrip("0") if decimals else ""
        expected.append(f"{'-' * (one < 0)}{whole}{'.' * bool(digits)}{digits}")
    assert expected == found
    assert [len(one) for one in expected] == length.tolist()


def test_halves_and_edges_are_written_as_the_contract_says() -> None:
    """Ties to even, no minus before a zero, 2**53 written and the next number left out."""
    catalog = catalog_of([[0]])
    values = [0.5, 1.5, -0.4, -0.0, float(EXACT), float(EXACT + 2), math.inf, -math.nan]
    time_ns = (START_MS + np.arange(len(values))) * 1_000_000
    batch = Batch(time_ns, np.zeros(len(values), dtype=np.int32), np.array(values))
    blocks = JsonBlocks(catalog)
    shown = [payload.decode().rpartition(":")[2].removesuffix("}") for payload in blocks.block(batch).payloads()]
    assert shown == ["0", "2", "0", "0", str(EXACT)]
    assert shown == [number_text(value, 0) for value in values[:5]]
    assert blocks.left_out == 3


def parsed(data: bytes, *, qos: int, version: int) -> list[tuple[str, bytes]]:
    """Read PUBLISH packets the slow way, byte by byte."""
    found, at = [], 0
    while at < len(data):
        assert data[at] == 0x30 | qos << 1
        at += 1
        length, shift = 0, 0
        while True:
            length |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
            if data[at - 1] < 0x80:
                break
        end = at + length
        topic_end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        topic = data[at + 2 : topic_end].decode()
        at = topic_end
        if qos:
            assert data[at : at + 2] == b"\0\0"
            at += 2
        if version == 5:
            assert data[at] == 0
            at += 1
        found.append((topic, data[at:end]))
        at = end
    return found


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("version", [4, 5])
def test_packets_are_read_back_as_topics_and_payloads(qos: int, version: int) -> None:
    """Whole packets, identifiers 0, with payloads where the block says they are."""
    catalog = catalog_of([[0, 1, 2], [3, 0], [9]])
    sensors = np.tile(np.arange(len(catalog)), 5).astype(np.int32)
    time_ns = np.repeat((START_MS + np.arange(5)) * 1_000_000, len(catalog))
    batch = Batch(time_ns, sensors, np.arange(len(sensors)) / 8.0)
    topics = [asset.topic for asset in catalog.assets]
    block = JsonBlocks(catalog, Frames(topics, qos=qos, version=version)).block(batch)
    expected = [(message.topic, message.payload) for message in JsonEncoder(catalog).messages(batch)]
    assert expected == parsed(block.data.tobytes(), qos=qos, version=version)
    assert [payload for _, payload in expected] == block.payloads()
    part = block.part(3, 7)
    assert expected[3:7] == parsed(part.data.tobytes(), qos=qos, version=version)
    assert [payload for _, payload in expected[3:7]] == part.payloads()


@pytest.mark.parametrize(
    "payload", [0, 100, 113, 114, 16_369, 16_370, 2_097_137, 2_097_138, LONGEST - 15, LONGEST - 14]
)
def test_remaining_lengths_take_one_to_four_bytes(payload: int) -> None:
    """On both sides of each border of the variable length; past the last one a message is refused."""
    frames = Frames(["a/b/c", "nine/char"], qos=1, version=5)
    text = np.empty((1, frames.words), dtype=np.uint32)
    mask = np.empty((1, 4 * frames.words), dtype=bool)
    remaining = 2 + 9 + 2 + 1 + payload
    if remaining > LONGEST:
        with pytest.raises(ValueError, match="must have at most 268,435,455"):
            frames.write(text, mask, np.array([1]), np.array([payload]))
        return
    length = frames.write(text, mask, np.array([1]), np.array([payload]))
    header = text.view(np.uint8)[mask].tobytes()
    assert length.tolist() == [len(header)]
    encoded, rest = [], remaining
    while True:
        encoded.append(rest & 0x7F | (0x80 if rest > 0x7F else 0))
        rest >>= 7
        if not rest:
            break
    assert header == bytes([0x32, *encoded, 0, 9]) + b"nine/char" + b"\0\0\0"


def test_a_topic_that_mqtt_cannot_carry_is_refused() -> None:
    """From 1 to 65,535 bytes."""
    with pytest.raises(ValueError, match="has 65,536 bytes"):
        Frames(["x" * 65_536], qos=0, version=4)
    with pytest.raises(ValueError, match="has 0 bytes"):
        Frames([""], qos=0, version=4)


def test_shapes_with_one_checksum_are_told_apart() -> None:
    """Should two shapes ever agree in their checksum, each message still gets its own names."""
    catalog = catalog_of([[0, 1, 2], [3, 0], [9]])
    blocks = JsonBlocks(catalog)
    blocks._weight[:] = 0
    sensors = np.array([0, 1, 2, 3, 4, 5, 1, 3], dtype=np.int32)
    time_ns = (START_MS + np.array([0, 0, 0, 0, 0, 0, 1, 1])) * 1_000_000
    batch = Batch(time_ns, sensors, np.arange(8) / 4.0)
    expected = [message.payload for message in JsonEncoder(catalog).messages(batch)]
    assert expected == blocks.block(batch).payloads()


def test_blocks_can_be_joined_in_any_order() -> None:
    """The order says where in the concatenation each message of the joined block comes from."""
    catalog = catalog_of([[0], [1]])
    time_ns = np.full(2, START_MS * 1_000_000)
    one = JsonBlocks(catalog).block(Batch(time_ns, np.array([0, 1], dtype=np.int32), np.array([1.0, 2.5])))
    joined = Block.ordered([one, one.part(1, 2)], np.array([2, 0, 1]))
    first, second = one.payloads()
    assert joined.payloads() == [second, first, second]
    assert joined.asset.tolist() == [1, 0, 1]
