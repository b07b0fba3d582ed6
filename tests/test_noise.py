"""AR(1) noise has the law it claims, and does not depend on how it is read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.signals.noise import BLOCK, EPOCH, Noise
from simulator.signals.streams import Stream

FIRST = 1_700_000_000


def noise(phi: float, rows: int = 4, *, first: int = FIRST) -> Noise:
    return Noise([(Stream(1, "asset"), rows)], np.full(rows, phi), first_index=first)


@pytest.mark.parametrize("phi", [0.0, 0.3, 0.9, 0.99])
def test_variance_and_autocorrelation_match_theory(phi: float) -> None:
    """Unit variance and φ, φ^5, φ^50 at those lags, across epoch borders, within four standard errors."""
    x = noise(phi, 200).window(FIRST, FIRST + 2_000)
    # The standard error of a mean of products of an AR(1) process is about sqrt((1+φ²)/(1-φ²)/n).
    error = 4 * np.sqrt(2 * (1 + phi**2) / (1 - phi**2) / x.size)
    assert np.mean(x**2) == pytest.approx(1.0, abs=error)
    for lag in (1, 5, 50):
        assert np.mean(x[lag:] * x[:-lag]) == pytest.approx(phi**lag, abs=error)


def test_steps_across_an_epoch_border_are_like_all_others() -> None:
    """The bridge leaves no seam: the innovation at a border has the variance it has everywhere, within 4 errors."""
    phi = 0.98
    start = (FIRST // EPOCH + 1) * EPOCH
    x = noise(phi, 5_000).window(start, start + 2 * EPOCH)
    innovation = x[1:] - phi * x[:-1]
    for at in (EPOCH - 2, EPOCH - 1, EPOCH):
        assert np.var(innovation[at]) == pytest.approx(1 - phi**2, rel=4 * np.sqrt(2 / 5_000))


@settings(deadline=None, max_examples=40)
@given(
    starts=st.lists(st.integers(0, 70_000), min_size=1, max_size=4),
    length=st.integers(1, 700),
    phi=st.sampled_from([0.0, 0.5, 0.999, 1 - 1e-12]),
)
def test_any_window_in_any_order_gives_the_same_bits(starts: list[int], length: int, phi: float) -> None:
    """Reading back and forth equals one fresh reading, bit for bit."""
    wandering = noise(phi, 2)
    for start in starts:
        got = wandering.window(FIRST + start, FIRST + start + length)
        fresh = noise(phi, 2).window(FIRST + start, FIRST + start + length)
        assert got.tobytes() == fresh.tobytes()


def test_a_row_does_not_depend_on_other_assets() -> None:
    """An asset shows the same noise whoever else is in the park."""
    alone = Noise([(Stream(1, "b"), 2)], np.full(2, 0.9), first_index=0).window(0, 600)
    among = Noise([(Stream(1, "a"), 3), (Stream(1, "b"), 2)], np.full(5, 0.9), first_index=0).window(0, 600)
    assert among[:, 3:].tobytes() == alone.tobytes()


def test_a_row_does_not_depend_on_how_many_are_worked_out_together() -> None:
    """Rows far beyond a block, of assets of different sizes and correlations, equal those of each asset alone."""
    sizes = [3, 1, BLOCK, 5, 2 * BLOCK + 1, 4]
    phi = np.linspace(0.1, 0.99, sum(sizes)).round(1)
    owners = [(Stream(1, str(i)), rows) for i, rows in enumerate(sizes)]
    together = Noise(owners, phi, first_index=FIRST).window(FIRST, FIRST + 300)
    low = 0
    for owner in owners:
        rows = slice(low, low + owner[1])
        alone = Noise([owner], phi[rows], first_index=FIRST).window(FIRST, FIRST + 300)
        assert together[:, rows].tobytes() == alone.tobytes()
        low = rows.stop


@given(rows=st.lists(st.integers(0, 3), min_size=1, max_size=9), first=st.integers(0, 600), length=st.integers(1, 700))
def test_single_samples_are_those_of_the_window(rows: list[int], first: int, length: int) -> None:
    """Samples picked by row and index, within an epoch or across several, are those of a window."""
    row, index = np.array(rows)[:, None], FIRST + first + np.arange(length) + (np.array(rows) % 2)[:, None]
    window = noise(0.9).window(FIRST, FIRST + first + length + 1)
    assert noise(0.9).at(row, index).tobytes() == window[index - FIRST, row].tobytes()


def test_before_the_beginning_there_is_nothing() -> None:
    """Asking for samples before the world's first epoch is an error that says where it begins."""
    with pytest.raises(ValueError, match="before the first sample"):
        noise(0.5).window(FIRST - 2 * EPOCH, FIRST)
    with pytest.raises(ValueError, match="before the first sample"):
        noise(0.5).at(np.array([0]), np.array([FIRST - 2 * EPOCH]))
