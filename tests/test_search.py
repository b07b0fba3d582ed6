"""The search finds what a pipeline holds, whatever the start, and however it behaves beyond."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.load.search import highest
from simulator.results.load_test import Bottleneck, Probe
from simulator.run.load_test.find_max import blamed_for


class Pipeline:
    """Holds so much; confirmations a share of that."""

    def __init__(self, most: float, *, collapses: float = 1.0, for_longer: float = 1.0) -> None:
        self.most, self.collapses, self.for_longer = most, collapses, for_longer
        self.tried: list[tuple[float, bool]] = []
        self.patience = 1_000

    def play(self, rate: float, is_confirmation: bool) -> Probe | None:  # noqa: FBT001 - as the search calls it
        if len(self.tried) >= self.patience:
            return None
        self.tried.append((rate, is_confirmation))
        holds = rate <= self.most * (self.for_longer if is_confirmation else 1.0)
        return Probe(
            rate_per_s=rate,
            written_per_s=rate if holds else self.most * self.collapses,
            holds=holds,
            why="" if holds else "too much",
            backlog_per_s=max(0.0, rate - self.most),
            end_to_end_p99_ms=10.0 if rate < 0.9 * self.most else 50.0,
            is_confirmation=is_confirmation,
        )


@given(
    most=st.floats(5.0, 1e6), start=st.floats(1.0, 1e6), collapses=st.floats(0.3, 1.0), for_longer=st.floats(0.97, 1.0)
)
def test_it_is_found_within_five_percent(most: float, start: float, collapses: float, for_longer: float) -> None:
    """Confirmed, with the lowest rate that failed just above."""
    pipeline = Pipeline(most, collapses=collapses, for_longer=for_longer)
    search = highest(pipeline.play, start_per_s=start, limit_per_s=1e7)
    assert search.max_per_s == pytest.approx(most * for_longer, rel=0.05)
    assert search.max_per_s <= most
    assert search.first_failed_per_s == pytest.approx(most, rel=0.05)
    assert pipeline.tried[-1][1]
    assert len(search.probes) == len(pipeline.tried) <= 40


def test_what_came_through_is_a_good_guess() -> None:
    """A pipeline that does not collapse is found in eight probes and a confirmation, from a tenth of what it holds."""
    pipeline = Pipeline(10_000.0)
    assert highest(pipeline.play, start_per_s=1_000.0, limit_per_s=1e6).max_per_s == pytest.approx(10_000, rel=0.02)
    assert len(pipeline.tried) <= 9


def test_the_limit_of_the_generator_ends_it() -> None:
    """What holds there is confirmed, and nothing failed."""
    pipeline = Pipeline(1e6)
    search = highest(pipeline.play, start_per_s=1_000.0, limit_per_s=5_000.0)
    assert (search.max_per_s, search.first_failed_per_s) == (5_000.0, None)
    assert pipeline.tried[-1] == (5_000.0, True)


def test_nothing_holds() -> None:
    """Down to a message a second, and no further."""
    search = highest(Pipeline(0.5, collapses=0.0).play, start_per_s=1_000.0, limit_per_s=1e6)
    assert search.max_per_s is None
    assert min(one.rate_per_s for one in search.probes) == 1.0


def test_whoever_has_had_enough_ends_it() -> None:
    """Without a confirmation there is no rate."""
    pipeline = Pipeline(10_000.0)
    pipeline.patience = 3
    search = highest(pipeline.play, start_per_s=1_000.0, limit_per_s=1e6)
    assert (search.max_per_s, len(search.probes)) == (None, 3)


def test_the_knee_is_where_latency_rises() -> None:
    """The lowest rate whose p99 is more than three times that of the lowest one."""
    pipeline = Pipeline(10_000.0)
    search = highest(pipeline.play, start_per_s=1_000.0, limit_per_s=1e6)
    assert search.knee_per_s == min(rate for rate, _ in pipeline.tried if rate >= 9_000)


def test_what_gave_way_is_read_where_it_shows_most() -> None:
    """Far above what holds; but a generator that was late at the lowest rate that failed is to blame for all."""
    broker, noise, late = (
        Bottleneck(part=part, because=because, backlog_per_s={}, busy={})
        for part, because in (
            ("broker", "it took nothing more"),
            ("generator", "it was late"),
            ("generator", "invalid: x"),
        )
    )
    assert blamed_for({1_870.0: noise, 2_400.0: broker}) is broker
    assert blamed_for({1_870.0: late, 2_400.0: broker}) is late
