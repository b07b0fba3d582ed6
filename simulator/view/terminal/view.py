"""The run's end of a terminal view: it starts the process that draws, and sends it the latest of what there is.

The run never waits for a screen: a thread of its own sends, only the latest document, and when the other process is
gone the view goes on with plain lines.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
import threading
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from types import TracebackType
from typing import Any, Self, TextIO

import orjson

from simulator.errors import ScenarioError
from simulator.results.snapshot import Snapshot
from simulator.view.feed import Feed
from simulator.view.live import PlainLines, View
from simulator.view.terminal.prompt import told_order

__all__ = ["TerminalView", "open_terminal"]

LOOK_S = 0.1
NO_MORE = b"null"
ENDING_S = 5.0
LEAVE = "\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[<u\x1b[0m"
"""Back to the normal screen, with a cursor, without reports of the mouse, of pasting and of keys."""


class TerminalView(PlainLines):
    """Draws on the terminal behind ``stream``. Used by one thread at a time, but for ``say``."""

    def __init__(self, stream: TextIO, language: str) -> None:
        super().__init__(stream)
        self._language = language
        self._feed: Feed | None = None
        self._said: list[str] = []
        self._sent_said = 0
        self._sent_number = 0
        self._news = threading.Event()
        self._lock = threading.Lock()
        self._is_gone = False
        self._is_closing = False
        self._is_over = False
        self._has_asked = False

    def __enter__(self) -> Self:
        self._modes = termios.tcgetattr(self._stream.fileno())
        ours, theirs = Pipe()
        self._line: Connection = ours
        with theirs:
            code = f"from simulator.view.terminal.child import main; main({theirs.fileno()}, {self._language!r})"
            # In our process group, since only that of the foreground may read from a terminal; so Ctrl-C comes to both
            # until the app has the keyboard, and the child ignores it from its first moment on.
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            try:
                self._child = subprocess.Popen(  # noqa: S603 - a module of ours, by the interpreter that runs it
                    [sys.executable, "-c", code],
                    stdout=self._stream.fileno(),
                    stderr=self._stream.fileno(),
                    pass_fds=[theirs.fileno()],
                )
            finally:
                signal.signal(signal.SIGINT, before)
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for target, name in ((self._send, "parksim-screen"), (self._listen, "parksim-keys"))
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closing = True
        self._news.set()
        try:
            self._child.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
        self._child.wait()
        for thread in self._threads:
            thread.join()
        self._line.close()
        self._fall_back(None)

    def follow(self, feed: Feed) -> None:
        self._feed = feed
        self._news.set()

    def show(self, snapshot: Snapshot) -> None:
        if self._is_gone:
            super().show(snapshot)
        self._news.set()

    def say(self, text: str) -> None:
        with self._lock:
            if not self._is_gone:
                self._said.append(text)
                self._news.set()
                return
        super().say(text)

    def end(self, stop: threading.Event) -> None:
        """Leave the verdict on the screen until a key is pressed; a signal, before or now, ends it as well."""
        self._is_over = True
        self._news.set()
        with suppress(KeyboardInterrupt):
            while not self._is_gone and (self._has_asked or not stop.is_set()):
                with suppress(subprocess.TimeoutExpired):
                    self._child.wait(LOOK_S)
                    return

    def _send(self) -> None:
        """Send the latest, whenever there is some, and in the end that there will be no more."""
        with suppress(OSError):
            while not self._is_closing:
                self._news.wait()
                self._news.clear()
                self._line.send_bytes(orjson.dumps(self._update()))
            self._line.send_bytes(NO_MORE)

    def _update(self) -> dict[str, Any]:
        with self._lock:
            said, self._sent_said = self._said[self._sent_said :], len(self._said)
        update: dict[str, Any] = {"said": said}
        document = self._feed.document() if self._feed else {}
        if self._feed and document.get("number", 0) != self._sent_number:
            self._sent_number = document["number"]
            update |= {"document": document, "alarms": self._feed.alarms()}
        return update

    def _listen(self) -> None:
        """Pass on what the keyboard asks for; notice when the process that draws is gone."""
        with suppress(EOFError, OSError):
            while True:
                asked = self._line.recv_bytes()
                if asked != b"stop":
                    self._order(orjson.loads(asked))
                elif not self._is_over:
                    self._has_asked = True
                    # the main thread may be waiting for something, which only a signal of its own interrupts
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        if not self._is_closing and not self._is_over:
            self._child.wait()
            self._fall_back("the terminal view has ended; the run goes on with a line every 10 s")

    def _order(self, asked: dict[str, Any]) -> None:
        """Pass on what is to be done to the run, and say what came of it."""
        steering = self._feed.steering if self._feed else None
        if steering is None:
            return
        try:
            steering.do(asked)
        except ScenarioError as error:
            for problem in error.problems:
                self.say(problem)
        else:
            self.say(f"ordered: {told_order(asked)}")

    def _fall_back(self, told: str | None) -> None:
        """Give the terminal back as it was, and print there what was said meanwhile."""
        with self._lock:
            if self._is_gone:
                return
            self._is_gone = True
        with suppress(OSError, termios.error):
            if self._child.returncode:
                termios.tcsetattr(self._stream.fileno(), termios.TCSANOW, self._modes)
                self._stream.write(LEAVE)
            for text in self._said + ([told] if told else []):
                print(text, file=self._stream)
            self._stream.flush()


def open_terminal(stream: TextIO, language: str) -> View:
    """Return the terminal view, or plain lines where nobody could see it or press a key."""
    if stream.isatty() and sys.stdin is not None and sys.stdin.isatty() and os.environ.get("TERM") != "dumb":
        return TerminalView(stream, language)
    view = PlainLines(stream)
    view.say("--view terminal: there is no terminal here; a line every 10 s instead")
    return view
