"""Every difference between the servers of the InfluxDB family: how one is recognised, written to and asked.

What is not stated otherwise was seen on InfluxDB 1.6.7 and VictoriaMetrics 1.79. InfluxDB 2.x and 3.x follow their
documentation: the OSS 2.x API (/api/v2/write, /api/v2/query) and the InfluxDB 3 Core API (/api/v3/write_lp,
/api/v3/query_sql, Bearer on all endpoints).
"""

from __future__ import annotations

import contextlib
import csv
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import orjson

from simulator.errors import OutOfReachError, StoreError
from simulator.ingest.stores.influxdb.address import Address
from simulator.ingest.stores.influxdb.connection import Connection, Query, Scheme
from simulator.wire.line_protocol import SEQ, TAGS

__all__ = ["Dialect", "Series", "detect"]

Series = tuple[str, ...]
"""Which asset: the measurement, then the values of TAGS."""


class Dialect(Protocol):
    """How one kind of server wants to be spoken to."""

    name: str
    """Name, version, and what a user should know about it."""
    scheme: Scheme

    def write_target(self, address: Address) -> tuple[str, Query]:
        """Return path and query of a write with millisecond timestamps."""

    def counts(self, link: Connection, kinds: Iterable[str], from_ms: int, to_ms: int) -> Iterable[tuple[Series, int]]:
        """Ask how many rows each series of these measurements has, from_ms <= time < to_ms. Raises StoreError."""

    def missing(self, address: Address) -> str:
        """Say what to do when bucket or database is not there."""


class InfluxDB1:
    """InfluxDB 1.x: /write and InfluxQL. Tokens are unknown to it; a user goes with Basic."""

    scheme: Scheme = "Token"

    def __init__(self, version: str) -> None:
        self.name = f"InfluxDB {version}"

    def write_target(self, address: Address) -> tuple[str, Query]:
        return "/write", [("db", address.bucket), ("precision", "ms")]

    def counts(self, link: Connection, kinds: Iterable[str], from_ms: int, to_ms: int) -> Iterable[tuple[Series, int]]:
        tags = ", ".join(map(double_quoted, TAGS))
        for kind in kinds:
            text = (
                f"SELECT count({double_quoted(SEQ)}) FROM {double_quoted(kind)}"  # noqa: S608 - quoted
                f" WHERE time >= {from_ms}ms AND time < {to_ms}ms GROUP BY {tags}"
            )
            for series in influxql(link, text, database=link.address.bucket):
                yield series_of(kind, series["tags"]), int(series["values"][0][1])

    def missing(self, address: Address) -> str:
        command = f"CREATE DATABASE {double_quoted(address.bucket)}"
        return (
            f"the database {address.bucket!r} does not exist; add ?create=true to the address, or create it:"
            f" influx -host {address.host} -port {address.port} -execute '{command}'"
        )

    def create(self, link: Connection) -> None:
        """Create the database; one that is there stays. Raises StoreError."""
        influxql(link, f"CREATE DATABASE {double_quoted(link.address.bucket)}")


class InfluxDB2:
    """InfluxDB 2.x, OSS or Cloud: /api/v2/write and Flux."""

    scheme: Scheme = "Token"

    def __init__(self, version: str) -> None:
        self.name = f"InfluxDB {version}"

    def write_target(self, address: Address) -> tuple[str, Query]:
        if address.org is None:
            message = (
                f"store influxdb at {address.shown}: InfluxDB 2.x needs an organisation; add ?org=ORG to the address"
            )
            raise OutOfReachError(message)
        return "/api/v2/write", [("org", address.org), ("bucket", address.bucket), ("precision", "ms")]

    def counts(self, link: Connection, kinds: Iterable[str], from_ms: int, to_ms: int) -> Iterable[tuple[Series, int]]:
        measurements = " or ".join(f"r._measurement == {flux_quoted(kind)}" for kind in kinds)
        keys = json.dumps(["_measurement", *TAGS])
        text = (
            f"from(bucket: {flux_quoted(link.address.bucket)})"
            f" |> range(start: time(v: {from_ms * 1_000_000}), stop: time(v: {to_ms * 1_000_000}))"
            f' |> filter(fn: (r) => r._field == "{SEQ}" and ({measurements}))'
            f" |> group(columns: {keys}) |> count()"
        )
        for row in flux(link, text):
            yield series_of(row["_measurement"], row), int(row["_value"])

    def missing(self, address: Address) -> str:
        return (
            f"the bucket {address.bucket!r} or the organisation {address.org!r} does not exist, or the token may not"
            f" see it; create it with: influx bucket create --name {address.bucket} --org {address.org}"
        )


