"""The store that forgets: to measure everything before the database."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from simulator.batch import Catalog
from simulator.ingest.store import Row
from simulator.wire.line_protocol import LineProtocol

__all__ = ["NoStore"]


class NoStore:
    """Takes every row, as a line: that is how most databases would."""

    def __init__(self, catalog: Catalog) -> None:
        """Take values of a catalogue whose names line protocol cannot carry."""
        try:
            self.lines: LineProtocol | None = LineProtocol(catalog)
        except ValueError:
            self.lines = None

    def describe(self) -> str:
        return "none: rows are taken and forgotten"

    def write(self, rows: Sequence[Row]) -> None:
        pass

    def write_lines(self, body: bytes) -> None:
        pass

    def count(self, *, from_ms: int, to_ms: int) -> None:
        """Return None: what is forgotten cannot be audited."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
