"""Thresholds are read before the first message, and say of a stretch of a run whether they hold."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.load.tally import Mark, Tally
from simulator.load.thresholds import parse_threshold
from simulator.results.latency import Latency
from simulator.results.ledger import Ledger

MS = 1_000_000


def tally(*, samples_ms: tuple[float, ...] = (), before_ms: tuple[float, ...] = (), seconds: float = 10.0) -> Tally:
    """1,000 messages in so many seconds, of which 990 are written, 8 dropped and 2 lost, after a first one."""
    ledger, latency = Ledger(1), Latency()
    ledger.schedule([0], [0], [1])
    ledger.write([0], [0], [1])
    latency.end_to_end.record(np.array(before_ms) * MS if before_ms else [])
    before = Mark.of(5.0, ledger.counts(), latency)
    numbers = np.arange(1, 1_001)
    asset = np.zeros_like(numbers)
    ledger.schedule(asset, numbers, np.ones_like(numbers))
    ledger.publish(asset[:992], numbers[:992])
    ledger.write(asset[:990], numbers[:990], np.ones(990, np.int64))
    ledger.drop("not sent in time", asset[992:], numbers[992:])
    ledger.finish()
    latency.end_to_end.record(np.rint(np.array(samples_ms) * MS).astype(np.int64) if samples_ms else [])
    return Tally(before, Mark.of(5.0 + seconds, ledger.counts(), latency))


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("end_to_end p50 < 51 ms", 50, True),
        ("end_to_end p99 <= 99.1 ms", 99, True),
        ("end_to_end p99.9 < 0.1 s", 100, False),
        ("end_to_end max < 101ms", 100, True),
        ("rate >= 99/s", 99.2, True),
        ("rate > 0.1k/s", 99.2, False),
        ("written_rate == 99/s", 99, True),
        ("delivered >= 0.99", 0.99, True),
        ("delivered >= 99.5%", 0.99, False),
        ("unaccounted == 0", 2, False),
        ("dropped <= 8", 8, True),
        ("dead_lettered == 0", 0, True),
        ("lateness p99 < 5 ms", None, False),
    ],
)
def test_what_is_compared_with_what(text: str, value: float | None, *, holds: bool) -> None:
    """Of the stretch only, not of what was before; what was not measured does not hold."""
    found = parse_threshold(text)
    measured = found.value(tally(samples_ms=tuple(range(1, 101)), before_ms=(5_000,)))
    assert measured == (None if value is None else pytest.approx(value, rel=0.002))
    assert found.holds(measured) is holds


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("dropped == 0", True),
        ("dropped <= 8", False),
        ("end_to_end max < 99 ms", True),
        ("end_to_end max < 200 ms", False),
        ("end_to_end p99 < 1 ms", False),
        ("unaccounted == 0", False),
        ("delivered > 99.9%", False),
    ],
)
def test_what_never_falls_is_lost_early(text: str, *, lost: bool) -> None:
    """Counts and maxima; what may still come right is waited for."""
    assert parse_threshold(text).is_lost(tally(samples_ms=tuple(range(1, 101)))) is lost


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latency p99 < 5 ms", "there is no metric 'latency'; there are lateness, publish"),
        ("lateness < 5 ms", "lateness: write one of p50, p90"),
        ("lateness p42 < 5 ms", "lateness: write one of p50, p90"),
        ("rate p99 > 5/s", "rate: leave the statistic out"),
        ("lateness p99 < 5", "lateness is told in ms or s"),
        ("rate > 5k", "is no threshold"),
        ("rate > 5", "rate is told in /s or k/s or M/s"),
        ("unaccounted == 0 ms", "unaccounted is told in no unit"),
        ("unaccounted = 0", "is no threshold; write such as"),
        ("unaccounted == 0 in peek", "there is no stage 'peek'; stages have these names: calm, peak"),
        ("", "is no threshold"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    """With what could be written instead."""
    with pytest.raises(ValueError, match=said):
        parse_threshold(text, stages={"peak", "calm"})


def test_a_stage_is_kept() -> None:
    """For who looks up its marks."""
    assert parse_threshold("unaccounted == 0 in peak", stages={"peak"}).stage == "peak"
