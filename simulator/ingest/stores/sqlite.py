"""The embedded store: one SQLite file, in WAL mode, so that other processes read it while the run goes on.

One wide table per machine type, named after it::

    "press"(time_ms, asset, seq, run_id, power_kw, …)   PRIMARY KEY (asset, time_ms)
    assets(id, topic, kind, province, park, factory, line, machine)
    runs(run_id, opened_at)

The key makes redelivery idempotent. Rows of one run that meet under one key are merged: the later one wins where both
have a value. A row of another run is replaced whole. Two runs over the same assets and the same time leave, for each
asset and instant, the row of the run that wrote it last, and ``run_id`` says which run that was: a run counts its own
rows exactly, whatever else the file holds. Instants at which only the earlier run spoke keep its rows.

With ``synchronous=NORMAL`` a committed row survives the end of the process, a crash or ``kill -9`` included; only a
power cut or a crash of the operating system can take back what was committed since the last checkpoint. The file
stays intact in all cases.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from simulator.batch import Asset, Catalog
from simulator.errors import OutOfReachError, ScenarioError, StoreError
from simulator.ingest.store import Row
from simulator.wire.line_protocol import LineProtocol

__all__ = ["SqliteStore"]

BUSY_TIMEOUT_S = 5.0
CHECKPOINT_PAGES = 4_000
"""16 MB of log before it is folded into the file."""
OWN_TABLES = frozenset({"assets", "runs"})
KEY_COLUMNS = ("time_ms", "asset", "seq")
OWN_COLUMNS = (*KEY_COLUMNS, "run_id")
SAME = "run_id = excluded.run_id"
ASSET_COLUMNS = ("topic", "kind")
PASSING = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_SCHEMA})
"""What goes by itself: somebody else was faster."""
OF_A_ROW = frozenset({sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE})
"""What a value in some row can be blamed for. Anything else is about the file, its tables or the machine."""
ADVICE = {
    sqlite3.SQLITE_ERROR: "its tables are not as they were; if one was renamed, dropped or altered, put it back",
    sqlite3.SQLITE_BUSY: "another process holds it locked; close the tool that writes to it",
    sqlite3.SQLITE_LOCKED: "another process holds it locked; close the tool that writes to it",
    sqlite3.SQLITE_CANTOPEN: "the folder or file cannot be opened; check that it exists and that you may write there",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; move it away, or save what is readable with: sqlite3 FILE .recover",
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_INTERRUPT: "it was closed before this was done",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write; check its space and health",
    sqlite3.SQLITE_NOTADB: "it exists and is no SQLite file; choose another file",
    sqlite3.SQLITE_PERM: "the file may not be written; check its permissions",
    sqlite3.SQLITE_READONLY: "the file or its folder may not be written; check permissions, or choose another folder",
}


class Table(NamedTuple):
    """What is written for one machine type."""

    upsert: str
    sensors: tuple[str, ...]


class SqliteStore:
    """An open SQLite file. Raises OutOfReachError when it cannot be used, ScenarioError for names it cannot have."""

    lines: LineProtocol | None = None

    def __init__(self, path: Path, catalog: Catalog, *, run_id: str) -> None:
        self._path = path
        self._run_id = run_id
        self._lock = threading.Lock()
        refuse_names(catalog)
        if not path.parent.is_dir():
            message = f"store sqlite:{path}: the folder {path.parent} does not exist; create it or choose another"
            raise OutOfReachError(message)
        connection = None
        try:
            # Used by the bridge's thread and by the one that counts at the end; the lock serialises them.
            connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
            self._prepare(connection, catalog)
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise OutOfReachError(str(self._failed(error, "cannot be opened"))) from error
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        self._db = connection

    def describe(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}, {self._path} (WAL; a power cut may take back the last seconds)"

    def write(self, rows: Sequence[Row]) -> None:
        """Write in one transaction: all rows or none. Raises StoreError."""
        by_table: dict[str, list[tuple[int | float | str | None, ...]]] = {}
        for asset, time_ms, seq, fields in rows:
            kind = self._kinds[asset]
            values = map(fields.get, self._tables[kind].sensors)
            by_table.setdefault(kind, []).append((time_ms, self._ids[asset], seq, self._run_id, *values))
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                for kind, table_rows in by_table.items():
                    self._db.executemany(self._tables[kind].upsert, table_rows)
                self._db.execute("COMMIT")
            except (sqlite3.Error, OverflowError) as error:
                self._roll_back()
                raise self._failed(error, f"{len(rows)} rows were not written") from error

    def write_lines(self, body: bytes) -> None:
        """SQL takes values."""
        raise NotImplementedError

    def count(self, *, from_ms: int, to_ms: int) -> int:
        """Count the rows that this run wrote with from_ms <= time < to_ms. Raises StoreError."""
        total = 0
        with self._lock:
            try:
                for kind in self._tables:
                    # The run alone would do; with its assets SQLite finds the rows by their key.
                    (found,) = self._db.execute(
                        f"SELECT count(*) FROM {quoted(kind)} WHERE time_ms >= ? AND time_ms < ?"  # noqa: S608 - quoted
                        " AND asset IN (SELECT id FROM temp.own_assets) AND run_id = ?",
                        (from_ms, to_ms, self._run_id),
                    ).fetchone()
                    total += found
            except sqlite3.Error as error:
                raise self._failed(error, "its rows cannot be counted") from error
        return total

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Whoever closes has waited as long as it wanted to: a write or count that is under way ends with an error.
        self._db.interrupt()
        with self._lock:
            self._db.close()

    def _prepare(self, db: sqlite3.Connection, catalog: Catalog) -> None:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        db.execute("BEGIN IMMEDIATE")
        tags = tuple(dict.fromkeys(name for asset in catalog.assets for name in asset.tags))
        db.execute("CREATE TABLE IF NOT EXISTS runs (run_id TEXT PRIMARY KEY, opened_at TEXT NOT NULL)")
        db.execute(
            "CREATE TABLE IF NOT EXISTS assets (id INTEGER PRIMARY KEY, topic TEXT NOT NULL UNIQUE, kind TEXT NOT NULL)"
        )
        self._own(db, "runs", ("run_id", "opened_at"))
        self._own(db, "assets", ("id", *ASSET_COLUMNS))
        add_columns(db, "assets", dict.fromkeys(tags, "TEXT"))
        db.execute("INSERT OR IGNORE INTO runs VALUES (?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))", (self._run_id,))
        self._ids = [self._register(db, asset, tags) for asset in catalog.assets]
        self._kinds = [asset.kind for asset in catalog.assets]
        self._tables = {kind: self._table(db, kind, assets) for kind, assets in by_kind(catalog).items()}
        db.execute("COMMIT")
        db.execute("CREATE TEMP TABLE own_assets (id INTEGER PRIMARY KEY)")
        db.executemany("INSERT INTO own_assets VALUES (?)", ((one,) for one in self._ids))

    def _register(self, db: sqlite3.Connection, asset: Asset, tags: Sequence[str]) -> int:
        names = (*ASSET_COLUMNS, *tags)
        values = (asset.topic, asset.kind, *(asset.tags.get(tag) for tag in tags))
        (number,) = db.execute(
            f"INSERT INTO assets ({listed(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - quoted
            f" ON CONFLICT (topic) DO UPDATE SET {', '.join(f'{quoted(n)} = excluded.{quoted(n)}' for n in names)}"
            " RETURNING id",
            values,
        ).fetchone()
        return int(number)

    def _table(self, db: sqlite3.Connection, kind: str, assets: Iterable[Asset]) -> Table:
        sensors = {
            sensor.name: "INTEGER" if sensor.is_integer else "REAL" for asset in assets for sensor in asset.sensors
        }
        # Without a rowid the rows lie in the order of the key: one tree instead of a tree and an index.
        db.execute(
            f"CREATE TABLE IF NOT EXISTS {quoted(kind)} (time_ms INTEGER NOT NULL, asset INTEGER NOT NULL"
            " REFERENCES assets (id), seq INTEGER NOT NULL, run_id TEXT, PRIMARY KEY (asset, time_ms)) WITHOUT ROWID"
        )
        self._own(db, kind, KEY_COLUMNS)
        add_columns(db, kind, {"run_id": "TEXT"} | sensors)
        names = (*OWN_COLUMNS, *sensors)
        # What a run does not know, an earlier one had: it goes with the rest of that run's row.
        strange = sorted(columns(db, kind) - set(names))
        changes = ["seq = excluded.seq", "run_id = excluded.run_id"]
        changes += [f"{name} = CASE WHEN {SAME} THEN {name} END" for name in map(quoted, strange)]
        changes += [
            f"{name} = CASE WHEN {SAME} THEN coalesce(excluded.{name}, {name}) ELSE excluded.{name} END"
            for name in map(quoted, sensors)
        ]
        upsert = (
            f"INSERT INTO {quoted(kind)} ({listed(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - quoted
            f" ON CONFLICT (asset, time_ms) DO UPDATE SET {', '.join(changes)}"
        )
        return Table(upsert, tuple(sensors))

    def _own(self, db: sqlite3.Connection, table: str, names: Iterable[str]) -> None:
        missing = set(names) - columns(db, table)
        if missing:
            message = (
                f"store sqlite:{self._path}: its table {table!r} has no column {min(missing)!r}, so it is not"
                " of parksim's making; choose another file"
            )
            raise OutOfReachError(message)

    def _roll_back(self) -> None:
        # SQLite may have rolled back by itself (disk full); then there is nothing left to do.
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _failed(self, error: sqlite3.Error | OverflowError, what: str) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        of_a_row = isinstance(error, OverflowError) or code in OF_A_ROW
        advice = "a row of them does not fit" if of_a_row else ADVICE.get(code, "unexpected answer")
        return StoreError(
            f"store sqlite:{self._path}: {what}: {advice} ({error})", retryable=code in PASSING, split=of_a_row
        )


def refuse_names(catalog: Catalog) -> None:
    """Raise ScenarioError for names that tables or columns cannot have. SQLite's names ignore case."""
    problems = []
    for kind, assets in by_kind(catalog).items():
        if kind.lower() in OWN_TABLES or kind.lower().startswith("sqlite_"):
            problems.append(f"machine type {kind!r}: this name is taken in the SQLite store; rename the type")
        names = {sensor.name for asset in assets for sensor in asset.sensors}
        problems += [
            f"machine type {kind!r}: sensor {name!r} has the name of a column of every row; rename it"
            for name in sorted(names)
            if name.lower() in OWN_COLUMNS
        ]
    if problems:
        raise ScenarioError(*problems)


def by_kind(catalog: Catalog) -> dict[str, list[Asset]]:
    found: dict[str, list[Asset]] = {}
    for asset in catalog.assets:
        found.setdefault(asset.kind, []).append(asset)
    return found


def columns(db: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in db.execute(f"PRAGMA table_info({quoted(table)})")}


def add_columns(db: sqlite3.Connection, table: str, wanted: dict[str, str]) -> None:
    """Give a table the columns that it lacks; those that it has, and their rows, stay."""
    there = columns(db, table)
    for name, kind in wanted.items():
        if name not in there:
            db.execute(f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(name)} {kind}")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names)
