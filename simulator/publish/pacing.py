"""When a batch leaves: cut into slices that are due, with the next window made ready in the meantime."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from typing import TypeVar

import numpy as np

from simulator.clock import Clock, Pace
from simulator.publish.consignment import Consignment

__all__ = ["TICK_NS", "TURN_S", "ahead", "paced"]

T = TypeVar("T")

TICK_NS = 1_000_000
"""Slices leave at least this far apart: a thousand wake-ups a second cost a tenth of a core, ten thousand all of it."""
SLICE_MESSAGES = 2048
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


def ahead(windows: Iterable[T]) -> Generator[T, None, None]:
    """Yield the windows, while a thread makes the next one: a window that is ready is not late.

    One window is ready and one is in the making at any time. An error of the maker comes out here.
    """
    ready: queue.Queue[T | Exception | None] = queue.Queue(maxsize=1)
    enough = threading.Event()

    def offer(item: T | Exception | None) -> None:
        while not enough.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def make() -> None:
        try:
            for window in windows:
                offer(window)
                if enough.is_set():
                    return
            offer(None)
        except Exception as error:  # noqa: BLE001 - raised again where it can be handled
            offer(error)

    maker = threading.Thread(target=make, name="parksim-world", daemon=True)
    maker.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        enough.set()
        maker.join()
