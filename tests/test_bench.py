"""Benchmarks print what they promise; how fast it was is nobody's test."""

from __future__ import annotations

import json

import pytest
from commands import Parksim
from parks import CONFIGS, MONDAY_NS, quickstart

from simulator.bench.generate import MINUTE_NS, TimedWorld, make
from simulator.park.world import World


@pytest.fixture
def parksim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Parksim:
    return Parksim(capsys, monkeypatch)


def test_generate_measures_product_and_yardstick_in_each_round(parksim: Parksim) -> None:
    """JSON on stdout with the keys of the contract; the ratio lies between the ratios of the rounds."""
    ended = parksim("bench", "generate", CONFIGS / "quickstart.yaml", "--rounds", 3, "--minutes", 1)
    told = json.loads(ended.out)
    assert ended.code == 0
    assert set(told) == {
        "bench",
        "unit",
        "product",
        "raw",
        "ratio",
        "simpy_share",
        "peak_mb",
        "rounds",
        "cpu_cores",
        "settings",
    }
    ratios = sorted(one["product"] / one["raw"] for one in told["rounds"])
    assert told["ratio"] == ratios[1]


def test_the_share_of_simpy_and_the_memory_are_told(parksim: Parksim) -> None:
    """SimPy takes a part of the time, not all of it; the process holds at least NumPy, and is no giant."""
    told = json.loads(parksim("bench", "generate", CONFIGS / "quickstart.yaml", "--rounds", 1, "--minutes", 2).out)
    assert 0 < told["simpy_share"] < 1
    assert 20 < told["peak_mb"] < 4_000


def test_what_a_timed_world_makes_is_what_a_world_makes() -> None:
    """Measuring changes nothing: the same number of readings and messages, and time in each part of the work."""
    park = quickstart()
    until_ns = MONDAY_NS + 3 * MINUTE_NS
    plain = list(World(park.scenario, park.types, MONDAY_NS).batches(until_ns, MINUTE_NS))
    timed = TimedWorld(park.scenario, park.types, MONDAY_NS)
    made = make(timed, minutes=3, encode=True)
    messages = sum(1 for batch in plain for _ in batch.messages(timed.catalog))
    assert (made.readings, made.messages) == (sum(map(len, plain)), messages)
    assert 0 < made.simpy_s < made.made_s


def test_zero_rounds_are_refused(parksim: Parksim) -> None:
    """A usage error ends in 104."""
    assert parksim("bench", "generate", CONFIGS / "quickstart.yaml", "--rounds", 0).code == 104
