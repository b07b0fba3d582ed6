"""A broker as a child process of Python: started, asked for its port, and ended with this process."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from brokers.endpoint import Endpoint, Session
from brokers.errors import StartError, ended

__all__ = ["ChildBroker"]

START_S = 20.0
STOP_S = 5.0
LOG_TAIL = 2000
"""Bytes of what the child said last that go into a message."""


class ChildBroker:
    """A module of ours that serves on a free port of the loopback interface, which it prints.

    It ends with this process even when that is killed: the child serves as long as its standard input, a pipe that we
    hold, is open.
    """

    profile = ""
    may_wait = 1 << 30
    module = ""
    """What the child runs."""
    called = ""
    """What it is called in messages."""
    advice = "report this with the text above"
    version: Literal[4, 5] | None = None
    """Of MQTT, that it speaks; None: any."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._complaints: IO[bytes] | None = None
        self._endpoint: Endpoint | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens, once entered."""
        if self._endpoint is None:
            what = "the broker does not run"
            raise StartError(what, address=self.called, advice="use it in a with statement")
        return self._endpoint

    def connect(self, client_id: str, *, window: int, keep_session: bool = False) -> Session:
        from brokers.session import LineSession  # noqa: PLC0415  # paho takes 60 ms to import

        return LineSession(self.endpoint, client_id, window=window, keep_session=keep_session)

    @property
    def process_id(self) -> int | None:
        return None if self._child is None else self._child.pid

    def death(self) -> str | None:
        if self._child is None or self._child.poll() is None:
            return None
        return ended(f"{self.called} broker", self._child.returncode, self._said())

    def __enter__(self) -> Self:
        # A file, as a pipe that nobody reads would fill and stop the child.
        self._complaints = tempfile.TemporaryFile()  # open as long as the child lives
        home = str(Path(__file__).parents[1])
        self._child = subprocess.Popen(  # noqa: S603  # this Python, and a module of ours
            [sys.executable, "-P", "-W", "ignore", "-m", self.module],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            start_new_session=True,  # Ctrl-C is for the parent, which still drains its messages
        )
        try:
            self._endpoint = Endpoint("mqtt", "127.0.0.1", self._read_port(self._child), version=self.version)
            self.connect("parksim-check", window=1).close()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _read_port(self, child: subprocess.Popen[bytes]) -> int:
        """Wait for the child's port. Raises StartError with what it had to say."""
        assert child.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            line = child.stdout.readline() if selector.select(START_S) else b""
        if not line.strip().isdigit():
            what = f"it did not start within {START_S:g} s: {self._said() or 'it said nothing'}"
            raise StartError(what, address=self.called, advice=self.advice)
        return int(line)

    def _said(self) -> str:
        assert self._complaints is not None
        # with pread, for the child writes at the same place of the same open file
        number = self._complaints.fileno()
        length = os.fstat(number).st_size
        return os.pread(number, LOG_TAIL, max(0, length - LOG_TAIL)).decode(errors="replace").strip()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        child, self._child = self._child, None
        if child is not None:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.close()
            try:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            child.stdout.close()
        if self._complaints is not None:
            self._complaints.close()
        self._endpoint = None
