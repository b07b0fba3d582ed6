"""Benchmarks against real servers: everything that was sent has arrived, on both sides; how fast is nobody's test."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import Parksim
from servers import HOST, Mosquitto, VictoriaMetrics

CONFIGS = Path(__file__).parents[2] / "configs"
SCENARIO = CONFIGS / "throughput.yaml"
PAHO = Path(__file__).parents[1] / "benchmarks" / "paho_publish.py"


@pytest.fixture
def parksim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Parksim:
    return Parksim(capsys, monkeypatch)


def measured(parksim: Parksim, *arguments: object) -> dict[str, Any]:
    """Run a benchmark of two rounds; return what it prints."""
    ended = parksim("bench", *arguments, "--rounds", 2)
    assert ended.code == 0, ended.err
    told: dict[str, Any] = json.loads(ended.out)
    assert len(told["rounds"]) == 2
    assert told["ratio"] > 0
    return told


@pytest.mark.parametrize("qos", [0, 1])
def test_publishing_is_measured_beside_raw_and_paho(mosquitto_server: Mosquitto, parksim: Parksim, qos: int) -> None:
    """All three publish to the same broker; nothing is dropped, and the table says what was sent and how."""
    told = measured(
        parksim,
        "publish",
        SCENARIO,
        "--broker",
        f"mqtt://{HOST}:{mosquitto_server.port}",
        "--qos",
        qos,
        "--window",
        20,
        "--messages",
        2000,
        "--against",
        f"{sys.executable} {PAHO}",
    )
    assert told["medians"]["product"]["dropped"] == 0
    assert told["ratios"]["against"] > 0
    assert "mosquitto version 2" in told["settings"]["broker_version"]
    expected = {"qos": qos, "window": 20, "messages": 2000, "mqtt": "5"}
    assert {key: told["settings"][key] for key in expected} == expected
    assert told["settings"]["readings_per_message"] == pytest.approx(10, abs=1)


def test_the_bridge_is_measured_beside_a_raw_subscriber(mosquitto_server: Mosquitto, parksim: Parksim) -> None:
    """Both hear all that another process publishes, and the bridge's ledger has every message as written."""
    told = measured(
        parksim, "bridge", SCENARIO, "--broker", f"mqtt://{HOST}:{mosquitto_server.port}", "--messages", 3000
    )
    for one in told["rounds"]:
        assert one["raw"]["lost"] == 0
        assert (one["product"]["lost"], one["product"]["written"]) == (0, 3000)


def test_writing_is_measured_with_rows_that_are_there_afterwards(
    victoria_metrics: VictoriaMetrics, parksim: Parksim
) -> None:
    """Raw, through the store, and from JSON: the database holds the rows of all three, of both rounds."""
    store = f"influxdb://{HOST}:{victoria_metrics.port}/bench"
    told = measured(parksim, "write", SCENARIO, "--store", store, "--messages", 1000)
    assert set(told["ratios"]) == {"from_json"}
    rows = sum(len(one["timestamps"]) for one in victoria_metrics.series('{__name__=~".*_seq",db="bench"}'))
    assert rows == 2 * 3 * 1000


def test_what_cannot_be_measured_is_told(parksim: Parksim) -> None:
    """A store without HTTP, a broker without an address, and one that is not there."""
    ended = parksim("bench", "write", SCENARIO, "--store", "sqlite:x.db")
    assert (ended.code, "needs influxdb://" in ended.err) == (104, True)
    ended = parksim("bench", "publish", SCENARIO, "--broker", "memory")
    assert (ended.code, "with an address" in ended.err) == (104, True)
    ended = parksim("bench", "bridge", SCENARIO, "--broker", f"mqtt://{HOST}:1")
    assert (ended.code, "nobody listens" in ended.err) == (106, True)
