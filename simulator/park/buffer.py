"""Buffers between lines: stock that flows, computed when somebody needs to know and never polled.

Between events every machine works at a constant rate and which of its pieces are good is settled by their number, so
the instant at which a buffer runs short of stock or of room can be computed. That is the event a buffer has of its own;
while machines wait and nothing changes, it looks again each few minutes. While it has plenty, a bound that ignores the
other side does; when it is short, the cycles ahead are laid out one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import simpy
from numpy.typing import NDArray

__all__ = ["Buffer", "Store", "User"]

RESTART_SHARE = 0.1
"""A machine that waited goes on once this share of the capacity is there (or free): a container's worth."""
FOR_EVER_NS = 10**18
PLENTY_CYCLES = 4
"""A side that lasts this many of its slowest cycles on its own needs no exact look ahead."""
AHEAD_CYCLES = (16, 256)
"""How many of the fastest cycles an exact look ahead covers, the second only if nothing is found in the first."""
ORDINALS = np.arange(AHEAD_CYCLES[-1] + 2)


class User(Protocol):
    """A machine that takes from a buffer or gives to it."""

    cycle_ns: int

    def settle(self) -> None:
        """Book all cycles completed by now."""

    def into_cycle_ns(self) -> int:
        """How far the cycle under way has come."""

    def is_executing(self) -> bool:
        """Say whether cycles are running now; one that is about to start is connected, and uses nothing yet."""

    def is_making(self) -> bool:
        """Say whether cycles have been running for some time, however short."""

    def good_ahead(self, cycles: int) -> NDArray[np.int64]:
        """Return how many good pieces each of the next cycles will make, int64[cycles]."""

    def wait_for(self) -> None:
        """Stop making parts until the buffer calls ``go_on``."""

    def go_on(self) -> None:
        """The buffer can serve again."""


class Store(Protocol):
    """What a machine takes from or gives to: a buffer, or what stands in for one."""

    def put(self, pieces: int) -> None:
        """Book pieces made."""

    def take(self, pieces: int) -> None:
        """Book pieces used."""

    def start_taking(self, user: User, pieces: int) -> bool:
        """Ask for stock, ``pieces`` per cycle. False: wait for ``go_on``."""

    def start_giving(self, user: User, pieces: int) -> bool:
        """Ask for room, at most ``pieces`` per cycle. False: wait for ``go_on``."""

    def started(self) -> None:
        """A machine that is connected begins its cycles."""

    def stop(self, user: User) -> None:
        """The machine makes no parts any more."""


class Side:
    """One side of a buffer: those who take stock, or those who fill room."""

    def __init__(self, left: Callable[[], int], restart: int) -> None:
        self.left = left
        self.restart = restart
        self.running: dict[User, int] = {}
        self.waiting: dict[User, int] = {}

    def reserve(self) -> int:
        """Pieces that the cycles under way will need at most."""
        return sum(self.running.values())

    def enough_to_go_on(self) -> int:
        """How much must be left before the first of those who wait goes on."""
        return max(self.restart, self.reserve() + min(self.waiting.values(), default=0))

    def safe_ns(self) -> int | None:
        """How long the side surely lasts if the other side does nothing; None if it needs an exact look ahead."""
        if not self.running:
            return FOR_EVER_NS
        rate = begun = 0.0
        slowest_ns = 0
        for user, pieces in self.running.items():
            cycle_ns = user.cycle_ns
            rate += pieces / cycle_ns
            begun += pieces * user.into_cycle_ns() / cycle_ns
            slowest_ns = max(slowest_ns, cycle_ns)
        safe_ns = int((self.left() - self.reserve() - begun) / rate)
        return safe_ns if safe_ns > PLENTY_CYCLES * slowest_ns else None


