"""A session against a broker that follows a script: resuming, breaches of the protocol, silence, limits."""

from __future__ import annotations

import time

import numpy as np
import pytest
from child_server import until
from scripted_broker import ScriptedBroker, ScriptedLine, in_thread

from brokers import Outgoing
from brokers.blocks import Packets
from brokers.frames import packed
from brokers.session import LineSession

DEADLINE_S = 20.0


def block(*payloads: bytes, qos: int = 1, version: int = 5) -> Packets:
    return packed([Outgoing("t", payload, 0) for payload in payloads], qos=qos, version=version)


def take(session: LineSession, number: int) -> list[bytes]:
    """Receive that many payloads, acknowledging nothing."""
    payloads: list[bytes] = []

    def is_done() -> bool:
        part = session.receive_block(limit=number - len(payloads), timeout_s=0.2)
        payloads.extend(part.payload(row) for row in range(part.number))
        return len(payloads) >= number

    until(is_done, deadline_s=DEADLINE_S, what=f"{number} messages")
    return payloads


def parts(publish: bytes, *, version: int = 5) -> tuple[bool, int, bytes]:
    """DUP, identifier and payload of a short PUBLISH to the topic t."""
    assert publish[0] >> 4 == 3
    place = 5
    mid = int.from_bytes(publish[place : place + 2], "big")
    return bool(publish[0] & 8), mid, publish[place + 2 + (version == 5) :]


def settle(session: LineSession, number: int) -> tuple[list[int], dict[int, str | None]]:
    """Wait for that many ends; return the tags taken, and the refused with their reasons."""
    tags: list[int] = []
    refused: dict[int, str | None] = {}

    def is_done() -> bool:
        ends = session.settled()
        tags.extend(ends.tag.tolist())
        refused.update({ack.tag: ack.refused for ack in ends.refused})
        return len(tags) + len(refused) >= number

    until(is_done, deadline_s=DEADLINE_S, what=f"{number} ends")
    return tags, refused


def puback(*mids: int) -> bytes:
    return b"".join(b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids)


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("present", [True, False])
def test_what_was_not_acknowledged_is_sent_again(version: int, present: bool) -> None:  # noqa: FBT001  # two cases
    """In order, under the same numbers, with DUP if the broker still knows the session, after all subscriptions."""
    with ScriptedBroker(version=version) as broker:
        session, line = broker.open(keep=True)
        assert session.publish_packets(block(b"a", b"b", b"c", version=version), qos=1, timeout_s=DEADLINE_S) == 3
        sent = [parts(one, version=version) for one in line.packets(3)]
        assert [(dup, payload) for dup, _, payload in sent] == [(False, b"a"), (False, b"b"), (False, b"c")]
        line.send(puback(sent[1][1]))
        assert settle(session, 1) == ([1], {})
        line.cut()
        broker.will_answer(session_present=present)
        line = broker.accept()
        again = [parts(one, version=version) for one in line.packets(2)]
        assert again == [(present, sent[0][1], b"a"), (present, sent[2][1], b"c")]
        line.send(puback(sent[0][1], sent[2][1]))
        assert settle(session, 2) == ([0, 2], {})
        assert session.counters() == {"reconnects": 1} | ({} if present else {"sessions_lost": 1})


def test_a_released_message_is_released_again() -> None:
    """After PUBREC a broken connection goes on with PUBREL, and the message itself does not go out again."""
    with ScriptedBroker() as broker:
        session, line = broker.open(keep=True)
        session.publish_packets(block(b"a", b"b", qos=2), qos=2, timeout_s=DEADLINE_S)
        (_, first, _), (_, second, _) = (parts(one) for one in line.packets(2))
        line.send(b"\x50\x02" + first.to_bytes(2, "big"))
        assert line.packet() == b"\x62\x02" + first.to_bytes(2, "big")
        line.cut()
        broker.will_answer(session_present=True)
        line = broker.accept()
        assert line.packet() == b"\x62\x02" + first.to_bytes(2, "big")
        assert parts(line.packet()) == (True, second, b"b")
        line.send(b"\x70\x02" + first.to_bytes(2, "big"))
        assert settle(session, 1) == ([0], {})


def test_a_broker_that_forgot_a_released_message_gets_it_anew() -> None:
    """Without the session PUBREL would mean nothing: the whole message goes out again, as new."""
    with ScriptedBroker() as broker:
        session, line = broker.open(keep=True)
        session.publish_packets(block(b"a", qos=2), qos=2, timeout_s=DEADLINE_S)
        _, mid, _ = parts(line.packet())
        line.send(b"\x50\x02" + mid.to_bytes(2, "big"))
        assert line.packet()[0] == 0x62
        line.cut()
        assert parts(broker.accept().packet()) == (False, mid, b"a")


