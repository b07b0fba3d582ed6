"""Ctrl-C, SIGTERM and SIGHUP: the first one asks a run to end well, the second one ends it."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["stop_on_signals"]

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def stop_on_signals(stop: threading.Event, on_stop: Callable[[], object]) -> Iterator[None]:
    """Set ``stop`` at the first signal and call ``on_stop``; raise KeyboardInterrupt in the main thread at the second.

    A SIGHUP that is ignored, as under nohup, stays ignored. ``on_stop`` is called from another thread.
    """
    asked: queue.SimpleQueue[bool] = queue.SimpleQueue()
    heard = [number for number in SIGNALS if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN]

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what signal calls
        # A handler runs in the middle of anything, also of a wait for ``stop``, whose lock it must not take.
        # SimpleQueue.put takes none.
        for one in heard:
            signal.signal(one, signal.default_int_handler)
        asked.put(True)

    def pass_on() -> None:
        if asked.get():
            stop.set()
            on_stop()

    messenger = threading.Thread(target=pass_on, name="parksim-signals", daemon=True)
    messenger.start()
    before = {number: signal.signal(number, on_signal) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        asked.put(False)
        messenger.join()
