"""With a spool the bridge goes on receiving while the store is away, and then writes all of it in order."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from plants import BUSY, CATALOG, FIRST, Answers, Plant, Shelf, numbers_of
from presses import rows_of
from test_spool import Full

from simulator.clock import SECOND_NS, FakeClock
from simulator.errors import StoreError
from simulator.ingest.disk import Folder
from simulator.ingest.spool import Spool

ROWS = rows_of(CATALOG, 100)
GONE = StoreError("nobody listens", retryable=True)
CAP = 1 << 24


class Switch:
    """A store that is away until it is switched on; it counts the attempts."""

    def __init__(self) -> None:
        self.is_away = True
        self.attempts = 0

    def __call__(self, assets: set[int]) -> None:
        self.attempts += 1
        if self.is_away:
            raise GONE


def spools_in(folder: Path, *, cap_bytes: int = CAP, disk: Callable[..., Folder] = Folder) -> list[Spool]:
    return [Spool(disk(folder / name, suffix=".spool"), cap_bytes=cap_bytes) for name in ("one", "two")]


def test_a_small_window_does_not_stop_what_comes(tmp_path: Path) -> None:
    """Ten at a time without an acknowledgement, and yet all 600 leave the broker while the store is away."""
    store, clock = Shelf(switch := Switch()), FakeClock()
    plant = Plant(store, clock, window=10, spools=spools_in(tmp_path))
    plant.publish(ROWS)
    for _ in range(100):
        plant.bridge.step()
        clock.advance(SECOND_NS)
    counts = plant.ledger.counts()
    assert (counts.received, counts.spooled, counts.written, counts.in_flight) == (600, 600, 0, 0)
    assert (plant.bridge.backlog, plant.bridge.stuck_s(), plant.bridge.trouble) == (600, 0.0, "nobody listens")
    assert plant.ledger.unwritten() == 0  # so that the publisher goes on
    switch.is_away = False
    assert plant.bridge.drain(600.0)
    assert {asset: list(range(100)) for asset in range(len(CATALOG.assets))} == numbers_of(store.rows)
    counts = plant.ledger.counts()
    assert (counts.written, counts.spooled, counts.duplicates, counts.reordered) == (600, 0, 0, 0)
    assert (plant.bridge.trouble, plant.bridge.backlog, list(tmp_path.glob("*/*"))) == (None, 0, [])


def test_what_comes_while_the_spool_empties_comes_after_it(tmp_path: Path) -> None:
    """The order of an asset is that of its numbers, though new messages arrive at every step."""
    store, clock = Shelf(Answers([GONE] * 3, [GONE] * 2)), FakeClock()
    plant = Plant(store, clock, window=10, spools=spools_in(tmp_path))
    for first in range(0, len(ROWS), 30):
        plant.publish(ROWS[first : first + 30])
        plant.bridge.step()
        clock.advance(SECOND_NS)
    assert plant.bridge.drain(600.0)
    assert {asset: list(range(100)) for asset in range(len(CATALOG.assets))} == numbers_of(store.rows)
    assert plant.ledger.counts().written == 600


def test_a_store_that_takes_all_sees_no_spool(tmp_path: Path) -> None:
    """Nothing is written to disk."""
    store = Shelf()
    plant = Plant(store, FakeClock(), spools=spools_in(tmp_path, disk=Full))  # a disk without room
    plant.publish(ROWS)
    assert plant.bridge.drain(60.0)
    assert (len(store.rows), plant.bridge.retries) == (600, Counter())


def test_what_the_store_asked_for_is_kept(tmp_path: Path) -> None:
    """It asked for seven seconds of rest: it gets them, and messages are received meanwhile."""
    store, clock = Shelf(Answers([BUSY], [BUSY])), FakeClock()
    plant = Plant(store, clock, window=10, spools=spools_in(tmp_path))
    plant.publish([row for row in ROWS if row.asset in FIRST])
    began_ns = clock.monotonic_ns()
    plant.bridge.step()
    while not store.rows:
        plant.bridge.step()
    assert (clock.monotonic_ns() - began_ns) / SECOND_NS >= 7
    assert plant.ledger.counts().received == 100 * len(FIRST)
    assert plant.bridge.drain(60.0)
    assert len(store.rows) == 100 * len(FIRST)


def test_a_full_spool_makes_the_broker_wait_and_drops_nothing(tmp_path: Path) -> None:
    """What does not fit stays unacknowledged; it is said why, and that is what a run may end on."""
    store, clock = Shelf(switch := Switch()), FakeClock()
    plant = Plant(store, clock, window=10, spools=spools_in(tmp_path, cap_bytes=6_000))
    plant.publish(ROWS)
    for _ in range(100):
        plant.bridge.step()
        clock.advance(SECOND_NS)
    counts = plant.ledger.counts()
    assert 0 < counts.spooled < 200
    assert counts.received == counts.spooled + 2 * 10
    assert "nothing is received any more, for the spool takes nothing: the spool is full" in str(plant.bridge.trouble)
    assert plant.bridge.stuck_s() > 60
    assert plant.bridge.retries["spool full"] > 0
    switch.is_away = False
    assert plant.bridge.drain(600.0)
    assert {asset: list(range(100)) for asset in range(len(CATALOG.assets))} == numbers_of(store.rows)
    assert (plant.bridge.trouble, plant.ledger.counts().duplicates) == (None, 0)


def test_a_disk_that_fails_is_as_no_spool(tmp_path: Path) -> None:
    """It is told, nothing is lost, and when the disk is mended messages are received again."""
    store, clock = Shelf(switch := Switch()), FakeClock()
    spools = spools_in(tmp_path, disk=Full)
    plant = Plant(store, clock, window=10, spools=spools)
    plant.publish(ROWS)
    for _ in range(20):
        plant.bridge.step()
        clock.advance(SECOND_NS)
    assert plant.ledger.counts().received == 2 * 10
    assert str(plant.bridge.trouble).endswith("for the spool takes nothing: No space left on device")
    for spool in spools:
        spool._disk.room = 1 << 20
    for _ in range(100):
        plant.bridge.step()
        clock.advance(SECOND_NS)
    assert (plant.ledger.counts().spooled, plant.bridge.trouble) == (600, "nobody listens")
    switch.is_away = False
    assert plant.bridge.drain(600.0)
    assert {asset: list(range(100)) for asset in range(len(CATALOG.assets))} == numbers_of(store.rows)


def test_a_row_that_is_refused_from_the_spool_is_a_dead_letter(tmp_path: Path) -> None:
    """With topic, payload and reason, as if it had come over the network."""
    bad = StoreError("malformed line", retryable=False, split=True)
    rest = [row for row in ROWS if row.asset in FIRST]
    store, clock = Shelf(Answers([GONE])), FakeClock()
    plant = Plant(store, clock, spools=spools_in(tmp_path))
    plant.publish(rest)
    plant.bridge.step()
    store._before = Answers([bad] * 20)
    clock.advance(SECOND_NS)
    assert plant.bridge.drain(600.0)
    letters = plant.bridge.dead_letters.kept
    assert (len(letters), len(store.rows)) == (len(letters), len(rest) - len(letters))
    assert letters[0].topic in {CATALOG.assets[asset].topic for asset in FIRST}
    assert letters[0].payload.startswith(b'{"t":')
    assert plant.ledger.counts().dead_lettered == {"store refuses the row": len(letters)}


def test_what_is_in_the_spool_at_the_end_is_told_as_such(tmp_path: Path) -> None:
    """It is neither in flight nor unaccounted, and the next bridge of that folder writes it."""
    clock = FakeClock()
    plant = Plant(Shelf(Switch()), clock, window=10, spools=spools_in(tmp_path))
    plant.publish(ROWS)
    for _ in range(100):
        plant.bridge.step()
        clock.advance(SECOND_NS)
    plant.bridge.close()
    plant.ledger.finish(*plant.bridge.take_stock(), spooled=plant.bridge.still_spooled())
    counts = plant.ledger.counts()
    assert (counts.spooled, counts.in_flight, counts.unaccounted, plant.bridge.left()) == (600, 0, 0, {})
    store = Shelf()
    later = Plant(store, clock, spools=spools_in(tmp_path))
    later.ledger.schedule(*([getattr(row, name) for row in ROWS] for name in ("asset", "seq")), [1] * 600)
    assert later.bridge.drain(60.0)
    assert {asset: list(range(100)) for asset in range(len(CATALOG.assets))} == numbers_of(store.rows)


def test_what_a_bad_disk_took_is_unaccounted(tmp_path: Path) -> None:
    """A flipped bit costs the messages of its record, and the balance says how many."""
    clock = FakeClock()
    plant = Plant(Shelf(switch := Switch()), clock, window=10, spools=spools_in(tmp_path))
    plant.publish(ROWS)
    for _ in range(100):
        plant.bridge.step()
        clock.advance(SECOND_NS)
    file = next((tmp_path / "one").iterdir())
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(data)
    switch.is_away = False
    assert not plant.bridge.drain(60.0) or plant.bridge.damage
    lost = plant.bridge.damage["spooled messages damaged"]
    plant.bridge.close()
    plant.ledger.finish(*plant.bridge.take_stock(), spooled=plant.bridge.still_spooled())
    counts = plant.ledger.counts()
    assert lost == 10
    assert (counts.written, counts.unaccounted, counts.spooled, counts.in_flight) == (600 - lost, lost, 0, 0)


def test_a_disk_that_cannot_be_read_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bridge lives on, says so, and writes all when the disk is back."""
    store, clock = Shelf(switch := Switch()), FakeClock()
    plant = Plant(store, clock, window=10, spools=spools_in(tmp_path))
    plant.publish(ROWS[:100])
    plant.bridge.step()
    switch.is_away = False
    with monkeypatch.context() as broken:

        def failing(*_: object, **__: object) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

        broken.setattr(Folder, "read", failing)
        for _ in range(5):
            clock.advance(SECOND_NS)
            plant.bridge.step()
        assert plant.bridge.trouble == "the spool cannot be read: Input/output error"
    assert plant.bridge.drain(600.0)
    assert len(store.rows) == 100
