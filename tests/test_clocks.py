"""A clock that is set, that runs wrong, or that another machine has differently, is told."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.clock import SECOND_NS, FakeClock
from simulator.load.clocks import ClockWatch, Offset, bent
from simulator.results.load_test import Clocks

MS = 1_000_000


class Bent(FakeClock):
    """A clock that somebody sets, and that runs fast by some parts of a million."""

    def __init__(self, *, ppm: float = 0.0) -> None:
        super().__init__()
        self._ppm, self._set_ns = ppm, 0

    def now_ns(self) -> int:
        return super().now_ns() + self._set_ns + round(self.monotonic_ns() * self._ppm / 1e6)

    def set(self, ns: int) -> None:
        """Have somebody set it."""
        self._set_ns += ns


def watched(clock: Bent, *, seconds: int = 30, set_ns: int = 0) -> Clocks:
    """Look every second, and have the clock set in the middle."""
    watch = ClockWatch(clock)
    for second in range(seconds + 1):
        watch.look()
        if second == seconds // 2:
            clock.set(set_ns)
        clock.advance(SECOND_NS)
    return watch.found(Offset())


def test_a_straight_clock() -> None:
    """Nothing to be said."""
    found = watched(Bent())
    assert (found.stepped_ms, found.drift_ppm) == (0.0, pytest.approx(0.0, abs=1e-6))
    assert bent(found) == []


@pytest.mark.parametrize("step_ms", [3_200, -450, 25])
def test_a_clock_that_was_set(step_ms: int) -> None:
    """By how much, and the drift is not taken for it."""
    found = watched(Bent(ppm=30.0), set_ns=step_ms * MS)
    assert found.stepped_ms == pytest.approx(step_ms, abs=0.1)
    assert found.drift_ppm == pytest.approx(30.0, abs=2.0)
    assert bent(found) == [f"the clock of this machine was set by {step_ms:+,} ms during the test"]


def test_a_clock_that_runs_wrong() -> None:
    """Further off than a clock that is steered can be."""
    found = watched(Bent(ppm=-2_000.0))
    assert (found.stepped_ms, found.drift_ppm) == (0.0, pytest.approx(-2_000.0, rel=1e-3))
    assert len(bent(found)) == 1


def test_a_short_test_tells_no_drift() -> None:
    """Microseconds over a second are noise."""
    assert watched(Bent(ppm=100.0), seconds=5).drift_ppm is None


@given(offset_ms=st.floats(-1e6, 1e6), seed=st.integers(0, 1_000))
def test_the_offset_of_a_clock_that_shows_whole_seconds(offset_ms: float, seed: int) -> None:
    """Twenty answers over a second narrow it down to some tens of milliseconds, and are never wrong."""
    offset, chance = Offset(), random.Random(seed)
    now_ns = 1_700_000_000 * SECOND_NS + chance.randrange(SECOND_NS)
    for _ in range(20):
        asked_ns = now_ns
        showed_ns = now_ns + chance.randrange(1, 2 * MS)
        now_ns = showed_ns + chance.randrange(1, 2 * MS)
        offset.told(int((showed_ns + offset_ms * MS) // SECOND_NS), asked_ns, now_ns)
        now_ns += 53 * MS
    assert offset.middle_ms is not None
    assert offset.uncertain_ms is not None
    assert abs(offset.middle_ms - offset_ms) <= offset.uncertain_ms + 1e-3
    assert offset.uncertain_ms < 40


def test_a_database_in_another_time_is_told() -> None:
    """More than it can be uncertain about."""
    near = Clocks(stepped_ms=0, drift_ppm=None, store_offset_ms=30.0, store_uncertain_ms=28.0)
    far = near.model_copy(update={"store_offset_ms": 90_000.0})
    assert bent(near) == []
    assert bent(far) == [
        "the clock of the database is +90,000 ms from ours (within 28 ms): times that it writes itself do not fit ours"
    ]


def test_a_clock_that_is_set_between_two_answers() -> None:
    """What was known before means nothing any more."""
    offset = Offset()
    for second, at_ns in ((100, 100 * SECOND_NS), (160, 101 * SECOND_NS)):
        offset.told(second, at_ns, at_ns)
    assert offset.middle_ms == pytest.approx(59_500.0)
