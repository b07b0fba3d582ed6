"""The store that forgets: to measure everything before the database."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from simulator.ingest.store import Row

__all__ = ["NoStore"]


class NoStore:
    """Takes every row."""

    def describe(self) -> str:
        return "none: rows are taken and forgotten"

    def write(self, rows: Sequence[Row]) -> None:
        pass

    def count(self, *, from_ms: int, to_ms: int) -> None:
        """Return None: what is forgotten cannot be audited."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
