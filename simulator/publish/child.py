"""A process of our own that is spoken with over a pipe; it ends with whoever started it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe

__all__ = ["Child"]


class Child:
    """Runs ``main(descriptor)`` of a module, which gets the other end of ``line``."""

    def __init__(self, module: str, *, ended_s: float) -> None:
        """``ended_s``: how long it may take to end by itself once the line is closed."""
        self._ended_s = ended_s
        ours, theirs = Pipe()
        self.line: Connection = ours
        with theirs:
            # not with -m, which would make another module of it, with classes of its own
            code = f"from {module} import main; main({theirs.fileno()})"
            self._process = subprocess.Popen(  # noqa: S603  # a module of ours, by the interpreter that runs it
                [sys.executable, "-c", code],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Ctrl-C is for us: the child is told to stop when it is time
                process_group=0,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> int | None:
        """Wait for its end and return its status; None if it has not ended in time."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(self._ended_s)
        return None

    def close(self) -> None:
        """End it, by force if it does not end by itself."""
        self.line.close()
        self.ended()
        self._process.kill()
        self._process.wait()
