"""When a batch leaves: cut into slices that are due, with the next window made ready in the meantime."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Generic, Self, TypeVar

import numpy as np

from simulator.clock import Clock, Pace
from simulator.publish.consignment import Consignment

__all__ = ["TICK_NS", "TURN_S", "Ahead", "paced"]

T = TypeVar("T")

TICK_NS = 1_000_000
"""Slices leave at least this far apart: a thousand wake-ups a second cost a tenth of a core, ten thousand all of it."""
SLICE_MESSAGES = 2048
LOOK_S = 0.1
TURN_S = 0.0005
"""After which a thread that has Python should let another have it (sys.setswitchinterval). At Python's 5 ms whoever
sends would be late by as much."""


def paced(
    windows: Iterable[Consignment], pace: Pace, clock: Clock, stop: threading.Event, *, tick_ns: int = TICK_NS
) -> Iterator[Consignment]:
    """Yield each window in slices, each when its first message is due, until ``stop`` is set.

    A slice holds whatever has become due by then, never a part of an instant; nothing leaves early. The last window
    is waited out to its end. At full speed everything is due, and a slice is about SLICE_MESSAGES long.
    """
    slice_at, from_ns = clock.monotonic_ns() - tick_ns, 0
    for window in windows:
        leaves_ns, count = np.unique(window.block.due_ns, return_counts=True)
        due, so_far = pace.due_each(leaves_ns), np.cumsum(count)
        after, first = window.edge[:-1], 0
        while first < len(leaves_ns):
            if pace.speed is None:
                sent = int(so_far[first - 1]) if first else 0
                last = min(int(np.searchsorted(so_far, sent + SLICE_MESSAGES, side="left")) + 1, len(leaves_ns))
            else:
                clock.wait_until(max(int(due[first]), slice_at + tick_ns), stop)
                slice_at = clock.monotonic_ns()
                last = int(np.searchsorted(due, max(slice_at, int(due[first])), side="right"))
            if stop.is_set():
                return
            until_ns = int(leaves_ns[last]) if last < len(leaves_ns) else window.until_ns
            # What leaves on the last instant leaves before the next nanosecond.
            part, after = window.cut(after=after, until_ns=int(leaves_ns[last - 1]) + 1, window=(from_ns, until_ns))
            yield part
            first, from_ns = last, until_ns
        if not clock.wait_until(pace.due_ns(window.until_ns), stop):
            return
        if window.relayed is not None and from_ns < window.until_ns:
            # Nothing may leave of a window in which gateways keep or drop messages all the same.
            part, _ = window.cut(after=after, until_ns=from_ns, window=(from_ns, window.until_ns))
            yield part
            from_ns = window.until_ns


class Ahead(Generic[T]):
    """An iterator over windows, of which a thread makes the next one in the meantime: one that is ready is not late.

    One window is ready and one is in the making at any time. An error of the maker comes out of next(). Whoever does
    not take all of them closes it.
    """

    def __init__(
        self,
        windows: Iterable[T],
        *,
        stop: threading.Event | None = None,
        enough: Callable[[], object] = lambda: None,
    ) -> None:
        """Begin at once. Once ``stop`` is set nobody waits for a window; ``enough`` ends a maker that waits itself."""
        self._windows = windows
        self._stop = stop
        self._tell_enough = enough
        self._ready: queue.Queue[T | Exception | None] = queue.Queue(maxsize=1)
        self._in_hand: list[T] = []
        self._enough = threading.Event()
        self._maker = threading.Thread(target=self._make, name="parksim-world", daemon=True)
        self._maker.start()

    def wait(self) -> None:
        """Wait until the next window is ready, or there is none."""
        if not self._in_hand:
            with suppress(StopIteration):
                self._in_hand.append(next(self))

    def close(self) -> None:
        """Make no more; on return nobody uses what makes them. Twice is once."""
        self._enough.set()
        self._tell_enough()
        self._maker.join()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._in_hand:
            return self._in_hand.pop()
        item = None if self._enough.is_set() else self._wait_for_next()
        if item is None:
            self.close()
            raise StopIteration
        if isinstance(item, Exception):
            self.close()
            raise item
        return item

    def _wait_for_next(self) -> T | Exception | None:
        while self._stop is None or not self._stop.is_set():
            with suppress(queue.Empty):
                return self._ready.get(timeout=None if self._stop is None else LOOK_S)
        return None

    def _make(self) -> None:
        try:
            for window in self._windows:
                self._offer(window)
                if self._enough.is_set():
                    return
            self._offer(None)
        except Exception as error:  # noqa: BLE001 - raised again where it can be handled
            self._offer(error)

    def _offer(self, item: T | Exception | None) -> None:
        while not self._enough.is_set():
            try:
                self._ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return
