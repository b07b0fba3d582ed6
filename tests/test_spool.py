"""A spool gives back what was put into it, in order, and damage costs what is damaged and nothing else."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.blocks import Arrivals, arrived
from brokers.endpoint import Delivery
from simulator.ingest.disk import Folder
from simulator.ingest.spool import MESSAGES_OF_A_RECORD, SEGMENT_BYTES, Spool, SpoolFullError

CAP = 1 << 26


def arrivals_of(number: int, *, first: int = 0, size: int = 10) -> Arrivals:
    return arrived(
        [Delivery(f"park/press-{i}", str(i).encode().ljust(size), 1, 3, i) for i in range(first, first + number)]
    )


def texts(arrivals: Arrivals) -> list[tuple[bytes, bytes]]:
    return [(arrivals.topic(row), arrivals.payload(row)) for row in range(arrivals.number)]


def opened(folder: Path, *, cap_bytes: int = CAP) -> Spool:
    return Spool(Folder(folder, suffix=".spool"), cap_bytes=cap_bytes)


def emptied(spool: Spool, limit: int = 1_000) -> list[tuple[bytes, bytes]]:
    found = []
    while (part := spool.front(limit)).number:
        found += texts(part)
        spool.remove()
    return found


class Full(Folder):
    """A disk with room for so many bytes more, which writes a part of what does not fit."""

    room = 0

    def append(self, name: str, data: bytes) -> None:
        if len(data) > self.room:
            super().append(name, data[: self.room])
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(data)
        super().append(name, data)


@given(sizes=st.lists(st.integers(1, 1_200), min_size=1, max_size=6), limit=st.integers(1, 3_000))
def test_what_comes_first_leaves_first(sizes: list[int], limit: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever came at once and is taken at once; in the end nothing is left on the disk."""
    folder = tmp_path_factory.mktemp("spool")
    spool = opened(folder)
    put = []
    for number in sizes:
        part = arrivals_of(number, first=len(put))
        put += texts(part)
        spool.append(part)
    assert len(spool) == len(put)
    assert emptied(spool, limit) == put
    assert (len(spool), spool.size, list(folder.iterdir()), spool.damage.told()) == (0, 0, [], {})


def test_what_was_taken_and_not_removed_is_there_again(tmp_path: Path) -> None:
    """Also for another process; what was removed is not, once its segment is done with."""
    spool = opened(tmp_path)
    spool.append(arrivals_of(3))
    spool.front(10)
    assert texts(spool.front(10)) == texts(arrivals_of(3))
    again = opened(tmp_path)
    again.append(arrivals_of(2, first=3))
    assert (len(again), emptied(again)) == (5, texts(arrivals_of(5)))
    assert len(opened(tmp_path)) == 0


def test_bytes_between_messages_do_not_matter(tmp_path: Path) -> None:
    """Some of a block, as it came over the network with packet headers in between."""
    whole = arrivals_of(10)
    spool = opened(tmp_path)
    spool.append(whole.rows(np.arange(10) % 3 == 1))
    assert emptied(spool) == texts(whole)[1::3]


def test_messages_of_the_spool_belong_to_no_connection(tmp_path: Path) -> None:
    """Were one acknowledged by mistake, no session would send that."""
    spool = opened(tmp_path)
    spool.append(arrivals_of(3))
    part = spool.front(10)
    assert (part.epoch.tolist(), part.mid.tolist()) == ([-1] * 3, [0] * 3)


def test_many_segments_are_deleted_as_they_are_done_with(tmp_path: Path) -> None:
    """Files of 8 MiB at most, so that a long outage gives its room back bit by bit."""
    spool = opened(tmp_path)
    for first in range(0, 3_000, 500):
        spool.append(arrivals_of(500, first=first, size=8_000))
    files = sorted(tmp_path.iterdir())
    assert (len(files), max(file.stat().st_size for file in files) <= SEGMENT_BYTES) == (3, True)
    spool.front(1_500)
    spool.remove()
    assert (sorted(tmp_path.iterdir()), len(spool)) == (files[1:] if len(spool) == 1_500 else None, 1_500)
    assert spool.size == sum(file.stat().st_size for file in tmp_path.iterdir())


