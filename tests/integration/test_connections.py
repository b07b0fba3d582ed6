"""Many MQTT connections of one run: one for each device, and several for the bridge, through a real broker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from servers import Mosquitto, VictoriaMetrics, until

from simulator.scenario.loader import load_scenario
from simulator.scenario.schema import Scenario

pytestmark = pytest.mark.no_cover

PARKSIM = Path(sys.executable).parent / "parksim"
QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.yaml"
DEADLINE_S = 60.0


def scenario_with(folder: Path, messaging: str) -> Path:
    """Write the quickstart with other messaging; return the file."""
    section = re.compile(r"^messaging:\n(?:  .*\n)+", re.MULTILINE)
    text, number = section.subn(f"messaging: {{{messaging}}}\n", QUICKSTART.read_text())
    assert number == 1
    file = folder / "park.yaml"
    file.write_text(text)
    return file


def run(folder: Path, scenario: Path, *arguments: str, during: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """Run the scenario as a user does; return its result."""
    command = [str(PARKSIM), "run", str(scenario), "--view", "plain", "--summary", "r.json", *arguments]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        during()
        try:
            _, said = process.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail(f"parksim did not end within {DEADLINE_S:g} s")
    found: dict[str, Any] = json.loads((folder / "r.json").read_text())
    assert found["exit_code"] == process.returncode, said
    return found


def assert_all_is_written(found: dict[str, Any]) -> None:
    messages = found["messages"]
    assert (found["exit_code"], found["reason"]) == (0, None)
    assert (messages["unaccounted"], messages["dropped"], messages["reordered"]) == (0, {}, 0)
    assert messages["scheduled"] == messages["written"] == found["simulated"]["rows_found"] > 100


def devices_of(scenario: Scenario) -> int:
    return sum(site.devices for site in scenario.sites)


def clients(broker: Mosquitto, pattern: str) -> set[str]:
    """Return the clients of that pattern that the broker has seen."""
    return set(re.findall(rf"as (parksim-\w+-{pattern}) \(", broker.log()))


@pytest.mark.parametrize("qos", [0, 1])
def test_each_device_has_a_client_of_its_own(
    tmp_path: Path, start_mosquitto: Callable[..., Mosquitto], qos: int
) -> None:
    """The broker sees as many clients as there are machines and systems, and everything arrives."""
    broker = start_mosquitto()
    scenario = scenario_with(tmp_path, f"connections: device, qos: {qos}")
    arguments = ("--for", "20s", "--speed", "10", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    assert_all_is_written(run(tmp_path, scenario, *arguments, "--store", "sqlite:park.db"))
    assert len(clients(broker, r"device-\d+")) == devices_of(load_scenario(scenario).scenario) > 3


def test_devices_come_back_to_a_broker_that_was_started_again(
    tmp_path: Path, start_mosquitto: Callable[..., Mosquitto]
) -> None:
    """With QoS 1 nothing is lost: what was not acknowledged is sent again, and the queue of the bridge is on disk."""
    kept = tmp_path / "kept"
    kept.mkdir()
    broker = start_mosquitto(settings={"persistence": "true", "persistence_location": f"{kept}/"})
    scenario = scenario_with(tmp_path, "connections: device, qos: 1, connect_within: 1s")

    def restart() -> None:
        until(lambda: "Received PUBLISH" in broker.log(), deadline_s=30, what="the first messages")
        broker.stop()
        broker.start()

    arguments = ("--for", "60s", "--speed", "10", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    found = run(tmp_path, scenario, *arguments, "--store", "sqlite:park.db", during=restart)
    assert_all_is_written(found)


@pytest.mark.parametrize("store", ["sqlite", "victoria-metrics"])
def test_two_bridge_workers_share_the_park(
    tmp_path: Path, start_mosquitto: Callable[..., Mosquitto], victoria_metrics: VictoriaMetrics, store: str
) -> None:
    """Each has a client and machines of its own, so that nothing comes twice or out of order."""
    broker = start_mosquitto()
    address = f"influxdb://127.0.0.1:{victoria_metrics.port}/workers"
    scenario = scenario_with(tmp_path, "bridge_workers: 2")
    arguments = ("--for", "60s", "--speed", "20", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    found = run(tmp_path, scenario, *arguments, "--store", "sqlite:park.db" if store == "sqlite" else address)
    assert_all_is_written(found)
    assert found["messages"]["duplicates"] == 0
    names = clients(broker, r"bridge(?:-\d+)?")
    assert len(names) == 2
    for name in names:
        assert re.search(rf"Sending PUBLISH to {name} ", broker.log()), f"{name} carried nothing"
