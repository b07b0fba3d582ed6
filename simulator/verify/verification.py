"""Simulates again, reads back, compares, and reports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

from simulator.batch import Catalog
from simulator.errors import ExitCode, ScenarioError
from simulator.ingest.readers.values import Reader, Values
from simulator.park.world import World
from simulator.scenario.quantities import instant_text
from simulator.scenario.stored import Stored
from simulator.verify.assignment import Assignment
from simulator.verify.comparison import DEVIATIONS, Comparison
from simulator.verify.expected import expected

__all__ = ["exit_code_of", "open_reader", "verify"]

SCHEMA = "parksim.verification/1"
MS = 1_000_000


def verify(wanted: Assignment, store: str, *, told: Callable[[float], object]) -> dict[str, Any]:
    """Compare what a store holds with what it should hold; ``told`` hears how far it is, from 0 to 1.

    Returns the report: values are single readings and the sequence number of each row. Raises ScenarioError,
    OutOfReachError.
    """
    scenario = wanted.loaded.scenario.model_copy(update={"seed": wanted.seed})
    world = World(scenario, wanted.loaded.types, wanted.origin_ns + scenario.warm_up)
    world.start_later(wanted.start_ns)
    traffic = world.traffic
    early_ms, late_ms = (0, 0) if traffic is None else traffic.clocks_off_ms()
    first_ms = begun_ms = wanted.from_ns // MS + early_ms
    comparison = Comparison(world.catalog, from_ms=first_ms)
    rows = 0
    with open_reader(store, world.catalog, scenario.stored) as reader:
        described = reader.describe()
        for portion in expected(world, wanted.until_ns, from_ns=wanted.from_ns):
            found = Values.joined(list(reader.values(from_ms=begun_ms, to_ms=portion.until_ms)))
            comparison.compare(portion.values, found, until_ms=portion.until_ms)
            if traffic is None:
                comparison.settle()
            begun_ms, rows = portion.until_ms, rows + portion.rows
            told((portion.until_ms * MS - wanted.from_ns) / max(1, wanted.until_ns - wanted.from_ns))
        if late_ms:
            last_ms = wanted.until_ns // MS + late_ms
            found = Values.joined(list(reader.values(from_ms=begun_ms, to_ms=last_ms)))
            comparison.compare(Values.none(), found, until_ms=last_ms)
        comparison.finish()
    return report(wanted, described, rows, comparison)


def report(wanted: Assignment, store: str, rows: int, comparison: Comparison) -> dict[str, Any]:
    """Return the report as plain data."""
    return {
        "schema": SCHEMA,
        "scenario": wanted.loaded.scenario.name,
        "seed": wanted.seed,
        "from": instant_text(wanted.from_ns, UTC),
        "to": instant_text(wanted.until_ns, UTC),
        "store": store,
        "rows_expected": rows,
        "messages_admitted": wanted.admitted,
        **{name: comparison.total(name) for name in ("expected", "found", *DEVIATIONS)},
        "by_asset": dict(comparison.by_asset()),
        "examples": [
            {
                "kind": one.kind,
                "topic": one.topic,
                "at": instant_text(one.time_ms * MS, UTC),
                "field": one.field,
                "expected": one.expected,
                "found": one.found,
            }
            for one in comparison.examples
        ],
    }


def exit_code_of(report: dict[str, Any]) -> ExitCode:
    """Passed if nothing deviates."""
    return ExitCode.DATA_LOSS if any(report[name] for name in DEVIATIONS) else ExitCode.PASS


def open_reader(text: str, catalog: Catalog, stored: Stored | None = None) -> Reader:
    """Open ``sqlite:FILE`` or ``influxdb://…`` for reading, the latter with the names of someone else's ingester.

    Raises ScenarioError, OutOfReachError.
    """
    scheme, _, rest = text.partition(":")
    if scheme == "sqlite" and rest:
        from simulator.ingest.readers.sqlite import SqliteReader  # noqa: PLC0415 - each is loaded when it is asked for

        return SqliteReader(Path(rest), catalog)
    if scheme in {"influxdb", "influxdbs"}:
        from simulator.ingest.stores.influxdb import Address  # noqa: PLC0415 - the client takes 0.3 s
        from simulator.ingest.stores.influxdb.reader import InfluxReader  # noqa: PLC0415

        return InfluxReader(Address.parse(text), catalog, stored)
    message = f"--store {scheme}: cannot be read back; give sqlite:FILE or influxdb://HOST:8086/BUCKET?org=ORG"
    raise ScenarioError(message)
