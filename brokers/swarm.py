"""Very many connections of one process: each device of a park talks to the broker itself.

Plain MQTT over TCP without TLS, for publishing with QoS 0 and 1: what a load test of a broker's connections needs.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from brokers.blocks import Packets, Settled, check_qos
from brokers.endpoint import Endpoint
from brokers.ends import Ends
from brokers.errors import AddressError, BrokerError, UnreachableError
from brokers.flock import UP, Flock
from brokers.limits import allow_files
from brokers.paho_client import Opener
from brokers.seat import Seat
from brokers.slots import Slots

__all__ = ["Swarm"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

TURN_S = 0.5
"""How often keep-alives are looked after when nothing happens."""


class Swarm:
    """One connection for each client id, all on one epoll loop; each comes back by itself when it breaks.

    As with a session, a caller who waits for something does the work, and a thread of the swarm's own when no caller
    does. Use it in a with statement. Raises LimitError when the system has no room for so many connections, and
    other BrokerErrors when the broker cannot be used at all.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        client_ids: Sequence[str],
        *,
        window: int = 20,
        keepalive_s: int = 60,
        spread_s: float = 0.0,
    ) -> None:
        """Look whether there is a broker, and room; connect() then connects.

        ``window`` bounds what is in flight on each connection. ``spread_s`` is over what time connections that were
        lost at once come back, each at random: a broker that restarts meets a storm if it is short.
        """
        if endpoint.tls or endpoint.websocket:
            what = "one connection for each device works over plain TCP only"
            raise AddressError(what, address=str(endpoint), advice="write mqtt://, or let gateways share connections")
        allow_files(len(client_ids), address=str(endpoint))
        opener = Opener(endpoint, f"{client_ids[0]}-check", window=window, keep_session=False)
        door = opener.open()
        door.transport.close()
        self._address = str(endpoint)
        self._version = opener.version
        self._max_packet = door.max_packet
        self._ends = Ends()
        self._taken = 0
        self._slots = Slots(len(client_ids), min(window, door.receive_maximum))
        self._bell, self._sleeper = socket.socketpair()
        self._bell.setblocking(False)
        self._sleeper.setblocking(False)
        self._flock = Flock(
            endpoint,
            client_ids,
            self._slots,
            self._ends,
            version=self._version,
            keepalive_s=keepalive_s,
            spread_s=spread_s,
            sleeper=self._sleeper,
        )
        self._stop = threading.Event()
        self._seat = Seat(self._ring)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="mqtt-swarm", daemon=True)
        self._thread.start()

    @property
    def version(self) -> int:
        """The version of MQTT that is spoken: 4 for 3.1.1, 5 for 5."""
        return self._version

    def connect(
        self, *, within_s: float = 0.0, timeout_s: float, goes_on: Callable[[int], bool] = lambda _: True
    ) -> None:
        """Connect all, each at a random time within the first ``within_s``; wait until all are up.

        ``goes_on`` is told how many are up, twice a second or more often, and ends the waiting when it says no.
        Raises LimitError when the system or the broker takes no more, UnreachableError when the time is over.
        """
        with self._work():
            self._flock.call_all(within_s)
        until_s = time.monotonic() + timeout_s
        while self.connected() < len(self._flock) and goes_on(self.connected()):
            left = until_s - time.monotonic()
            if left <= 0:
                what = f"only {self.connected():,} of {len(self._flock):,} connections are up after {timeout_s:g} s"
                raise UnreachableError(what, address=self._address, advice=self.trouble() or "allow more time")
            with self._work():
                self._flock.turn(min(left, TURN_S))
                self._flock.raise_if_hopeless()

    def connected(self) -> int:
        """How many connections are up at this moment."""
        return self._flock.up

    def is_up(self) -> Mask:
        """Say of each connection whether it is up, bool[connections]."""
        up: Mask = self._flock.state == UP
        return up

    def trouble(self) -> str | None:
        """Say why some connections are not up; None while all are."""
        return None if self.connected() == len(self._flock) else self._flock.trouble

    def counters(self) -> dict[str, int]:
        """Count what did not go the plain way since the start, by reason."""
        counters = dict(self._flock.counters)
        if self._ends.refusals:
            counters["refused"] = self._ends.refusals
        return counters

    def publish_packets(
        self, packets: Packets, device: Ints, *, qos: int, timeout_s: float, enough: int | None = None
    ) -> Mask:
        """Hand over packets, each on the connection ``device`` says, int64[M]; wait where windows are full.

        Return which were taken in time, bool[M]; those of one connection in order. Nothing is waited for once
        ``enough`` are taken, by default all. Taken packets are numbered from 0 over the life of the swarm, as they are
        taken: with ``enough`` of 1 in the order of the block, else those that had to wait behind the others. The
        number is the tag in settled(). With QoS 0 a connection takes packets only while it is up.
        """
        check_qos(packets, qos)
        if qos not in {0, 1}:
            message = f"qos(={qos}) must be 0 or 1 on a connection for each device"
            raise ValueError(message)
        until_s = time.monotonic() + timeout_s
        taken = np.zeros(packets.number, bool)
        rows = np.arange(packets.number)
        while True:
            with self._work():
                new = self._post(packets, device, rows, qos)
                taken[rows[new]] = True
                rows = rows[~new]
                is_done = not len(rows) or (enough is not None and packets.number - len(rows) >= enough)
                left = until_s - time.monotonic()
                self._flock.turn(0 if is_done else min(max(left, 0), TURN_S))
            if is_done or left <= 0:
                return taken

    def _post(self, packets: Packets, device: Ints, rows: Ints, qos: int) -> Mask:
        """Take those of the rows for which there is room; return which."""
        if self._ends.is_full() or not len(rows):
            return np.zeros(len(rows), bool)
        rank = _ranks(device[rows])
        free = self._slots.free(device[rows], rank) if qos else self._flock.is_free(device[rows])
        taken, rank = rows[free], rank[free]
        tags = np.arange(self._taken, self._taken + len(taken))
        self._taken += len(taken)
        fits = self._fitting(packets, taken, tags)
        if not fits.all():
            taken, tags = taken[fits], tags[fits]
            rank = _ranks(device[taken])
        if len(taken):
            order = np.argsort(device[taken], kind="stable")
            self._send(packets, taken[order], device[taken[order]], rank[order], tags=tags[order])
        return free

    def _fitting(self, packets: Packets, rows: Ints, tags: Ints) -> Mask:
        """Settle as refused what is longer than the broker takes; return what is not."""
        sizes = packets.start[rows + 1] - packets.start[rows]
        if self._max_packet is None:
            return np.ones(len(rows), bool)
        fits: Mask = sizes <= self._max_packet
        for place in np.flatnonzero(~fits).tolist():
            why = f"Packet too large: {sizes[place]} bytes, the broker takes {self._max_packet}"
            self._ends.refuse(int(tags[place]), why)
        return fits

    def _send(self, packets: Packets, rows: Ints, device: Ints, rank: Ints, *, tags: Ints) -> None:
        """Send packets that are sorted by device."""
        begin = packets.start[rows]
        sizes = packets.start[rows + 1] - begin
        start = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(sizes, out=start[1:])
        data = packets.data[np.repeat(begin - start[:-1], sizes) + np.arange(start[-1])]
        settles = None
        if packets.identifier is not None:
            slot = self._slots.give(device, rank)
            place = packets.identifier[rows] - begin + start[:-1]
            data[place], data[place + 1] = (slot + 1) >> 8, (slot + 1) & 0xFF
            sent = data.tobytes()
            self._slots.put(device, slot, tags, sent, start)
        else:
            sent = data.tobytes()
            settles = tags
        first = np.flatnonzero(np.append(True, device[1:] != device[:-1])[: len(rows)])
        self._flock.send(sent, device[first], start[np.append(first, len(rows))], first, settles)

    def settled(self) -> Settled:
        """Take what has been acknowledged or refused since the last call, as columns."""
        with self._work():
            if self.in_flight():
                self._flock.turn(0)
            return self._ends.take()

    def in_flight(self) -> int:
        """Messages handed over and not yet acknowledged, or with QoS 0 not yet written."""
        return self._slots.in_flight + self._flock.unwritten

    def storm(self, device: Ints, *, within_s: float) -> None:
        """Cut connections off without a word, as a power cut does; they come back at random within the time."""
        with self._work():
            self._flock.cut(device, within_s)

    def close(self) -> None:
        """Disconnect all, without waiting for what is in flight. Twice is once."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._seat.call()
        self._thread.join()
        self._flock.close()
        self._bell.close()
        self._sleeper.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _work(self) -> Iterator[None]:
        """Have the seat while the block lasts. Raises BrokerError once closed or broken."""
        while not self._seat.take(TURN_S):
            time.sleep(self._seat.PATIENCE_S * random.random())  # noqa: S311  # another caller is at it
        try:
            if self._stop.is_set() or self._failure is not None:
                what = "the connections are closed" if self._failure is None else f"they broke: {self._failure!r}"
                raise BrokerError(what, address=self._address, advice="open new ones")
            yield
        finally:
            self._seat.leave()

    def _ring(self) -> None:
        with contextlib.suppress(OSError):
            self._bell.send(b"\0")

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                if not self._seat.rest(self._stop):
                    with self._seat.of_watchman():
                        while not self._stop.is_set() and not self._seat.is_wanted():
                            self._flock.turn(TURN_S)
        except BaseException as error:
            self._failure = error
            raise


def _ranks(device: Ints) -> Ints:
    """Return of each packet how many before it go to the same device."""
    order = np.argsort(device, kind="stable")
    ordered = device[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(device)])
    rank = np.empty(len(device), np.int64)
    counts = np.diff(np.append(first, len(device)))
    rank[order] = np.arange(len(device)) - np.repeat(first, counts)
    return rank
