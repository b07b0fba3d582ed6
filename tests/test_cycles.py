"""The pieces and process values of cycles."""

import numpy as np
import pytest

from simulator.signals.process import Cycles
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
