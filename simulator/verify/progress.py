"""Progress of long work on standard error: a line that is rewritten on a terminal, else a line every ten seconds."""

from __future__ import annotations

from typing import TextIO

from simulator.clock import SECOND_NS, Clock

__all__ = ["Progress"]

WIDTH = 40
TERMINAL_NS = SECOND_NS // 5
ELSEWHERE_NS = 10 * SECOND_NS


class Progress:
    """Call it with how much is done, from 0 to 1; close() ends the line."""

    def __init__(self, what: str, stream: TextIO, clock: Clock) -> None:
        self._what = what
        self._stream = stream
        self._clock = clock
        self._is_terminal = stream.isatty()
        self._told_ns = clock.monotonic_ns()

    def __call__(self, share: float) -> None:
        now = self._clock.monotonic_ns()
        if now - self._told_ns < (TERMINAL_NS if self._is_terminal else ELSEWHERE_NS):
            return
        self._told_ns = now
        share = min(1.0, max(0.0, share))
        if self._is_terminal:
            done = round(WIDTH * share)
            self._stream.write(f"\r{self._what} [{'#' * done}{'.' * (WIDTH - done)}] {share:4.0%}")
        else:
            self._stream.write(f"{self._what}: {share:.0%}\n")
        self._stream.flush()

    def close(self) -> None:
        if self._is_terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
