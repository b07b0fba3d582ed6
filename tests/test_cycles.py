"""The pieces and process values of cycles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.signals.process import Books, Cycles
from simulator.signals.streams import Stream


def cycles(**changes: float) -> Cycles:
    settings = {"pieces": 16, "first_pass_yield": 0.97, "values": 2} | changes
    return Cycles(Stream(3, "press"), **settings)


@pytest.mark.parametrize("share", [0.999, 0.97, 0.9, 0.5, 0.1])
def test_the_scrap_rate_is_the_machines(share: float) -> None:
    """Over 100,000 cycles of 16 pieces the share of good ones is the yield, within four standard errors."""
    good = cycles(first_pass_yield=share).good_before(100_000) / 1_600_000
    # The chance varies from cycle to cycle, which widens the count; 16 pieces of a cycle go together at the worst.
    assert good == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 100_000))


def test_counting_one_by_one_and_at_once_agree() -> None:
    """The vectorised count equals the single one, forwards and backwards across epochs."""
    book, numbers = cycles(), np.array([0, 1, 255, 256, 257, 5_000])
    at_once = cycles().good_before_each(numbers).tolist()
    assert [book.good_before(int(n)) for n in numbers[::-1]][::-1] == at_once


def test_bad_cycles_are_the_odd_ones() -> None:
    """A cycle's hidden quality and its scrap go together: odd cycles spoil several times as many pieces."""
    book, numbers = cycles(), np.arange(50_001)
    bad = 16 - np.diff(book.good_before_each(numbers))
    quality = np.abs(book.values(numbers[:-1])[0])
    assert bad[quality > 2].mean() > 3 * bad[quality < 1].mean()


def test_a_cycle_never_makes_less_than_nothing() -> None:
    """Even with a wild scrap rate a cycle makes 0 to 16 good pieces."""
    good = np.diff(cycles(first_pass_yield=0.05).good_before_each(np.arange(5_000)))
    assert good.min() >= 0
    assert good.max() <= 16


def test_memory_stays_bounded() -> None:
    """Old epochs are forgotten, and can be asked again all the same."""
    book = cycles()
    first = book.values(np.arange(10))[0].tolist()
    for start in range(0, 20_000, 250):
        book.values(np.arange(start, start + 250))
        book.good_before(start)
    assert len(book._epochs) <= 3
    assert book.values(np.arange(10))[0].tolist() == first


@given(first=st.integers(0, 900), count=st.integers(1, 600))
def test_pieces_of_single_cycles_add_up(first: int, count: int) -> None:
    """What each of some cycles makes, across epochs, is the difference of the counts before and after it."""
    book = cycles()
    assert book.good_in(first, count).tolist() == np.diff(book.good_before_each(first + np.arange(count + 1))).tolist()


@given(stretches=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3_000), st.integers(0, 1_500)), max_size=6))
def test_books_show_what_their_machines_do(stretches: list[tuple[int, int, int]]) -> None:
    """Any stretches of cycles, also longer than those before, show the pieces, quality and scatter of each machine."""
    machines = [Cycles(Stream(3, str(n)), pieces=4 + n, first_pass_yield=0.9, values=n) for n in range(3)]
    books = Books(machines)
    for asset, first, more in stretches:
        books.open(np.array([asset]), np.array([first]), np.array([first + more]))
        number = np.arange(first, first + more + 1)
        at = np.full(len(number), asset)
        quality, scatter = machines[asset].values(number)
        assert books.good_before(at, number).tolist() == machines[asset].good_before_each(number).tolist()
        assert books.quality(at, number).tobytes() == quality.tobytes()
        for value in range(asset):
            assert books.scatter(at, number, np.full(len(number), value)).tobytes() == scatter[:, value].tobytes()


def test_a_fast_machine_takes_no_room_from_others() -> None:
    """Each machine has as many pages as it needs: one asked for a hundred epochs does not widen the other."""
    books = Books([cycles(), cycles()])
    books.open(np.array([0, 1]), np.array([0, 0]), np.array([100 * 256 - 1, 100]))
    assert books.pages.tolist() == [128, 2]
