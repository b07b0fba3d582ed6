"""Benchmarks print what they promise; how fast it was is nobody's test."""

from __future__ import annotations

import json

import pytest
from commands import Parksim
from parks import CONFIGS


@pytest.fixture
def parksim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Parksim:
    return Parksim(capsys, monkeypatch)


def test_generate_measures_product_and_yardstick_in_each_round(parksim: Parksim) -> None:
    """JSON on stdout with the keys of the contract; the ratio lies between the ratios of the rounds."""
    ended = parksim("bench", "generate", CONFIGS / "quickstart.yaml", "--rounds", 3, "--minutes", 1)
    told = json.loads(ended.out)
    assert ended.code == 0
    assert set(told) == {"bench", "unit", "product", "raw", "ratio", "rounds", "cpu_cores", "settings"}
    ratios = sorted(one["product"] / one["raw"] for one in told["rounds"])
    assert told["ratio"] == ratios[1]


def test_zero_rounds_are_refused(parksim: Parksim) -> None:
    """A usage error ends in 104."""
    assert parksim("bench", "generate", CONFIGS / "quickstart.yaml", "--rounds", 0).code == 104
