"""What operators do with a real broker and a real database: check them, send dead letters again, run with a spool."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Parksim, parksim
from servers import HOST, InfluxDB1, Mosquitto, VictoriaMetrics

from brokers.endpoint import Endpoint
from brokers.session import LineSession
from simulator.ingest.dead_letters import DeadLetter, letters_in

__all__ = ["parksim"]

STACK = Path(__file__).parents[2] / "configs" / "stack"


def levels(output: str) -> dict[str, str]:
    return {one["what"]: one["level"] for one in json.loads(output)}


def settings_of(file: Path) -> dict[str, str]:
    """The settings of a file of ours, but for where it listens and keeps its data, which a test decides."""
    lines = [line.split(" ", 1) for line in file.read_text().splitlines() if line and not line.startswith("#")]
    ours = {"listener", "allow_anonymous", "persistence_location", "log_dest", "set_tcp_nodelay", "log_type"}
    return {name: value for name, value in lines if name not in ours}


def test_a_broker_with_its_defaults_is_warned_of(parksim: Parksim, start_mosquitto: Callable[..., Mosquitto]) -> None:
    """It drops what exceeds 1000 messages, and sends 20 at most before the first acknowledgement."""
    broker = start_mosquitto()
    found = parksim("doctor", "--broker", f"mqtt://{HOST}:{broker.port}", "--json")
    assert found.code == 0
    assert levels(found.out) | {"queue": "warning", "in flight": "warning", "acknowledgements": "ok"} == levels(
        found.out
    )
    assert "it kept 1,000 of 1,500 messages" in found.out
    assert "at most 20 messages" in found.out


def test_slow_acknowledgements_are_warned_of(parksim: Parksim, start_mosquitto: Callable[..., Mosquitto]) -> None:
    """Without set_tcp_nodelay one gets no further than a window per 42 ms."""
    broker = start_mosquitto(settings={"set_tcp_nodelay": "false"})
    found = parksim("doctor", "--broker", f"mqtt://{HOST}:{broker.port}", "--json")
    assert levels(found.out)["acknowledgements"] == "warning"


@pytest.mark.parametrize("name", ["mosquitto.conf", "mosquitto-fast.conf"])
def test_our_profiles_start_and_keep_what_waits(
    parksim: Parksim, name: str, start_mosquitto: Callable[..., Mosquitto], tmp_path: Path
) -> None:
    """The doctor has nothing to say about their queues and acknowledgements."""
    broker = start_mosquitto(settings=settings_of(STACK / name) | {"persistence_location": f"{tmp_path}/"})
    found = levels(parksim("doctor", "--broker", f"mqtt://{HOST}:{broker.port}", "--json").out)
    assert (found["queue"], found["acknowledgements"]) == ("ok", "ok")


def test_a_store_is_written_to_and_read(
    parksim: Parksim, influxdb1: InfluxDB1, victoria_metrics: VictoriaMetrics
) -> None:
    """A row of the doctor's own."""
    for address in (f"{HOST}:{influxdb1.port}/checked?create=true", f"{HOST}:{victoria_metrics.port}/checked"):
        found = parksim("doctor", "--store", f"influxdb://{address}", "--json")
        assert (found.code, levels(found.out)["rows"]) == (0, "ok")
    gone = parksim("doctor", "--store", f"influxdb://{HOST}:1/park", "--broker", f"mqtt://{HOST}:1", "--json")
    assert (gone.code, levels(gone.out)["store"], levels(gone.out)["broker"]) == (106, "problem", "problem")


def test_dead_letters_are_sent_again_and_leave_their_file(
    parksim: Parksim, start_mosquitto: Callable[..., Mosquitto], tmp_path: Path
) -> None:
    """Those that the broker acknowledges; what it refuses stays, with a reason, and so do other reasons."""
    acl = "topic readwrite park/#\n"
    broker = start_mosquitto(acl=acl)
    file = tmp_path / "letters.jsonl"
    mended = [DeadLetter("mended", "why", f"park/press-{number}", b"%d" % number) for number in range(250)]
    denied = DeadLetter("mended", "why", "elsewhere", b"x")
    other = DeadLetter("other", "why", "park/press-1", b"y")
    file.write_bytes(b"".join(letter.line() for letter in (other, *mended, denied)))
    endpoint = Endpoint("mqtt", HOST, broker.port)
    session = LineSession(endpoint, "listener", window=1_000)
    session.subscribe("park/#", qos=1)
    heard: list[bytes] = []
    over = threading.Event()

    def listen() -> None:
        while len(heard) < len(mended) and not over.is_set():
            heard.extend(one.payload for one in session.receive(limit=1_000, timeout_s=0.1))

    listener = threading.Thread(target=listen)
    listener.start()
    result = parksim(
        "dead-letters", "replay", str(file), "--broker", f"mqtt://{HOST}:{broker.port}", "--reason", "mended"
    )
    listener.join(20)
    over.set()
    session.close()
    assert (result.code, letters_in(file)) == (106, [other, denied])
    assert heard == [letter.payload for letter in mended]
    assert "250 of 251 dead letters were sent again, 2 stay" in result.err


def test_a_run_with_a_spool_says_what_waits_in_it(
    parksim: Parksim, start_victoria_metrics: Callable[..., VictoriaMetrics], tmp_path: Path
) -> None:
    """The database dies: the run goes on, ends with 106, nothing is lost, and a bridge writes the rest later."""
    database = start_victoria_metrics()
    store = f"influxdb://{HOST}:{database.port}/park"
    summary, spool = tmp_path / "result.json", tmp_path / "spool"
    killer = threading.Timer(4.0, database.kill)
    killer.start()
    arguments = ["--for", "10s", "--broker", "mosquitto", "--store", store, "--spool", str(spool)]
    result = parksim("run", "configs/quickstart.yaml", *arguments, "--summary", str(summary), "--view", "none")
    killer.join()
    found = json.loads(summary.read_text())
    messages = found["messages"]
    assert result.code == 106
    assert messages["spooled"] > 0
    assert (messages["unaccounted"], messages["in_flight"], messages["dropped"]) == (0, 0, {})
    assert messages["written"] + messages["spooled"] == messages["scheduled"]
    assert "is safe in the spool" in found["verdict"]
    (waiting,) = spool.iterdir()
    assert waiting.name == found["run_id"]
    assert str(waiting) in result.out
    database.start()
    with Mosquitto(tmp_path / "broker") as broker:
        where = ["--broker", f"mqtt://{HOST}:{broker.port}", "--store", store, "--spool", str(waiting)]
        carried = parksim("bridge", "configs/quickstart.yaml", *where, "--until-quiet", "2s")
    report = json.loads(carried.out)
    assert (carried.code, report["spooled"], report["written"]) == (0, 0, messages["spooled"])
    assert not waiting.exists()
