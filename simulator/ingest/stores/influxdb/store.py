"""The store that speaks line protocol over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from simulator.batch import Asset, Catalog
from simulator.errors import OutOfReachError, ScenarioError, StoreError
from simulator.ingest.store import Row
from simulator.ingest.stores.influxdb.address import Address
from simulator.ingest.stores.influxdb.connection import Connection, RefusedError
from simulator.ingest.stores.influxdb.dialects import Dialect, InfluxDB1, Series, detect, series_of
from simulator.wire.line_protocol import LineProtocol

__all__ = ["InfluxStore"]


class InfluxStore:
    """An open database of the InfluxDB family; each write is one request, over when the server has answered.

    Same measurement, tags and timestamp is the same row, so that redelivery overwrites. Raises OutOfReachError when
    the server cannot be used, ScenarioError for names that line protocol cannot carry.
    """

    def __init__(self, address: Address, catalog: Catalog, assets: Sequence[Asset] | None = None) -> None:
        """``assets``: whose rows are counted; None: those of the whole catalogue."""
        self.lines: LineProtocol | None = line_protocol(catalog)
        self._own: set[Series] = {series_of(asset.kind, asset.tags) for asset in assets or catalog.assets}
        self._link = Connection(address)
        try:
            self._dialect = detect(self._link)
            self._link.scheme = self._dialect.scheme
            self._path, self._query = self._dialect.write_target(address)
            try_to_write(self._link, self._dialect)
        except BaseException:
            self._link.close()
            raise

    def describe(self) -> str:
        return f"{self._dialect.name} at {self._link.address.shown}"

    def write(self, rows: Sequence[Row]) -> None:
        """Write in one request. Raises StoreError."""
        assert self.lines is not None
        try:
            body = "\n".join([self.lines.line(*row) for row in rows]).encode()
        except ValueError as error:
            message = f"store influxdb: {len(rows)} rows were not written: {error}"
            raise StoreError(message, retryable=False, split=True) from error
        self.write_lines(body)

    def write_lines(self, body: bytes) -> None:
        """Write lines in one request. Raises StoreError."""
        self._link.request("POST", self._path, query=self._query, body=body)

    def bare_request(self) -> tuple[str, dict[str, str]]:
        """Return path, query included, and headers of a write, for benchmarks that speak HTTP themselves."""
        path = f"{self._path}?{urlencode(self._query)}"
        return path, {"Content-Type": "text/plain; charset=utf-8"} | self._link.authorisation()

    def count(self, *, from_ms: int, to_ms: int) -> int:
        """Count the rows of this Catalog's assets with from_ms <= time < to_ms. Raises StoreError."""
        kinds = sorted({series[0] for series in self._own})
        try:
            counts = self._dialect.counts(self._link, kinds, from_ms, to_ms)
            return sum(rows for series, rows in counts if series in self._own)
        except (KeyError, TypeError, ValueError) as error:
            message = (
                f"store influxdb at {self._link.address.shown}: {self._dialect.name} answered a query in a way that is"
                f" not documented ({error!r}); is there a proxy in between?"
            )
            raise StoreError(message, retryable=False) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.close()


def line_protocol(catalog: Catalog) -> LineProtocol:
    """Return who writes the lines of a catalogue. Raises ScenarioError for names that line protocol cannot carry."""
    try:
        return LineProtocol(catalog)
    except ValueError as error:
        raise ScenarioError(str(error)) from error


def try_to_write(link: Connection, dialect: Dialect) -> None:
    """Write nothing, to learn whether the bucket is there and we may write to it. Raises OutOfReachError.

    All servers look up the bucket and our rights before they read the body; some then call an empty one a mistake.
    """
    path, query = dialect.write_target(link.address)
    try:
        link.request("POST", path, query=query)
    except RefusedError as error:
        if error.status == 404 and link.address.create and isinstance(dialect, InfluxDB1):
            dialect.create(link)
        elif error.status == 404:
            message = f"store influxdb at {link.address.shown}: {dialect.missing(link.address)} ({error})"
            raise OutOfReachError(message) from error
        elif error.status != 400:
            raise
