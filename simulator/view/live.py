"""What a run says while it goes on: a status line on a terminal, a line every ten seconds elsewhere, or nothing."""

from __future__ import annotations

import shutil
from types import TracebackType
from typing import Protocol, Self, TextIO

from simulator.clock import SECOND_NS
from simulator.errors import ScenarioError
from simulator.results.snapshot import Snapshot
from simulator.scenario.quantities import duration_text

__all__ = ["VIEWS", "View", "open_view"]

VIEWS = ("none", "plain")
PLAIN_EVERY_NS = 10 * SECOND_NS
CLEAR = "\r\x1b[K"


class View(Protocol):
    """Shows the snapshots of a run."""

    def show(self, snapshot: Snapshot) -> None:
        """Show one snapshot."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_view(name: str | None, stream: TextIO) -> View:
    """Return the view of that name; None is a status line on a terminal, else plain. Raises ScenarioError."""
    if name is None:
        return StatusLine(stream) if stream.isatty() else PlainLines(stream)
    if name not in VIEWS:
        message = f"--view {name}: there is no such view; there are {' and '.join(VIEWS)}"
        raise ScenarioError(message)
    return PlainLines(stream) if name == "plain" else NoView()


class NoView:
    """Shows nothing."""

    def show(self, snapshot: Snapshot) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class PlainLines(NoView):
    """Prints a line every ten seconds, for logs and pipes, and one as soon as something is wrong."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._before: Snapshot | None = None
        self._trouble: str | None = None

    def show(self, snapshot: Snapshot) -> None:
        if snapshot.trouble != self._trouble:
            self._trouble = snapshot.trouble
            print(f"trouble: {self._trouble}" if self._trouble else "trouble is over", file=self._stream, flush=True)
        before_ns = self._before.wall_ns if self._before else 0
        if snapshot.wall_ns - before_ns >= PLAIN_EVERY_NS:
            print(told(snapshot, self._before), file=self._stream, flush=True)
            self._before = snapshot


class StatusLine(NoView):
    """Writes one line again and again in its place."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._before: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        line = told(snapshot, self._before)
        self._before = snapshot
        room = shutil.get_terminal_size().columns - 1
        self._stream.write(CLEAR + (line if len(line) <= room else line[: room - 3] + "..."))
        self._stream.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            self._stream.write(CLEAR)
            self._stream.flush()


def told(snapshot: Snapshot, before: Snapshot | None) -> str:
    """Say a snapshot in one line: how far, rates at each hop, lag, what is open or lost, alarms, OEE."""
    passed = duration_text(max(0, snapshot.simulated_ns) // SECOND_NS * SECOND_NS)
    parts = [passed + (f" of {duration_text(snapshot.duration_ns)}" if snapshot.duration_ns else "")]
    if snapshot.trouble:
        parts.append(f"TROUBLE {snapshot.trouble}")
    published, received, written = (
        snapshot.per_s(before, name) for name in ("published", "received", "readings_written")
    )
    parts.append(f"sent {published:,.0f}/s > received {received:,.0f}/s > stored {written:,.0f} readings/s")
    counts = snapshot.counts
    if snapshot.end_to_end_ms is not None:
        parts.append(f"lag p99 {snapshot.end_to_end_ms:,.1f} ms")
    elif snapshot.wall_ns > 0:
        parts.append(f"{snapshot.simulated_ns / snapshot.wall_ns:,.0f}x real time")
    lost = counts.unaccounted + sum(counts.dropped.values()) + sum(counts.dead_lettered.values())
    parts.append(f"{counts.in_flight:,} in flight, {lost:,} lost")
    park = snapshot.park
    if park:
        parts.append(f"{park['running']} of {park['machines']} machines run, {park['alarms']} alarms")
        oee = park["oee"]
        parts.append("OEE -" if oee is None else f"OEE {oee:.0%}")
    return " | ".join(parts)
