"""Reading back from servers that cannot be started here: what leaves, and what is made of documented answers."""

from __future__ import annotations

import json

import numpy as np
from http_recorder import Reply, Request, listening, ping
from presses import START_MS, catalog_of

from simulator.ingest.readers.values import Values
from simulator.ingest.stores.influxdb import Address
from simulator.ingest.stores.influxdb.reader import InfluxReader

CATALOG = catalog_of(presses=2, testers=0)
TAGS = {"province": "binh-duong", "park": "vsip-2", "factory": "wiring", "line": "line-1", "machine": "press-2"}
ASSET = 1
POWER = CATALOG.assets[ASSET].first_sensor + 1
SEQ = len(CATALOG) + ASSET


def read(port: int) -> list[tuple[int, int, float]]:
    """Return field, millisecond and value of all that a server has."""
    with InfluxReader(Address.parse(f"influxdb://127.0.0.1:{port}/park?org=plant"), CATALOG) as reader:
        values = Values.joined(list(reader.values(from_ms=START_MS, to_ms=START_MS + 5_000)))
    return sorted(zip(*(column.tolist() for column in values), strict=True))


def test_influxdb2_is_read_with_flux() -> None:
    """A table for each field of each series, in annotated CSV; series of other parks are left out."""
    columns = ["result", "table", "_time", "_value", "_field", "_measurement", *TAGS]
    stranger = [*[*TAGS.values()][:-1], "press-77"]
    tables = [
        [["_result", "0", "2026-01-01T00:00:01.25Z", "41.2", "power_kw", "press", *TAGS.values()]],
        [
            ["_result", "1", "2026-01-01T00:00:01.25Z", "7", "seq", "press", *TAGS.values()],
            ["_result", "1", "2026-01-01T00:00:02Z", "8", "seq", "press", *TAGS.values()],
        ],
        [["_result", "2", "2026-01-01T00:00:01.25Z", "5", "seq", "press", *stranger]],
    ]
    csv = "\r\n".join("\r\n".join(",".join(["", *row]) for row in (columns, *rows)) + "\r\n" for rows in tables)
    with listening(ping=ping("v2.7.6"), api__v2__query=Reply(200, csv)) as server:
        found = read(server.port)
    assert found == [(POWER, START_MS + 1_250, 41.2), (SEQ, START_MS + 1_250, 7.0), (SEQ, START_MS + 2_000, 8.0)]
    (request,) = server.to("/api/v2/query")
    assert request.query == {"org": ["plant"]}
    assert f"range(start: time(v: {START_MS}000000), stop: time(v: {START_MS + 5_000}000000))" in request.body
    assert 'from(bucket: "park")' in request.body


def test_influxdb3_is_read_with_sql() -> None:
    """Rows as JSON objects, null where a row lacks a field; tables that are not there are not asked for."""
    there = catalog_of(presses=2, testers=1)

    def answer(request: Request) -> Reply:
        asked = json.loads(request.body)["q"]
        if "information_schema" in asked:
            return Reply(200, json.dumps([{"table_name": "press"}, {"table_name": "other"}]))
        assert 'FROM "press"' in asked
        row = {**TAGS, "time": "2026-01-01T00:00:01.250", "seq": 7, "power_kw": 41.2, "barrel_c": None}
        return Reply(200, json.dumps([row, {**row, "time": "2026-01-01T00:00:02", "seq": 8, "power_kw": None}]))

    with (
        listening(ping=ping("3.0.1"), api__v3__query_sql=answer) as server,
        InfluxReader(Address.parse(f"influxdb://127.0.0.1:{server.port}/park"), there) as reader,
    ):
        values = Values.joined(list(reader.values(from_ms=START_MS, to_ms=START_MS + 5_000)))
        shown = reader.describe()
    assert shown.startswith("InfluxDB 3.0.1 at http://127.0.0.1")
    order = np.lexsort((values.time_ms, values.field))
    seq = len(there) + ASSET
    assert values.field[order].tolist() == [POWER, seq, seq]
    assert values.value[order].tolist() == [41.2, 7.0, 8.0]
    assert values.time_ms[order].tolist() == [START_MS + 1_250, START_MS + 1_250, START_MS + 2_000]