def test_a_narrower_broker_after_a_reconnect() -> None:
    """What is sent again keeps to the new Receive Maximum, and goes on as acknowledgements come."""
    with ScriptedBroker() as broker:
        session, line = broker.open(keep=True)
        session.publish_packets(block(*(b"%d" % n for n in range(6))), qos=1, timeout_s=DEADLINE_S)
        mids = [parts(one)[1] for one in line.packets(6)]
        line.cut()
        broker.will_answer(session_present=True, properties=b"\x21\x00\x02")
        line = broker.accept()
        assert [parts(one)[2] for one in line.packets(2)] == [b"0", b"1"]
        assert line.is_silent(0.2)
        line.send(puback(mids[0]))
        assert parts(line.packet())[2] == b"2"
        line.send(puback(mids[1], mids[2]))
        assert [parts(one)[2] for one in line.packets(2)] == [b"3", b"4"]
        assert session.publish_packets(block(b"x"), qos=1, timeout_s=0) == 0


def test_refusals_come_with_their_reasons() -> None:
    """PUBACK and PUBREC with a code from 0x80 on settle a message as refused; those beside it are taken."""
    with ScriptedBroker() as broker:
        session, line = broker.open()
        session.publish_packets(block(b"a", b"b", b"c"), qos=1, timeout_s=DEADLINE_S)
        mids = [parts(one)[1] for one in line.packets(3)]
        line.send(
            b"\x40\x03" + mids[0].to_bytes(2, "big") + b"\x10"
            b"\x40\x03" + mids[1].to_bytes(2, "big") + b"\x97"
            b"\x40\x03" + mids[2].to_bytes(2, "big") + b"\xee"
        )  # fmt: skip
        assert settle(session, 3) == ([0], {1: "Quota exceeded", 2: "reason code 0xEE"})
        session.publish_packets(block(b"d", qos=2), qos=2, timeout_s=DEADLINE_S)
        line.send(b"\x50\x03" + line.packet()[5:7] + b"\x87")
        assert settle(session, 1) == ([], {3: "Not authorized"})
        assert (session.in_flight(), session.counters()) == (0, {"refused": 3})


def test_acknowledgements_of_nothing_are_counted() -> None:
    """PUBACKs for numbers that are not in flight, or twice, settle nothing."""
    with ScriptedBroker() as broker:
        session, line = broker.open()
        session.publish_packets(block(b"a"), qos=1, timeout_s=DEADLINE_S)
        (_, mid, _) = parts(line.packet())
        line.send(puback(mid, mid, 60_000))
        assert settle(session, 1) == ([0], {})
        until(lambda: session.counters().get("unknown_acks") == 2, deadline_s=DEADLINE_S, what="two strangers")
        assert session.in_flight() == 0


@pytest.mark.parametrize(
    ("stream", "counter"),
    [
        (b"\x30\xff\xff\xff\xff\xff", "protocol_errors"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "protocol_errors"),
        (b"\x90\x02\x00\x01", "protocol_errors"),
        (b"\xe0\x01\x8b", "disconnects"),
    ],
)
def test_a_breach_costs_the_connection_and_not_the_session(stream: bytes, counter: str) -> None:
    """Whatever the broker sends, the session counts it, says so, and connects again; nobody is thrown an error."""
    with ScriptedBroker() as broker:
        session, line = broker.open()
        line.send(stream)
        assert session.receive_block(limit=10, timeout_s=0.3).number == 0
        until(lambda: not session.is_connected(), deadline_s=DEADLINE_S, what="the loss to be noticed")
        assert str(broker.endpoint) in (session.trouble() or "")
        broker.accept().send(b"\x30\x05\x00\x01t\x00x")
        assert take(session, 1) == [b"x"]
        assert session.counters() == {counter: 1, "reconnects": 1}


def test_a_stream_that_ends_in_the_middle_of_a_packet() -> None:
    """What was complete is received, what was cut off is not, and the session goes on over the next connection."""
    with ScriptedBroker() as broker:
        session, line = broker.open()
        line.send(b"\x30\x05\x00\x01t\x00x" + b"\x30\x7f\x00\x01t\x00half")
        assert take(session, 1) == [b"x"]
        line.close()
        broker.accept().send(b"\x30\x05\x00\x01t\x00y")
        assert take(session, 1) == [b"y"]


def test_a_repeated_qos_2_message_is_not_received_twice() -> None:
    """The same number again before PUBREL is answered with PUBREC, and delivered once."""
    with ScriptedBroker() as broker:
        session, line = broker.open()
        line.send(b"\x34\x07\x00\x01t\x00\x09\x00x" * 2 + b"\x3c\x07\x00\x01t\x00\x09\x00x")
        assert take(session, 1) == [b"x"]
        assert line.packets(3) == [b"\x50\x02\x00\x09"] * 3
        assert session.receive_block(limit=1, timeout_s=0).number == 0
        line.send(b"\x62\x02\x00\x09")
        line.send(b"\x62\x02\x00\x0a")  # of a message that we do not know: the broker shall forget it
        assert line.packet() == b"\x70\x02\x00\x0a"


