"""The formulas of motors, heat and vibration against the numbers they were taken from."""

import numpy as np
import pytest

from simulator.signals import motor, thermal, vibration

QUARTERS = np.array([0.25, 0.5, 0.75, 1.0])
ONE_KW = np.ones(4)


def test_motor_efficiency_matches_the_table() -> None:
    """Efficiency at quarter loads .904 .938 .945 .945, within 1 %."""
    efficiency = QUARTERS / motor.input_kw(QUARTERS, rated_kw=ONE_KW)
    assert efficiency == pytest.approx([0.904, 0.938, 0.945, 0.945], rel=0.01)


def test_motor_power_factor_matches_the_table() -> None:
    """Power factor at quarter loads .50 .72 .82 .86, within 1 %."""
    assert motor.power_factor(QUARTERS) == pytest.approx([0.50, 0.72, 0.82, 0.86], rel=0.01)


def test_motor_current_matches_the_table() -> None:
    """Current in shares of the rated one at quarter loads .45 .60 .79 1.0, within 1 %."""
    current = motor.current_a(QUARTERS, rated_kw=ONE_KW, volts=np.full(4, 400.0))
    assert current / current[-1] == pytest.approx([0.45, 0.60, 0.79, 1.0], rel=0.015)


def test_lag_reaches_63_percent_after_one_time_constant() -> None:
    """A step from 30 to 280 degrees stands at 30 + 250 (1 - 1/e) after τ."""
    value = thermal.lag(np.array([30.0]), np.array([280.0]), elapsed_s=np.array([720.0]), tau_s=np.array([720.0]))
    assert value[0] == pytest.approx(30 + 250 * (1 - 1 / np.e))


def test_lag_in_two_steps_is_lag_in_one() -> None:
    """The solution composes, which is what makes windows invisible."""
    start, target, tau = np.array([20.0]), np.array([85.0]), np.array([600.0])
    half = thermal.lag(start, target, elapsed_s=np.array([300.0]), tau_s=tau)
    assert thermal.lag(half, target, elapsed_s=np.array([300.0]), tau_s=tau) == pytest.approx(
        thermal.lag(start, target, elapsed_s=np.array([600.0]), tau_s=tau)
    )


def test_vibration_goes_from_zone_a_to_zone_d() -> None:
    """A .9 mm/s machine at full load shows .9 when healthy and 4.5, the C/D border of ISO 10816-3, at failure."""
    worn = vibration.wear(
        np.array([100.0, 1000.0]), onset_s=np.array([500.0, 500.0]), warning_s=np.array([500.0, 500.0])
    )
    shown = vibration.velocity_mm_s(
        np.ones(2), worn, base_mm_s=np.full(2, 0.9), scatter=np.full(2, 0.06), noise=np.zeros(2)
    )
    assert shown == pytest.approx([0.9, 4.5], rel=0.01)
