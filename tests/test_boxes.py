"""The two boxes of a session: what waits to go out and what has come in, both bounded."""

from __future__ import annotations

import threading
import time

from brokers import Acknowledgement, Delivery, Outgoing
from brokers.inbox import OVERHEAD, Inbox
from brokers.outbox import UNCLAIMED, Outbox


def incoming(number: int, *, qos: int, payload: bytes = b"") -> list[Delivery]:
    return [Delivery("t", payload, qos, 1, mid) for mid in range(number)]


def outgoing(number: int) -> list[Outgoing]:
    return [Outgoing("t", b"", tag) for tag in range(number)]


def acknowledged(number: int) -> list[Acknowledgement]:
    return [Acknowledgement(tag, None, 0) for tag in range(number)]


def test_a_full_inbox_drops_qos_0_and_says_how_many() -> None:
    """With no place left QoS 0 is dropped and counted; what is here already stays."""
    inbox = Inbox(max_messages=3, max_bytes=1 << 20)
    assert (inbox.put(incoming(5, qos=0)), inbox.is_full()) == (2, True)
    assert [delivery.mid for delivery in inbox.take(limit=10, timeout_s=0)] == [0, 1, 2]


def test_a_full_inbox_takes_qos_1() -> None:
    """What the broker would send again is kept; the full inbox only asks that nothing more be read."""
    inbox = Inbox(max_messages=3, max_bytes=1 << 20)
    assert (inbox.put(incoming(5, qos=1)), inbox.is_full()) == (0, True)
    assert len(inbox.take(limit=3, timeout_s=0)) == 3
    assert not inbox.is_full()


def test_an_inbox_is_bounded_by_bytes_too() -> None:
    """Large payloads fill it before it has many messages, and taking them makes room."""
    inbox = Inbox(max_messages=1000, max_bytes=2 * (1000 + 1 + OVERHEAD))
    assert (inbox.put(incoming(3, qos=0, payload=bytes(1000))), inbox.is_full()) == (1, True)
    inbox.take(limit=1, timeout_s=0)
    assert not inbox.is_full()


def test_take_waits_for_the_first() -> None:
    """Whoever waits gets a message as soon as there is one."""
    inbox = Inbox(max_messages=3, max_bytes=1 << 20)
    threading.Timer(0.02, inbox.put, [incoming(1, qos=1)]).start()
    assert len(inbox.take(limit=10, timeout_s=30)) == 1


def test_a_closed_inbox_makes_nobody_wait() -> None:
    """Closing ends every wait; what is in the box can be taken still."""
    inbox = Inbox(max_messages=3, max_bytes=1 << 20)
    inbox.put(incoming(1, qos=0))
    inbox.close()
    assert [len(inbox.take(limit=10, timeout_s=30)) for _ in range(2)] == [1, 0]


def test_the_outbox_takes_a_window() -> None:
    """No more than the window is taken until something is settled."""
    outbox = Outbox(3)
    assert outbox.post(outgoing(5), qos=1, until_s=0) == 3
    assert outbox.post(outgoing(5), qos=1, until_s=0) == 0
    outbox.settle(acknowledged(2))
    assert (outbox.post(outgoing(5), qos=1, until_s=0), outbox.in_flight()) == (2, 3)


def test_a_narrower_window_is_not_for_qos_0() -> None:
    """What the broker takes at once bounds QoS 1 and 2, which it must remember, and not QoS 0."""
    outbox = Outbox(10)
    outbox.narrow(3)
    outbox.narrow(20)
    assert outbox.post(outgoing(20), qos=1, until_s=0) == 3
    assert outbox.post(outgoing(20), qos=0, until_s=0) == 7


def test_what_is_put_back_goes_first() -> None:
    """Messages that could not be sent go out before those posted later, in their order."""
    outbox = Outbox(10)
    outbox.post(outgoing(4), qos=0, until_s=0)
    sent = list(outbox.collect())
    outbox.post([Outgoing("t", b"", 99)], qos=0, until_s=0)
    outbox.put_back(sent[2:])
    assert [message.tag for _, message in outbox.collect()] == [2, 3, 99]


def test_acknowledgements_that_nobody_fetches_stop_the_flow() -> None:
    """With too many acknowledgements unfetched nothing is taken; fetching them lets it flow again."""
    outbox = Outbox(UNCLAIMED)
    outbox.post(outgoing(UNCLAIMED), qos=0, until_s=0)
    outbox.settle(acknowledged(UNCLAIMED))
    assert outbox.post(outgoing(1), qos=0, until_s=0) == 0
    assert len(outbox.acknowledgements()) == UNCLAIMED
    assert outbox.post(outgoing(1), qos=0, until_s=0) == 1


def test_a_closed_outbox_makes_nobody_wait() -> None:
    """Closing ends every wait, for room as for the last acknowledgement."""
    outbox = Outbox(1)
    outbox.post(outgoing(1), qos=1, until_s=0)
    threading.Timer(0.02, outbox.close).start()
    assert outbox.post(outgoing(1), qos=1, until_s=time.monotonic() + 30) == 0
    outbox.wait_settled(time.monotonic() + 30)
    assert outbox.in_flight() == 1