class InfluxDB3:
    """InfluxDB 3: /api/v3/write_lp, all or nothing, on disk before it answers; counted with SQL."""

    scheme: Scheme = "Bearer"

    def __init__(self, version: str) -> None:
        self.name = f"InfluxDB {version}"

    def write_target(self, address: Address) -> tuple[str, Query]:
        return "/api/v3/write_lp", [
            ("db", address.bucket),
            ("precision", "millisecond"),
            ("accept_partial", "false"),
            ("no_sync", "false"),
        ]

    def counts(self, link: Connection, kinds: Iterable[str], from_ms: int, to_ms: int) -> Iterable[tuple[Series, int]]:
        there = tables(link)
        tags = ", ".join(map(double_quoted, TAGS))
        for kind in kinds:
            if kind in there:
                text = (
                    f"SELECT {tags}, count({double_quoted(SEQ)}) AS n FROM {double_quoted(kind)}"  # noqa: S608 - quoted
                    f" WHERE time >= to_timestamp_millis({from_ms}) AND time < to_timestamp_millis({to_ms})"
                    f" GROUP BY {tags}"
                )
                for row in sql(link, text):
                    yield series_of(kind, row), int(row["n"])

    def missing(self, address: Address) -> str:
        return (
            f"the database {address.bucket!r} does not exist and was not created by the write; create it with:"
            f" influxdb3 create database {address.bucket}"
        )


class VictoriaMetrics:
    """VictoriaMetrics: the write API of InfluxDB 2.x; no buckets, so the name goes into the label ``db``."""

    scheme: Scheme = "Bearer"

    def __init__(self, metrics: str | None) -> None:
        """Take the text of /metrics, None if we may not see it."""
        version = re.search(r'vm_app_version\{[^}]*short_version="([^"]+)"', metrics or "")
        notes = []
        if metrics is None:
            notes.append("how it deduplicates and how long it keeps rows is unknown: it does not show us /metrics")
        elif not flag_is_set(metrics, "dedup.minScrapeInterval"):
            notes.append("without -dedup.minScrapeInterval=1ms it keeps and shows redelivered rows twice")
        if metrics is not None and not flag_is_set(metrics, "retentionPeriod"):
            notes.append("without -retentionPeriod it drops, and does not say so, what is older than a month")
        self.name = " ".join(["VictoriaMetrics", *([version[1]] if version else [])])
        if notes:
            self.name += f" ({'; '.join(notes)})"

    def write_target(self, address: Address) -> tuple[str, Query]:
        names = [("bucket", address.bucket), ("db", address.bucket), ("precision", "ms")]
        return "/api/v2/write", [*([("org", address.org)] if address.org else []), *names]

    def counts(self, link: Connection, kinds: Iterable[str], from_ms: int, to_ms: int) -> Iterable[tuple[Series, int]]:
        matches = {f"{kind}_{SEQ}": kind for kind in kinds}
        last: tuple[Series, int] | None = None
        for document in exported(link, [f"__name__={json.dumps(name)}" for name in matches], from_ms, to_ms):
            series = series_of(matches[document["metric"]["__name__"]], document["metric"])
            times = set(document["timestamps"])
            # The same instant twice is one row, as in the rest of the family.
            repeated = last is not None and last[0] == series and last[1] in times
            yield series, len(times) - repeated
            last = (series, max(times))

    def missing(self, address: Address) -> str:
        return f"{address.url} does not take writes at /api/v2/write; is it vminsert or vmselect of a cluster?"


