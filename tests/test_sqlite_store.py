"""The embedded store keeps every row once, lets others read meanwhile, and says what is wrong with its file."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from presses import HEAT, POWER, START_MS, STATE, asset, catalog_of, rows_of

from simulator.batch import Catalog
from simulator.errors import ExitCode, OutOfReachError, ScenarioError, StoreError
from simulator.ingest.store import Row
from simulator.ingest.stores.sqlite import SqliteStore

END_MS = START_MS + 1_000_000
READER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(db.execute(sys.argv[2]).fetchone()[0])
"""


def store_in(file: Path, catalog: Catalog | None = None, *, run_id: str = "run-1") -> SqliteStore:
    return SqliteStore(file, catalog or catalog_of(), run_id=run_id)


def asked(file: Path, query: str) -> str:
    """What another process reads."""
    done = subprocess.run([sys.executable, "-c", READER, str(file), query], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def table(file: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as db:
        return db.execute(query).fetchall()


def test_a_second_process_reads_while_the_store_is_open(tmp_path: Path) -> None:
    """What write() returned for is seen by another process at once, with the run still writing."""
    file, rows = tmp_path / "park.db", rows_of(catalog_of(), 20)
    with store_in(file) as store:
        seen = []
        for first in (0, 30):
            store.write(rows[first : first + 30])
            seen.append(asked(file, "SELECT (SELECT count(*) FROM press) + (SELECT count(*) FROM tester)"))
    assert seen == ["30", "60"]


def test_every_value_is_in_the_column_of_its_sensor(tmp_path: Path) -> None:
    """One wide table per machine type; integers stay integers and floats stay floats."""
    file = tmp_path / "park.db"
    with store_in(file) as store:
        store.write([Row(0, START_MS, 3, {"state": 6, "power_kw": 41.0, "parts": 2**53 + 1})])
    query = (
        "SELECT topic, machine, time_ms, seq, state, power_kw, typeof(power_kw), barrel_c, parts"
        " FROM press JOIN assets ON assets.id = asset"
    )
    topic = catalog_of().assets[0].topic
    expected = [(topic, "press-1", START_MS, 3, 6, 41.0, "real", None, 2**53 + 1)]
    assert expected == table(file, query)


def test_writing_twice_leaves_a_row_once(tmp_path: Path) -> None:
    """Redelivery does not multiply rows."""
    catalog = catalog_of()
    rows = rows_of(catalog, 50)
    with store_in(tmp_path / "park.db") as store:
        store.write(rows)
        store.write(rows[10:])
        store.write([*rows[:5], *rows[:5]])
        assert len(rows) == store.count(from_ms=START_MS, to_ms=END_MS)


def test_rows_that_meet_are_merged(tmp_path: Path) -> None:
    """A later row of the same asset and instant adds its values and keeps those that it lacks."""
    file = tmp_path / "park.db"
    with store_in(file) as store:
        store.write([Row(0, START_MS, 0, {"state": 6, "power_kw": 1.5})])
        store.write([Row(0, START_MS, 1, {"power_kw": 2.5, "barrel_c": 200.0})])
    assert table(file, "SELECT seq, state, power_kw, barrel_c FROM press") == [(1, 6, 2.5, 200.0)]


def test_count_takes_the_window_and_the_rows_of_the_run(tmp_path: Path) -> None:
    """The window is from <= time < to; rows of another park are not counted."""
    file, other = tmp_path / "park.db", catalog_of(presses=3, testers=0, first=7)
    with store_in(file, other, run_id="run-0") as store:
        store.write(rows_of(other, 10))
    with store_in(file) as store:
        store.write(rows_of(catalog_of(), 10))
        counts = [
            store.count(from_ms=START_MS + first, to_ms=START_MS + end) for first, end in ((0, 10_000), (1, 9_000))
        ]
    assert counts == [30, 24]


def test_runs_share_a_file(tmp_path: Path) -> None:
    """Assets are known by their topic: a run that numbers them otherwise writes to the same ones."""
    file, catalog = tmp_path / "park.db", catalog_of()
    tester = replace(catalog.assets[2], first_sensor=0)
    turned = Catalog((tester, *(replace(one, first_sensor=2 + 4 * n) for n, one in enumerate(catalog.assets[:2]))))
    for run_id, one in (("run-1", catalog), ("run-2", turned)):
        with store_in(file, one, run_id=run_id) as store:
            store.write(rows_of(one, 10))
            assert store.count(from_ms=START_MS, to_ms=END_MS) == 30
    assert table(file, "SELECT (SELECT count(*) FROM assets), (SELECT count(*) FROM runs)") == [(3, 2)]


def test_a_run_counts_its_own_rows_among_those_of_an_earlier_one(tmp_path: Path) -> None:
    """The same assets and the same time: of what both wrote the later run has the row, and each counts its own."""
    rows = rows_of(catalog_of(), 20)
    with store_in(tmp_path / "park.db", run_id="run-1") as store:
        store.write(rows)
    with store_in(tmp_path / "park.db", run_id="run-2") as store:
        before = store.count(from_ms=START_MS, to_ms=END_MS)
        store.write([*rows[:12], *rows[:6]])
        counted = store.count(from_ms=START_MS, to_ms=END_MS)
    query = "SELECT run_id, count(*) FROM (SELECT run_id FROM press UNION ALL SELECT run_id FROM tester) GROUP BY 1"
    assert (before, counted) == (0, 12)
    assert table(tmp_path / "park.db", query) == [("run-1", 48), ("run-2", 12)]


def test_a_row_of_an_earlier_run_is_replaced_whole(tmp_path: Path) -> None:
    """No row holds values of two runs, nor of a sensor that the later run does not have."""
    file = tmp_path / "park.db"
    with store_in(file, Catalog((asset(1, 0, sensors=(STATE, POWER, HEAT)),)), run_id="run-1") as store:
        store.write([Row(0, START_MS, 7, {"state": 6, "power_kw": 1.5, "barrel_c": 200.0})])
    with store_in(file, Catalog((asset(1, 0, sensors=(STATE, POWER)),)), run_id="run-2") as store:
        store.write([Row(0, START_MS, 3, {"state": 5})])
        store.write([Row(0, START_MS, 3, {"power_kw": 2.5})])
    query = "SELECT run_id, seq, state, power_kw, barrel_c FROM press"
    assert table(file, query) == [("run-2", 3, 5, 2.5, None)]


def test_a_file_from_before_rows_had_runs_is_taken(tmp_path: Path) -> None:
    """Its rows stay, of no run that is known, and a new run writes over them and counts its own."""
    file = tmp_path / "park.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute(
            "CREATE TABLE press (time_ms INTEGER NOT NULL, asset INTEGER NOT NULL, seq INTEGER NOT NULL,"
            " power_kw REAL, PRIMARY KEY (asset, time_ms)) WITHOUT ROWID"
        )
        db.execute(f"INSERT INTO press VALUES ({START_MS}, 1, 0, 1.5), ({START_MS + 1}, 1, 1, 2.5)")
        db.commit()
    with store_in(file) as store:
        before = store.count(from_ms=START_MS, to_ms=END_MS)
        store.write([Row(0, START_MS, 0, {"state": 6})])
        counted = store.count(from_ms=START_MS, to_ms=END_MS)
    query = "SELECT run_id, seq, state, power_kw FROM press ORDER BY time_ms"
    assert (before, counted) == (0, 1)
    assert table(file, query) == [("run-1", 0, 6, None), (None, 1, None, 2.5)]


def test_a_file_with_fewer_columns_is_widened(tmp_path: Path) -> None:
    """A machine type that has got a sensor more gets a column; the rows that were there stay."""
    file = tmp_path / "park.db"
    with store_in(file, Catalog((asset(1, 0, sensors=(STATE, POWER)),))) as store:
        store.write([Row(0, START_MS, 0, {"state": 6, "power_kw": 1.0})])
    with store_in(file, Catalog((asset(1, 0, sensors=(STATE, HEAT)),))) as store:
        store.write([Row(0, START_MS + 1, 0, {"state": 5, "barrel_c": 2.0})])
    query = "SELECT state, power_kw, barrel_c FROM press ORDER BY time_ms"
    assert table(file, query) == [(6, 1.0, None), (5, None, 2.0)]


def test_names_are_quoted(tmp_path: Path) -> None:
    """A machine type or sensor may be called like a word of SQL."""
    file = tmp_path / "park.db"
    odd = Catalog((asset(1, 0, kind='select"; DROP TABLE assets; --', sensors=(replace(POWER, name="order"),)),))
    with store_in(file, odd) as store:
        store.write([Row(0, START_MS, 0, {"order": 1.0})])
        assert store.count(from_ms=START_MS, to_ms=END_MS) == 1


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from presses import catalog_of, rows_of
from simulator.ingest.stores.sqlite import SqliteStore
catalog = catalog_of()
store = SqliteStore(Path(sys.argv[1]), catalog, run_id="run-1")
store.write(rows_of(catalog, 1_000))
print("written", flush=True)
sys.stdin.read()
"""


def test_committed_rows_survive_a_kill(tmp_path: Path) -> None:
    """A process that is killed after write() returned has lost nothing."""
    file = tmp_path / "park.db"
    command = [sys.executable, "-c", WRITER, str(file), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        said = writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
    assert said == "written\n"
    with store_in(file) as store:
        assert store.count(from_ms=START_MS, to_ms=START_MS + 10_000_000) == 3_000


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The message names the folder and says to create it; the exit code is 106."""
    with pytest.raises(OutOfReachError, match=r"the folder .*nowhere does not exist; create it") as caught:
        store_in(tmp_path / "nowhere" / "park.db")
    assert caught.value.exit_code == ExitCode.OUT_OF_REACH


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A text file is not overwritten."""
    file = tmp_path / "notes.txt"
    file.write_text("shopping list " * 100)
    with pytest.raises(OutOfReachError, match="is no SQLite file; choose another file"):
        store_in(file)
    assert file.read_text() == "shopping list " * 100


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    """A path that is a folder cannot be a file."""
    (tmp_path / "park.db").mkdir()
    with pytest.raises(OutOfReachError, match="cannot be opened; check that it exists"):
        store_in(tmp_path / "park.db")


def test_tables_of_someone_else_are_left_alone(tmp_path: Path) -> None:
    """A file whose tables have our names and other columns is not ours to write to."""
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE press (title TEXT)")
    with pytest.raises(OutOfReachError, match="its table 'press' has no column 'asset'"):
        store_in(file)
    assert table(file, "SELECT name FROM sqlite_master") == [("press",)]


@pytest.mark.parametrize(
    ("kind", "sensor", "what"),
    [("assets", "power_kw", "this name is taken"), ("press", "Time_MS", "the name of a column of every row")],
)
def test_names_that_are_taken_are_refused(tmp_path: Path, kind: str, sensor: str, what: str) -> None:
    """A machine type or sensor that would hide one of our own columns is a mistake in the scenario."""
    with pytest.raises(ScenarioError, match=what):
        store_in(tmp_path / "park.db", Catalog((asset(1, 0, kind=kind, sensors=(replace(POWER, name=sensor),)),)))


def test_a_locked_file_is_worth_a_retry(tmp_path: Path) -> None:
    """While another process holds the file nothing is written; afterwards the same write goes through."""
    file, rows = tmp_path / "park.db", rows_of(catalog_of(), 5)
    with store_in(file) as store, closing(sqlite3.connect(file, isolation_level=None)) as other:
        store._db.execute("PRAGMA busy_timeout = 0")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process holds it locked") as caught:
            store.write(rows)
        other.execute("ROLLBACK")
        store.write(rows)
        assert (caught.value.retryable, store.count(from_ms=START_MS, to_ms=END_MS)) == (True, len(rows))


def test_a_full_disk_is_named_and_nothing_is_half_written(tmp_path: Path) -> None:
    """The write fails as a whole, is no fault of a row, and goes through once there is space."""
    catalog = catalog_of()
    rows = rows_of(catalog, 5_000)
    with store_in(tmp_path / "park.db") as store:
        store._db.execute("PRAGMA max_page_count = 30")
        with pytest.raises(StoreError, match="the disk is full; free some space") as caught:
            store.write(rows)
        before = store.count(from_ms=START_MS, to_ms=START_MS + 5_000_000)
        store._db.execute("PRAGMA max_page_count = 1000000")
        store.write(rows)
        after = store.count(from_ms=START_MS, to_ms=START_MS + 5_000_000)
    assert (caught.value.split, before, after) == (False, 0, len(rows))


def test_a_value_that_does_not_fit_is_a_fault_of_the_row(tmp_path: Path) -> None:
    """The batch may be split to find it; nothing of it was written."""
    with store_in(tmp_path / "park.db") as store:
        with pytest.raises(StoreError) as caught:
            store.write([Row(0, START_MS, 0, {"state": 6}), Row(0, START_MS + 1, 1, {"parts": 2**63})])
        assert (caught.value.split, store.count(from_ms=START_MS, to_ms=END_MS)) == (True, 0)


def test_a_table_that_vanishes_pauses_and_drops_nothing(tmp_path: Path) -> None:
    """Renamed by another connection in mid-run it is no fault of the rows; once it is back the same write goes on."""
    file, rows = tmp_path / "park.db", rows_of(catalog_of(), 5)
    with store_in(file) as store, closing(sqlite3.connect(file, isolation_level=None)) as other:
        store.write(rows[:3])
        other.execute("ALTER TABLE press RENAME TO elsewhere")
        with pytest.raises(StoreError, match=r"tables are not as they were; .* put it back .*no such table") as caught:
            store.write(rows)
        with pytest.raises(StoreError, match="cannot be counted"):
            store.count(from_ms=START_MS, to_ms=END_MS)
        other.execute("ALTER TABLE elsewhere RENAME TO press")
        store.write(rows)
        assert len(rows) == store.count(from_ms=START_MS, to_ms=END_MS)
    assert (caught.value.retryable, caught.value.split) == (False, False)


def codes_of_sqlite() -> list[int]:
    """Every primary result code that this SQLite has, but those of success."""
    codes = {value for name, value in vars(sqlite3).items() if name.startswith("SQLITE_") and isinstance(value, int)}
    messages = {sqlite3.SQLITE_ROW, sqlite3.SQLITE_DONE, sqlite3.SQLITE_NOTICE, sqlite3.SQLITE_WARNING}
    return sorted(code for code in codes - messages if 0 < code <= sqlite3.SQLITE_NOTADB)


@pytest.mark.parametrize("code", codes_of_sqlite())
def test_only_what_is_about_a_value_is_blamed_on_the_rows(tmp_path: Path, code: int) -> None:
    """Whatever else a database may say leaves the rows alone: four codes split a batch, all others do not."""
    error = sqlite3.OperationalError("the words of SQLite")
    error.sqlite_errorcode = code
    with store_in(tmp_path / "park.db") as store:
        failed = store._failed(error, "2 rows were not written")
    too_big, constraint, mismatch, out_of_range = 18, 19, 20, 25
    assert (code in {too_big, constraint, mismatch, out_of_range}) == failed.split
    assert not (failed.split and failed.retryable)


def test_a_constraint_that_someone_added_is_a_fault_of_the_row(tmp_path: Path) -> None:
    """A trigger that refuses a value refuses that row, not the file."""
    file = tmp_path / "park.db"
    with store_in(file) as store, closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute(
            "CREATE TRIGGER sane BEFORE INSERT ON press WHEN new.power_kw > 100 BEGIN SELECT raise(ABORT, 'mad'); END"
        )
        with pytest.raises(StoreError, match=r"a row of them does not fit \(mad\)") as caught:
            store.write([Row(0, START_MS, 0, {"power_kw": 1e9})])
    assert (caught.value.retryable, caught.value.split) == (False, True)


def test_closing_ends_what_is_under_way(tmp_path: Path) -> None:
    """A count that would go on for long is cut short, so that the end of a run does not wait for it."""
    store = store_in(tmp_path / "park.db")
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    deadline, under_way, said = time.monotonic() + 20.0, threading.Event(), []

    def progressed() -> bool:
        under_way.set()
        return time.monotonic() > deadline  # so that a close that waits is a failure and hangs nothing

    store._db.set_progress_handler(progressed, 1_000)

    def count() -> None:
        with store._lock, pytest.raises(sqlite3.OperationalError) as caught:
            store._db.execute(endless).fetchone()
        said.append(str(caught.value))

    thread = threading.Thread(target=count)
    thread.start()
    assert under_way.wait(10.0)
    store.__exit__(None, None, None)
    thread.join(10.0)
    assert (said, time.monotonic() < deadline) == (["interrupted"], True)
