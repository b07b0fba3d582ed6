"""What the bridge asks of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from simulator.wire.line_protocol import LineProtocol

__all__ = ["Row", "Store"]


class Row(NamedTuple):
    """One message as a row: an asset at an instant."""

    asset: int
    """Number in the Catalog."""
    time_ms: int
    """Milliseconds since the Unix epoch, from 0 to what 64 bits of nanoseconds hold."""
    seq: int
    fields: Mapping[str, int | float]
    """Sensor names of the asset; int where ``Sensor.is_integer``, else float; finite."""


class Store(Protocol):
    """An open database. Writing the same rows twice leaves them there once. Safe to use from several threads."""

    def describe(self) -> str:
        """One line for people: which server or file, which version, what it can lose; no secret in it."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write; on return the rows are as durable as this database makes them. Raises StoreError.

        After a StoreError none, some or all of the rows may be there: write them again.
        """

    @property
    def lines(self) -> LineProtocol | None:
        """How this database writes a row as a line; None if it takes no lines."""

    def write_lines(self, body: bytes) -> None:
        """Write rows that are lines already; as ``write`` otherwise."""

    def count(self, *, from_ms: int, to_ms: int) -> int | None:
        """Ask the database how many rows of this run's assets it holds with from_ms <= time < to_ms.

        A store that knows which run wrote a row counts those of this run only; None from one that keeps nothing.
        Raises StoreError.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
