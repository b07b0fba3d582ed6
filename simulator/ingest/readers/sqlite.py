"""Reads a SQLite store, which other processes may go on writing to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from simulator.batch import Catalog
from simulator.errors import OutOfReachError, StoreError
from simulator.ingest.readers.values import Fields, Values
from simulator.ingest.stores.sqlite import columns, listed, quoted

__all__ = ["SqliteReader"]

ROWS_AT_ONCE = 20_000


class SqliteReader:
    """A SQLite file of parksim's making, opened for reading. Raises OutOfReachError if there is none."""

    def __init__(self, path: Path, catalog: Catalog) -> None:
        self._path = path
        self._fields = Fields(catalog)
        if not path.is_file():
            message = f"store sqlite:{path}: there is no such file; name the one that the run wrote"
            raise OutOfReachError(message)
        try:
            self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
            ids = dict(self._db.execute("SELECT topic, id FROM assets").fetchall())
            tables = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except sqlite3.Error as error:
            message = f"store sqlite:{path}: it is no file of parksim's making, or damaged ({error})"
            raise OutOfReachError(message) from error
        self._asset_of = {ids[asset.topic]: number for number, asset in enumerate(catalog.assets) if asset.topic in ids}
        self._columns = {
            kind: sorted(columns(self._db, kind).intersection(self._fields.names_of[kind]))
            for kind in self._fields.kinds
            if kind in tables
        }

    def describe(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}, {self._path}"

    def values(self, *, from_ms: int, to_ms: int) -> Iterator[Values]:
        for kind, names in self._columns.items():
            text = (
                f"SELECT {listed(('asset', 'time_ms', *names))} FROM {quoted(kind)} WHERE time_ms >= ? AND time_ms < ?"  # noqa: S608 - quoted
            )
            try:
                cursor = self._db.execute(text, (from_ms, to_ms))
                while rows := cursor.fetchmany(ROWS_AT_ONCE):
                    yield self._read(names, [row for row in rows if row[0] in self._asset_of])
            except sqlite3.Error as error:
                message = f"store sqlite:{self._path}: its rows cannot be read ({error})"
                raise StoreError(message, retryable=False) from error

    def second(self) -> None:
        """Return None: its clock is ours."""

    def _read(self, names: list[str], rows: list[tuple[float | None, ...]]) -> Values:
        if not rows:
            return Values.none()
        ids, times, *found = zip(*rows, strict=True)
        asset = np.array([self._asset_of[int(one or 0)] for one in ids], dtype=np.int64)
        return self._fields.values(asset, np.array(times, dtype=np.int64), dict(zip(names, found, strict=True)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
