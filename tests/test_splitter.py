"""The stream from a broker: any cut gives the same packets; what is no MQTT gives a protocol error, nothing else."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from brokers.blocks import Arrivals, merged
from brokers.errors import ProtocolError
from brokers.splitter import Answers, Splitter

MOST = 1 << 16


class Message(NamedTuple):
    """A PUBLISH as it should be understood."""

    topic: bytes
    payload: bytes
    qos: int
    mid: int


class Answer(NamedTuple):
    """An acknowledgement as it should be understood."""

    kind: int
    mid: int
    code: int


def varied(value: int) -> bytes:
    """A variable byte integer, as the specification spells it out in section 1.5.5."""
    encoded = []
    while True:
        digit, value = value % 128, value // 128
        encoded.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(encoded)


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + varied(len(body)) + body


def short(number: int) -> bytes:
    return number.to_bytes(2, "big")


@st.composite
def messages(draw: st.DrawFn, version: int) -> tuple[Message, bytes]:
    """A message, and its bytes."""
    qos = draw(st.integers(0, 2))
    topic = draw(st.binary(min_size=1, max_size=draw(st.sampled_from([3, 140]))))
    payload = draw(st.binary(max_size=draw(st.sampled_from([5, 300]))))
    mid = draw(st.integers(1, 65_535)) if qos else 0
    properties = b""
    if version == 5:
        user = draw(st.sampled_from([b"", b"\x02\x00\x00\x00\x09", b"\x26\x00\x01k" + short(150) + bytes(150)]))
        properties = varied(len(user)) + user
    body = short(len(topic)) + topic + (short(mid) if qos else b"") + properties + payload
    flags = qos << 1 | draw(st.sampled_from([0, 1])) | (8 if qos and draw(st.booleans()) else 0)
    return Message(topic, payload, qos, mid), packet(0x30 | flags, body)


@st.composite
def answers(draw: st.DrawFn, version: int) -> tuple[Answer, bytes]:
    """An acknowledgement, and its bytes."""
    kind = draw(st.sampled_from([4, 4, 4, 5, 6, 7]))
    mid = draw(st.integers(1, 65_535))
    code, tail = 0, b""
    if version == 5 and draw(st.booleans()):
        code = draw(st.sampled_from([0x00, 0x10, 0x87]))
        tail = bytes([code]) + draw(st.sampled_from([b"", b"\0", b"\x04\x1f\x00\x01x"]))
    understood_as = 0 if code == 0x10 else code  # nobody listens, which is a success too
    return Answer(kind, mid, understood_as), packet(kind << 4 | (2 if kind == 6 else 0), short(mid) + tail)


alone = st.sampled_from([((13, b""), b"\xd0\x00"), ((9, b"\0\1\0\1"), b"\x90\x04\0\1\0\1")])


@st.composite
def streams(draw: st.DrawFn) -> tuple[int, list[tuple[object, bytes]], list[int]]:
    """A version, packets with their bytes, and where the stream is cut."""
    version = draw(st.sampled_from([4, 5]))
    packets = draw(st.lists(st.one_of(messages(version), answers(version), alone), max_size=12))
    total = sum(len(data) for _, data in packets)
    return version, packets, sorted(draw(st.lists(st.integers(0, total), max_size=10)))


def knife(version: int = 5, most: int = MOST) -> Splitter:
    return Splitter(version=version, epoch=3, address="mqtt://test", max_packet=most)


def understood(version: int, chunks: list[bytes]) -> tuple[list[Message], list[Answer], list[tuple[int, bytes]]]:
    """What the chunks say."""
    splitter = knife(version)
    arrivals: list[Arrivals] = []
    found: list[Answers] = []
    alone_: list[tuple[int, bytes]] = []
    for chunk in chunks:
        split = splitter.feed(chunk)
        arrivals.append(split.arrivals)
        found += split.answers
        alone_ += split.alone
    block = merged(arrivals)
    assert set(block.epoch.tolist()) <= {3}
    told = [
        Message(block.topic(row), block.payload(row), int(block.qos[row]), int(block.mid[row]))
        for row in range(block.number)
    ]
    acks: list[Answer] = []
    for one in found:
        codes = one.code.tolist() if one.code is not None else [0] * len(one.identifier)
        acks += [Answer(one.kind, mid, code) for mid, code in zip(one.identifier.tolist(), codes, strict=True)]
    successes = [ack._replace(code=0) if ack.code == 0x10 else ack for ack in acks]
    return told, successes, alone_


@given(streams())
def test_any_cut_of_the_stream_gives_the_same_packets(
    case: tuple[int, list[tuple[object, bytes]], list[int]],
) -> None:
    """Whole, byte by byte or cut anywhere, the stream says what was put into it, each kind of packet in order."""
    version, packets, cuts = case
    data = b"".join(one for _, one in packets)
    parts = [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    said = [one for one, _ in packets]
    expected = [one for one in said if isinstance(one, Message)]
    for chunks in ([data], parts, [bytes([byte]) for byte in data]):
        told, acks, alone_ = understood(version, chunks)
        assert told == expected
        for kind in (4, 5, 6, 7):
            assert [a for a in acks if a.kind == kind] == [a for a in said if isinstance(a, Answer) and a.kind == kind]
        assert sorted(alone_) == sorted(one for one in said if not isinstance(one, Message | Answer))


@given(st.sampled_from([4, 5]), st.lists(st.binary(max_size=60), max_size=6))
@example(5, [b"\x30\x80\x80\x80\x80\x01"])
@example(4, [b"\x32\x03\x00\x01a"])
@example(5, [b"\x40\x05\x00\x01\x00\x00\x00\x40"])
def test_garbage_gives_a_protocol_error_or_waits(version: int, chunks: list[bytes]) -> None:
    """Random bytes are understood by chance, or waited with, or refused: nothing else."""
    splitter = knife(version)
    with suppress(ProtocolError):
        for chunk in chunks:
            splitter.feed(chunk)


@given(streams(), st.data())
def test_a_changed_byte_gives_no_other_error(
    case: tuple[int, list[tuple[object, bytes]], list[int]], data: st.DataObject
) -> None:
    """A stream with some bytes changed or missing gives packets within its bytes, or a protocol error."""
    version, packets, _ = case
    stream = bytearray(b"".join(one for _, one in packets))
    for place in data.draw(st.lists(st.integers(0, max(0, len(stream) - 1)), max_size=4)):
        if stream:
            stream[place] = data.draw(st.integers(0, 255))
    del stream[data.draw(st.integers(0, len(stream))) :]
    try:
        block = knife(version).feed(bytes(stream)).arrivals
    except ProtocolError:
        return
    ordered = (block.topic_start < block.topic_end) & (block.topic_end <= block.payload_start)
    assert (ordered & (block.payload_start <= block.payload_end)).all()
    assert (block.payload_end <= len(stream)).all()
    assert ((block.mid > 0) == (block.qos > 0)).all()


@pytest.mark.parametrize(
    ("version", "stream", "problem"),
    [
        (5, b"\x30\xff\xff\xff\xff\x01", "more than four bytes"),
        (5, b"\x30\x05\x00\x09a\x00x", "ends within its header"),
        (5, b"\x30\x03\x00\x00\x00", "has no topic"),
        (5, b"\x36\x06\x00\x01a\x00\x01\x00", "QoS 3"),
        (5, b"\x32\x06\x00\x01a\x00\x00\x00", "without an identifier"),
        (5, b"\x30\x04\x00\x01a\x05", "ends within its header"),
        (4, b"\x40\x03\x00\x01\x00", "wrong length"),
        (5, b"\x40\x01\x00", "wrong length"),
        (5, b"\x40\x02\x00\x00", "without an identifier"),
        (5, b"\x60\x02\x00\x01", "wrong flags"),
        (4, b"\xe0\x00", "type 14"),
        (5, b"\x20\x03\x00\x00\x00", "type 2"),
        (5, b"\x00\x00", "type 0"),
        (5, b"\xf0\x00", "type 15"),
        (5, b"\x30\x81\x80\x04" + bytes(10), "more than the 65,536 we take"),
    ],
)
def test_what_no_broker_sends(version: int, stream: bytes, problem: str) -> None:
    """Each breach of the protocol is told as such."""
    with pytest.raises(ProtocolError, match=problem):
        knife(version).feed(stream)


@pytest.mark.parametrize("beginning", [b"H", b"\x20", b"\xf0", b"\x37", b"\x63"])
def test_a_wrong_beginning_is_not_waited_with(beginning: bytes) -> None:
    """A packet that cannot be one is refused at its first byte, whatever length it claims."""
    with pytest.raises(ProtocolError, match=f"begins with 0x{beginning.hex().upper()}"):
        knife().feed(b"\xd0\x00" + beginning)


def test_a_long_packet_is_put_together_once() -> None:
    """A packet of a megabyte in pieces of a hundred bytes costs a copy at its end, not one a piece."""
    whole = packet(0x30, b"\x00\x01a" + b"\x00" + bytes(1 << 20))
    splitter = knife(most=1 << 21)
    parts = [whole[begin : begin + 100] for begin in range(0, len(whole), 100)]
    assert sum(splitter.feed(part).arrivals.number for part in parts[:-1]) == 0
    assert len(splitter._begun) == len(parts) - 1
    assert splitter.feed(parts[-1]).arrivals.payload(0) == bytes(1 << 20)


@given(st.lists(messages(5), min_size=1, max_size=8), st.data())
def test_blocks_can_be_cut_and_joined(made: list[tuple[Message, bytes]], data: st.DataObject) -> None:
    """Rows of a block, compacted or joined with others, keep topics and payloads."""
    block = knife().feed(b"".join(one for _, one in made)).arrivals
    cut = data.draw(st.integers(0, len(made)))
    again = merged([block.rows(slice(0, cut)), block.rows(slice(cut, None)).compact()])
    assert [again.topic(row) for row in range(again.number)] == [one.topic for one, _ in made]
    assert [again.payload(row) for row in range(again.number)] == [one.payload for one, _ in made]
    assert np.array_equal(again.mid, block.mid)