def test_a_full_spool_takes_nothing_and_keeps_what_it_has(tmp_path: Path) -> None:
    """And takes more when there is room again."""
    spool = opened(tmp_path, cap_bytes=30_000)
    spool.append(arrivals_of(400))
    with pytest.raises(SpoolFullError, match=r"the spool is full: [\d,]+ of 30,000 bytes"):
        spool.append(arrivals_of(500, first=400))
    assert (len(spool), emptied(spool)) == (400, texts(arrivals_of(400)))
    spool.append(arrivals_of(500, first=400))
    assert len(spool) == 500


def test_a_full_disk_costs_nothing(tmp_path: Path) -> None:
    """Half of a record was written: it is no part of the spool, neither now nor for a later process."""
    disk = Full(tmp_path, suffix=".spool")
    spool = Spool(disk, cap_bytes=CAP)
    disk.room = 400
    spool.append(arrivals_of(5))
    with pytest.raises(OSError, match="No space left"):
        spool.append(arrivals_of(20, first=5))
    disk.room = 10_000
    later = opened(tmp_path)
    assert (len(later), later.damage.stretches) == (5, 0)
    spool.append(arrivals_of(20, first=5))
    assert emptied(spool) == texts(arrivals_of(25))
    assert spool.damage.messages == 0


def test_every_torn_end_is_found(tmp_path: Path) -> None:
    """Cut anywhere in its last record, a segment has lost that one only, and says so; cut before, nothing is torn."""
    spool = opened(tmp_path)
    spool.append(arrivals_of(3))
    file = next(tmp_path.iterdir())
    whole = file.stat().st_size
    spool.append(arrivals_of(4, first=3))
    data = file.read_bytes()
    for size in range(whole, len(data)):
        file.write_bytes(data[:size])
        found = opened(tmp_path)
        torn = {"torn ends of the spool": 1} if size > whole else {}
        assert (texts(found.front(99)), found.damage.told()) == (texts(arrivals_of(3)), torn)


def test_every_flipped_bit_costs_one_record(tmp_path: Path) -> None:
    """Wherever it is, the other records come back whole, and the loss is told."""
    spool = opened(tmp_path)
    for first in (0, 3, 6):
        spool.append(arrivals_of(3, first=first))
    file = next(tmp_path.iterdir())
    data = file.read_bytes()
    size = len(data) // 3
    for place in range(len(data)):
        bent = bytearray(data)
        bent[place] ^= 1 << place % 8
        file.write_bytes(bent)
        found = opened(tmp_path)
        bad = place // size
        kept = [one for number, one in enumerate(texts(arrivals_of(9))) if number // 3 != bad]
        assert texts(found.front(99)) == kept, place
        told = found.damage.told()
        assert told in ({"spooled messages damaged": 3}, {"stretches of the spool unreadable": 1}), place
        file.write_bytes(data)


def test_a_large_block_is_several_records(tmp_path: Path) -> None:
    """So that a flipped bit does not cost all of it."""
    spool = opened(tmp_path)
    spool.append(arrivals_of(MESSAGES_OF_A_RECORD * 3))
    file = next(tmp_path.iterdir())
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(data)
    found = opened(tmp_path)
    assert len(emptied(found)) == MESSAGES_OF_A_RECORD * 2
    assert found.damage.messages == MESSAGES_OF_A_RECORD
    assert len(list(tmp_path.iterdir())) == 0


def test_the_parts_are_all_that_is_sound(tmp_path: Path) -> None:
    """For the balance at the end; nothing is removed."""
    spool = opened(tmp_path)
    spool.append(arrivals_of(1_200))
    assert [part.number for part in spool.parts()] == [500, 500, 200]
    assert len(spool) == 1_200


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    """Whoever put them there."""
    (tmp_path / "notes.spool").write_text("mine")
    spool = opened(tmp_path)
    spool.append(arrivals_of(3))
    assert emptied(spool) == texts(arrivals_of(3))
    assert (tmp_path / "notes.spool").read_text() == "mine"
