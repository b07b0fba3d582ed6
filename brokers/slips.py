"""Packet identifiers that are in use, and the packets that go by them: columns, no object per message."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["AWAITS_PUBACK", "AWAITS_PUBCOMP", "AWAITS_PUBREC", "Piece", "Slips"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

FREE, AWAITS_PUBACK, AWAITS_PUBREC, AWAITS_PUBCOMP = 0, 1, 2, 3
NOTHING = np.zeros(0, np.int64)


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
        self.has_slips = False
        """Whether the packets have identifiers; without, they are settled by going out."""

    def packet(self, place: int) -> NDArray[np.uint8]:
        """Return a copy of one packet."""
        begin = self.ends[place - 1] if place else 0
        return self.data[begin : self.ends[place]].copy()


class Slips:
    """A roll of numbered slips, given out in turn and torn off again; a slip's number is a packet identifier.

    Slips nearly always come back in the order in which they were given; that way is short. For one thread at a time.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._counting = np.arange(number + 1)
        self._last = 0
        self._expected = 1
        """The slip that probably comes back next."""
        self._state = np.zeros(number + 1, np.uint8)
        self._turn = np.zeros(number + 1, np.int64)
        self._tag = np.zeros(number + 1, np.int64)
        self._piece = np.zeros(number + 1, np.int64)
        self._place = np.zeros(number + 1, np.int64)
        self._pieces: dict[int, Piece] = {}
        self._next_piece = 0

    def give(self, most: int) -> Ints:
        """Return the next free slips, up to ``most``; fewer where the roll begins anew, at least one if one is free."""
        first = self._last % self._number + 1
        slips = self._counting[first : first + most]
        if self._state[first : first + most].any():  # somebody has kept one for longer than a whole turn
            free = np.flatnonzero(self._state[1:] == FREE) + 1
            slips = np.roll(free, -int(np.searchsorted(free, first)))[:most]
        self._last = int(slips[-1])
        return slips

    def keep(self, slips: Ints, piece: Piece, *, state: int, turn: int) -> None:
        """Note what slips that were just given stand for; ``turn`` says where in the order of all messages."""
        where: slice | Ints = slips
        if slips[-1] - slips[0] == len(slips) - 1:
            where = slice(int(slips[0]), int(slips[-1]) + 1)
        self._state[where] = state
        self._turn[where] = self._counting[: len(slips)] + turn
        self._tag[where] = piece.tags
        self._piece[where] = self._next_piece
        self._place[where] = self._counting[: len(slips)]
        self._pieces[self._next_piece] = piece
        self._next_piece += 1
        piece.has_slips = True

    def number_in_use(self) -> int:
        return int(np.count_nonzero(self._state))

    def expected(self, slips: Ints) -> Ints | None:
        """Tear slips off that wait for PUBACK, if they come in the order expected; return their tags."""
        first, last = self._expected, self._expected + len(slips)
        where = slice(first, last)
        in_turn = self._counting[where]
        if len(in_turn) < len(slips) or not (slips == in_turn).all():
            return None
        if not (self._state[where] == AWAITS_PUBACK).all():
            return None
        tags = self._tag[where].copy()
        self._state[where] = FREE
        self._leave_all(self._piece[where])
        self._expected = last if last <= self._number else 1
        return tags

    def awaiting(self, slips: Ints, state: int) -> Mask:
        """Say which are in that state, each once."""
        inside = np.minimum(slips, self._number)
        known: Mask = (self._state[inside] == state) & (inside == slips)
        if not (slips[1:] > slips[:-1]).all():
            first = np.zeros(len(slips), bool)
            first[np.unique(slips, return_index=True)[1]] = True
            known &= first
        return known

    def move(self, slips: Ints, state: int) -> None:
        self._state[slips] = state

    def tags(self, slips: Ints) -> Ints:
        tags: Ints = self._tag[slips]
        return tags

    def free(self, slips: Ints) -> None:
        """Tear off slips that are in use."""
        if len(slips):
            self._state[slips] = FREE
            self._leave_all(self._piece[slips])
            self._expected = int(slips[-1]) % self._number + 1

    def _leave_all(self, numbers: Ints) -> None:
        ends = np.flatnonzero(numbers[1:] != numbers[:-1]) + 1
        begin = 0
        for end in (*ends.tolist(), len(numbers)):
            self._leave(int(numbers[begin]), end - begin)
            begin = end

    def _leave(self, number: int, count: int) -> None:
        """Forget the bytes of a piece once all its packets are settled."""
        piece = self._pieces[number]
        piece.left -= count
        if not piece.left:
            del self._pieces[number]

    def in_use(self) -> Ints:
        """Return the slips in use in the order of their messages."""
        slips: Ints = np.flatnonzero(self._state)
        return slips[np.argsort(self._turn[slips])]

    def in_state(self, slips: Ints, state: int) -> Mask:
        same: Mask = self._state[slips] == state
        return same

    def find(self, slip: int) -> tuple[Piece, int]:
        """Return the piece in which a slip's packet stands, and its place there."""
        return self._pieces[int(self._piece[slip])], int(self._place[slip])
