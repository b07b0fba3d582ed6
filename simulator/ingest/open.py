"""From the text after ``--store`` to an open store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from simulator.batch import Asset, Catalog
from simulator.errors import ScenarioError
from simulator.ingest.store import Store

__all__ = ["STORES", "open_store"]


def open_none(text: str, catalog: Catalog, run_id: str, assets: Sequence[Asset]) -> Store:  # noqa: ARG001 - one signature for all
    from simulator.ingest.stores.none import NoStore  # noqa: PLC0415 - each store is loaded when it is asked for

    if text != "none":
        message = f"store {text!r}: none takes nothing after it; write: none"
        raise ScenarioError(message)
    return NoStore(catalog)


def open_sqlite(text: str, catalog: Catalog, run_id: str, assets: Sequence[Asset]) -> Store:  # noqa: ARG001 - it counts by run
    from simulator.ingest.stores.sqlite import SqliteStore  # noqa: PLC0415

    file = text.partition(":")[2]
    if not file or file.startswith("//"):
        message = f"store {text!r}: a file is missing; write sqlite:FILE, such as sqlite:park.db"
        raise ScenarioError(message)
    return SqliteStore(Path(file), catalog, run_id=run_id)


def open_influxdb(text: str, catalog: Catalog, run_id: str, assets: Sequence[Asset]) -> Store:  # noqa: ARG001
    from simulator.ingest.stores.influxdb import Address, InfluxStore  # noqa: PLC0415 - the client takes 0.3 s

    return InfluxStore(Address.parse(text), catalog, assets)


STORES: dict[str, Callable[[str, Catalog, str, Sequence[Asset]], Store]] = {
    "influxdb": open_influxdb,
    "influxdbs": open_influxdb,
    "none": open_none,
    "sqlite": open_sqlite,
}


def open_store(text: str, catalog: Catalog, *, run_id: str, assets: Sequence[Asset] | None = None) -> Store:
    """Open ``none``, ``sqlite:FILE`` or ``influxdb://[user@]host[:port]/BUCKET?org=ORG``.

    ``assets``: whose rows are counted; None: those of all.

    Raises ScenarioError for a text that cannot be understood, OutOfReachError when the store cannot be used.
    """
    scheme = text.partition(":")[0]
    if scheme not in STORES:
        # Only the scheme is shown: what follows it may hold a password.
        message = (
            f"store {scheme!r}: unknown; write sqlite:FILE, influxdb://HOST:8086/BUCKET?org=ORG"
            " (influxdbs:// for TLS) or none"
        )
        raise ScenarioError(message)
    return STORES[scheme](text, catalog, run_id, catalog.assets if assets is None else assets)
