"""Chillers and data centres against the figures they were taken from."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.signals import cooling

SHARES = np.array([0.3, 0.6, 0.9])


def test_pue_matches_the_published_figures() -> None:
    """PUE 1.47, 1.38, 1.36 at IT loads of .3, .6, .9 and a wet bulb of 25 °C, within 1 %, with four chillers."""
    part_load = cooling.part_load(SHARES, installed=4)
    shown = cooling.pue(SHARES, cooling.cop(np.full(3, 25.0), part_load))
    assert shown == pytest.approx([1.47, 1.38, 1.36], rel=0.01)


def test_pue_of_chillers_at_their_best() -> None:
    """The same figures where each chiller runs at three quarters of its load."""
    shown = cooling.pue(SHARES, cooling.cop(np.full(3, 25.0), np.full(3, 0.75)))
    assert shown == pytest.approx([1.47, 1.38, 1.36], rel=0.01)


def test_cop_falls_with_heat_and_away_from_its_best_load() -> None:
    """6 at 24 °C and .75; 3 % less a degree; .6 of the squared distance in load; never negative."""
    wet_bulb = np.array([24.0, 25.0, 34.0, 24.0, 24.0, 99.0])
    load = np.array([0.75, 0.75, 0.75, 0.25, 1.0, 0.0])
    expected = [6.0, 5.82, 4.2, 6 * 0.85, 6 * 0.9625, 6 * 0.37 * 0.6625]
    assert cooling.cop(wet_bulb, load) == pytest.approx(expected)


def test_a_hot_day_raises_pue() -> None:
    """From a wet bulb of 22 to one of 28 °C at a load of .6, PUE rises by .035, within .003."""
    low, high = cooling.pue(np.full(2, 0.6), cooling.cop(np.array([22.0, 28.0]), np.full(2, 0.75)))
    assert high - low == pytest.approx(0.035, abs=0.003)


@pytest.mark.parametrize(
    ("share", "running"), [(0.0, 1), (0.1, 1), (0.3, 2), (0.5, 3), (0.6, 3), (0.7, 4), (0.9, 4), (1.0, 4)]
)
def test_chillers_are_staged(share: float, running: int) -> None:
    """At least one of four runs, and as many as keep each near three quarters."""
    assert cooling.chillers_running(np.array([share]), installed=4).tolist() == [running]


def test_no_running_chiller_is_overloaded() -> None:
    """Over all loads and plants of one to nine chillers, each carries at most what it can."""
    shares = np.linspace(0, 1, 1001)
    most = [cooling.part_load(shares, installed=count).max() for count in range(1, 10)]
    assert max(most) <= 1.0 + 1e-12


def test_the_site_draws_pue_times_its_it_load() -> None:
    """And without any IT load it draws the fixed losses, where PUE has no meaning."""
    it_kw, cop = np.array([0.0, 600.0, 1800.0]), np.full(3, 5.8)
    total = cooling.facility_kw(it_kw, cop, rated_it_kw=np.full(3, 2000.0))
    assert total[1:] == pytest.approx(it_kw[1:] * cooling.pue(it_kw[1:] / 2000.0, cop[1:]))
    assert total[0] == pytest.approx(100.0)
