"""The same scenario gives the same messages, however often it is played and by however many workers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from child_server import until
from commands import Parksim, parksim
from ear import Ear
from servers import HOST, Mosquitto

from simulator.clock import RealClock
from simulator.run.launch import options_of
from simulator.run.load_test.crew import Crew
from simulator.run.load_test.marks import Marks
from simulator.run.load_test.plan import prepared
from simulator.run.load_test.play import Setting
from simulator.scenario.loader import load_scenario

__all__ = ["parksim"]

SCENARIO = Path(__file__).parents[2] / "configs" / "throughput.yaml"
QUEUES = {"max_queued_messages": 0, "max_inflight_messages": 1_000}
STAGES = "[{kind: ramp, for: 2s, from: 500/s, to: 1500/s}, {kind: sine, for: 2s, from: 500/s, to: 1k/s, period: 1s}]"


def played(parksim: Parksim, port: int, folder: Path, *more: str) -> tuple[list[tuple[str, bytes]], dict[str, Any]]:
    """Play a profile, and return all messages in order of topic, and the result."""
    file, out = folder / "load.yaml", folder / "r.json"
    text = SCENARIO.read_text().partition("\nload:\n")[0]
    file.write_text(f"{text}\nload:\n  stages: {STAGES}\n  thresholds: [unaccounted == 0]\n")
    with Ear(port) as ear:
        where = ["--broker", f"mqtt://{HOST}:{port}", "--store", f"sqlite:{folder / 'park.db'}", "--view", "none"]
        ended = parksim("load", file, *where, "--summary", out, *more)
        # a busy machine may make the generator late, which changes no message
        assert ended.code in {0, 111}, ended.err
        found = json.loads(out.read_text())
        until(lambda: len(ear.heard) >= found["messages"]["scheduled"], deadline_s=20, what="all messages")
        return sorted(ear.heard), found


def test_the_same_messages_again(start_mosquitto: Callable[..., Mosquitto], parksim: Parksim, tmp_path: Path) -> None:
    """Byte for byte, twice, and with two workers; the figures of the workers add up to those of one."""
    broker = start_mosquitto(settings=QUEUES)
    first, alone = played(parksim, broker.port, tmp_path)
    again, _ = played(parksim, broker.port, tmp_path)
    shared, both = played(parksim, broker.port, tmp_path, "--workers", "2")
    assert len(first) == alone["messages"]["scheduled"] > 2_500
    assert first == again
    assert first == shared
    for part in ("messages", "readings"):
        assert both[part] == alone[part]
    assert both["simulated"]["rows_found"] == alone["simulated"]["rows_found"]
    assert both["latency_ms"]["end_to_end"]["count"] == alone["latency_ms"]["end_to_end"]["count"]
    assert (both["load"]["workers"], alone["load"]["workers"]) == (2, 1)
    assert both["park"] == alone["park"]


def test_what_workers_cannot_do_is_said(parksim: Parksim) -> None:
    """A broker in one process, someone else's pipeline, and no workers."""
    rate = ["--rate", "100/s", "--for", "1s", "--store", "none", "--view", "none"]
    for more, said in (
        (["--workers", "2", "--broker", "memory"], "cannot share the broker"),
        (["--workers", "2", "--bridge", "none"], "not together with"),
        (["--workers", "0"], "greater than or equal to 1"),
    ):
        ended = parksim("load", SCENARIO, *rate, *more)
        assert (ended.code, said in ended.err) == (104, True), ended.err


def test_workers_play_again_and_again(start_mosquitto: Callable[..., Mosquitto]) -> None:
    """As a search wants them to."""
    broker = start_mosquitto(settings=QUEUES)
    loaded, crew = load_scenario(SCENARIO), Crew(2)
    options = options_of(
        loaded.scenario, duration=None, speed=None, seed=None, broker=f"mqtt://{HOST}:{broker.port}", store="none"
    )
    wanted = prepared(loaded, rate=200.0, duration_s=1.0)
    setting = Setting(
        loaded, options, RealClock(), told=lambda _: None, on_open=lambda _: None, on_snapshot=lambda _: None
    )
    for _ in range(2):
        found = crew.play(setting, wanted, Marks())
        assert found.messages.written == found.messages.scheduled > 100


def test_workers_live_one_park_that_starts_now(
    start_mosquitto: Callable[..., Mosquitto], parksim: Parksim, tmp_path: Path
) -> None:
    """The same instant for all of them; and their result names no address."""
    broker = start_mosquitto(settings=QUEUES)
    where = ["--broker", f"mqtt://{HOST}:{broker.port}", "--store", "none", "--view", "none"]
    out = tmp_path / "r.json"
    quickstart = SCENARIO.with_name("quickstart.yaml")
    ended = parksim("load", quickstart, "--rate", "100/s", "--for", "2s", "--workers", "2", *where, "--summary", out)
    assert ended.code in {0, 111}, ended.err
    found = json.loads(out.read_text())
    assert found["messages"]["written"] == found["messages"]["scheduled"] > 100
    assert found["simulated"]["broker"] == "mqtt"
    assert str(broker.port) not in out.read_text()
