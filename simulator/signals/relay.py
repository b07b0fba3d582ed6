"""Store and forward, as arithmetic: what a gateway keeps while its way is shut, drops when it is full, and sends when.

While the way is open and nothing waits, a message leaves at its own instant. While it is shut, messages wait in a ring
with room for a fixed number; one more drops the oldest. When the way opens again, what waits leaves at a limited rate:

- oldest first: new messages queue behind, so the k-th that leaves does so k spaces after the opening, and with the
  arrivals a_k the instants are D_k = max(a_k, D_(k-1) + space). The limit ends with the first message that finds
  nothing before it and a space free.
- newest first: new messages pass at once, and the backlog leaves from its young end, one per space.

At one instant arrivals come before departures, and a change of the way before both. Instants are nanoseconds since the
Unix epoch, integers throughout; what is carried from window to window is what waits and when the next may leave, so
nothing depends on how time is cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Passage", "Relay"]

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
NONE: Ints = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Passage:
    """What became of the messages of a gateway in a window. Messages are numbered from 0 in the order of arrival."""

    first: int
    """Number of the first that arrived in the window."""
    arrived_ns: Ints
    left: Ints
    """Numbers of those that left; those that wait are still to come."""
    left_ns: Ints
    dropped: Ints
    dropped_ns: Ints
    """When a newer one took the place."""
    waiting: int
    """How many waited when the window began."""
    dropped_before: int

    @property
    def is_calm(self) -> bool:
        """Whether nothing waited, and all that arrived left at its own instant."""
        return not self.waiting and np.array_equal(self.left_ns, self.arrived_ns)

    def depth(self, time_ns: Ints) -> Ints:
        """Return how many wait once all that happens at each instant has happened, int64[N]."""
        gone = count(np.sort(self.left_ns), time_ns) + count(self.dropped_ns, time_ns)
        depth: Ints = self.waiting + count(self.arrived_ns, time_ns) - gone
        return depth

    def drops(self, time_ns: Ints) -> Ints:
        """Return how many were dropped by each instant since the first window, int64[N]."""
        drops: Ints = self.dropped_before + count(self.dropped_ns, time_ns)
        return drops


def count(rising_ns: Ints, time_ns: Ints) -> Ints:
    """Return how many of some instants lie at or before others."""
    return np.searchsorted(rising_ns, time_ns, side="right").astype(np.int64)


class Relay:
    """The buffer of a gateway: room for so many messages, ``space_ns`` between two that leave after an outage."""

    def __init__(self, *, room: int, space_ns: int, newest_first: bool) -> None:
        self._room = room
        self._space_ns = space_ns
        self._newest_first = newest_first
        self._next = 0
        self._dropped = 0
        self._waiting: Ints = NONE
        self._ready_ns: int | None = None
        """When the next of those that wait may leave; None while the limit is not in force."""
        self._open = True

    def advance(self, arrived_ns: Ints, change_ns: Ints, is_open: Flags, until_ns: int) -> Passage:
        """Take in a window: what arrives in it, rising, and the way: open or shut from each instant of change on.

        The first change is the beginning of the window.
        """
        first, waiting, dropped = self._next, len(self._waiting), self._dropped
        left: list[Ints] = [NONE]
        left_ns: list[Ints] = [NONE]
        lost: list[Ints] = [NONE]
        lost_ns: list[Ints] = [NONE]
        cuts = np.searchsorted(arrived_ns, change_ns[1:], side="left").tolist()
        borders = [0, *cuts, len(arrived_ns)]
        ends = [*change_ns[1:].tolist(), until_ns]
        for stretch, opens in enumerate(is_open.tolist()):
            arrived = arrived_ns[borders[stretch] : borders[stretch + 1]]
            numbers = np.arange(self._next, self._next + len(arrived))
            self._next += len(arrived)
            if not opens:
                gone, gone_ns = self._keep(numbers, arrived)
            else:
                if not self._open and len(self._waiting):
                    self._ready_ns = int(change_ns[stretch])
                send = self._newest if self._newest_first else self._oldest
                sent, sent_ns, gone, gone_ns = send(numbers, arrived, ends[stretch])
                left.append(sent)
                left_ns.append(sent_ns)
            self._open = opens
            lost.append(gone)
            lost_ns.append(gone_ns)
        self._dropped += sum(map(len, lost))
        return Passage(
            first,
            arrived_ns,
            np.concatenate(left),
            np.concatenate(left_ns),
            np.concatenate(lost),
            np.concatenate(lost_ns),
            waiting,
            dropped,
        )

    def _keep(self, numbers: Ints, arrived: Ints) -> tuple[Ints, Ints]:
        """The way is shut: all wait; return who is dropped, and when."""
        self._ready_ns = None
        free = self._room - len(self._waiting)
        content = np.concatenate((self._waiting, numbers))
        over = max(0, len(numbers) - free)
        self._waiting = content[over:]
        return content[:over], arrived[free : free + over]

    def _newest(self, numbers: Ints, arrived: Ints, end_ns: int) -> tuple[Ints, Ints, Ints, Ints]:
        """The way is open until ``end_ns``: what arrives passes, the backlog leaves from its young end."""
        if self._ready_ns is None:
            return numbers, arrived, NONE, NONE
        able = max(0, -((self._ready_ns - end_ns) // self._space_ns))
        leaving = self._waiting[::-1][:able]
        at_ns = self._ready_ns + self._space_ns * np.arange(len(leaving))
        self._waiting = self._waiting[: len(self._waiting) - len(leaving)]
        self._ready_ns = self._ready_ns + self._space_ns * len(leaving) if len(self._waiting) else None
        return np.concatenate((numbers, leaving)), np.concatenate((arrived, at_ns)), NONE, NONE

    def _oldest(self, numbers: Ints, arrived: Ints, end_ns: int) -> tuple[Ints, Ints, Ints, Ints]:
        """The way is open until ``end_ns``: what arrives queues behind what waits, until it has caught up."""
        if self._ready_ns is None:
            return numbers, arrived, NONE, NONE
        ready_ns, space_ns, queued = self._ready_ns, self._space_ns, len(self._waiting)
        # As long as the limit is in force, one leaves per space without a pause: so many before each arrival, and
        # whoever finds the room taken all the same drops the one in front.
        before = np.maximum(-((ready_ns - arrived) // space_ns), 0)
        over = queued + np.arange(1, len(arrived) + 1) - before - self._room
        drops = np.maximum.accumulate(np.maximum(over, 0)) if len(arrived) else NONE
        earlier = np.concatenate(([0], drops[:-1])) if len(arrived) else NONE
        free = arrived >= ready_ns + space_ns * (queued + np.arange(len(arrived)) - earlier)
        caught_up = int(np.argmax(free)) if free.any() else len(arrived)
        content = np.concatenate((self._waiting, numbers[:caught_up]))
        drops, earlier, before = drops[:caught_up], earlier[:caught_up], before[:caught_up]
        pushed = np.flatnonzero(drops > earlier)
        places = before[pushed] + earlier[pushed]
        stays = np.ones(len(content), dtype=bool)
        stays[places] = False
        survivors = content[stays]
        at_ns = ready_ns + space_ns * np.arange(len(survivors))
        able = int(np.searchsorted(at_ns, end_ns, side="left"))
        self._waiting = survivors[able:]
        self._ready_ns = None if caught_up < len(arrived) else ready_ns + space_ns * able
        sent = np.concatenate((survivors[:able], numbers[caught_up:]))
        sent_ns = np.concatenate((at_ns[:able], arrived[caught_up:]))
        return sent, sent_ns, content[places], arrived[pushed]
