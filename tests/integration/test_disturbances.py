"""Faults on purpose during a load test: seen, recovered from, and nothing lost that a pipeline need not lose."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import Parksim, parksim
from servers import HOST, InfluxDB1, Mosquitto

__all__ = ["parksim"]

WELL = {0, 111}
"""Passed; or the machine was so busy that the generator was late by itself, and says so."""

SCENARIO = Path(__file__).parents[2] / "configs" / "throughput.yaml"
QUEUES = {"max_queued_messages": 0, "max_inflight_messages": 1_000}


def scenario(folder: Path, *disturbances: str, seconds: int = 9) -> Path:
    """The spindles with QoS 1, and faults."""
    text = SCENARIO.read_text().partition("\nload:\n")[0].replace("qos: 0", "qos: 1")
    file = folder / "load.yaml"
    stages = f"[{{kind: hold, for: {seconds}s, rate: 1k/s}}]"
    file.write_text(f"{text}\nload:\n  stages: {stages}\n  disturbances: [{', '.join(disturbances)}]\n")
    return file


def played(parksim: Parksim, file: Path, *where: object) -> tuple[int, dict[str, Any], str]:
    out = file.with_suffix(".json")
    ended = parksim("load", file, *where, "--view", "none", "--summary", out)
    return ended.code, json.loads(out.read_text()) if out.exists() else {}, ended.err


@pytest.mark.parametrize(
    ("fault", "rises"),
    [
        ("{kind: cut, target: publishers, at: 3s, for: 1s}", "publish"),
        ("{kind: hold, target: publishers, at: 3s, for: 1s}", "publish"),
        ("{kind: hold, target: bridge, at: 3s, for: 1s}", "broker"),
        ("{kind: cut, target: bridge, at: 3s, for: 1s}", "broker"),
        ("{kind: delay, target: bridge, at: 3s, for: 1s, by: 400ms}", "broker"),
    ],
)
def test_the_network_fails_for_a_moment(
    fault: str, rises: str, start_mosquitto: Callable[..., Mosquitto], parksim: Parksim, tmp_path: Path
) -> None:
    """The part that it hits is late, nothing is lost with QoS 1, and it is as before soon after."""
    broker = start_mosquitto(settings=QUEUES)
    code, found, said = played(
        parksim, scenario(tmp_path, fault), "--broker", f"mqtt://{HOST}:{broker.port}", "--store", "none"
    )
    assert (code in WELL, found["messages"]["unaccounted"], found["messages"]["dropped"]) == (True, 0, {}), said
    (one,) = found["load"]["disturbances"]
    assert (one["from_s"], one["to_s"] - one["from_s"]) == (pytest.approx(3, abs=1), pytest.approx(1, abs=1))
    assert one["lost"] == 0
    assert found["latency_ms"][rises]["max"] > 350


def test_a_database_that_is_slow_for_a_moment(
    start_mosquitto: Callable[..., Mosquitto],
    start_influxdb1: Callable[..., InfluxDB1],
    parksim: Parksim,
    tmp_path: Path,
) -> None:
    """Rows come late, and all of them."""
    broker, database = start_mosquitto(settings=QUEUES), start_influxdb1()
    fault = "{kind: delay, target: database, at: 3s, for: 2s, by: 300ms}"
    store = f"influxdb://{HOST}:{database.port}/park?create=true"
    where = ["--broker", f"mqtt://{HOST}:{broker.port}", "--store", store]
    code, found, said = played(parksim, scenario(tmp_path, fault), *where)
    assert (code in WELL, found["messages"]["unaccounted"]) == (True, 0), said
    assert found["simulated"]["rows_found"] == found["messages"]["written"]
    assert found["latency_ms"]["end_to_end"]["max"] > 550
    assert found["load"]["disturbances"][0]["recovered_s"] is not None


def test_a_broker_that_restarts(parksim: Parksim, tmp_path: Path) -> None:
    """One of our own, with its queues on disk: all of QoS 1 arrives."""
    fault = "{kind: restart, target: broker, at: 3s, for: 1s}"
    code, found, said = played(parksim, scenario(tmp_path, fault), "--broker", "mosquitto", "--store", "none")
    assert (code in WELL, found["messages"]["unaccounted"]) == (True, 0), said
    assert found["retries"]
    assert found["load"]["disturbances"][0]["kind"] == "restart"


def test_all_devices_lose_their_connections(
    start_mosquitto: Callable[..., Mosquitto], parksim: Parksim, tmp_path: Path
) -> None:
    """Five hundred of them, and all come back within a second; nothing of QoS 1 is lost."""
    broker = start_mosquitto(settings=QUEUES)
    file = scenario(tmp_path, "{kind: storm, target: publishers, at: 3s, for: 1s}")
    file.write_text(file.read_text().replace("gateway_per: factory", "connections: device"))
    code, found, said = played(parksim, file, "--broker", f"mqtt://{HOST}:{broker.port}", "--store", "none")
    assert (code in WELL, found["messages"]["unaccounted"], found["messages"]["dropped"]) == (True, 0, {}), said
    assert found["retries"]["device: reconnects"] >= 500
    assert found["load"]["disturbances"][0]["kind"] == "storm"


@pytest.mark.parametrize(
    ("fault", "where", "said"),
    [
        ("{kind: storm, target: publishers, at: 1s}", [], "a storm needs devices"),
        ("{kind: restart, target: broker, at: 1s}", ["--broker", "embedded"], "only a mosquitto of our own"),
        ("{kind: delay, target: database, at: 1s, for: 1s, by: 10ms}", ["--store", "none"], "over plain HTTP only"),
        ("{kind: delay, target: database, at: 1s, for: 1s}", [], "a delay needs `by`"),
        ("{kind: cut, target: broker, at: 1s}", [], "restart goes with target broker"),
        ("{kind: hold, target: bridge, at: 1s}", [], "needs `for`"),
        ("{kind: cut, target: bridge, at: 8s, for: 5s}", [], "is not over when the test ends"),
    ],
)
def test_what_is_not_possible_is_said(
    fault: str, where: list[str], said: str, parksim: Parksim, tmp_path: Path
) -> None:
    """Before anything is sent."""
    code, _, errors = played(parksim, scenario(tmp_path, fault), *where)
    assert (code, said in errors) == (104, True), errors
