"""Reads back what a server of the InfluxDB family holds: the one place that knows how each of them is asked.

InfluxQL (1.x) and the export API of VictoriaMetrics were seen on 1.6.7 and 1.79. Flux (2.x) and SQL (3.x) follow the
documentation: /api/v2/query with annotated CSV, /api/v3/query_sql with JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import numpy as np

from simulator.batch import Catalog
from simulator.ingest.readers.names import Names
from simulator.ingest.readers.values import Fields, Values
from simulator.ingest.stores.influxdb.address import Address
from simulator.ingest.stores.influxdb.connection import Connection
from simulator.ingest.stores.influxdb.dialects import (
    Dialect,
    InfluxDB1,
    InfluxDB2,
    InfluxDB3,
    VictoriaMetrics,
    detect,
    double_quoted,
    exported,
    flux,
    flux_quoted,
    influxql,
    sql,
    tables,
)
from simulator.scenario.stored import Stored
from simulator.wire.line_protocol import SEQ

__all__ = ["InfluxReader"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class InfluxReader:
    """A database of the InfluxDB family, opened for reading. Raises OutOfReachError when it cannot be used."""

    def __init__(self, address: Address, catalog: Catalog, stored: Stored | None = None) -> None:
        """``stored`` says how someone else's ingester names things."""
        self._fields = Fields(catalog)
        self._names = Names(catalog, stored)
        self._link = Connection(address)
        try:
            self._dialect: Dialect = detect(self._link)
        except BaseException:
            self._link.close()
            raise
        self._link.scheme = self._dialect.scheme
        self._read = READING[type(self._dialect)]

    def describe(self) -> str:
        return f"{self._dialect.name} at {self._link.address.shown}"

    def values(self, *, from_ms: int, to_ms: int) -> Iterator[Values]:
        return self._read(self, from_ms, to_ms)

    def second(self) -> int | None:
        """Return the second of the Date in an answer, RFC 9110 6.6.1."""
        date = self._link.request("GET", "/ping").headers.get("Date")
        try:
            return None if date is None else int(parsedate_to_datetime(date).timestamp())
        except ValueError:
            return None

    def with_influxql(self, from_ms: int, to_ms: int) -> Iterator[Values]:
        """Ask InfluxDB 1.x; a series comes back as a table."""
        tags = ", ".join(map(double_quoted, self._names.tags))
        for kind in self._names.measurements:
            names = ", ".join(map(double_quoted, self._names.fields_of[kind]))
            text = (
                f"SELECT {names} FROM {double_quoted(kind)}"  # noqa: S608 - quoted
                f" WHERE time >= {from_ms}ms AND time < {to_ms}ms GROUP BY {tags}"
            )
            for series in influxql(self._link, text, database=self._link.address.bucket):
                columns = dict(zip(series["columns"], zip(*series["values"], strict=True), strict=True))
                yield self._of_series(kind, series["tags"], columns.pop("time"), columns)

    def with_flux(self, from_ms: int, to_ms: int) -> Iterator[Values]:
        """Ask InfluxDB 2.x; each value comes back as a line."""
        for kind in self._names.measurements:
            text = (
                f"from(bucket: {flux_quoted(self._link.address.bucket)})"
                f" |> range(start: time(v: {from_ms * 1_000_000}), stop: time(v: {to_ms * 1_000_000}))"
                f" |> filter(fn: (r) => r._measurement == {flux_quoted(kind)})"
                f" |> keep(columns: {json.dumps(['_time', '_field', '_value', '_measurement', *self._names.tags])})"
            )
            found: dict[tuple[int | None, str], tuple[list[int], list[float]]] = {}
            for row in flux(self._link, text):
                name = row["_field"]
                if name in self._names.fields_of[kind]:
                    times, values = found.setdefault((self._names.asset(kind, row), name), ([], []))
                    times.append(millisecond(row["_time"]))
                    values.append(float(row["_value"]))
            for (asset, name), (times, values) in found.items():
                yield self._of_asset(asset, times, {name: values})

    def with_sql(self, from_ms: int, to_ms: int) -> Iterator[Values]:
        """Ask InfluxDB 3; each row comes back as an object."""
        for kind in tables(self._link).intersection(self._names.measurements):
            # a column that nothing was written to does not exist either
            text = (
                f"SELECT * FROM {double_quoted(kind)}"  # noqa: S608 - quoted
                f" WHERE time >= to_timestamp_millis({from_ms}) AND time < to_timestamp_millis({to_ms})"
            )
            by_asset: dict[int | None, list[dict[str, Any]]] = {}
            for row in sql(self._link, text):
                by_asset.setdefault(self._names.asset(kind, row), []).append(row)
            for asset, rows in by_asset.items():
                columns = {name: [row.get(name) for row in rows] for name in self._names.fields_of[kind]}
                yield self._of_asset(asset, [millisecond(row["time"]) for row in rows], columns)

    def with_export(self, from_ms: int, to_ms: int) -> Iterator[Values]:
        """Ask VictoriaMetrics; each field of a series comes back by itself, repeated values included."""
        series_named = {
            f"{kind}_{name}": (kind, name) for kind in self._names.measurements for name in self._names.fields_of[kind]
        }
        for document in exported(self._link, ['__name__!=""'], from_ms, to_ms):
            kind, name = series_named.get(document["metric"]["__name__"], (None, SEQ))
            if kind is not None:
                yield self._of_series(kind, document["metric"], document["timestamps"], {name: document["values"]})

    def _of_series(self, kind: str, tags: Mapping[str, object], times: Any, columns: dict[str, Any]) -> Values:
        return self._of_asset(self._names.asset(kind, tags), times, columns)

    def _of_asset(self, asset: int | None, times: Any, columns: dict[str, Any]) -> Values:
        if asset is None:
            return Values.none()
        time_ms = np.array(times, dtype=np.int64)
        return self._fields.values(np.full(len(time_ms), asset), time_ms, self._names.ours(columns))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.close()


READING: dict[type[Dialect], Callable[[InfluxReader, int, int], Iterator[Values]]] = {
    InfluxDB1: InfluxReader.with_influxql,
    InfluxDB2: InfluxReader.with_flux,
    InfluxDB3: InfluxReader.with_sql,
    VictoriaMetrics: InfluxReader.with_export,
}


def millisecond(text: str) -> int:
    """Return milliseconds since the Unix epoch of an instant in RFC 3339; 3.x leaves the zone out, which is UTC."""
    moment = datetime.fromisoformat(text)
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    return round(since.total_seconds() * 1_000)
