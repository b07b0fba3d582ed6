"""The process that draws: it reads news from the run, and tells it what keys ask for."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import orjson

from simulator.view.terminal.app import LiveApp
from simulator.view.terminal.picture import Update

__all__ = ["main"]


def main(number: int, language: str) -> None:
    """Show what comes over the connection with that file descriptor, until it is closed or a key ends it."""
    with Connection(os.dup(number)) as line:
        os.close(number)

        def stop() -> None:
            with suppress(OSError):
                line.send_bytes(b"stop")

        def order(what: dict[str, Any]) -> None:
            with suppress(OSError):
                line.send_bytes(orjson.dumps(what))

        def begin(app: LiveApp) -> None:
            threading.Thread(target=receive, args=(line, app), name="parksim-news", daemon=True).start()

        LiveApp(language, on_stop=stop, on_order=order, begin=begin).run()


def receive(line: Connection, app: LiveApp) -> None:
    """Hand over what comes, one after another; leave when the run has closed the line, or has ended without."""
    with suppress(RuntimeError):  # the app has ended meanwhile
        try:
            while (news := orjson.loads(line.recv_bytes())) is not None:
                app.call_from_thread(app.take, Update(**news))
        except (EOFError, OSError):
            pass
        app.call_from_thread(app.leave)
