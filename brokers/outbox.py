"""What is on its way out: handed over, in flight, and settled but not yet told."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np
from numpy.typing import NDArray

from brokers.blocks import Packets, Settled
from brokers.ends import Ends
from brokers.frames import released
from brokers.reasons import REFUSAL, reason
from brokers.slips import AWAITS_PUBACK, AWAITS_PUBCOMP, AWAITS_PUBREC, Piece, Slips
from brokers.splitter import PUBACK, PUBCOMP, PUBREC, Answers

__all__ = ["MOST_IN_FLIGHT", "Outbox"]

Ints = NDArray[np.int64]

MOST_IN_FLIGHT = 65_519
"""Identifiers of messages; MQTT has 65,535, and the last sixteen are for subscriptions."""
LEAST_SLIPS = 1024
"""Enough for a window to seldom go over the end of the roll, where things take longer."""
DUP = 0x08
AFTER = {1: AWAITS_PUBACK, 2: AWAITS_PUBREC}


class Outbox:
    """A counter where whoever posts gets a numbered slip, and is told when the answer is here.

    There is a fixed number of slips. With QoS 0 there is none; the place is free once the socket has the packet.
    Every method may be called from any thread.
    """

    def __init__(self, window: int) -> None:
        self.change = threading.Condition()
        self._max_packet: int | None = None
        self._window = min(window, MOST_IN_FLIGHT)
        self._narrow_window = self._receive_maximum = self._window
        self._in_flight = 0
        self._taken = 0
        self._slips = Slips(min(MOST_IN_FLIGHT, max(2 * self._window, LEAST_SLIPS)))
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

    def post(self, packets: Packets, first: int = 0, *, qos: int, tags: Ints | None = None) -> int:
        """Take packets in order from the ``first`` on as far as there is room; return how many.

        Without tags they get running numbers.
        """
        with self.change:
            count = min(self.room(qos), packets.number - first)
            if count and self._max_packet is not None:
                sizes = np.diff(packets.start[first : first + count + 1])
                long = np.flatnonzero(sizes > self._max_packet)
                if len(long) and not long[0]:
                    tag = self._taken if tags is None else int(tags[0])
                    self._refuse(tag, _too_large(int(sizes[0]), self._max_packet))
                    self._taken += 1
                    return 1
                count = int(long[0]) if len(long) else count
            return self._take(packets, first, count, tags=tags, qos=qos) if count else 0

    def _take(self, packets: Packets, first: int, count: int, *, tags: Ints | None, qos: int) -> int:
        slips = None
        if qos:
            slips = self._slips.give(count)
            count = len(slips)
        bounds = packets.start[first : first + count + 1]
        begin = int(bounds[0])
        numbers = np.arange(self._taken, self._taken + count) if tags is None else tags[:count]
        piece = Piece(packets.data[begin : int(bounds[-1])].copy(), bounds[1:] - begin, numbers)
        if slips is not None:
            assert packets.identifier is not None
            place = packets.identifier[first : first + count] - begin
            piece.data[place] = slips >> 8
            place += 1
            piece.data[place] = slips & 0xFF
            self._slips.keep(slips, piece, state=AFTER[qos], turn=self._taken)
        self._taken += count
        self._in_flight += count
        self._ready.append(piece)
        return count

    def refuse(self, tag: int, why: str) -> None:
        """Settle a message that cannot be sent at all."""
        with self.change:
            self._taken += 1
            self._refuse(tag, why)

    def _refuse(self, tag: int, why: str) -> None:
        self._ends.refuse(tag, why)
        self.change.notify_all()

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
        """Take what is to be sent next, after a reconnect no more than the broker takes at once."""
        if not self._again:
            return self._ready.popleft() if self._ready else None
        with self.change:
            allowed = self._receive_maximum - (self._slips.number_in_use() - len(self._again))
            if allowed <= 0:
                return None
            packets = [self._again.popleft() for _ in range(min(allowed, len(self._again)))]
        return Piece(np.concatenate(packets))

    def wrote(self, piece: Piece) -> None:
        """Settle the packets of QoS 0 that have gone out entirely."""
        done = len(piece.tags) - piece.left
        gone = int(np.searchsorted(piece.ends, piece.written, "right")) - done
        if gone > 0:
            with self.change:
                piece.left -= gone
                self._settle(piece.tags[done : done + gone])

    def hear(self, answers: Answers) -> tuple[bytes, int]:
        """Take PUBACKs, PUBRECs or PUBCOMPs; return what is to be answered, and how many nobody waits for."""
        kind, slips, codes = answers
        strangers, packets = 0, b""
        with self.change:
            if codes is not None and kind != PUBCOMP and (no := codes >= REFUSAL).any():
                strangers = self._refuse_all(slips[no], codes[no], AWAITS_PUBACK if kind == PUBACK else AWAITS_PUBREC)
                slips = slips[~no]
            if not len(slips):
                pass
            elif kind == PUBREC:
                self._slips.move(slips[self._slips.awaiting(slips, AWAITS_PUBREC)], AWAITS_PUBCOMP)
                packets = released(slips)  # also for one that nobody knows: the broker shall forget it
            elif kind == PUBACK and (tags := self._slips.expected(slips)) is not None:
                self._settle(tags)
            else:
                strangers += self._end(slips, AWAITS_PUBACK if kind == PUBACK else AWAITS_PUBCOMP)
        return packets, strangers

    def _refuse_all(self, slips: Ints, codes: Ints, state: int) -> int:
        known = self._slips.awaiting(slips, state)
        self._slips.free(slips[known])
        for tag, code in zip(self._slips.tags(slips[known]).tolist(), codes[known].tolist(), strict=True):
            self._in_flight -= 1
            self._refuse(tag, reason(code))
        return len(slips) - int(np.count_nonzero(known))

    def _end(self, slips: Ints, state: int) -> int:
        known = slips[self._slips.awaiting(slips, state)]
        self._slips.free(known)
        self._settle(self._slips.tags(known))
        return len(slips) - len(known)

    def _settle(self, tags: Ints) -> None:
        self._ends.settle(tags)
        self._in_flight -= len(tags)
        self.change.notify_all()

    def lose_connection(self, current: Piece | None) -> None:
        """Put aside what is in flight until resume(); QoS 0 that has not gone out entirely stays to be sent."""
        with self.change:
            pieces = [*([current] if current is not None else []), *self._ready]
            self._ready.clear()
            self._again.clear()
            for piece in pieces:
                done = len(piece.tags) - piece.left
                if piece.left and not piece.has_slips:  # QoS 1 and 2 come back with resume()
                    begin = int(piece.ends[done - 1]) if done else 0
                    self._ready.append(Piece(piece.data[begin:], piece.ends[done:] - begin, piece.tags[done:]))

    def resume(self, *, session_present: bool, receive_maximum: int, max_packet: int | None) -> Ints:
        """Have all that is in flight sent again over a new connection; return the slips of which PUBREL is to be sent.

        A broker that has forgotten the session gets everything as new.
        """
        with self.change:
            self._max_packet = max_packet
            self._receive_maximum = receive_maximum
            slips = self._slips.in_use()
            half_done = slips[self._slips.in_state(slips, AWAITS_PUBCOMP)]
            if not session_present:
                self._slips.move(half_done, AWAITS_PUBREC)
                half_done = half_done[:0]
            fresh = {id(piece) for piece in self._ready if piece.has_slips}  # posted while there was no connection
            self._ready = deque(piece for piece in self._ready if not piece.has_slips)
            for slip in slips[~self._slips.in_state(slips, AWAITS_PUBCOMP)].tolist():
                piece, place = self._slips.find(slip)
                packet = piece.packet(place)
                if max_packet is not None and len(packet) > max_packet:
                    self._slips.free(np.array([slip]))
                    self._in_flight -= 1
                    self._refuse(int(piece.tags[place]), _too_large(len(packet), max_packet))
                    continue
                if session_present and id(piece) not in fresh:
                    packet[0] |= DUP
                self._again.append(packet)
            self.change.notify_all()
            return half_done


def _too_large(size: int, most: int) -> str:
    return f"Packet too large: {size} bytes, the broker takes {most}"
