"""Whose turn it is to work on a line: a caller's, or its own thread's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Seat"]

FIRST_REST_S = 0.002
MOST_REST_S = 0.02
"""How long the thread leaves the work to callers who have just done some of it, the longer the longer they go on."""


class Seat:
    """One chair in front of the line. Callers come and go; a watchman sits there while none of them does."""

    PATIENCE_S = 0.05
    """How long a caller waits for the chair, or for somebody else to do the work, before looking again."""

    def __init__(self, ring: Callable[[], None]) -> None:
        """``ring`` wakes whoever sits there and waits for something to happen."""
        self._ring = ring
        self._lock = threading.Lock()
        self._watchman_has_it = False
        self._is_wanted = False
        self._used_s = -MOST_REST_S
        self._rest_s = FIRST_REST_S

    # For callers

    def take_if_free(self) -> bool:
        """Sit down if nobody does. Who comes often is made room for the next time."""
        now, before = time.monotonic(), self._used_s
        self._used_s = now
        if self._lock.acquire(blocking=False):
            return True
        self._is_wanted |= now - before < FIRST_REST_S
        return False

    def take(self, patience_s: float) -> bool:
        """Sit down, unless another caller does; have the watchman get up."""
        self._used_s = time.monotonic()
        if self._lock.acquire(blocking=False):
            return True
        if not self._watchman_has_it:
            return False
        self.call()
        return self._lock.acquire(timeout=min(patience_s, self.PATIENCE_S))

    def leave(self) -> None:
        self._used_s = time.monotonic()
        self._lock.release()

    def call(self) -> None:
        """Ask the watchman to get up."""
        self._is_wanted = True
        self._ring()

    # For the watchman

    def rest(self, stop: threading.Event) -> bool:
        """Rest a while if callers do the work; return whether they do."""
        if not self._lock.locked() and time.monotonic() - self._used_s >= self._rest_s:
            self._rest_s = FIRST_REST_S
            return False
        stop.wait(self._rest_s)
        self._rest_s = min(2 * self._rest_s, MOST_REST_S)
        return True

    def is_wanted(self) -> bool:
        return self._is_wanted

    @contextmanager
    def of_watchman(self) -> Iterator[None]:
        """Sit down until the block ends."""
        with self._lock:
            self._watchman_has_it, self._is_wanted = True, False
            try:
                yield
            finally:
                self._watchman_has_it = False