def detect(link: Connection) -> Dialect:
    """Find out what listens. Raises OutOfReachError, StoreError included, when it is nothing that we know."""
    headers = link.request("GET", "/ping").headers
    version = headers.get("X-Influxdb-Version", "").removeprefix("v")
    if "X-Server-Hostname" in headers:
        metrics = None
        # Only for notes; a server with -metricsAuthKey refuses it to all but its monitoring.
        with contextlib.suppress(StoreError):
            metrics = link.request("GET", "/metrics").body.decode("utf-8", "replace")
        return VictoriaMetrics(metrics)
    if version.startswith("1."):
        return InfluxDB1(version)
    # InfluxDB Cloud has no version, only a build; it speaks the API of 2.x.
    if version.startswith("2.") or (not version and "cloud" in headers.get("X-Influxdb-Build", "").lower()):
        return InfluxDB2(version or "Cloud")
    if version.startswith("3."):
        return InfluxDB3(version)
    message = (
        f"store influxdb at {link.address.shown}: something answers, but it is neither InfluxDB 1.x to 3.x nor"
        f" VictoriaMetrics (X-Influxdb-Version is {version!r}); check host and port"
    )
    raise OutOfReachError(message)


def influxql(link: Connection, text: str, *, database: str = "") -> list[dict[str, Any]]:
    query = [("q", text), ("epoch", "ms"), *([("db", database)] if database else [])]
    document = orjson.loads(link.request("POST", "/query", query=query).body)
    (result,) = document["results"]
    if "error" in result:
        message = f"store influxdb at {link.address.shown}: {result['error']}"
        raise StoreError(message, retryable=False)
    series: list[dict[str, Any]] = result.get("series", [])
    return series


def flux(link: Connection, text: str) -> Iterable[dict[str, str]]:
    answer = link.request(
        "POST",
        "/api/v2/query",
        query=[("org", link.address.org or "")],
        body=text.encode(),
        headers={"Content-Type": "application/vnd.flux", "Accept": "application/csv"},
    )
    return flux_rows(answer.body.decode("utf-8"))


def exported(link: Connection, matchers: Iterable[str], from_ms: int, to_ms: int) -> Iterator[dict[str, Any]]:
    """Yield series of the bucket that meet any of some label matchers, with the samples that VictoriaMetrics stores.

    Documents are of bounded length: a long series comes in several, in the order of time.
    """
    # What was written last waits up to a second in memory before queries see it; a server may forbid the flush.
    with contextlib.suppress(StoreError):
        link.request("GET", "/internal/force_flush")
    # It remembers for up to ten seconds which series a selector has found, new ones or not. One that was never
    # asked before is looked up: no series has this label, so it leaves none out.
    once = f'asked!="{secrets.token_hex(8)}"'
    bucket = f"db={json.dumps(link.address.bucket)}"
    selectors = [("match[]", f"{{{matcher},{bucket},{once}}}") for matcher in matchers]
    window = [("start", f"{from_ms / 1_000:.3f}"), ("end", f"{(to_ms - 1) / 1_000:.3f}")]
    for line in link.lines("/api/v1/export", query=[*selectors, *window, ("max_rows_per_line", "10000")]):
        yield orjson.loads(line)


def tables(link: Connection) -> set[str]:
    """Return the tables that InfluxDB 3 has; to ask one that nothing was written to is an error."""
    return {row["table_name"] for row in sql(link, "SELECT table_name FROM information_schema.tables")}


def sql(link: Connection, text: str) -> list[dict[str, Any]]:
    body = {"db": link.address.bucket, "q": text, "format": "json"}
    rows: list[dict[str, Any]] = orjson.loads(link.request("POST", "/api/v3/query_sql", body=body).body)
    return rows


def flux_rows(text: str) -> Iterable[dict[str, str]]:
    """Read the CSV of a Flux answer: tables with a header each, set apart by empty lines."""
    header: list[str] | None = None
    for row in csv.reader(text.splitlines()):
        if not any(row):
            header = None
        elif header is None:
            header = row
        else:
            yield dict(zip(header, row, strict=False))


def series_of(kind: str, tags: Mapping[str, object]) -> Series:
    return (kind, *(str(tags.get(name) or "") for name in TAGS))


def flag_is_set(metrics: str, name: str) -> bool:
    return re.search(rf'^flag\{{name="{re.escape(name)}"[^}}]*is_set="true"', metrics, re.MULTILINE) is not None


def double_quoted(name: str) -> str:
    """Quote an identifier of InfluxQL or SQL; names come from the Catalog, which has no quotes or backslashes."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def flux_quoted(text: str) -> str:
    return json.dumps(text).replace("${", "\\${")
