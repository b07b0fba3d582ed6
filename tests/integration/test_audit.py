"""parksim load --bridge none: someone else's ingester fills the database, and every row is looked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import Parksim, parksim
from other_ingester import OtherIngester
from servers import HOST, InfluxDB1, Mosquitto

__all__ = ["parksim"]

SCENARIO = Path(__file__).parents[2] / "configs" / "throughput.yaml"
STORED = "stored: {measurement: mqtt_consumer, topic_tag: topic, fields: {seq: n}}\n"
QUEUES = {"max_queued_messages": 0, "max_inflight_messages": 1_000}


@pytest.fixture
def pipeline(
    start_mosquitto: Callable[..., Mosquitto], start_influxdb1: Callable[..., InfluxDB1], tmp_path: Path
) -> tuple[Mosquitto, InfluxDB1, Path]:
    """Broker, database, and a scenario that knows how the other one names things."""
    broker, database = start_mosquitto(settings=QUEUES), start_influxdb1()
    database.query("create database park")
    text = SCENARIO.read_text().partition("\nload:\n")[0]
    file = tmp_path / "spindles.yaml"
    thresholds = ["unaccounted == 0", "delivered >= 99.95%"]
    stages = "[{kind: hold, for: 4s, rate: 1k/s}]"
    file.write_text(f"{text}\n{STORED}load:\n  stages: {stages}\n  thresholds: {json.dumps(thresholds)}\n")
    return broker, database, file


def audited(
    parksim: Parksim, pipeline: tuple[Mosquitto, InfluxDB1, Path], folder: Path
) -> tuple[int, dict[str, Any], str]:
    broker, database, file = pipeline
    where = ["--broker", f"mqtt://{HOST}:{broker.port}", "--store", f"influxdb://{HOST}:{database.port}/park"]
    ended = parksim("load", file, *where, "--bridge", "none", "--view", "none", "--summary", folder / "r.json")
    return ended.code, json.loads((folder / "r.json").read_text()), ended.err


def test_someone_elses_pipeline_that_holds(
    pipeline: tuple[Mosquitto, InfluxDB1, Path], parksim: Parksim, tmp_path: Path
) -> None:
    """Every message is found by its number, and how fresh it was."""
    broker, database, _ = pipeline
    with OtherIngester(broker.port, database.port):
        code, found, said = audited(parksim, pipeline, tmp_path)
    messages = found["messages"]
    # a busy machine may make the generator late, which is no loss
    assert (code in {0, 111}, messages["unaccounted"]) == (True, 0), said
    assert messages["written"] == messages["scheduled"] > 3_500
    assert found["readings"]["written"] == found["readings"]["scheduled"]
    assert found["simulated"]["rows_found"] == messages["written"]
    assert found["load"]["queryable_ms"]["count"] >= 3
    # nobody of ours received anything
    assert found["latency_ms"]["broker"]["count"] == 0


def test_what_someone_else_loses_is_found_exactly(
    pipeline: tuple[Mosquitto, InfluxDB1, Path], parksim: Parksim, tmp_path: Path
) -> None:
    """One of a thousand, planted: not one more and not one less."""
    broker, database, _ = pipeline
    with OtherIngester(broker.port, database.port, loses=1_000) as other:
        code, found, said = audited(parksim, pipeline, tmp_path)
    assert other.lost >= 3
    messages = found["messages"]
    assert (code, messages["unaccounted"]) == (99, other.lost), said
    assert messages["scheduled"] - messages["written"] == other.lost
    assert len(found["gaps"]) > 0


def test_rows_of_an_earlier_run_are_not_taken_for_ours(
    pipeline: tuple[Mosquitto, InfluxDB1, Path], parksim: Parksim, tmp_path: Path
) -> None:
    """The test is refused, and says what to do."""
    broker, database, _ = pipeline
    with OtherIngester(broker.port, database.port):
        audited(parksim, pipeline, tmp_path)
        broker, database, file = pipeline
        where = ["--broker", f"mqtt://{HOST}:{broker.port}", "--store", f"influxdb://{HOST}:{database.port}/park"]
        ended = parksim("load", file, *where, "--bridge", "none", "--view", "none")
    assert ended.code == 104
    assert "write `start: now`" in ended.err


def test_a_database_has_to_be_named(parksim: Parksim) -> None:
    """There is nothing to look into otherwise."""
    ended = parksim("load", SCENARIO, "--rate", "100/s", "--for", "1s", "--bridge", "none", "--store", "none")
    assert (ended.code, "name it with --store influxdb://" in ended.err) == (104, True)
    ended = parksim("load", SCENARIO, "--rate", "100/s", "--bridge", "theirs")
    assert (ended.code, "write own, or none" in ended.err) == (104, True)
