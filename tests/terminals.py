"""A command in a pseudo-terminal: what it draws, and keys for it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["InTerminal"]

PATIENCE_S = 120.0


class InTerminal:
    """Runs parksim with a terminal of 80 x 24 for its keyboard and its errors; standard output is a pipe."""

    def __init__(self, *arguments: object, cwd: Path) -> None:
        self._screen, self._end = pty.openpty()
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.modes = self.modes_now()
        script = "import sys; sys.argv[0] = 'parksim'; from simulator.__main__ import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            stdin=self._end,
            stdout=subprocess.PIPE,
            stderr=self._end,
            cwd=cwd,
            env=os.environ | {"TERM": "xterm-256color"},
            start_new_session=True,
        )
        self._drawn = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self._end)
        self._reader.join()
        os.close(self._screen)

    def _read(self) -> None:
        with suppress(OSError):  # what Linux answers when nobody has the other end any more
            while part := os.read(self._screen, 100_000):
                self._drawn += part

    def modes_now(self) -> list[Any]:
        """Return how the terminal treats what is typed."""
        return termios.tcgetattr(self._end)

    @property
    def drawn(self) -> str:
        """All that was drawn so far."""
        return self._drawn.decode(errors="replace")

    def waits_for(self, text: str) -> None:
        """Wait until a text was drawn."""
        wait(lambda: text in self.drawn or self.process.poll() is not None)
        assert text in self.drawn

    def press(self, key: str) -> None:
        os.write(self._screen, key.encode())

    def children(self) -> list[int]:
        """Return the processes that parksim has started."""
        files = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(number) for file in files for number in file.read_text().split()]

    def ended(self) -> tuple[int, str]:
        """Wait for the end; return exit code and standard output."""
        out, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out.decode()


def wait(is_so: Callable[[], bool]) -> None:
    """Wait for something that comes sooner or later, however slow the machine."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
