"""What a broker denies is never counted as delivered: MQTT 5 tells of each message, with 3.1.1 the audit sees it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Parksim, parksim
from servers import HOST, Mosquitto

__all__ = ["parksim"]

CANARY = "canary-4711"
DENIED = "binh-duong/vsip2a/wiring-devices/moulding"


@pytest.fixture
def denying(start_mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    """A mosquitto that lets nobody write below one line."""
    return start_mosquitto(acl=f"topic deny {DENIED}/#\ntopic readwrite #\n")


def run(parksim: Parksim, folder: Path, broker: str) -> tuple[int, dict[str, int], dict[str, int]]:
    """Run the quickstart; return exit code, messages, and those that were dropped."""
    summary = folder / "result.json"
    where = ["--broker", broker, "--store", f"sqlite:{folder / 'park.db'}", "--view", "none"]
    ended = parksim("run", "configs/quickstart.yaml", "--for", "20s", "--speed", "max", *where, "--summary", summary)
    messages = json.loads(summary.read_text())["messages"]
    return ended.code, messages, messages["dropped"]


def test_mqtt_5_tells_of_each_message_that_it_denies(denying: Mosquitto, parksim: Parksim, tmp_path: Path) -> None:
    """All of them are dropped with that reason, and the rest is in the store."""
    code, messages, dropped = run(parksim, tmp_path, f"mqtt://{HOST}:{denying.port}")
    (reason,) = dropped
    assert "not authorized" in reason.lower()
    assert dropped[reason] == messages["scheduled"] - messages["written"] > 0
    assert (messages["unaccounted"], messages["in_flight"], code) == (0, 0, 107)


def test_with_mqtt_3_1_1_the_audit_sees_it(denying: Mosquitto, parksim: Parksim, tmp_path: Path) -> None:
    """The broker acknowledges what it denies; it is unaccounted, and the exit code says so."""
    code, messages, dropped = run(parksim, tmp_path, f"mqtt://{HOST}:{denying.port}?version=3.1.1")
    assert (messages["acknowledged"], dropped, code) == (messages["scheduled"], {}, 107)
    assert messages["unaccounted"] == messages["scheduled"] - messages["written"] > 0


def test_a_packet_that_is_too_large_is_refused_before_it_is_sent(
    start_mosquitto: Callable[..., Mosquitto], parksim: Parksim, tmp_path: Path
) -> None:
    """MQTT 5 says how large a packet may be; each that is larger is dropped with that reason."""
    broker = start_mosquitto(settings={"max_packet_size": 230})
    code, messages, dropped = run(parksim, tmp_path, f"mqtt://{HOST}:{broker.port}")
    assert sum(dropped.values()) == messages["scheduled"] - messages["written"] > 0
    assert (messages["unaccounted"], code) == (0, 107)


@pytest.mark.parametrize(
    "command",
    [
        ["bridge", "configs/quickstart.yaml", "--broker", "BROKER", "--store", "sqlite:park.db"],
        ["bridge", "configs/quickstart.yaml", "--broker", "GOOD", "--store", "STORE"],
        ["doctor", "--broker", "BROKER", "--store", "STORE"],
        ["dead-letters", "replay", "letters.jsonl", "--broker", "BROKER"],
        ["run", "configs/quickstart.yaml", "--for", "1s", "--broker", "BROKER", "--summary", "result.json"],
    ],
)
def test_a_secret_is_nowhere(
    command: list[str],
    start_mosquitto: Callable[..., Mosquitto],
    parksim: Parksim,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A password that is refused, and one towards nobody: not in what is said, and not in a file."""
    broker = start_mosquitto(users={"ana": "right"})
    monkeypatch.setenv("SECRET", CANARY)
    monkeypatch.setenv("RIGHT", "right")
    places = {
        "BROKER": f"mqtt://ana:${{SECRET}}@{HOST}:{broker.port}",
        "GOOD": f"mqtt://ana:${{RIGHT}}@{HOST}:{broker.port}",
        "STORE": f"influxdb://ana@{HOST}:1/park?token_env=SECRET",
        "configs/quickstart.yaml": str(Path("configs/quickstart.yaml").absolute()),
    }
    monkeypatch.chdir(tmp_path)
    Path("letters.jsonl").write_text('{"topic":"a","reason":"b","detail":"c","payload":"d"}\n')
    ended = parksim(*(places.get(word, word) for word in command))
    assert ended.code in {104, 106}
    assert CANARY not in ended.out + ended.err
    files = [file for file in tmp_path.iterdir() if file.is_file()]
    assert not [file for file in files if CANARY.encode() in file.read_bytes()]
    assert os.environ["SECRET"] == CANARY
