"""A store that refuses whole batches still gets every row it can take, in few writes."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.ingest.cargo import Cargo
from simulator.ingest.shipment import Shipment
from simulator.ingest.store import Row
from simulator.wire.line_blocks import LineBlock


def cargo_of(count: int) -> Cargo:
    rows = tuple(Row(0, number, number, {}) for number in range(count))
    return Cargo(LineBlock.joined([]), rows, np.arange(count))


class Picky:
    """Refuses a write that holds a bad row or more rows than it takes."""

    def __init__(self, bad: set[int], most: int) -> None:
        self.bad = bad
        self.most = most
        self.stored: list[int] = []
        self.set_aside: list[int] = []
        self.requests = 0

    def take(self, shipment: Shipment) -> None:
        while cargo := shipment.next():
            self.requests += 1
            if len(cargo) > self.most or any(row.seq in self.bad for row in cargo.rows):
                refused = shipment.refused()
                if refused is not None:
                    self.set_aside.append(shipment.cargo.rows[refused].seq)
            else:
                self.stored += [row.seq for row in shipment.written().rows]


@given(count=st.integers(0, 300), bad=st.sets(st.integers(0, 299), max_size=20), most=st.integers(1, 400))
def test_every_good_row_is_written_once_in_order_and_every_bad_one_set_aside(
    count: int, bad: set[int], most: int
) -> None:
    """Whatever the store refuses, good rows arrive in order, once, and exactly the bad ones are set aside."""
    store = Picky(bad, most)
    store.take(Shipment(cargo_of(count)))
    assert [n for n in range(count) if n not in bad] == store.stored
    assert [n for n in range(count) if n in bad] == store.set_aside


def requests_for(count: int, bad: set[int]) -> int:
    """How many writes it takes until all good rows are stored."""
    store = Picky(bad, count)
    store.take(Shipment(cargo_of(count)))
    return store.requests


@given(bad=st.integers(0, 4_999))
@example(bad=0)
@example(bad=4_999)
def test_one_bad_row_among_five_thousand_costs_at_most_26_requests(bad: int) -> None:
    """The search halves without trying what it already knows, and writes grow again once it has found."""
    assert requests_for(5_000, {bad}) <= 26


@given(count=st.integers(1, 2_000), first=st.integers(0, 1_999), length=st.integers(1, 2_000))
@example(count=5_000, first=0, length=5_000)
def test_bad_rows_in_a_row_cost_little_more_than_a_request_each(count: int, first: int, length: int) -> None:
    """A store that refuses every row, or a stretch of them, is not asked many times for each."""
    bad = {number for number in range(first, first + length) if number < count}
    assert requests_for(count, bad) <= 1.1 * len(bad) + 2 * math.log2(count) + 6


@given(count=st.integers(1, 500), bad=st.sets(st.integers(0, 499)))
def test_scattered_bad_rows_cost_at_most_a_search_each(count: int, bad: set[int]) -> None:
    """Wherever they lie, a bad row costs no more than its search and the way back to large writes."""
    here = len([number for number in bad if number < count])
    assert requests_for(count, bad) <= (here + 1) * (2 * math.log2(count) + 4)


def test_the_size_that_a_store_takes_is_learnt() -> None:
    """After a body that was too large, the cap is a size that went through."""
    shipment = Shipment(cargo_of(5_000))
    Picky(set(), 700).take(shipment)
    assert shipment.cap == 625


def test_a_learnt_size_is_kept_to() -> None:
    """With the cap of an earlier shipment nothing is refused."""
    store = Picky(set(), 700)
    shipment = Shipment(cargo_of(5_000), cap=625)
    store.take(shipment)
    assert (store.requests, shipment.cap) == (8, 625)


def test_what_is_left_is_known_when_the_store_goes_away() -> None:
    """Rows neither written nor set aside are left, in the midst of a search as well."""
    shipment = Shipment(cargo_of(8))
    shipment.refused()
    shipment.written()
    assert [row.seq for row in shipment.left.rows] == [4, 5, 6, 7]
