"""A sink answers every packet and delivers nothing, however its bytes are cut."""

from __future__ import annotations

import pytest

from brokers import Sink
from brokers.endpoint import Outgoing
from brokers.sink_child import answers

CONNECT_5 = b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03abc"
CONNECT_4 = b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03abc"
QOS_0 = b"\x30\x06\x00\x01aXYZ"
QOS_1 = b"\x32\x08\x00\x01a\x12\x34XYZ"
QOS_2 = b"\x34\x08\x00\x01a\x12\x35XYZ"
LONG = b"\x32\xac\x02\x00\x01a\x00\x07" + b"x" * 295
SUBSCRIBE_5 = b"\x82\x0b\x00\x09\x00\x00\x01a\x01\x00\x01b\x01"
SUBSCRIBE_4 = b"\x82\x06\x00\x09\x00\x01a\x01"


@pytest.mark.parametrize(
    ("version", "packet", "answer"),
    [
        (4, CONNECT_4, b"\x20\x02\x00\x00"),
        (4, CONNECT_5, b"\x20\x03\x00\x00\x00"),
        (5, QOS_0, b""),
        (5, QOS_1, b"\x40\x02\x12\x34"),
        (5, QOS_2, b"\x50\x02\x12\x35"),
        (5, LONG, b"\x40\x02\x00\x07"),
        (5, b"\x62\x02\x12\x35", b"\x70\x02\x12\x35"),
        (5, SUBSCRIBE_5, b"\x90\x05\x00\x09\x00\x01\x01"),
        (4, SUBSCRIBE_4, b"\x90\x03\x00\x09\x01"),
        (5, b"\xc0\x00", b"\xd0\x00"),
    ],
)
def test_each_packet_has_its_answer(version: int, packet: bytes, answer: bytes) -> None:
    """After MQTT 5.0 and 3.1.1, chapter 3; what comes behind is left for later."""
    said, used, _ = answers(packet + b"\x30", version)
    assert (said, used) == (answer, len(packet))


def test_a_cut_stream_gives_the_same_answers() -> None:
    """Wherever it is cut."""
    stream = CONNECT_5 + QOS_1 + LONG + QOS_0 + QOS_2
    whole, used, version = answers(stream, 4)
    assert (used, version) == (len(stream), 5)
    for cut in range(len(stream)):
        first, done, spoken = answers(stream[:cut], 4)
        second, rest, _ = answers(stream[done:], spoken)
        assert (first + second, done + rest) == (whole, len(stream))


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_session_gets_rid_of_its_messages(qos: int) -> None:
    """All are acknowledged, and whoever listens hears nothing."""
    with Sink() as sink:
        session = sink.connect("one", window=10)
        session.subscribe("a/#", qos=1)
        letters = [Outgoing("a/b", b"x" * 300, tag) for tag in range(100)]
        assert session.publish(letters, qos=qos, timeout_s=10) == 100
        done = []
        while len(done) < 100:
            done += session.acknowledgements()
        assert session.receive(limit=10, timeout_s=0.05) == []
        session.close()
    assert sorted(one.tag for one in done) == list(range(100))
    assert {one.refused for one in done} == {None}
