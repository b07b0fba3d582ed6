"""parksim load --find-max: the rate of a broker that was throttled to a known one, and what gave way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Parksim, parksim
from servers import HOST, Mosquitto
from throttle import throttled

__all__ = ["parksim"]

SCENARIO = Path(__file__).parents[2] / "configs" / "throughput.yaml"
QUEUES = {"max_queued_messages": 0, "max_inflight_messages": 1_000}


@pytest.mark.parametrize("per_s", [900, 1_700, 3_100])
def test_a_throttled_broker_is_found(
    per_s: int, start_mosquitto: Callable[..., Mosquitto], parksim: Parksim, tmp_path: Path
) -> None:
    """Within 5 %, from a start that is too low or too high, and the broker is named."""
    broker = start_mosquitto(settings=QUEUES)
    scenario = without_thresholds(tmp_path)
    with throttled(broker.port, per_s) as port:
        where = ["--broker", f"mqtt://{HOST}:{port}", "--store", "none", "--view", "plain"]
        ended = parksim(
            "load", scenario, *where, "--find-max", "--rate", "1500/s", "--for", "3s", "--summary", tmp_path / "r.json"
        )
    assert ended.code == 0, ended.err
    found = json.loads((tmp_path / "r.json").read_text())
    search = found["load"]["search"]
    assert search["max_per_s"] == pytest.approx(per_s, rel=0.05), ended.err
    assert search["first_failed_per_s"] == pytest.approx(per_s, rel=0.08), ended.err
    assert found["load"]["bottleneck"]["part"] == "broker", ended.err
    assert [one["holds"] for one in search["probes"] if one["is_confirmation"]][-1] is True


def without_thresholds(folder: Path) -> Path:
    file = folder / "spindles.yaml"
    file.write_text(SCENARIO.read_text().partition("\nload:\n")[0] + "\n")
    return file