def test_acknowledgements_go_out_in_one_write_and_in_order() -> None:
    """The first of a block, as many as asked, and the rest later."""
    with ScriptedBroker() as broker:
        session, line = broker.open()
        line.send(b"".join(b"\x32\x07\x00\x01t" + bytes([0, mid]) + b"\x00x" for mid in (5, 3, 9)))
        until(lambda: session._inbox._messages == 3, deadline_s=DEADLINE_S, what="three messages")
        arrivals = session.receive_block(limit=3, timeout_s=DEADLINE_S)
        session.acknowledge_block(arrivals, 2)
        assert line.packets(2) == [puback(5), puback(3)]
        session.acknowledge_block(arrivals, 3)
        assert line.packet() == puback(9)
        assert session.counters() == {"repeated_acks": 2}


def test_a_silent_broker_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an answer to a ping within the keep-alive the session connects again."""
    monkeypatch.setattr("brokers.line.TURN_S", 0.05)
    with ScriptedBroker() as broker:
        broker.will_answer(properties=b"\x13\x00\x01")  # Server Keep Alive: 1 s
        session, line = broker.open()
        begun = time.monotonic()
        assert line.is_ended()
        assert 1 < time.monotonic() - begun < 5
        assert "no answer to a ping" in (session.trouble() or "")


def test_a_broker_with_a_lower_qos() -> None:
    """What the broker cannot take is refused here, as sending it would end the connection."""
    with ScriptedBroker() as broker:
        broker.will_answer(properties=b"\x24\x01")  # Maximum QoS: 1
        session, _ = broker.open()
        with pytest.raises(Exception, match="takes QoS 1 at most, not 2"):
            session.publish_packets(block(b"a", qos=2), qos=2, timeout_s=0)


def test_packets_too_large_for_the_broker() -> None:
    """They are settled as refused and never sent; those before and behind them go out."""
    with ScriptedBroker() as broker:
        broker.will_answer(properties=b"\x27\x00\x00\x00\x40")  # Maximum Packet Size: 64
        session, line = broker.open()
        payloads = (b"a", bytes(100), b"b", bytes(200))
        assert session.publish_packets(block(*payloads), qos=1, timeout_s=DEADLINE_S) == 4
        sent = [parts(one) for one in line.packets(2)]
        assert [payload for _, _, payload in sent] == [b"a", b"b"]
        line.send(puback(*(mid for _, mid, _ in sent)))
        tags, refused = settle(session, 4)
        assert (tags, {tag: (why or "")[:16] for tag, why in refused.items()}) == (
            [0, 2],
            {1: "Packet too large", 3: "Packet too large"},
        )


def test_a_straggler_keeps_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """One message that stays unacknowledged while hundreds pass it: no number is given twice, and order stands."""
    monkeypatch.setattr("brokers.outbox.LEAST_SLIPS", 8)
    with ScriptedBroker() as broker:
        session, line = broker.open(window=4)
        session.publish_packets(block(b"straggler"), qos=1, timeout_s=DEADLINE_S)
        kept = parts(line.packet())[1]
        for number in range(300):
            session.publish_packets(block(b"%d" % number), qos=1, timeout_s=DEADLINE_S)
            _, mid, payload = parts(line.packet())
            assert (mid != kept, payload) == (True, b"%d" % number)
            line.send(puback(mid))
        assert settle(session, 300)[0] == list(range(1, 301))
        line.send(puback(kept))
        assert settle(session, 1)[0] == [0]


def test_the_packets_of_the_caller_stay_as_they_are() -> None:
    """A session numbers a copy: the same block can be published again."""
    with ScriptedBroker() as broker:
        session, line = broker.open()
        packets = block(b"a", b"b")
        before = packets.data.copy()
        for _ in range(2):
            session.publish_packets(packets, qos=1, timeout_s=DEADLINE_S)
        assert np.array_equal(packets.data, before)
        assert len({parts(one)[1] for one in line.packets(4)}) == 4


@pytest.mark.parametrize("qos", [0, 1])
def test_packets_of_another_qos_than_said(qos: int) -> None:
    """Packets without identifiers are of QoS 0, all others are not."""
    with ScriptedBroker() as broker:
        session, _ = broker.open()
        with pytest.raises(ValueError, match=f"qos\\(={qos}\\)"):
            session.publish_packets(block(b"a", qos=1 - qos), qos=qos, timeout_s=0)


def test_a_line_between_threads() -> None:
    """One thread that waits for messages does not keep another from publishing, nor the first from receiving."""
    with ScriptedBroker() as broker:
        session, line = broker.open()
        found: list[bytes] = []

        def echo(line: ScriptedLine) -> None:
            for _ in range(50):
                (_, mid, payload) = parts(line.packet())
                line.send(puback(mid) + b"\x30" + bytes([4 + len(payload)]) + b"\x00\x01t\x00" + payload)

        threads = [in_thread(lambda: echo(line)), in_thread(lambda: found.extend(take(session, 50)))]
        begun = time.monotonic()
        for number in range(50):
            assert session.publish_packets(block(b"%d" % number), qos=1, timeout_s=DEADLINE_S) == 1
        for thread in threads:
            thread.join(DEADLINE_S)
        assert found == [b"%d" % number for number in range(50)]
        assert time.monotonic() - begun < 10
