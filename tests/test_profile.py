"""A value follows its profile over the cycle, exactly, over any number of cycles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from simulator.signals.profile import Outset, follow, response

SECOND_NS = 1_000_000_000
CYCLE_S = 7 * 3600
SHARE = np.array([[0.0, 0.2, 0.4, 0.7, 0.7, 1.0]])
VALUE = np.array([[40.0, 60.0, 130.0, 130.0, 60.0, 40.0]])
TAU_S = 300.0
seconds = st.integers(0, 3 * CYCLE_S)


def followed(start: float, into_s: int, elapsed_s: int, *, tau_s: float = TAU_S) -> float:
    columns = {
        "into_ns": np.array([into_s * SECOND_NS]),
        "cycle_ns": np.array([CYCLE_S * SECOND_NS]),
        "share": SHARE,
        "value": VALUE,
        "tau_s": np.array([tau_s]),
    }
    outset = Outset.of(np.array([start]), **columns)
    return float(follow(outset, elapsed_ns=np.array([elapsed_s * SECOND_NS]), **columns)[0])


def set_point(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.interp(time_s / CYCLE_S % 1.0, SHARE[0], VALUE[0]))


@pytest.mark.parametrize("tau_s", [TAU_S, 20_000.0])
@pytest.mark.parametrize(
    ("into_s", "elapsed_s"), [(0, 600), (5_000, 9_000), (20_000, 5_200), (20_000, 40_000), (100, 3 * CYCLE_S + 50)]
)
def test_it_solves_the_equation(into_s: int, elapsed_s: int, tau_s: float) -> None:
    """It agrees with a numerical solution of dT/dt = (P - T)/τ within .05 degrees, inside a cycle and past it."""
    solution = solve_ivp(
        lambda t, y: (set_point(np.array(into_s + t)) - y) / tau_s, (0, elapsed_s), [25.0], max_step=20.0, rtol=1e-8
    )
    assert followed(25.0, into_s, elapsed_s, tau_s=tau_s) == pytest.approx(solution.y[0, -1], abs=0.05)


@given(into_s=st.integers(0, CYCLE_S - 1), first_s=seconds, then_s=seconds)
def test_a_stop_on_the_way_changes_nothing(into_s: int, first_s: int, then_s: int) -> None:
    """Following for a while and then for another is following for both, whatever cycle borders lie between."""
    slow = 20_000.0
    half_way = followed(25.0, into_s, first_s, tau_s=slow)
    apart = followed(half_way, (into_s + first_s) % CYCLE_S, then_s, tau_s=slow)
    assert apart == pytest.approx(followed(25.0, into_s, first_s + then_s, tau_s=slow), rel=1e-9)


def test_without_lag_it_is_the_profile() -> None:
    """With a time constant of a millisecond it shows the set point itself."""
    shown = [followed(25.0, 0, at, tau_s=0.001) for at in range(60, CYCLE_S, 977)]
    assert shown == pytest.approx(set_point(np.arange(60, CYCLE_S, 977).astype(float)).tolist(), abs=1e-3)


def test_a_level_profile_is_a_plain_lag() -> None:
    """A constant set point gives v (1 - e^(-t/τ)) from zero."""
    into_s = np.array([0.0, 100.0, 900.0])
    columns = {"share": np.tile([0.0, 1.0], (3, 1)), "value": np.full((3, 2), 80.0)}
    shown = response(into_s, cycle_s=np.full(3, 1000.0), tau_s=np.full(3, 200.0), **columns)
    assert shown == pytest.approx(80.0 * (1.0 - np.exp(-into_s / 200.0)))
