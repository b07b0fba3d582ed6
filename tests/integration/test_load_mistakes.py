"""What can be wrong with broker, store and files of a load test: each says what it is, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from child_server import free_ports
from commands import Parksim, parksim
from servers import HOST, Mosquitto

__all__ = ["parksim"]

SCENARIO = Path(__file__).parents[2] / "configs" / "throughput.yaml"
RATE = ["--rate", "100/s", "--for", "1s", "--view", "none"]


@pytest.mark.parametrize(
    ("where", "code", "said"),
    [
        (["--broker", "mqtt://{host}:{port}"], 106, "nobody listens there; start the broker, or check host and port"),
        (["--broker", "mqtt://nowhere.invalid"], 106, "is not known; check its spelling"),
        (["--broker", "http://localhost"], 104, "write mqtt://, mqtts://, ws:// or wss://"),
        (["--store", "influxdb://{host}:{port}/park"], 106, "start the server, or check host and port"),
        (["--store", "influxdb://nowhere.invalid/park"], 106, "check the address"),
        (["--store", "influxdb://localhost"], 104, "write influxdb://HOST:8086/BUCKET?org=ORG"),
        (["--store", "mysql://localhost"], 104, "unknown; write sqlite:FILE"),
    ],
)
def test_a_wrong_address(where: list[str], code: int, said: str, parksim: Parksim) -> None:
    """Told before anything takes time: there is no calibration before it."""
    (port,) = free_ports(1)
    ended = parksim("load", SCENARIO, *RATE, *(word.format(host=HOST, port=port) for word in where))
    assert (ended.code, said in ended.err) == (code, True), ended.err
    if code == 106:
        assert "calibrated" not in ended.err


def test_a_login_that_is_refused(start_mosquitto: Callable[..., Mosquitto], parksim: Parksim) -> None:
    """Anonymous where a name is asked for."""
    broker = start_mosquitto(users={"ana": "secret"})
    ended = parksim("load", SCENARIO, *RATE, "--broker", f"mqtt://{HOST}:{broker.port}", "--store", "none")
    assert ended.code == 106
    assert "user" in ended.err, ended.err


@pytest.mark.parametrize("option", ["--report", "--csv", "--junit"])
def test_a_full_disk(option: str, parksim: Parksim, tmp_path: Path) -> None:
    """Said when the file is written; the test itself has passed."""
    scenario = tmp_path / "spindles.yaml"
    scenario.write_text(SCENARIO.read_text().partition("\nload:\n")[0] + "\n")
    ended = parksim("load", scenario, *RATE, "--store", "none", "--broker", "mosquitto", option, "/dev/full")
    # on a busy machine the test itself may be invalid, which goes first
    assert ended.code in {104, 111}
    assert "/dev/full could not be written: No space left on device; free some space" in ended.err


def test_a_folder_that_is_not_there(parksim: Parksim, tmp_path: Path) -> None:
    """Before anything is sent."""
    ended = parksim("load", SCENARIO, *RATE, "--store", "none", "--report", tmp_path / "no" / "r.html")
    assert (ended.code, "name a file in a folder that exists" in ended.err) == (104, True)
