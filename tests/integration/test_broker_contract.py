"""What every broker and its sessions promise, asked of each kind: embedded, our mosquitto, someone's, memory."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from servers import HOST, Mosquitto, free_ports, until

from brokers import (
    Broker,
    BrokerError,
    Delivery,
    EmbeddedBroker,
    Endpoint,
    ExternalBroker,
    ManagedMosquitto,
    MemoryBroker,
    Outgoing,
    Session,
)
from brokers.blocks import Arrivals, Packets, merged
from brokers.frames import packed
from brokers.mosquitto import find_mosquitto

DEADLINE_S = 20.0
KINDS = ["embedded", "managed", "external", "external 3.1.1", "websocket", "tls", "memory"]
names = (f"client-{os.getpid()}-{number}" for number in count())


@dataclass
class Case:
    """A running broker of one kind, and how to break a connection to it."""

    kind: str
    broker: Broker
    cut: Callable[[Session], None]
    sessions: list[Session]

    def connect(self, *, name: str = "", window: int = 100, keep: bool = False) -> Session:
        """Open a session that ends with the test."""
        session = self.broker.connect(name or next(names), window=window, keep_session=keep)
        self.sessions.append(session)
        return session

    def cannot(self, kinds: set[str], reason: str) -> None:
        """Skip for the kinds that cannot, saying why."""
        if self.kind in kinds:
            pytest.skip(f"{self.kind}: {reason}")


def shut_down(session: Session) -> None:
    """Break the TCP connection under a session, as a network would."""
    with socket.socket(fileno=os.dup(session._line._connection._transport.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def brokers_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Broker]]:
    """Brokers that are up already, by kind."""
    opened: dict[str, Broker] = {}
    yield opened
    for broker in opened.values():
        broker.__exit__(None, None, None)


@pytest.fixture(scope="module")
def listeners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A mosquitto that is not ours: its addresses by kind."""
    folder = tmp_path_factory.mktemp("external")
    websocket, tls = free_ports(2)
    # With its default of 1000 queued messages it drops some of them without a word while these tests fetch none.
    listener = f"{websocket} {HOST}\nprotocol websockets"
    certificate = certify(folder)
    if certificate is not None:
        listener += f"\nlistener {tls} {HOST}\ncertfile {certificate}\nkeyfile {certificate}"
    with Mosquitto(folder / "server", settings={"max_queued_messages": 0, "listener": listener}) as server:
        addresses = {
            "external": f"mqtt://{HOST}:{server.port}",
            "external 3.1.1": f"mqtt://{HOST}:{server.port}?version=3.1.1",
            "websocket": f"ws://{HOST}:{websocket}/mqtt",
        }
        if certificate is not None:
            addresses["tls"] = f"mqtts://{HOST}:{tls}?ca_file={certificate}"
        yield addresses


