"""Reads back what a server of the InfluxDB family holds: the one place that knows how each of them is asked.

InfluxQL (1.x) and the export API of VictoriaMetrics were seen on 1.6.7 and 1.79. Flux (2.x) and SQL (3.x) follow the
documentation: /api/v2/query with annotated CSV, /api/v3/query_sql with JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import numpy as np

from simulator.batch import Catalog
from simulator.ingest.readers.values import Fields, Values
from simulator.ingest.stores.influxdb.address import Address
from simulator.ingest.stores.influxdb.connection import Connection
from simulator.ingest.stores.influxdb.dialects import (
    Dialect,
    InfluxDB1,
    InfluxDB2,
    InfluxDB3,
    Series,
    VictoriaMetrics,
    detect,
    double_quoted,
    exported,
    flux,
    flux_quoted,
    influxql,
    series_of,
    sql,
    tables,
)
from simulator.wire.line_protocol import SEQ, TAGS

__all__ = ["InfluxReader"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class InfluxReader:
    """A database of the InfluxDB family, opened for reading. Raises OutOfReachError when it cannot be used."""

    def __init__(self, address: Address, catalog: Catalog) -> None:
        self._fields = Fields(catalog)
        self._asset_of: dict[Series, int] = {
            series_of(asset.kind, asset.tags): number for number, asset in enumerate(catalog.assets)
        }
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

    def with_influxql(self, from_ms: int, to_ms: int) -> Iterator[Values]:
        """Ask InfluxDB 1.x; a series comes back as a table."""
        tags = ", ".join(map(double_quoted, TAGS))
        for kind in self._fields.kinds:
            names = ", ".join(map(double_quoted, self._fields.names_of[kind]))
            text = (
                f"SELECT {names} FROM {double_quoted(kind)}"  # noqa: S608 - quoted
                f" WHERE time >= {from_ms}ms AND time < {to_ms}ms GROUP BY {tags}"
            )
            for series in influxql(self._link, text, database=self._link.address.bucket):
                columns = dict(zip(series["columns"], zip(*series["values"], strict=True), strict=True))
                yield self._of_series(series_of(kind, series["tags"]), columns.pop("time"), columns)

    def with_flux(self, from_ms: int, to_ms: int) -> Iterator[Values]:
        """Ask InfluxDB 2.x; each value comes back as a line."""
        for kind in self._fields.kinds:
            text = (
                f"from(bucket: {flux_quoted(self._link.address.bucket)})"
                f" |> range(start: time(v: {from_ms * 1_000_000}), stop: time(v: {to_ms * 1_000_000}))"
                f" |> filter(fn: (r) => r._measurement == {flux_quoted(kind)})"
                f" |> keep(columns: {json.dumps(['_time', '_field', '_value', '_measurement', *TAGS])})"
            )
            found: dict[tuple[Series, str], tuple[list[int], list[float]]] = {}
            for row in flux(self._link, text):
                times, values = found.setdefault((series_of(kind, row), row["_field"]), ([], []))
                times.append(millisecond(row["_time"]))
                values.append(float(row["_value"]))
            for (series, name), (times, values) in found.items():
                yield self._of_series(series, times, {name: values})

    def with_sql(self, from_ms: int, to_ms: int) -> Iterator[Values]:
        """Ask InfluxDB 3; each row comes back as an object."""
        for kind in tables(self._link).intersection(self._fields.kinds):
            # a column that nothing was written to does not exist either
            text = (
                f"SELECT * FROM {double_quoted(kind)}"  # noqa: S608 - quoted
                f" WHERE time >= to_timestamp_millis({from_ms}) AND time < to_timestamp_millis({to_ms})"
            )
            by_series: dict[Series, list[dict[str, Any]]] = {}
            for row in sql(self._link, text):
                by_series.setdefault(series_of(kind, row), []).append(row)
            for series, rows in by_series.items():
                columns = {name: [row.get(name) for row in rows] for name in self._fields.names_of[kind]}
                yield self._of_series(series, [millisecond(row["time"]) for row in rows], columns)

    def with_export(self, from_ms: int, to_ms: int) -> Iterator[Values]:
        """Ask VictoriaMetrics; each field of a series comes back by itself, repeated values included."""
        series_named = {
            f"{kind}_{name}": (kind, name) for kind in self._fields.kinds for name in self._fields.names_of[kind]
        }
        for document in exported(self._link, ['__name__!=""'], from_ms, to_ms):
            kind, name = series_named.get(document["metric"]["__name__"], (None, SEQ))
            if kind is not None:
                series = series_of(kind, document["metric"])
                yield self._of_series(series, document["timestamps"], {name: document["values"]})

    def _of_series(self, series: Series, times: Any, columns: dict[str, Any]) -> Values:
        asset = self._asset_of.get(series)
        if asset is None:
            return Values.none()
        time_ms = np.array(times, dtype=np.int64)
        return self._fields.values(np.full(len(time_ms), asset), time_ms, columns)

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
