"""Wright's curve, forgetting, and what skill does to work."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.park import learning


@pytest.mark.parametrize("rate", [0.80, 0.85, 0.90])
def test_each_doubling_takes_r_times_as_long(rate: float) -> None:
    """Wright 1936, to 1e-12, down to the floor of 0.6 of the first time."""
    n = 2.0 ** np.arange(0, 8)
    assert learning.wright(n, rate=rate) == pytest.approx(np.maximum(rate ** np.arange(0, 8), 0.6), rel=1e-12)


@pytest.mark.parametrize("rate", [0.80, 0.85, 0.90])
def test_routine_and_repetitions_are_inverse(rate: float) -> None:
    """From nothing at the first repetition to all where the curve ends."""
    share = np.linspace(0.0, 1.0, 11)
    assert learning.routine(learning.repetitions(share, rate=rate), rate=rate) == pytest.approx(share, abs=1e-12)


def test_half_is_forgotten_in_a_half_life() -> None:
    """Day by day as well as at once; the first repetition stays."""
    at_once = learning.forgotten(np.array([9.0]), days=90, half_life_days=90, least=1.0)
    by_day = np.array([9.0])
    for _ in range(90):
        by_day = learning.forgotten(by_day, days=1, half_life_days=90, least=1.0)
    assert [at_once[0], by_day[0]] == pytest.approx([5.0, 5.0])


def test_skill_of_an_ordinary_crew_is_neutral() -> None:
    """All routine and no schooling is s = 0.75, at which repairs take what machine types say."""
    s = float(learning.skill(np.ones(1), np.zeros(1))[0])
    assert (s, learning.repair_factor(s)) == (0.75, 1.0)


@pytest.mark.parametrize(("s", "repair", "defects", "set_up"), [(0.0, 1.6, 1.8, 1.5), (1.0, 0.8, 0.8, 0.9)])
def test_the_ends_of_skill(s: float, repair: float, defects: float, set_up: float) -> None:
    """1.6 - .8 s, 1.8 - s and 1.5 - .6 s."""
    factors = [learning.repair_factor(s), learning.defect_factor(s), learning.set_up_factor(s)]
    assert factors == pytest.approx([repair, defects, set_up])
