"""Good pieces of many machines at once are those of the book of each."""

from __future__ import annotations

import numpy as np

from simulator.signals.pieces import Pieces
from simulator.signals.process import EPOCH, Cycles
from simulator.signals.streams import Stream


def books() -> list[Cycles]:
    return [
        Cycles(Stream(7, "machine", str(i)), pieces=pieces, first_pass_yield=0.9, values=0)
        for i, pieces in enumerate((1, 4, 16))
    ]


def test_the_table_says_what_the_books_say() -> None:
    """Forward, back, and several epochs of one machine in one question."""
    ours, theirs = Pieces(books()), books()
    asset = np.array([0, 0, 0, 1, 2, 2, 1])
    for cycle in ([0, 5, EPOCH, 9, 3 * EPOCH + 1, 2, 10], [EPOCH + 1, 2, 9 * EPOCH, 0, 1, EPOCH - 1, 7 * EPOCH]):
        wanted = [theirs[i].good_before(number) for i, number in zip(asset, cycle, strict=True)]
        assert ours.good_before(asset, np.array(cycle)).tolist() == wanted


def test_pieces_that_are_spoilt_later_count_as_the_book_does() -> None:
    """People who forget spoil more from cycle 51 on: what was counted stays, what comes follows the changed book."""
    mine, fresh = books(), books()
    table = Pieces(mine)
    asset, early, late = np.array([2]), np.array([50]), np.array([200])
    before = table.good_before(asset, early).tolist()
    unspoilt = table.good_before(asset, late).tolist()
    for book in (mine[2], fresh[2]):
        book.spoil(4.0, from_cycle=51)
    assert table.good_before(asset, early).tolist() == before
    assert table.good_before(asset, late).tolist() == [fresh[2].good_before(200)]
    assert fresh[2].good_before(200) < unspoilt[0] - 100
