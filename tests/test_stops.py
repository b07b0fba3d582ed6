"""Times between stops and repair times follow their laws."""

import numpy as np
import pytest

from simulator.park.stops import BearingLife, StopClock, lognormal_ns
from simulator.scenario.machine_type import Bearing, Repair, Stop
from simulator.signals.streams import Stream

HOUR_NS = 3_600_000_000_000
N = 4_000


def stop(shape: float) -> Stop:
    return Stop(name="jam", mtbf="2h", shape=shape, repair=Repair(mean="30m", cv=0.8), by="operator", becomes="held")


@pytest.mark.parametrize("shape", [1.0, 1.5, 4.0])
def test_times_between_stops_have_the_mean_they_claim(shape: float) -> None:
    """The mean of Weibull intervals is the MTBF, within four standard errors; repairs likewise."""
    clock = StopClock(stop(shape), Stream(1, "m"))
    repairs, intervals = [], []
    for _ in range(N):
        repairs.append(clock.strike())
        intervals.append(clock.left_ns)
    # The coefficient of variation of a Weibull law is at most 1 for k >= 1.
    assert np.mean(intervals) == pytest.approx(2 * HOUR_NS, rel=4 / np.sqrt(N))
    assert np.mean(repairs) == pytest.approx(0.5 * HOUR_NS, rel=4 * 0.8 / np.sqrt(N))


def test_repairs_scatter_as_they_claim() -> None:
    """The coefficient of variation of 20,000 lognormal draws is the one asked for, within 5 %."""
    rng = np.random.default_rng(5)
    draws = [lognormal_ns(rng, HOUR_NS, cv=0.5) for _ in range(20_000)]
    assert np.std(draws) / np.mean(draws) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize(("shape", "share"), [(1.0, 1.0), (4.0, 0.5393)])
def test_the_first_stop_comes_as_in_mid_life(shape: float, share: float) -> None:
    """The residual life has mean E[X²]/2E[X]: a full MTBF without memory, little over half of it for a regular one."""
    first = [StopClock(stop(shape), Stream(seed, "m")).left_ns for seed in range(N)]
    assert np.mean(first) == pytest.approx(share * 2 * HOUR_NS, rel=4 / np.sqrt(N))


def test_one_bearing_in_ten_fails_before_l10() -> None:
    """That is what L10 means: 10 % of new bearings, within four standard errors."""
    bearing = Bearing(l10="40000h", warning="1080h", repair=Repair(mean="6h"))
    life, failed = BearingLife(bearing, Stream(2, "m")), 0
    for _ in range(N):
        life.replace()
        failed += life.left_ns < bearing.l10
    assert failed / N == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / N))


def test_a_defect_shows_before_it_kills() -> None:
    """From the first sign to failure passes the warning time."""
    bearing = Bearing(l10="40000h", warning="1080h", repair=Repair(mean="6h"))
    life = BearingLife(bearing, Stream(3, "m"))
    assert life.age_ns + life.left_ns - life.onset_ns == bearing.warning


def test_an_endless_life_is_cut_to_what_a_column_holds() -> None:
    """A Weibull shape of .5 draws lives of millions of years; thirty years of running are as good."""
    bearing = Bearing(l10="40000h", shape=0.5, warning="1080h", repair=Repair(mean="6h"))
    life = BearingLife(bearing, Stream(4, "m"))
    lives = []
    for _ in range(200):
        life.replace()
        lives.append(life.left_ns)
    assert max(lives) == 10**18
