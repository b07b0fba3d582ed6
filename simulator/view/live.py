"""What a run says while it goes on: a status line on a terminal, a line every ten seconds elsewhere, or nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self, TextIO

from simulator.clock import SECOND_NS
from simulator.errors import ScenarioError
from simulator.results.snapshot import Snapshot
from simulator.scenario.quantities import duration_text
from simulator.view.feed import Feed

__all__ = ["VIEWS", "View", "open_view"]

VIEWS = ("none", "plain")
PLAIN_EVERY_NS = 10 * SECOND_NS
CLEAR = "\r\x1b[K"
WIDTH = 80
"""Columns of a terminal that does not say how wide it is."""
BETWEEN = " | "
RATES = 1
"""The place of the rates in the line; short they are three bare numbers, so they are spelt out first."""


class View(Protocol):
    """Shows the snapshots of a run."""

    def show(self, snapshot: Snapshot) -> None:
        """Show one snapshot."""

    def say(self, text: str) -> None:
        """Say something on a line of its own."""

    def follow(self, feed: Feed) -> None:
        """Look from now on at a feed as well, which is shown each snapshot before the view is."""

    def end(self, stop: threading.Event) -> None:
        """Show how the run ended, as the feed says; whoever waits for somebody to look ends with ``stop``."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_view(name: str | None, stream: TextIO, **others: Callable[[TextIO], View]) -> View:
    """Return the view of that name; None is a status line on a terminal, else plain. Raises ScenarioError.

    ``others`` open the views of their names; without them there are none.
    """
    if name is None:
        return StatusLine(stream) if stream.isatty() else PlainLines(stream)
    if name in others:
        return others[name](stream)
    if name not in VIEWS:
        views = (*VIEWS, *others)
        message = f"--view {name}: there is no such view; there are {', '.join(views[:-1])} and {views[-1]}"
        raise ScenarioError(message)
    return PlainLines(stream) if name == "plain" else NoView(stream)


class NoView:
    """Shows no snapshots."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, snapshot: Snapshot) -> None:
        pass

    def say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def follow(self, feed: Feed) -> None:
        pass

    def end(self, stop: threading.Event) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class PlainLines(NoView):
    """Prints a line every ten seconds, for logs and pipes, and one as soon as something is wrong or waited for."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._before: Snapshot | None = None
        self._trouble: str | None = None
        self._waiting: str | None = None

    def show(self, snapshot: Snapshot) -> None:
        self._say_what_is_new(snapshot)
        before_ns = self._before.wall_ns if self._before else 0
        if snapshot.wall_ns - before_ns >= PLAIN_EVERY_NS:
            self.say(told(snapshot, self._before))
            self._before = snapshot

    def _say_what_is_new(self, snapshot: Snapshot) -> None:
        if snapshot.trouble != self._trouble:
            self._trouble = snapshot.trouble
            self.say(f"trouble: {self._trouble}" if self._trouble else "trouble is over")
        if snapshot.waiting and snapshot.waiting != self._waiting:
            self._waiting = snapshot.waiting
            self.say(f"ending: waits {self._waiting}")


class StatusLine(PlainLines):
    """Writes one line again and again in its place; what is wrong or waited for goes above it and stays."""

    def show(self, snapshot: Snapshot) -> None:
        self._say_what_is_new(snapshot)
        room = width(self._stream) - 1
        line = told(snapshot, self._before, room=room)
        self._before = snapshot
        self._stream.write(CLEAR + (line if len(line) <= room else line[: room - 3] + "..."))
        self._stream.flush()

    def say(self, text: str) -> None:
        super().say(CLEAR + text)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            with suppress(OSError):  # the terminal may be gone, which must not take the outcome with it
                self._stream.write(CLEAR)
                self._stream.flush()


def width(stream: TextIO) -> int:
    """Return the columns of the terminal behind a stream, which need not be that of standard output."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or WIDTH
    except (OSError, ValueError):
        return WIDTH


def told(snapshot: Snapshot, before: Snapshot | None, *, room: int | None = None) -> str:
    """Say a snapshot in one line of ``room`` characters: how far, rates at each hop, lag, loss, alarms, OEE.

    Each part has a short form, and those of all parts together fit into 80 columns; where there is more room, the
    parts are spelt out, the rates first. Without ``room`` all are.
    """
    parts = [part for part in (*of_run(snapshot, before), *of_park(snapshot)) if part]
    forms = [part[0] for part in parts]
    for place in sorted(range(len(parts)), key=lambda place: place != RATES):
        for longer in parts[place][1:]:
            tried = [*forms[:place], longer, *forms[place + 1 :]]
            if room is None or len(joined(tried)) <= room:
                forms = tried
    return joined(forms)


def joined(forms: list[str]) -> str:
    return BETWEEN.join(forms)


def of_run(snapshot: Snapshot, before: Snapshot | None) -> list[tuple[str, ...]]:
    """Return what is told of the hops, each part in its forms, the shortest first."""
    passed = duration_text(max(0, snapshot.simulated_ns) // SECOND_NS * SECOND_NS)
    rates = [snapshot.per_s(before, name) for name in ("published", "received", "readings_written")]
    brief = [short(rate) for rate in rates]
    full = [f"{rate:,.0f}/s" for rate in rates]
    counts = snapshot.counts
    flight = f"{counts.in_flight - counts.kept:,} in flight"
    flight += f", {counts.kept:,} in gateways" if counts.kept else ""
    flight += f", {counts.spooled:,} in the spool" if counts.spooled else ""
    return [
        (
            " ".join(passed.split()[:2]),
            passed + (f" of {duration_text(snapshot.duration_ns)}" if snapshot.duration_ns else ""),
        ),
        (
            f"{'>'.join(brief)}/s",
            f"sent {brief[0]}>got {brief[1]}>stored {brief[2]}/s",
            f"sent {full[0]} > received {full[1]} > stored {full[2].removesuffix('/s')} readings/s",
        ),
        lag(snapshot),
        (f"{short(counts.lost)} lost", f"{flight}, {counts.lost:,} lost"),
    ]


def lag(snapshot: Snapshot) -> tuple[str, ...]:
    """Return how late rows come into the store; at full speed, where nothing is due, how fast time passes."""
    if snapshot.end_to_end_ms is not None:
        ms = snapshot.end_to_end_ms
        return (f"lag {ms:.0f}ms" if ms < 1000 else f"lag {short(ms / 1000)}s", f"lag p99 {ms:,.1f} ms")
    if snapshot.wall_ns <= 0:
        return ()
    factor = snapshot.simulated_ns / snapshot.wall_ns
    return (f"{short(factor)}x", f"{factor:,.0f}x real time")


def of_park(snapshot: Snapshot) -> list[tuple[str, ...]]:
    """Return what is told of the park, each part in its forms, the shortest first."""
    park = snapshot.park
    if not park:
        return []
    alarms, oee = f"{park['alarms']} alarms", park["oee"]
    return [
        (alarms, f"{park['running']} of {park['machines']} machines run, {alarms}"),
        ("OEE -" if oee is None else f"OEE {oee:.0%}",),
    ]


def short(number: float) -> str:
    """Write a number in at most four characters or so: 999, 1.2k, 34k, 5.6M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size * 0.9995:
            return f"{number / size:.1f}{letter}" if number < size * 9.95 else f"{number / size:.0f}{letter}"
    return f"{number:.0f}"
