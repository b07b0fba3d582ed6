"""When a batch leaves: cut into slices that are due, with the next window made ready in the meantime."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Batch
from simulator.clock import Clock, Pace

__all__ = ["ahead", "due_times", "paced"]

T = TypeVar("T")

TICK_NS = 1_000_000
"""Slices leave at least this far apart: a thousand wake-ups a second cost a tenth of a core, ten thousand all of it."""
SLICE_ROWS = 4096


def due_times(pace: Pace, time_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return int64[N]: the monotonic time at which each simulated instant is due, as ``pace.due_ns`` says it."""
    if pace.speed is None:
        return np.full(len(time_ns), pace.wall_start_ns, np.int64)
    return pace.wall_start_ns + np.rint((time_ns - pace.sim_start_ns) / pace.speed).astype(np.int64)


def paced(
    batches: Iterable[Batch], pace: Pace, clock: Clock, stop: threading.Event, *, tick_ns: int = TICK_NS
) -> Iterator[Batch]:
    """Yield each batch in slices, each when its first reading is due, until ``stop`` is set.

    A slice holds whatever has become due by then, never a part of an instant; nothing leaves early. The last window
    is waited out to its end. At full speed everything is due, and a slice is about SLICE_ROWS long.
    """
    slice_at = clock.monotonic_ns() - tick_ns
    for batch in batches:
        leaves_ns = batch.due_ns
        due = due_times(pace, leaves_ns) if pace.speed is not None else None
        first, from_ns = 0, 0
        while first < len(batch):
            if due is None:
                at = min(first + SLICE_ROWS, len(batch)) - 1
                last = int(np.searchsorted(leaves_ns, leaves_ns[at], side="right"))
            else:
                clock.wait_until(max(int(due[first]), slice_at + tick_ns), stop)
                slice_at = clock.monotonic_ns()
                last = int(np.searchsorted(due, max(slice_at, int(due[first])), side="right"))
            if stop.is_set():
                return
            until_ns = int(leaves_ns[last]) if last < len(batch) else batch.until_ns
            yield batch.part(first, last, from_ns=from_ns, until_ns=until_ns)
            first, from_ns = last, until_ns
        if not clock.wait_until(pace.due_ns(batch.until_ns), stop):
            return
        if batch.relayed is not None and from_ns < batch.until_ns:
            # Nothing may leave of a window in which gateways keep or drop messages all the same.
            yield batch.part(len(batch), len(batch), from_ns=from_ns, until_ns=batch.until_ns)


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