def certify(folder: Path) -> Path | None:
    """Make a certificate for 127.0.0.1 that signs itself, with its key in the same file; None without openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return None
    file = folder / "certificate.pem"
    command = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=park -addext subjectAltName=IP:{HOST}"
    key = folder / "key.pem"
    subprocess.run([openssl, *command.split(), "-keyout", str(key), "-out", str(file)], check=True, capture_output=True)
    with file.open("a") as both:
        both.write(key.read_text())
    return file


@pytest.fixture(params=KINDS)
def case(request: pytest.FixtureRequest, brokers_of_module: dict[str, Broker]) -> Iterator[Case]:
    """Each kind of broker in turn."""
    kind = request.param
    if kind not in {"embedded", "memory"} and find_mosquitto() is None and os.environ.get("CI") != "true":
        pytest.skip("mosquitto is not installed: apt-get install mosquitto, or make servers")
    if kind not in brokers_of_module:
        if kind == "embedded":
            broker: Broker = EmbeddedBroker()
        elif kind == "managed":
            broker = ManagedMosquitto()
        elif kind == "memory":
            broker = MemoryBroker()
        else:
            addresses = request.getfixturevalue("listeners")
            if kind not in addresses and os.environ.get("CI") != "true":
                pytest.skip("openssl is not installed")
            broker = ExternalBroker(Endpoint.parse(addresses[kind]))
        brokers_of_module[kind] = broker.__enter__()
    broker = brokers_of_module[kind]
    cut = (lambda _: broker.drop_connections()) if isinstance(broker, MemoryBroker) else shut_down
    made = Case(kind, broker, cut, [])
    yield made
    for session in made.sessions:
        session.close(timeout_s=1)


def letters(topic: str, number: int) -> list[Outgoing]:
    return [Outgoing(topic, str(tag).encode(), tag) for tag in range(number)]


def publish_all(session: Session, messages: list[Outgoing], *, qos: int) -> None:
    """Publish everything and wait until it is acknowledged, none refused."""
    assert session.publish(messages, qos=qos, timeout_s=DEADLINE_S) == len(messages)
    acknowledged: list[tuple[int, str | None]] = []

    def is_done() -> bool:
        acknowledged.extend((ack.tag, ack.refused) for ack in session.acknowledgements())
        return len(acknowledged) >= len(messages)

    until(is_done, deadline_s=DEADLINE_S, what=f"{len(messages)} acknowledgements")
    assert sorted(acknowledged) == sorted((message.tag, None) for message in messages)


def take(session: Session, number: int) -> list[Delivery]:
    """Receive that many, acknowledging none."""
    taken: list[Delivery] = []

    def is_done() -> bool:
        taken.extend(session.receive(limit=number - len(taken), timeout_s=0.2))
        return len(taken) >= number

    until(is_done, deadline_s=DEADLINE_S, what=f"{number} messages")
    return taken


def take_and_acknowledge(session: Session, number: int) -> list[bytes]:
    """Receive that many, acknowledging each; return the payloads."""
    payloads: list[bytes] = []

    def is_done() -> bool:
        part = session.receive(limit=number - len(payloads), timeout_s=0.2)
        session.acknowledge(part)
        payloads.extend(delivery.payload for delivery in part)
        return len(payloads) >= number

    until(is_done, deadline_s=DEADLINE_S, what=f"{number} messages")
    return payloads


def reconnected(session: Session) -> bool:
    return session.is_connected() and session.counters().get("reconnects", 0) >= 1


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_message_arrives_as_it_was_sent(case: Case, qos: int) -> None:
    """Topic, payload and QoS reach the subscriber, and the publisher learns that the broker took the message."""
    subscriber, publisher = case.connect(), case.connect()
    subscriber.subscribe("arrives/here", qos=qos)
    publish_all(publisher, [Outgoing("arrives/here", b"\x00\xffpayload", 7)], qos=qos)
    (delivery,) = take(subscriber, 1)
    assert (delivery.topic, delivery.payload, delivery.qos) == ("arrives/here", b"\x00\xffpayload", qos)


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_keep_their_order(case: Case, qos: int) -> None:
    """A thousand messages through a window of 50 arrive in the order in which they were published."""
    subscriber, publisher = case.connect(window=1000), case.connect(window=50)
    subscriber.subscribe("order", qos=qos)
    publish_all(publisher, letters("order", 1000), qos=qos)
    assert take_and_acknowledge(subscriber, 1000) == [str(n).encode() for n in range(1000)]


def test_the_window_bounds_what_is_in_flight(case: Case) -> None:
    """Never more than the window is unacknowledged, however much is to be published."""
    publisher = case.connect(window=10)
    most, messages = 0, letters("window", 500)

    def is_done() -> bool:
        nonlocal most
        taken = publisher.publish(messages, qos=1, timeout_s=0)
        del messages[:taken]
        most = max(most, publisher.in_flight())
        return not messages

    until(is_done, deadline_s=DEADLINE_S, what="500 messages to be taken")
    assert most <= 10


def test_no_more_than_the_window_comes_unacknowledged(case: Case) -> None:
    """A subscriber that acknowledges nothing gets its window and no more, then the rest as it acknowledges."""
    case.cannot({"embedded"}, "amqtt sends without a bound")
    case.cannot({"external 3.1.1"}, "in MQTT 3.1.1 the broker alone decides about the window")
    subscriber, publisher = case.connect(window=10), case.connect()
    subscriber.subscribe("slow", qos=1)
    publish_all(publisher, letters("slow", 50), qos=1)
    first = take(subscriber, 10)
    assert subscriber.receive(limit=100, timeout_s=0.3) == []
    subscriber.acknowledge(first)
    assert take_and_acknowledge(subscriber, 40) == [str(n).encode() for n in range(10, 50)]


def test_unacknowledged_messages_come_again(case: Case) -> None:
    """After a reconnect a kept session gets again, in order, what it had received and not acknowledged."""
    case.cannot({"embedded"}, "amqtt forgets what was not acknowledged when the connection breaks")
    subscriber, publisher = case.connect(window=20, keep=True), case.connect()
    subscriber.subscribe("again", qos=1)
    publish_all(publisher, letters("again", 20), qos=1)
    before = take(subscriber, 20)
    subscriber.acknowledge(before[:5])
    publish_all(publisher, [Outgoing("again", b"last", 0)], qos=1)
    take(subscriber, 1)  # the window was full: the broker has our acknowledgements
    case.cut(subscriber)
    after = take(subscriber, 16)
    assert [d.payload for d in after] == [d.payload for d in before[5:]] + [b"last"]
    assert {d.epoch for d in after} == {before[0].epoch + 1}


def test_an_acknowledgement_of_an_older_connection_is_dropped(case: Case) -> None:
    """Acknowledging over a new connection what came over the old one does nothing, and is counted."""
    case.cannot({"embedded"}, "amqtt forgets what was not acknowledged when the connection breaks")
    subscriber, publisher = case.connect(keep=True), case.connect()
    subscriber.subscribe("stale", qos=1)
    publish_all(publisher, letters("stale", 3), qos=1)
    old = take(subscriber, 3)
    case.cut(subscriber)
    new = take(subscriber, 3)
    subscriber.acknowledge(old)
    until(lambda: subscriber.counters().get("stale_acks") == 3, deadline_s=DEADLINE_S, what="three stale acks")
    case.cut(subscriber)
    assert [d.payload for d in take(subscriber, 3)] == [d.payload for d in new]


def test_qos_2_comes_once_and_gives_its_place_free(case: Case) -> None:
    """QoS 2 messages that were received when the connection broke do not come again, nor hold up the next ones."""
    case.cannot({"embedded"}, "amqtt does not go on with QoS 2 messages of a broken connection")
    subscriber, publisher = case.connect(window=20, keep=True), case.connect()
    subscriber.subscribe("once", qos=2)
    publish_all(publisher, letters("once", 20), qos=2)
    assert len(take(subscriber, 20)) == 20
    case.cut(subscriber)
    publish_all(publisher, letters("once", 20), qos=2)
    assert [d.payload for d in take(subscriber, 20)] == [message.payload for message in letters("once", 20)]


def test_a_second_acknowledgement_is_dropped(case: Case) -> None:
    """Acknowledging twice does nothing the second time, as the number may belong to another message by then."""
    subscriber, publisher = case.connect(), case.connect()
    subscriber.subscribe("twice", qos=1)
    publish_all(publisher, letters("twice", 1), qos=1)
    received = take(subscriber, 1)
    subscriber.acknowledge(received + received)
    until(lambda: subscriber.counters().get("repeated_acks") == 1, deadline_s=DEADLINE_S, what="one repeated ack")


@pytest.mark.parametrize("qos", [1, 2])
def test_what_is_published_around_a_broken_connection_arrives(case: Case, qos: int) -> None:
    """Messages in flight when the connection breaks, and those published before it is back, all arrive."""
    if qos == 2:
        case.cannot({"embedded"}, "amqtt does not go on with QoS 2 messages of a broken connection")
    subscriber, publisher = case.connect(), case.connect(keep=True)
    subscriber.subscribe("broken", qos=qos)
    messages = letters("broken", 300)
    publisher.publish(messages[:100], qos=qos, timeout_s=DEADLINE_S)
    case.cut(publisher)
    publisher.publish(messages[100:], qos=qos, timeout_s=DEADLINE_S)
    until(lambda: not publisher.in_flight(), deadline_s=DEADLINE_S, what="everything to be acknowledged")
    assert len(publisher.acknowledgements()) == 300
    wanted = {message.payload for message in messages}
    seen: set[bytes] = set()

    def is_complete() -> bool:
        part = subscriber.receive(limit=1000, timeout_s=0.2)
        subscriber.acknowledge(part)
        seen.update(delivery.payload for delivery in part)
        return seen == wanted

    until(is_complete, deadline_s=DEADLINE_S, what="all 300 messages")


def test_subscriptions_come_back_with_the_connection(case: Case) -> None:
    """A session that is not kept subscribes again by itself after a reconnect."""
    subscriber, publisher = case.connect(), case.connect()
    subscriber.subscribe("back", qos=1)
    case.cut(subscriber)
    until(lambda: reconnected(subscriber), deadline_s=DEADLINE_S, what="a reconnect")
    assert subscriber.trouble() is None
    subscriber.subscribe("back/too", qos=1)  # granted after the older one, as SUBACKs keep the order
    publish_all(publisher, letters("back", 1), qos=1)
    assert [d.topic for d in take(subscriber, 1)] == ["back"]


def test_many_subscriptions_at_once(case: Case) -> None:
    """A hundred topics are granted in one call, and each letter comes once; those that nobody asked for do not."""
    subscriber, publisher = case.connect(window=1000), case.connect(window=1000)
    topics = [f"many/{n}" for n in range(101)]
    subscriber.subscribe(*topics[:100], qos=1)
    letters_to_all = [Outgoing(topic, topic.encode(), tag) for tag, topic in enumerate(reversed(topics))]
    publish_all(publisher, letters_to_all, qos=1)
    assert take_and_acknowledge(subscriber, 100) == [topic.encode() for topic in reversed(topics[:100])]
    assert subscriber.receive(limit=10, timeout_s=0) == []


def test_one_refused_subscription_among_several_is_named(case: Case) -> None:
    """Whoever asks for many at once learns which of them cannot be."""
    with pytest.raises(BrokerError, match="b/#/c"):
        case.connect().subscribe("a/#", "b/#/c", "d/#", qos=1)


def test_a_kept_session_gets_what_came_while_it_was_away(case: Case) -> None:
    """Under its old name a session finds its subscription, and the messages published in the meantime."""
    name = next(names)
    first = case.connect(name=name, keep=True)
    first.subscribe("away", qos=1)
    first.close()
    publish_all(case.connect(), letters("away", 5), qos=1)
    assert take_and_acknowledge(case.connect(name=name, keep=True), 5) == [b"0", b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("w/+/z", {"w/a/z", "w//z"}), ("w/#", {"w", "w/a", "w/a/z", "w//z"}), ("+/a", {"w/a"}), ("w/a", {"w/a"})],
)
def test_wildcards(case: Case, pattern: str, expected: set[str]) -> None:
    """A plus stands for one level, a hash for this one and all below."""
    subscriber, publisher = case.connect(), case.connect()
    subscriber.subscribe(pattern, qos=1)
    subscriber.subscribe("w-end", qos=1)
    topics = ["w", "w/a", "w/a/z", "w//z", "v/b", "w-end"]
    publish_all(publisher, [Outgoing(topic, b"", tag) for tag, topic in enumerate(topics)], qos=1)
    received = take(subscriber, len(expected) + 1)
    assert {delivery.topic for delivery in received} == expected | {"w-end"}


@pytest.mark.parametrize("size", [20_000, 1 << 20])
def test_a_large_payload(case: Case, size: int) -> None:
    """Twenty kilobytes, or a megabyte, arrive whole."""
    if size > 20_000:
        case.cannot({"websocket"}, "mosquitto 2.0.11 writes 4 kB per 100 ms to a WebSocket")
    subscriber, publisher = case.connect(), case.connect()
    subscriber.subscribe("large", qos=1)
    payload = (bytes(range(256)) * 4096)[:size]
    publish_all(publisher, [Outgoing("large", payload, 0)], qos=1)
    assert take_and_acknowledge(subscriber, 1) == [payload]


def test_a_topic_in_unicode(case: Case) -> None:
    """Vietnamese topics arrive as they are."""
    topic = "khu-công-nghiệp/Bình Dương/máy ép/🏭"
    subscriber, publisher = case.connect(), case.connect()
    subscriber.subscribe("khu-công-nghiệp/#", qos=1)
    publish_all(publisher, [Outgoing(topic, b"x", 0)], qos=1)
    assert [delivery.topic for delivery in take(subscriber, 1)] == [topic]


@pytest.mark.parametrize("topic", ["", "a/+/b", "a/#", "a\0b", "x" * 65_536])
def test_an_impossible_topic_is_refused_and_the_next_message_goes_on(case: Case, topic: str) -> None:
    """A message that MQTT cannot carry comes back refused with the reason; the session lives on."""
    publisher = case.connect()
    publisher.publish([Outgoing(topic, b"", 1), Outgoing("possible", b"", 2)], qos=1, timeout_s=DEADLINE_S)
    until(lambda: not publisher.in_flight(), deadline_s=DEADLINE_S, what="both to be settled")
    settled = {ack.tag: ack.refused for ack in publisher.acknowledgements()}
    assert (bool(settled[1]), settled[2]) == (True, None)
    assert publisher.counters() == {"refused": 1}


def test_an_impossible_subscription_is_refused(case: Case) -> None:
    """A pattern with a hash in the middle raises, and the session lives on."""
    session = case.connect()
    with pytest.raises(BrokerError, match="a/#/b"):
        session.subscribe("a/#/b", qos=1)
    session.subscribe("a/#", qos=1)


def test_close_flushes(case: Case) -> None:
    """What was handed over before close() is with the broker after it."""
    subscriber, publisher = case.connect(window=1000), case.connect(window=1000)
    subscriber.subscribe("flush", qos=1)
    publisher.publish(letters("flush", 1000), qos=1, timeout_s=DEADLINE_S)
    publisher.close(timeout_s=DEADLINE_S)
    assert (publisher.in_flight(), len(publisher.acknowledgements())) == (0, 1000)
    assert len(take_and_acknowledge(subscriber, 1000)) == 1000


def test_a_closed_session_stays_closed(case: Case) -> None:
    """Closing twice is closing once; whoever publishes or subscribes then is told so."""
    session = case.connect()
    session.close()
    session.close()
    assert not session.is_connected()
    with pytest.raises(BrokerError, match="closed"):
        session.publish(letters("late", 1), qos=0, timeout_s=0)
    with pytest.raises(BrokerError, match="closed"):
        session.subscribe("late", qos=0)


def test_receive_waits_no_longer_than_asked(case: Case) -> None:
    """With nothing to receive there is an empty list after the timeout."""
    assert case.connect().receive(limit=10, timeout_s=0.01) == []


def block(session: Session, topic: str, number: int, *, qos: int, first: int = 0) -> Packets:
    """Packets whose payloads are numbers."""
    messages = [Outgoing(topic, b"%d" % n, 0) for n in range(first, first + number)]
    return packed(messages, qos=qos, version=session.version)


def settle(session: Session, number: int) -> list[int]:
    """Wait for that many to be settled, none refused; return their tags."""
    tags: list[int] = []

    def is_done() -> bool:
        ends = session.settled()
        assert ends.refused == []
        assert len(ends.tag) == len(ends.at_ns)
        tags.extend(ends.tag.tolist())
        return len(tags) >= number

    until(is_done, deadline_s=DEADLINE_S, what=f"{number} messages to be settled")
    return tags


def take_block(session: Session, number: int, *, acknowledge: bool = False) -> Arrivals:
    """Receive that many as one block."""
    blocks: list[Arrivals] = []

    def is_done() -> bool:
        part = session.receive_block(limit=number - sum(one.number for one in blocks), timeout_s=0.2)
        blocks.append(part)
        if acknowledge:
            session.acknowledge_block(part, part.number)
        return sum(one.number for one in blocks) >= number

    until(is_done, deadline_s=DEADLINE_S, what=f"{number} messages")
    return merged(blocks)


def payloads(arrivals: Arrivals) -> list[bytes]:
    return [arrivals.payload(row) for row in range(arrivals.number)]


def numbers(first: int, last: int) -> list[bytes]:
    return [b"%d" % n for n in range(first, last)]


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_blocks_arrive_as_they_were_sent(case: Case, qos: int) -> None:
    """A thousand packets through a window of 50 are settled under running numbers, and arrive in order, as columns."""
    subscriber, publisher = case.connect(window=1000), case.connect(window=50)
    subscriber.subscribe("block/#", qos=qos)
    packets = block(publisher, "block/máy", 1000, qos=qos)
    before = packets.data.copy()
    assert publisher.publish_packets(packets, qos=qos, timeout_s=DEADLINE_S) == 1000
    assert sorted(settle(publisher, 1000)) == list(range(1000))
    arrivals = take_block(subscriber, 1000, acknowledge=True)
    assert payloads(arrivals) == numbers(0, 1000)
    assert {arrivals.topic(row) for row in range(1000)} == {"block/máy".encode()}
    assert set(arrivals.qos.tolist()) == {qos}
    assert (arrivals.mid > 0).all() == (qos > 0)
    assert np.array_equal(packets.data, before)


def test_the_window_bounds_blocks_too(case: Case) -> None:
    """Of a block no more than the window is taken at once, and the rest as acknowledgements come."""
    publisher = case.connect(window=10)
    packets, taken, most = block(publisher, "window", 500, qos=1), 0, 0

    def is_done() -> bool:
        nonlocal taken, most
        taken += publisher.publish_packets(packets.part(taken, 500), qos=1, timeout_s=0)
        most = max(most, publisher.in_flight())
        return taken == 500

    until(is_done, deadline_s=DEADLINE_S, what="500 packets to be taken")
    assert most <= 10
    assert settle(publisher, 500) == list(range(500))


def test_a_block_is_received_in_parts(case: Case) -> None:
    """A limit cuts a block, and nothing of it is lost or doubled."""
    subscriber, publisher = case.connect(), case.connect()
    subscriber.subscribe("parts", qos=0)
    publisher.publish_packets(block(publisher, "parts", 100, qos=0), qos=0, timeout_s=DEADLINE_S)
    sizes = [take_block(subscriber, number) for number in (1, 7, 92)]
    assert [one.number for one in sizes] == [1, 7, 92]
    assert payloads(merged(sizes)) == numbers(0, 100)


def test_only_the_first_of_a_block_are_acknowledged(case: Case) -> None:
    """What lies behind the count comes again after a reconnect, under a new epoch, in order."""
    case.cannot({"embedded"}, "amqtt forgets what was not acknowledged when the connection breaks")
    subscriber, publisher = case.connect(keep=True), case.connect()
    subscriber.subscribe("first", qos=1)
    publisher.publish_packets(block(publisher, "first", 20, qos=1), qos=1, timeout_s=DEADLINE_S)
    before = take_block(subscriber, 20)
    subscriber.acknowledge_block(before, 5)
    publisher.publish_packets(block(publisher, "first", 1, qos=1, first=20), qos=1, timeout_s=DEADLINE_S)
    take_block(subscriber, 1)
    # what the broker answers to this it has read behind our acknowledgements
    subscriber.publish_packets(block(subscriber, "behind", 1, qos=1), qos=1, timeout_s=DEADLINE_S)
    settle(subscriber, 1)
    case.cut(subscriber)
    after = take_block(subscriber, 16)
    assert payloads(after) == numbers(5, 21)
    assert set(after.epoch.tolist()) == {int(before.epoch[0]) + 1}
    subscriber.acknowledge_block(before, 20)
    until(lambda: subscriber.counters().get("stale_acks") == 20, deadline_s=DEADLINE_S, what="twenty stale acks")


@pytest.mark.parametrize("qos", [1, 2])
def test_blocks_published_around_a_broken_connection_arrive(case: Case, qos: int) -> None:
    """Packets in flight when the connection breaks, and those published before it is back, all arrive."""
    if qos == 2:
        case.cannot({"embedded"}, "amqtt does not go on with QoS 2 messages of a broken connection")
    subscriber, publisher = case.connect(window=1000), case.connect(keep=True)
    subscriber.subscribe("around", qos=qos)
    packets = block(publisher, "around", 300, qos=qos)
    taken = publisher.publish_packets(packets.part(0, 100), qos=qos, timeout_s=DEADLINE_S)
    case.cut(publisher)
    taken += publisher.publish_packets(packets.part(100, 300), qos=qos, timeout_s=DEADLINE_S)
    assert (taken, sorted(settle(publisher, 300))) == (300, list(range(300)))
    seen: list[bytes] = []

    def is_complete() -> bool:
        part = subscriber.receive_block(limit=1000, timeout_s=0.2)
        subscriber.acknowledge_block(part, part.number)
        seen.extend(payloads(part))
        return set(seen) == set(numbers(0, 300))

    until(is_complete, deadline_s=DEADLINE_S, what="all 300 messages")
    if qos == 2:
        assert len(seen) == 300


def test_messages_and_blocks_can_be_mixed(case: Case) -> None:
    """One by one or in blocks: the order stands, and the tags are running numbers where the caller gave none."""
    subscriber, publisher = case.connect(), case.connect()
    subscriber.subscribe("mixed", qos=1)
    publisher.publish([Outgoing("mixed", b"0", 77)], qos=1, timeout_s=DEADLINE_S)
    publisher.publish_packets(block(publisher, "mixed", 2, qos=1, first=1), qos=1, timeout_s=DEADLINE_S)
    publisher.publish([Outgoing("mixed", b"3", 78)], qos=1, timeout_s=DEADLINE_S)
    assert sorted(settle(publisher, 4)) == [1, 2, 77, 78]
    first = take(subscriber, 1)
    rest = take_block(subscriber, 3)
    subscriber.acknowledge(first)
    subscriber.acknowledge_block(rest, 3)
    assert [d.payload for d in first] + payloads(rest) == numbers(0, 4)


def test_an_empty_block(case: Case) -> None:
    """There is nothing to do for it, and nothing to wait for."""
    session = case.connect()
    assert session.publish_packets(block(session, "t", 0, qos=1), qos=1, timeout_s=DEADLINE_S) == 0
    nothing = session.receive_block(limit=10, timeout_s=0)
    session.acknowledge_block(nothing, 0)
    assert (nothing.number, len(session.settled().tag)) == (0, 0)


def test_blocks_of_a_closed_session(case: Case) -> None:
    """Whoever publishes a block on a closed session is told so."""
    session = case.connect()
    packets = block(session, "t", 1, qos=1)
    session.close()
    with pytest.raises(BrokerError, match="closed"):
        session.publish_packets(packets, qos=1, timeout_s=0)


def test_the_version_is_told(case: Case) -> None:
    """Packets differ between versions of MQTT, so a session says which one it speaks."""
    expected = 4 if case.kind in {"embedded", "external 3.1.1"} else 5
    assert expected == case.connect().version


@pytest.mark.parametrize("window", [0, 65_536])
def test_a_window_that_mqtt_cannot_number(case: Case, window: int) -> None:
    """A window outside 1..65535 is a mistake of the caller."""
    with pytest.raises(ValueError, match=f"window\\(={window}\\)"):
        case.connect(window=window)


def test_the_profile_is_a_sentence(case: Case) -> None:
    """Every broker says what it is and what it may lose."""
    assert case.broker.profile.endswith(".")
    assert any(word in case.broker.profile for word in ("lost", "loses", "unknown", "keeps nothing"))
