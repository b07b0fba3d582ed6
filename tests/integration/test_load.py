"""parksim load against a real broker: thresholds, files, a planted loss, and rates that the generator cannot give."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from commands import Parksim, parksim
from servers import HOST, Mosquitto, VictoriaMetrics

__all__ = ["parksim"]

SCENARIO = Path(__file__).parents[2] / "configs" / "throughput.yaml"
QUEUES = {"max_queued_messages": 0, "max_inflight_messages": 1_000}
DENIED = "binh-duong/vsip2a/spindles/hall-3/spindle-7"


def scenario(folder: Path, stages: str, *thresholds: str) -> Path:
    """The spindles with another load."""
    text = SCENARIO.read_text().partition("\nload:\n")[0]
    file = folder / "load.yaml"
    file.write_text(f"{text}\nload:\n  stages: {stages}\n  thresholds: {json.dumps(thresholds)}\n")
    return file


def test_a_pipeline_that_holds(start_mosquitto: Callable[..., Mosquitto], parksim: Parksim, tmp_path: Path) -> None:
    """Stages one after the other; every message accounted for; the same figures in all files."""
    broker = start_mosquitto(settings=QUEUES)
    stages = "[{kind: ramp, for: 2s, from: 500/s, to: 1500/s}, {kind: hold, for: 2s, rate: 1k/s, name: calm}]"
    thresholds = ("unaccounted == 0", "delivered >= 100%", "dropped == 0", "received_rate > 1/s in calm")
    files = {name: tmp_path / f"out.{name}" for name in ("json", "xml", "csv", "html")}
    names = {"json": "--summary", "xml": "--junit", "csv": "--csv", "html": "--report"}
    wanted = [word for name, file in files.items() for word in (names[name], file)]
    where = ["--broker", f"mqtt://{HOST}:{broker.port}", "--store", "none", "--view", "none"]
    ended = parksim("load", scenario(tmp_path, stages, *thresholds), *where, *wanted)
    found = json.loads(files["json"].read_text())
    messages = found["messages"]
    assert [one["pass"] for one in found["thresholds"]] == [True] * 4, ended.err
    # about the integral of the profile: the park also says things by the minute
    assert messages["scheduled"] == pytest.approx(4_000, rel=0.3)
    assert messages["written"] == messages["scheduled"]
    generator = found["generator"]
    # the busiest second of the ramp is its last one, from 1,000 to 1,500 a second
    assert generator["share_of_max"] * generator["calibrated_max_per_s"] == pytest.approx(1_250, rel=0.05)
    suite = ET.fromstring(files["xml"].read_text())
    assert [case.get("name") for case in suite.findall("testcase")] == [*thresholds, "verdict"]
    rows = list(csv.DictReader(files["csv"].read_text().splitlines()))
    assert len(rows) >= 3
    assert f"{messages['scheduled']:,}" in files["html"].read_text()
    assert "calibrated: " in ended.err


def test_a_planted_loss_is_found_exactly(
    start_mosquitto: Callable[..., Mosquitto], parksim: Parksim, tmp_path: Path
) -> None:
    """A broker that acknowledges the messages of one machine of 500 and drops them, as MQTT 3.1.1 has it."""
    # without a bound of its queues mosquitto 2.0.11 hangs up on whoever sends what it denies
    broker = start_mosquitto(acl=f"topic deny {DENIED}\ntopic readwrite #\n")
    file = scenario(tmp_path, "[{kind: hold, for: 4s, rate: 1k/s}]", "unaccounted == 0", "delivered >= 99.9%")
    where = ["--broker", f"mqtt://{HOST}:{broker.port}?version=3.1.1", "--store", f"sqlite:{tmp_path / 'park.db'}"]
    ended = parksim("load", file, *where, "--view", "none", "--summary", tmp_path / "out.json")
    found = json.loads((tmp_path / "out.json").read_text())
    messages = found["messages"]
    # 4,000 messages of 500 machines, ten a second each: eight of each
    assert messages["unaccounted"] == messages["scheduled"] - messages["written"] == 8
    assert [one["value"] for one in found["thresholds"]] == [8, messages["written"] / messages["scheduled"]]
    assert (ended.code, [one["pass"] for one in found["thresholds"]]) == (99, [False, False])


def test_what_broker_and_database_tell_of_themselves(
    start_mosquitto: Callable[..., Mosquitto],
    start_victoria_metrics: Callable[..., VictoriaMetrics],
    parksim: Parksim,
    tmp_path: Path,
) -> None:
    """Clients and dropped messages of mosquitto, and the cores that VictoriaMetrics used."""
    broker, database = start_mosquitto(settings=QUEUES | {"sys_interval": 1}), start_victoria_metrics()
    where = ["--broker", f"mqtt://{HOST}:{broker.port}", "--store", f"influxdb://{HOST}:{database.port}/park"]
    out = tmp_path / "out.json"
    ended = parksim("load", SCENARIO, "--rate", "2k/s", "--for", "4s", *where, "--view", "none", "--summary", out)
    told = json.loads(out.read_text())["load"]["servers"]
    assert 0 < told["cores that the database used"] < 16, ended.err
    # a gateway, the bridge, and who listens to this
    assert told["clients that the broker has"] >= 3
    assert told["messages that the broker dropped"] == 0


def test_a_rate_that_the_generator_cannot_give_is_refused(parksim: Parksim) -> None:
    """Before anything is sent: what would be measured is the generator."""
    ended = parksim("load", SCENARIO, "--rate", "9M/s", "--for", "1s", "--store", "none", "--broker", "mosquitto")
    assert ended.code == 111
    assert "this generator can hand over" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rate", "5000"], "is no rate"),
        (["--for", "10s"], "--for goes with --rate"),
        (["--rate", "1k/s", "--for", "0s"], "must be more than nothing"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], said: str, parksim: Parksim) -> None:
    """Exit code 104."""
    ended = parksim("load", SCENARIO, *arguments)
    assert (ended.code, said in ended.err) == (104, True)


def test_a_scenario_without_a_load_says_what_to_write(parksim: Parksim) -> None:
    """Or what to say instead."""
    ended = parksim("load", SCENARIO.with_name("quickstart.yaml"))
    assert (ended.code, "say --rate 5k/s" in ended.err) == (104, True)


def test_a_bad_threshold_is_told_before_anything_is_sent(parksim: Parksim, tmp_path: Path) -> None:
    """All of them at once."""
    file = scenario(tmp_path, "[{kind: hold, for: 4s, rate: 1k/s}]", "loss == 0", "rate > 5k")
    ended = parksim("load", file)
    assert ended.code == 104
    assert "there is no metric 'loss'" in ended.err
    assert "'rate > 5k' is no threshold" in ended.err
