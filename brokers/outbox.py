"""What is on its way out: handed over, in flight, and settled but not yet told. Columns, no object per message."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np
from numpy.typing import NDArray

from brokers.blocks import Packets, Settled
from brokers.ends import Ends

__all__ = ["MOST_IN_FLIGHT", "Outbox", "Piece"]

Ints = NDArray[np.int64]

MOST_IN_FLIGHT = 65_519
"""Identifiers of messages; MQTT has 65,535, and the last sixteen are for subscriptions."""
LEAST_IDENTIFIERS = 64
DUP = 0x08
NOTHING = np.zeros(0, np.int64)

FREE, AWAITS_PUBACK, AWAITS_PUBREC, AWAITS_PUBCOMP = 0, 1, 2, 3
AFTER = {1: AWAITS_PUBACK, 2: AWAITS_PUBREC}


class Piece:
    """Some packets that go out together, and how far they have."""

    def __init__(self, data: NDArray[np.uint8], ends: Ints = NOTHING, tags: Ints = NOTHING) -> None:
        self.data = data
        self.ends = ends
        """Where each packet ends in ``data``."""
        self.tags = tags
        self.view = data.data
        self.written = 0
        self.left = len(tags)
        """Packets not settled yet; at 0 nobody needs the bytes any more."""
        self.kept = False
        """Whether the packets have slips; without, they are settled by going out."""

    def packet(self, place: int) -> NDArray[np.uint8]:
        begin = self.ends[place - 1] if place else 0
        return self.data[begin : self.ends[place]]


class Outbox:
    """A counter with a fixed number of numbered slips: whoever posts holds one until the answer is here.

    Slips, which are MQTT's packet identifiers, are given out in turn. For each there are columns: what it waits for,
    in which piece its packet stands and where. With QoS 0 there is no slip; the place is free once the socket has
    the packet. Every method may be called from any thread.
    """

    def __init__(self, window: int) -> None:
        self.change = threading.Condition()
        self.max_packet: int | None = None
        self._window = min(window, MOST_IN_FLIGHT)
        self._narrow_window = self._receive_maximum = self._window
        self._in_flight = 0
        self._taken = 0
        self._slips = min(MOST_IN_FLIGHT, max(2 * self._window, LEAST_IDENTIFIERS))
        self._last_slip = 0
        self._state = np.zeros(self._slips + 1, np.uint8)
        self._turn = np.zeros(self._slips + 1, np.int64)
        self._tag = np.zeros(self._slips + 1, np.int64)
        self._piece = np.zeros(self._slips + 1, np.int64)
        self._place = np.zeros(self._slips + 1, np.int64)
        self._pieces: dict[int, Piece] = {}
        self._next_piece = 0
        self._ready: deque[Piece] = deque()
        self._again: deque[NDArray[np.uint8]] = deque()
        self._ends = Ends()
        self._closed = False

    # For those who post

    def narrow(self, window: int) -> None:
        """Take messages of QoS 1 and 2 only while fewer than ``window`` are in flight, from now on."""
        with self.change:
            self._narrow_window = min(self._narrow_window, window)

    def room(self, qos: int) -> int:
        """How many more messages may be posted now."""
        if self._closed or self._ends.is_full():
            return 0
        most = min(self._narrow_window, self._receive_maximum) if qos else self._window
        return max(0, most - self._in_flight)

    def post(self, packets: Packets, *, qos: int, tags: Ints | None = None) -> int:
        """Take packets in order as far as there is room; return how many. Without tags they get running numbers."""
        with self.change:
            count = min(self.room(qos), packets.number)
            if count and self.max_packet is not None:
                sizes = np.diff(packets.start[: count + 1])
                long = np.flatnonzero(sizes > self.max_packet)
                if len(long) and not long[0]:
                    tag = self._taken if tags is None else int(tags[0])
                    self._refuse(tag, _too_large(int(sizes[0]), self.max_packet))
                    self._taken += 1
                    return 1
                count = int(long[0]) if len(long) else count
            if count:
                taken = packets.part(0, count)
                numbers = np.arange(self._taken, self._taken + count) if tags is None else tags[:count]
                self._take(taken, numbers, qos=qos)
            return count

    def refuse(self, tag: int, why: str) -> None:
        """Settle a message that cannot be sent at all."""
        with self.change:
            self._taken += 1
            self._refuse(tag, why)

    def _refuse(self, tag: int, why: str) -> None:
        self._ends.refuse(tag, why)
        self.change.notify_all()

    def _take(self, packets: Packets, tags: Ints, *, qos: int) -> None:
        begin, end = int(packets.start[0]), int(packets.start[-1])
        count = packets.number
        piece = Piece(packets.data[begin:end].copy(), packets.start[1:] - begin, tags)
        if qos:
            assert packets.identifier is not None
            slips = self._give(count)
            place = packets.identifier - begin
            piece.data[place], piece.data[place + 1] = slips >> 8, slips & 0xFF
            self._state[slips] = AFTER[qos]
            self._turn[slips] = np.arange(self._taken, self._taken + count)
            self._tag[slips] = tags
            self._keep(piece, slips)
        self._taken += count
        self._in_flight += count
        self._ready.append(piece)

    def _give(self, count: int) -> Ints:
        slips = (self._last_slip + np.arange(count)) % self._slips + 1
        if self._state[slips].any():  # somebody has kept one for longer than a whole turn
            free = np.flatnonzero(self._state[1:] == FREE) + 1
            slips = np.roll(free, -int(np.searchsorted(free, self._last_slip, "right")))[:count]
        self._last_slip = int(slips[-1])
        return slips

    def _keep(self, piece: Piece, slips: Ints) -> None:
        piece.kept = True
        self._pieces[self._next_piece] = piece
        self._piece[slips] = self._next_piece
        self._place[slips] = np.arange(len(slips))
        self._next_piece += 1

    def settled(self) -> Settled:
        """Take what was settled since the last call."""
        with self.change:
            if self._ends.is_full():
                self.change.notify_all()
            return self._ends.take()

    @property
    def refusals(self) -> int:
        """Messages refused since the start."""
        return self._ends.refusals

    def in_flight(self) -> int:
        return self._in_flight

    def close(self) -> None:
        """Take nothing more, and let nobody wait any longer."""
        with self.change:
            self._closed = True
            self.change.notify_all()

    # For the line

    def next_piece(self) -> Piece | None:
        """Take what is to be sent next, as much as the broker takes at once after a reconnect."""
        if not self._again:
            return self._ready.popleft() if self._ready else None
        with self.change:
            allowed = self._receive_maximum - (int(np.count_nonzero(self._state)) - len(self._again))
            if allowed <= 0:
                return None
            packets = [self._again.popleft() for _ in range(min(allowed, len(self._again)))]
        return Piece(np.concatenate(packets))

    def has_pieces(self) -> bool:
        return bool(self._ready or self._again)

    def wrote(self, piece: Piece) -> None:
        """Settle the packets of QoS 0 that have gone out entirely."""
        done = len(piece.tags) - piece.left
        gone = int(np.searchsorted(piece.ends, piece.written, "right")) - done
        if gone > 0:
            with self.change:
                piece.left -= gone
                self._settle(piece.tags[done : done + gone])

    def acknowledged(self, slips: Ints, refused: Ints, why: list[str], *, last: int) -> int:
        """Take PUBACK or PUBCOMP (``last`` 1 or 3), or PUBRECs that say no (2); return how many nobody waits for.

        ``refused`` are the places of refusals among ``slips``, ``why`` their reasons.
        """
        with self.change:
            known = self._awaiting(slips, last)
            strangers = len(slips) - int(np.count_nonzero(known))
            if strangers or len(refused):
                taken = known.copy()
                taken[refused] = False
                for place, reason in zip(refused.tolist(), why, strict=True):
                    if known[place]:
                        self._refuse(int(self._tag[slips[place]]), reason)
                        self._in_flight -= 1
                self._free(slips[known])
                slips = slips[taken]
            else:
                self._free(slips)
            self._settle(self._tag[slips])
        return strangers

    def _awaiting(self, slips: Ints, state: int) -> NDArray[np.bool_]:
        """Say which slips are in that state, each once."""
        inside = np.minimum(slips, self._slips)
        known: NDArray[np.bool_] = (self._state[inside] == state) & (inside == slips)
        if not (slips[1:] > slips[:-1]).all():
            first = np.zeros(len(slips), bool)
            first[np.unique(slips, return_index=True)[1]] = True
            known &= first
        return known

    def _free(self, slips: Ints) -> None:
        if not len(slips):
            return
        self._state[slips] = FREE
        numbers = self._piece[slips]
        if (numbers == numbers[0]).all():
            self._leave(int(numbers[0]), len(numbers))
            return
        several, counts = np.unique(numbers, return_counts=True)
        for number, count in zip(several.tolist(), counts.tolist(), strict=True):
            self._leave(number, count)

    def _leave(self, number: int, count: int) -> None:
        """Forget the bytes of a piece once all its packets are settled."""
        piece = self._pieces[number]
        piece.left -= count
        if not piece.left:
            del self._pieces[number]

    def _settle(self, tags: Ints) -> None:
        self._ends.settle(tags)
        self._in_flight -= len(tags)
        self.change.notify_all()

    def received(self, slips: Ints) -> Ints:
        """Take PUBRECs that say yes; return the slips of which PUBREL is to be sent."""
        with self.change:
            self._state[slips[self._awaiting(slips, AWAITS_PUBREC)]] = AWAITS_PUBCOMP
        return slips  # one that nobody knows too: the broker shall forget it

    def lose_connection(self, current: Piece | None) -> None:
        """Put aside what is in flight until resume(); QoS 0 that has not gone out entirely stays to be sent."""
        with self.change:
            pieces = [*([current] if current is not None else []), *self._ready]
            self._ready.clear()
            self._again.clear()
            for piece in pieces:
                done = len(piece.tags) - piece.left
                if piece.left and not piece.kept:  # QoS 1 and 2 come back with resume()
                    begin = int(piece.ends[done - 1]) if done else 0
                    self._ready.append(Piece(piece.data[begin:], piece.ends[done:] - begin, piece.tags[done:]))

    def resume(self, *, session_present: bool, receive_maximum: int, max_packet: int | None) -> Ints:
        """Have all that is in flight sent again over a new connection; return the slips of which PUBREL is to be sent.

        A broker that has forgotten the session gets everything as new.
        """
        with self.change:
            self.max_packet = max_packet
            self._receive_maximum = receive_maximum
            slips: Ints = np.flatnonzero(self._state)
            slips = slips[np.argsort(self._turn[slips])]
            released: Ints = slips[self._state[slips] == AWAITS_PUBCOMP]
            if not session_present:
                self._state[released] = AWAITS_PUBREC
                released = released[:0]
            fresh = {id(piece) for piece in self._ready if piece.kept}  # posted while there was no connection
            self._ready = deque(piece for piece in self._ready if not piece.kept)
            for slip in slips[self._state[slips] != AWAITS_PUBCOMP].tolist():
                piece = self._pieces[int(self._piece[slip])]
                packet = piece.packet(int(self._place[slip])).copy()
                if max_packet is not None and len(packet) > max_packet:
                    self._refuse(int(self._tag[slip]), _too_large(len(packet), max_packet))
                    self._in_flight -= 1
                    self._free(np.array([slip]))
                    continue
                if session_present and id(piece) not in fresh:
                    packet[0] |= DUP
                self._again.append(packet)
            self.change.notify_all()
            return released


def _too_large(size: int, most: int) -> str:
    return f"Packet too large: {size} bytes, the broker takes {most}"
