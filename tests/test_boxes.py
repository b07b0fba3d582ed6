"""The two boxes of a session: what waits to go out and what has come in, both bounded."""

from __future__ import annotations

import numpy as np

from brokers import Delivery, Outgoing
from brokers.blocks import Arrivals, Packets, arrived
from brokers.ends import UNCLAIMED
from brokers.frames import packed
from brokers.inbox import OVERHEAD, Inbox
from brokers.outbox import Outbox
from brokers.splitter import PUBACK, Answers


def incoming(number: int, *, qos: int, payload: bytes = b"") -> Arrivals:
    return arrived([Delivery("t", payload, qos, 1, mid) for mid in range(number)])


def outgoing(number: int, *, qos: int = 0) -> Packets:
    return packed([Outgoing("t", b"", 0)] * number, qos=qos, version=5)


def write_all(outbox: Outbox) -> list[int]:
    """Let everything that waits go out through a socket; return the numbers of the messages."""
    tags: list[int] = []
    while (piece := outbox.next_piece()) is not None:
        piece.written = len(piece.data)
        tags.extend(piece.tags.tolist())
        outbox.wrote(piece)
    return tags


def test_a_full_inbox_drops_qos_0_and_says_how_many() -> None:
    """With no place left QoS 0 is dropped and counted; what is here already stays."""
    inbox = Inbox(max_messages=3, max_bytes=1 << 20)
    assert (inbox.put(incoming(5, qos=0)), inbox.is_full()) == (2, True)
    assert inbox.take(limit=10).mid.tolist() == [0, 1, 2]


def test_a_full_inbox_takes_qos_1() -> None:
    """What the broker would send again is kept; the full inbox only asks that nothing more be read."""
    inbox = Inbox(max_messages=3, max_bytes=1 << 20)
    assert (inbox.put(incoming(5, qos=1)), inbox.is_full()) == (0, True)
    assert inbox.take(limit=3).mid.tolist() == [0, 1, 2]
    assert not inbox.is_full()
    assert inbox.take(limit=3).mid.tolist() == [3, 4]
    assert not inbox.has_arrivals()


def test_an_inbox_is_bounded_by_bytes_too() -> None:
    """Large payloads fill it before it has many messages, and taking them makes room."""
    inbox = Inbox(max_messages=1000, max_bytes=2 * (1000 + 1 + OVERHEAD))
    assert (inbox.put(incoming(3, qos=0, payload=bytes(1000))), inbox.is_full()) == (1, True)
    inbox.take(limit=1)
    assert not inbox.is_full()


def test_a_closed_inbox_still_gives_what_it_has() -> None:
    """Closing loses nothing that has come in."""
    inbox = Inbox(max_messages=3, max_bytes=1 << 20)
    inbox.put(incoming(1, qos=0))
    inbox.close()
    assert [inbox.take(limit=10).number for _ in range(2)] == [1, 0]


def test_only_qos_1_and_2_are_acknowledged() -> None:
    """Accepted messages of QoS 0 leave nothing to be said to the broker."""
    inbox = Inbox(max_messages=10, max_bytes=1 << 20)
    inbox.accept(incoming(2, qos=0))
    inbox.accept(incoming(3, qos=1))
    accepted = inbox.next_accepted()
    assert accepted is not None
    assert accepted.mid.tolist() == [0, 1, 2]
    assert inbox.next_accepted() is None


def test_the_outbox_takes_a_window() -> None:
    """No more than the window is taken until something is settled."""
    outbox = Outbox(3)
    assert outbox.post(outgoing(5, qos=1), qos=1) == 3
    assert outbox.post(outgoing(5, qos=1), qos=1) == 0
    piece = outbox.next_piece()
    assert piece is not None
    first = np.array([int.from_bytes(piece.data[5:7].tobytes(), "big")])
    outbox.hear(Answers(PUBACK, np.concatenate([first, first + 1]), None))
    assert (outbox.post(outgoing(5, qos=1), qos=1), outbox.in_flight()) == (2, 3)
    assert outbox.settled().tag.tolist() == [0, 1]


def test_a_narrower_window_is_not_for_qos_0() -> None:
    """What the broker takes at once bounds QoS 1 and 2, which it must remember, and not QoS 0."""
    outbox = Outbox(10)
    outbox.narrow(3)
    outbox.narrow(20)
    assert outbox.post(outgoing(20, qos=1), qos=1) == 3
    assert outbox.post(outgoing(20), qos=0) == 7


def test_what_was_half_written_goes_out_anew() -> None:
    """A packet that a lost connection cut goes out whole over the next one, before those posted later."""
    outbox = Outbox(10)
    outbox.post(outgoing(4), qos=0)
    piece = outbox.next_piece()
    assert piece is not None
    piece.written = int(piece.ends[1]) + 1
    outbox.wrote(piece)
    outbox.lose_connection(piece)
    outbox.post(outgoing(1), qos=0)
    assert write_all(outbox) == [2, 3, 4]
    assert sorted(outbox.settled().tag.tolist()) == [0, 1, 2, 3, 4]


def test_ends_that_nobody_fetches_stop_the_flow() -> None:
    """With too many ends unfetched nothing is taken; fetching them lets it flow again."""
    outbox = Outbox(50_000)
    for _ in range(UNCLAIMED // 50_000):
        assert outbox.post(outgoing(50_000), qos=0) == 50_000
        write_all(outbox)
    assert outbox.post(outgoing(1), qos=0) == 0
    assert len(outbox.settled().tag) == UNCLAIMED
    assert outbox.post(outgoing(1), qos=0) == 1


def test_a_closed_outbox_takes_nothing() -> None:
    """After closing there is no room; what was in flight stays so."""
    outbox = Outbox(10)
    outbox.post(outgoing(1, qos=1), qos=1)
    outbox.close()
    assert outbox.post(outgoing(1, qos=1), qos=1) == 0
    assert outbox.in_flight() == 1
