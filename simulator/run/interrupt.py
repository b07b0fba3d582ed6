"""Ctrl-C and SIGTERM: the first one asks a run to end well, the second one ends it."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["stop_on_signals"]


@contextmanager
def stop_on_signals(stop: threading.Event) -> Iterator[None]:
    """Set ``stop`` at the first SIGINT or SIGTERM; raise KeyboardInterrupt in the main thread at the second."""
    asked: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what signal calls
        # A handler runs in the middle of anything, also of a wait for ``stop``, whose lock it must not take.
        # SimpleQueue.put takes none.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        asked.put(True)

    def pass_on() -> None:
        if asked.get():
            stop.set()

    messenger = threading.Thread(target=pass_on, name="parksim-signals", daemon=True)
    messenger.start()
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        asked.put(False)
        messenger.join()