class Buffer:
    """Pieces of one kind, with a capacity."""

    def __init__(self, env: simpy.Environment, name: str, *, capacity: int, initial: int) -> None:
        self.name = name
        self.level = initial
        self.capacity = capacity
        self.delivered = 0
        """Pieces that came from outside, by lorry."""
        self._env = env
        restart = max(1, int(capacity * RESTART_SHARE))
        self._takers = Side(lambda: self.level, restart)
        self._givers = Side(lambda: self.capacity - self.level, restart)
        self._serial = 0
        self._settled_ns = -1

    def put(self, pieces: int) -> None:
        """Book pieces made."""
        self.level += pieces

    def take(self, pieces: int) -> None:
        """Book pieces used."""
        self.level -= pieces

    def deliver(self, pieces: int) -> None:
        """Put in pieces that come from outside, now."""
        self.settle()
        self.level += pieces
        self.delivered += pieces
        self._look()

    def settle(self) -> None:
        """Book everything that the machines at this buffer have done by now."""
        now = int(self._env.now)
        if now == self._settled_ns:
            return
        self._settled_ns = now
        for side in (self._givers, self._takers):
            for user in side.running:
                user.settle()
        # Only here: while one machine has booked and another has not, the level means nothing.
        if not 0 <= self.level <= self.capacity:
            message = f"{self.name}: level {self.level} is outside 0 to {self.capacity}"
            raise AssertionError(message)

    def start_taking(self, user: User, pieces: int) -> bool:
        """Ask for stock, ``pieces`` per cycle. False: wait for ``go_on``."""
        return self._start(self._takers, user, pieces)

    def start_giving(self, user: User, pieces: int) -> bool:
        """Ask for room, at most ``pieces`` per cycle. False: wait for ``go_on``."""
        return self._start(self._givers, user, pieces)

    def started(self) -> None:
        """A machine that is connected begins its cycles."""
        self._look()

    def stop(self, user: User) -> None:
        """The machine makes no parts any more, for whatever reason; it has settled."""
        for side in (self._takers, self._givers):
            side.running.pop(user, None)
            side.waiting.pop(user, None)
        self._look()

    def _start(self, side: Side, user: User, pieces: int) -> bool:
        self.settle()
        free = side.left() >= side.reserve() + pieces
        (side.running if free else side.waiting)[user] = pieces
        self._look()
        return free

    def _look(self) -> None:
        """Send on those who can work again, stop those who cannot, and foresee the next moment to look."""
        self.settle()
        for side in (self._takers, self._givers):
            # Those who are only about to start used nothing yet, so their share is still there: the last of those
            # who make parts waits.
            if side.left() < side.reserve():
                for user in [user for user in reversed(side.running) if user.is_making()]:
                    if side.left() >= side.reserve():
                        break
                    side.waiting[user] = side.running.pop(user)
                    user.wait_for()
            for user, pieces in list(side.waiting.items()):
                if side.left() >= max(side.restart, side.reserve() + pieces):
                    del side.waiting[user]
                    user.go_on()
        self._foresee()

    def _foresee(self) -> None:
        self._serial += 1
        after_ns = self._next_look_ns()
        if after_ns is None:
            return
        serial = self._serial
        timeout = self._env.timeout(after_ns)
        assert timeout.callbacks is not None

        def look(_: simpy.Event) -> None:
            if self._serial == serial:
                self._look()

        timeout.callbacks.append(look)

    def _next_look_ns(self) -> int | None:
        """How long nothing can happen here, if no machine starts or stops; None: for ever."""
        if not self._takers.running and not self._givers.running:
            return None
        if self._takers.waiting or self._givers.waiting:
            return self._exact_look_ns()
        takers_ns = self._takers.safe_ns()
        if takers_ns is None:
            return self._exact_look_ns()
        givers_ns = self._givers.safe_ns()
        return self._exact_look_ns() if givers_ns is None else min(takers_ns, givers_ns)

    def _exact_look_ns(self) -> int | None:
        """Lay out the cycles ahead, and find the first that leaves too little or makes enough."""
        users = [u for side in (self._givers, self._takers) for u in side.running if u.is_executing()]
        if not users:
            return None
        fastest_ns = min(user.cycle_ns for user in users)
        for cycles in AHEAD_CYCLES:
            found_ns = self._shortage_ns(users, horizon_ns=cycles * fastest_ns)
            if found_ns is not None:
                return found_ns
        return AHEAD_CYCLES[-1] * fastest_ns

    def _shortage_ns(self, users: list[User], *, horizon_ns: int) -> int | None:
        """Return when, within the horizon, somebody must wait or can go on; None if nobody."""
        ends, changes = [], []
        for user in users:
            first = user.cycle_ns - user.into_cycle_ns()
            count = max((horizon_ns - first) // user.cycle_ns + 1, 1)
            end = ORDINALS[:count] * user.cycle_ns
            end += first
            ends.append(end)
            if user in self._givers.running:
                changes.append(user.good_ahead(count))
            else:
                taken = np.empty(count, dtype=np.int64)
                taken.fill(-self._takers.running[user])
                changes.append(taken)
        end_ns, change = ends[0], changes[0]
        if len(users) > 1:
            # Givers come first in the list, so that of two cycles that end together the giving one counts first.
            end_ns = np.concatenate(ends)
            order = end_ns.argsort(kind="stable")
            end_ns, change = end_ns[order], np.concatenate(changes)[order]
        level = change.cumsum()
        level += self.level
        # What the level must not fall below or rise above, with nobody to wait for.
        calls = level < self._takers.reserve()
        calls |= level > self.capacity - self._givers.reserve()
        if self._takers.waiting:
            calls |= level >= self._takers.enough_to_go_on()
        if self._givers.waiting:
            calls |= level <= self.capacity - self._givers.enough_to_go_on()
        # Beyond the horizon only slow users are laid out, and what they find there may be overtaken by quick ones.
        calls &= end_ns <= horizon_ns
        found = int(calls.argmax())
        return int(end_ns[found]) if calls[found] else None
