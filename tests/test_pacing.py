"""Batches leave when they are due, and the next window is ready by then."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.batch import Asset, Batch, Catalog, Relayed, Sensor
from simulator.clock import FakeClock, Pace
from simulator.publish.consignment import Consignment, Consignor
from simulator.publish.pacing import SLICE_MESSAGES, Ahead, paced
from simulator.wire.json_blocks import JsonBlocks

MS = 1_000_000
SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND


SENSOR = Sensor("x", "1", decimals=0, low=0, high=1, period_ns=1)
CATALOG = Catalog(tuple(Asset(("e", "s", "f", "l", f"m{i}"), "kind", {}, i, (SENSOR,), 0) for i in range(9_000)))
"""Each reading is a message of its own."""


def consigned(one: Batch) -> Consignment:
    """Write a window for one gateway."""
    lane = np.zeros(len(CATALOG.assets), np.int64)
    return Consignor(JsonBlocks(CATALOG), lane, gateways=1).consign(one)


def batch(*milliseconds: int, until: int) -> Batch:
    time_ns = START + np.array(milliseconds, np.int64) * MS
    sensor = np.arange(len(milliseconds), dtype=np.int32)
    return Batch(time_ns, sensor, np.zeros(len(milliseconds)), START + until * MS)


def leaving(
    batches: list[Batch], *, speed: float | None, stop_after: int = 99
) -> tuple[list[tuple[int, list[int]]], int]:
    """Pace batches on a fake clock; return (monotonic ms, milliseconds of the readings) per slice, and the end."""
    clock, stop = FakeClock(), threading.Event()
    seen: list[tuple[int, list[int]]] = []
    for piece in paced(map(consigned, batches), Pace(START, clock.monotonic_ns(), speed), clock, stop):
        seen.append((clock.monotonic_ns() // MS, ((piece.block.time_ns - START) // MS).tolist()))
        if len(seen) == stop_after:
            stop.set()
    return seen, clock.monotonic_ns() // MS


def test_each_instant_leaves_when_it_is_due() -> None:
    """Readings of one instant leave together, at that instant, across batches; the last window is waited out."""
    seen, end = leaving([batch(0, 0, 250, until=1000), batch(1000, 1500, 1500, until=2000)], speed=1)
    assert seen == [(0, [0, 0]), (250, [250]), (1000, [1000]), (1500, [1500, 1500])]
    assert end == 2000


def test_speed_shortens_the_waits() -> None:
    """At speed 10 a second takes a tenth; what falls into the same tick leaves together, and never early."""
    seen, end = leaving([batch(0, 100, 104, 1000, until=2000)], speed=10)
    assert seen == [(0, [0]), (10, [100]), (11, [104]), (100, [1000])]
    assert end == 200


def test_whatever_has_become_due_leaves_at_once() -> None:
    """A publisher that fell behind catches up with one slice."""
    clock, stop = FakeClock(), threading.Event()
    sizes = []
    for piece in paced([consigned(batch(0, 10, 20, 30, 40, until=50))], Pace(START, 0, 1), clock, stop):
        sizes.append(len(piece))
        clock.advance(25 * MS)
    assert sizes == [1, 2, 2]


def test_a_slice_says_until_when_it_is_complete() -> None:
    """The end of a slice is the next instant, and that of the last one the end of the window."""
    clock, stop = FakeClock(), threading.Event()
    pieces = list(paced([consigned(batch(0, 250, until=1000))], Pace(START, 0, 1), clock, stop))
    assert [piece.until_ns for piece in pieces] == [START + 250 * MS, START + 1000 * MS]


def test_nothing_leaves_after_stop() -> None:
    """When the run is stopped no further slice leaves, and the window is not waited out."""
    seen, end = leaving([batch(0, 250, 500, until=10_000)], speed=1, stop_after=2)
    assert seen == [(0, [0]), (250, [250])]
    assert end == 250


def test_at_full_speed_nothing_waits_and_no_instant_is_cut() -> None:
    """Slices are about SLICE_MESSAGES long, and the clock does not move."""
    rows = [at for at in range(3000) for _ in range(3)]
    seen, end = leaving([batch(*rows, until=60_000)], speed=None)
    assert rows == [at for _, piece in seen for at in piece]
    assert end == 0
    assert len(seen) > 1
    for (_, left), (_, right) in pairwise(seen):
        assert left[-1] < right[0]
        assert SLICE_MESSAGES <= len(left) < SLICE_MESSAGES + 3


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=50), st.sampled_from([0.5, 1.0, 3.0, 60.0]))
def test_due_times_of_arrays_are_those_of_the_pace(milliseconds: list[int], speed: float) -> None:
    """The array form agrees with Pace to the nanosecond that a float64 of days can miss."""
    pace = Pace(START, 12_345, speed)
    time_ns = START + np.array(milliseconds, np.int64) * MS
    expected = [pace.due_ns(int(one)) for one in time_ns]
    assert expected == pace.due_each(time_ns).tolist()


def test_the_next_window_is_made_while_this_one_leaves() -> None:
    """One window is ready and one in the making; the rest waits."""
    made: list[int] = []
    third = threading.Event()

    def windows() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            if number == 2:
                third.set()
            yield number

    reader = Ahead(windows())
    assert next(reader) == 0
    assert third.wait(10)
    assert made == [0, 1, 2]
    assert list(reader) == [1, 2, 3, 4]


def test_what_the_maker_of_windows_raises_comes_out() -> None:
    """An error in the world ends the run; it does not leave it waiting."""

    def windows() -> Iterator[int]:
        yield 1
        message = "the world broke"
        raise RuntimeError(message)

    reader = Ahead(windows())
    assert next(reader) == 1
    with pytest.raises(RuntimeError, match="the world broke"):
        next(reader)


def test_leaving_early_ends_the_maker() -> None:
    """A reader that has enough leaves no thread behind."""
    reader = Ahead(iter(range(1000)))
    next(reader)
    making = [thread for thread in threading.enumerate() if thread.name == "parksim-world"]
    reader.close()
    assert making
    assert not any(thread.is_alive() for thread in making)


def relayed(*due: int, born: tuple[int, ...] = (), until: int) -> Batch:
    """A batch of messages that were measured at the start and leave at these milliseconds, and births at others."""
    rows = len(due)
    due_ns, start = START + np.array(due, np.int64) * MS, np.full(rows, START)
    events = np.array([(START + at * MS, 0, number, 1) for number, at in enumerate(born)], np.int64).reshape(-1, 4)
    more = Relayed(due_ns, start, np.arange(rows), np.zeros(rows, bool), events, np.empty((0, 3), np.int64))
    return Batch(start, np.zeros(rows, np.int32), np.zeros(rows), START + until * MS, more)


def births(piece: Consignment) -> list[int]:
    return [] if piece.relayed is None else ((piece.relayed.born[:, 0] - START) // MS).tolist()


def test_what_gateways_kept_leaves_when_they_let_it_go() -> None:
    """The instant of leaving decides, not the time that a message bears; births come with the slice of their time."""
    clock = FakeClock()
    batch = relayed(100, 300, 700, born=(0, 100, 299, 300, 950), until=1000)
    pieces = paced([consigned(batch)], Pace(START, clock.monotonic_ns(), 1), clock, threading.Event())
    seen = [(clock.monotonic_ns() // MS, len(piece), births(piece)) for piece in pieces]
    assert seen == [(100, 1, [0, 100, 299]), (300, 1, [300]), (700, 1, [950])]
    assert clock.monotonic_ns() // MS == 1000


def test_a_window_in_which_nothing_leaves_tells_what_was_measured() -> None:
    """Births of a window without rows come at its end, with a piece that is empty otherwise."""
    clock = FakeClock()
    pieces = list(paced([consigned(relayed(born=(10, 20), until=50))], Pace(START, 0, 1), clock, threading.Event()))
    assert [(len(piece), births(piece), piece.until_ns) for piece in pieces] == [(0, [10, 20], START + 50 * MS)]
    assert clock.monotonic_ns() == 50 * MS
