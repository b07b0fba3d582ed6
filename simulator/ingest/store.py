"""What the bridge asks of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol, Self

__all__ = ["Row", "Store"]


class Row(NamedTuple):
    """One message as a row: an asset at an instant."""

    asset: int
    """Number in the Catalog."""
    time_ms: int
    seq: int
    fields: Mapping[str, int | float]


class Store(Protocol):
    """An open database. Writing the same rows twice leaves them there once."""

    def describe(self) -> str:
        """One line for people: which server or file, which version; no secret in it."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write; on return the rows are as durable as this database makes them. Raises StoreError."""

    def count(self, *, from_ms: int, to_ms: int) -> int:
        """Ask the database how many rows of this run's assets it holds with from_ms <= time < to_ms."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
