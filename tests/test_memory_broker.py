"""The broker in memory: what only a fake can do, under the control of the test."""

from __future__ import annotations

import threading

import pytest

from brokers import Acknowledgement, BrokerError, MemoryBroker, Outgoing, Session
from brokers.memory import matches


def letters(number: int) -> list[Outgoing]:
    return [Outgoing("t", str(tag).encode(), tag) for tag in range(number)]


def payloads(session: Session) -> list[bytes]:
    return [delivery.payload for delivery in session.receive(limit=1000, timeout_s=0)]


def refusals(acknowledgements: list[Acknowledgement]) -> dict[int, str | None]:
    return {ack.tag: ack.refused for ack in acknowledgements}


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/", True),
        ("a/+", "a", False),
        ("+/+", "/b", True),
        ("a/#", "a", True),
        ("a/#", "ab", False),
        ("#", "a/b/c", True),
        ("#", "$SYS/uptime", False),
        ("+/uptime", "$SYS/uptime", False),
        ("$SYS/#", "$SYS/uptime", True),
    ],
)
def test_patterns(pattern: str, topic: str, expected: bool) -> None:  # noqa: FBT001  # a table of cases
    """Wildcards match as section 4.7 of the MQTT specification has it."""
    assert expected is matches(pattern, topic)


def test_held_messages_stay_in_flight() -> None:
    """While the broker holds, a window of messages is in flight and nobody sees them; then all arrive in order."""
    with MemoryBroker() as broker:
        subscriber, publisher = broker.connect("s", window=10), broker.connect("p", window=3)
        subscriber.subscribe("t", qos=1)
        broker.hold()
        taken = publisher.publish(letters(5), qos=1, timeout_s=0)
        assert (taken, publisher.in_flight(), publisher.acknowledgements(), payloads(subscriber)) == (3, 3, [], [])
        broker.release()
        assert (publisher.in_flight(), payloads(subscriber)) == (0, [b"0", b"1", b"2"])


def test_publish_waits_for_room() -> None:
    """A publisher with a full window goes on as soon as another thread lets the broker answer."""
    with MemoryBroker() as broker:
        publisher = broker.connect("p", window=3)
        broker.hold()
        threading.Timer(0.05, broker.release).start()
        assert publisher.publish(letters(5), qos=1, timeout_s=30) == 5


def test_a_refused_topic() -> None:
    """A refused topic is told in the acknowledgement, counted, and delivered to nobody."""
    with MemoryBroker() as broker:
        broker.refuse("secret")
        session = broker.connect("p", window=10)
        session.subscribe("#", qos=1)
        session.publish([Outgoing("secret", b"a", 1), Outgoing("open", b"b", 2)], qos=1, timeout_s=0)
        assert refusals(session.acknowledgements()) == {1: "Not authorized", 2: None}
        assert (payloads(session), session.counters()) == ([b"b"], {"refused": 1})
        with pytest.raises(BrokerError, match="Not authorized"):
            session.subscribe("secret", qos=0)


def test_while_connections_are_down() -> None:
    """Nobody can connect, a kept session misses nothing of QoS 1, and what was published meanwhile goes out after."""
    with MemoryBroker() as broker:
        subscriber, publisher = broker.connect("s", window=10, keep_session=True), broker.connect("p", window=10)
        subscriber.subscribe("t", qos=1)
        broker.drop_connections(stay_down=True)
        assert publisher.publish(letters(2), qos=1, timeout_s=0) == 2
        assert (subscriber.is_connected(), publisher.acknowledgements(), payloads(subscriber)) == (False, [], [])
        assert subscriber.trouble() is not None
        with pytest.raises(BrokerError, match="nobody listens"):
            broker.connect("new", window=1)
        broker.let_back()
        assert (payloads(subscriber), len(publisher.acknowledgements())) == ([b"0", b"1"], 2)
        assert (subscriber.counters(), subscriber.trouble()) == ({"reconnects": 1}, None)


def test_qos_2_comes_once() -> None:
    """A QoS 2 message that was handed over before the connection broke does not come again; a QoS 1 message does."""
    with MemoryBroker() as broker:
        session = broker.connect("s", window=10, keep_session=True)
        session.subscribe("t", qos=2)
        session.publish([Outgoing("t", b"two", 0)], qos=2, timeout_s=0)
        session.publish([Outgoing("t", b"one", 0)], qos=1, timeout_s=0)
        assert payloads(session) == [b"two", b"one"]
        broker.drop_connections()
        assert payloads(session) == [b"one"]


def test_qos_is_the_lower_of_both() -> None:
    """A message comes with the QoS of the subscription or of the publisher, whichever is lower."""
    with MemoryBroker() as broker:
        session = broker.connect("s", window=10)
        session.subscribe("t", qos=1)
        for qos in (0, 1, 2):
            session.publish(letters(1), qos=qos, timeout_s=0)
        assert [delivery.qos for delivery in session.receive(limit=10, timeout_s=0)] == [0, 1, 1]


def test_overlapping_subscriptions_deliver_once() -> None:
    """A topic under two patterns of a session comes once, with the better QoS."""
    with MemoryBroker() as broker:
        session = broker.connect("s", window=10)
        session.subscribe("t", qos=0)
        session.subscribe("#", qos=1)
        session.publish(letters(1), qos=1, timeout_s=0)
        assert [delivery.qos for delivery in session.receive(limit=10, timeout_s=0)] == [1]


def test_the_queue_of_a_client_is_bounded() -> None:
    """What exceeds the queue of a client that is away is dropped and counted."""
    with MemoryBroker(max_queued=2) as broker:
        away = broker.connect("s", window=10, keep_session=True)
        away.subscribe("t", qos=1)
        away.close()
        broker.connect("p", window=10).publish(letters(5), qos=1, timeout_s=0)
        assert broker.counters == {"queue_overflow": 3}
        assert payloads(broker.connect("s", window=10, keep_session=True)) == [b"0", b"1"]


def test_a_name_is_taken_over() -> None:
    """A second client of the same name ends the connection of the first."""
    with MemoryBroker() as broker:
        first, second = broker.connect("s", window=1), broker.connect("s", window=1)
        assert (first.is_connected(), second.is_connected()) == (False, True)


def test_leaving_ends_the_sessions() -> None:
    """After the with statement no session is open."""
    with MemoryBroker() as broker:
        session = broker.connect("s", window=1)
    assert not session.is_connected()
