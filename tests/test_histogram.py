"""Histograms count like HdrHistogram, and add."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from simulator.results import latency as latency_module
from simulator.results.histogram import Histogram
from simulator.results.latency import Latency

ANY = st.integers(-(2**63), 2**63 - 1)
LATENCY = st.integers(1, 3_600_000_000_000)


def filled(samples: list[int]) -> Histogram:
    histogram = Histogram()
    histogram.record(samples)
    return histogram


@given(st.lists(LATENCY, min_size=1, max_size=300))
def test_percentiles_equal_those_of_hdrhistogram(samples: list[int]) -> None:
    """Every percentile is the one that HdrHistogram finds for three significant digits."""
    oracle = HdrHistogram(1, 4_000_000_000_000, 3)
    for sample in samples:
        oracle.record_value(sample)
    ours = filled(samples)
    percents = (0.1, 10, 50, 90, 99, 99.9, 100)
    expected = [min(oracle.get_value_at_percentile(p), max(samples)) for p in percents]
    assert expected == [ours.percentile(p) for p in percents]


@given(st.lists(ANY, max_size=100), st.lists(ANY, max_size=100))
def test_two_histograms_add_to_the_histogram_of_all(left: list[int], right: list[int]) -> None:
    """However the samples are split, the sum is the histogram of them all."""
    assert filled(left + right) == filled(left) + filled(right)


@given(st.lists(ANY, min_size=1, max_size=50))
def test_one_by_one_is_the_same_as_all_at_once(samples: list[int]) -> None:
    """An array and its items give the same counts."""
    single = Histogram()
    for sample in samples:
        single.record(sample)
    assert filled(samples) == single


@given(st.lists(ANY, min_size=1, max_size=200))
def test_extremes_are_exact_and_percentiles_within_three_digits(samples: list[int]) -> None:
    """The least and the greatest are exact, negative or not; the median is right to one part in a thousand."""
    histogram = filled(samples)
    assert (min(samples), max(samples), len(samples)) == (histogram.min, histogram.max, len(histogram))
    rank = max(1, min(len(samples), int(0.5 * len(samples) + 0.5)))
    true = sorted(samples)[rank - 1]
    found = histogram.percentile(50)
    assert found is not None
    assert abs(found - true) <= abs(true) / 1000 + 1


def test_zero_and_negative_samples_are_kept() -> None:
    """A message that was early or exactly on time counts, and pulls the percentiles down."""
    histogram = filled([-5_000_000, -1, 0, 0, 7])
    assert (histogram.negatives, histogram.zeros, len(histogram)) == (2, 2, 5)
    lowest, middle, top = (histogram.percentile(percent) for percent in (0, 60, 100))
    assert (pytest.approx(-5_000_000, rel=1e-3), 0, 7) == (lowest, middle, top)


def test_every_power_of_two_has_its_own_place() -> None:
    """The slots go up without a break over the whole range of int64."""
    edges = np.array(sorted({v for b in range(63) for v in (2**b - 1, 2**b, 2**b + 1) if v > 0}))
    for edge in edges.tolist():
        found = filled([edge, 2**63 - 1]).percentile(1)
        assert found is not None
        assert edge <= found <= edge * (1 + 1 / 1024)


def test_an_empty_histogram_has_no_percentiles() -> None:
    """Nothing measured is None, never 0."""
    assert Histogram().as_ms() == {
        "p50": None,
        "p90": None,
        "p99": None,
        "p999": None,
        "p9999": None,
        "max": None,
        "count": 0,
    }


def test_latency_is_told_in_milliseconds() -> None:
    """Nanoseconds go in, milliseconds come out, one block per hop."""
    latency = Latency()
    latency.publish.record([1_000_000, 2_000_000])
    told = latency.as_ms()
    assert list(told) == ["lateness", "publish", "broker", "end_to_end"]
    assert told["publish"]["count"] == 2
    assert pytest.approx(1.0, rel=1e-3) == told["publish"]["p50"]
    assert told["publish"]["max"] == 2.0


def test_the_oldest_is_looked_for_while_nobody_may_settle_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One message too many is expected while a bridge settles the oldest: both come through, one after the other."""
    monkeypatch.setattr(latency_module, "MOST_EXPECTED", 2)
    latency = Latency()
    bridge = threading.Thread(target=latency.settle, args=(0, 0))

    class Watched(dict[tuple[int, int], int]):
        def __iter__(self) -> Iterator[tuple[int, int]]:
            oldest = super().__iter__()
            bridge.start()
            bridge.join(0.2)  # through at once if nothing holds it up, and then it has pulled the oldest from under us
            return oldest

    latency._due_ns = Watched({(0, 0): 7, (0, 1): 8})
    latency.expect(0, 2, 9)
    bridge.join()
    assert dict(latency._due_ns.items()) == {(0, 1): 8, (0, 2): 9}
