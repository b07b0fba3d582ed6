"""parksim run, as a user calls it, through real brokers into real databases, each asked by its own query tool."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from servers import InfluxDB1, Mosquitto, VictoriaMetrics, until

from simulator.clock import RealClock
from simulator.run.execute import execute
from simulator.run.hops import Hops, Options
from simulator.scenario.loader import load_scenario

PARKSIM = Path(sys.executable).parent / "parksim"
QUICKSTART = Path(__file__).parent.parent.parent / "configs" / "quickstart.yaml"
KINDS = ("injection-moulding", "device-assembly", "device-test")
SECOND = 1_000_000_000
DEADLINE_S = 60.0


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start parksim run on the quickstart in a folder."""
    command = [str(PARKSIM), "run", str(QUICKSTART), "--view", "plain", "--summary", "r.json", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for the end; return exit code, standard output and standard error."""
    try:
        out, err = process.communicate(timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        pytest.fail(f"parksim did not end within {DEADLINE_S:g} s; it said: {err}")
    return process.returncode, out, err


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "r.json").read_text())
    return found


def sqlite_rows(file: Path) -> int:
    """Ask the sqlite3 program how many rows there are."""
    query = "; ".join(f'select count(*) from "{kind}"' for kind in KINDS)
    found = subprocess.run(["sqlite3", str(file), query], check=True, capture_output=True, text=True)
    return sum(map(int, found.stdout.split()))


def assert_complete(folder: Path, *, rows: int) -> None:
    """Nothing is lost, and the database holds exactly what was scheduled."""
    found = document(folder)
    messages = found["messages"]
    assert (found["exit_code"], messages["unaccounted"], messages["dropped"]) == (0, 0, {})
    assert messages["scheduled"] > 100
    assert messages["scheduled"] == messages["written"] == found["simulated"]["rows_found"] == rows


def is_balanced(messages: dict[str, Any]) -> bool:
    closed = messages["written"] + messages["dead_lettered"] + sum(messages["dropped"].values())
    return bool(messages["scheduled"] == closed + messages["in_flight"] + messages["unaccounted"])


@pytest.fixture(scope="module")
def sqlite3_tool() -> None:
    if shutil.which("sqlite3") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("sqlite3 is not installed; apt install sqlite3")
        pytest.skip("sqlite3 is not installed; apt install sqlite3")


@pytest.fixture(scope="module")
def mosquitto_program(mosquitto_server: Mosquitto) -> None:
    """Skip, or fail in CI, where parksim has no mosquitto to start."""


@pytest.mark.parametrize("broker", ["embedded", "mosquitto"])
@pytest.mark.usefixtures("sqlite3_tool", "mosquitto_program")
def test_quickstart_into_sqlite(tmp_path: Path, broker: str) -> None:
    """With a broker of our own and the embedded store, everything arrives and sqlite3 finds it."""
    code, out, err = ended(start(tmp_path, "--for", "20s", "--speed", "5", "--broker", broker))
    assert code == 0, err
    assert_complete(tmp_path, rows=sqlite_rows(tmp_path / "quickstart.db"))
    (command,) = re.findall(r"look into the database:\n +(sqlite3 .*)", out)
    looked = subprocess.run(command, shell=True, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "press-1" in looked.stdout


def test_quickstart_into_victoria_metrics(
    tmp_path: Path, mosquitto_server: Mosquitto, victoria_metrics: VictoriaMetrics
) -> None:
    """Through someone else's mosquitto into VictoriaMetrics: its export holds every message once."""
    code, _, err = ended(
        start(
            tmp_path,
            *("--for", "20s", "--speed", "5"),
            *("--broker", f"mqtt://127.0.0.1:{mosquitto_server.port}"),
            *("--store", f"influxdb://127.0.0.1:{victoria_metrics.port}/park?org=plant"),
        )
    )
    assert code == 0, err
    victoria_metrics.flush()
    # at speed 5 simulated time runs ahead of the wall clock, where an export ends unless told otherwise
    query = urllib.parse.urlencode({"match[]": '{__name__=~".*_seq"}', "end": time.time() + 3600})
    lines = victoria_metrics.request(f"/api/v1/export?{query}").splitlines()
    assert_complete(tmp_path, rows=sum(len(json.loads(line)["values"]) for line in lines))


@pytest.mark.usefixtures("mosquitto_program")
def test_quickstart_into_influxdb_1(tmp_path: Path, influxdb1: InfluxDB1) -> None:
    """Into the real InfluxDB 1.x: InfluxQL counts every message once."""
    influxdb1.query("CREATE DATABASE park")
    code, _, err = ended(
        start(
            tmp_path,
            *("--for", "20s", "--speed", "5", "--broker", "mosquitto"),
            *("--store", f"influxdb://127.0.0.1:{influxdb1.port}/park?org=plant"),
        )
    )
    assert code == 0, err
    counted = (influxdb1.query(f'SELECT count("seq") FROM "{kind}"', database="park") for kind in KINDS)
    assert_complete(tmp_path, rows=sum(series[0]["values"][0][1] for series in counted))


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("sqlite3_tool", "mosquitto_program")
def test_a_signal_drains_writes_the_summary_and_says_105(tmp_path: Path, asked: signal.Signals) -> None:
    """All that was sent until then is stored, and the result of the interrupted run is whole."""
    process = start(tmp_path, "--broker", "mosquitto")
    database = tmp_path / "quickstart.db"
    until(lambda: database.exists() and sqlite_rows_or_none(database), deadline_s=30, what="the first rows")
    process.send_signal(asked)
    code, out, err = ended(process)
    assert (code, document(tmp_path)["exit_code"]) == (105, 105), err
    messages = document(tmp_path)["messages"]
    assert is_balanced(messages)
    assert 0 < messages["written"] == messages["scheduled"] == sqlite_rows(database)
    assert "interrupted; all that was sent is in the store" in out


def sqlite_rows_or_none(file: Path) -> int | None:
    """Count like sqlite_rows; None while the tables are not there yet."""
    try:
        return sqlite_rows(file)
    except subprocess.CalledProcessError:
        return None


@pytest.mark.usefixtures("sqlite3_tool")
def test_a_second_signal_ends_at_once(tmp_path: Path, start_mosquitto: Callable[..., Mosquitto]) -> None:
    """A drain that hangs, here on a frozen broker, is left without a traceback."""
    broker = start_mosquitto()
    process = start(tmp_path, "--broker", f"mqtt://127.0.0.1:{broker.port}")
    database = tmp_path / "quickstart.db"
    until(lambda: database.exists() and sqlite_rows_or_none(database), deadline_s=30, what="the first rows")
    broker.freeze()
    try:
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=2)  # it drains: messages are in flight to the frozen broker
        process.send_signal(signal.SIGINT)
        code, _, err = ended(process)
    finally:
        broker.thaw()
    assert (code, "Traceback" in err) == (105, False)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--broker", "mqtt://127.0.0.1:1"], 106, "nobody listens there; start the broker"),
        (["--broker", "embedded", "--store", "influxdb://127.0.0.1:1/park?org=x"], 106, "nobody listens there"),
        (["--broker", "pigeon"], 104, "there is no broker of that name"),
        (["--view", "web"], 104, "there is no such view"),
        (["--for", "60", "--speed", "0"], 104, "is no duration"),
        (["--summary", "no/such/folder.json"], 104, "name a file in a folder that exists"),
    ],
)
def test_what_cannot_run_says_what_to_do(tmp_path: Path, arguments: list[str], code: int, says: str) -> None:
    """Exit codes 104 and 106 come with a sentence and without a traceback or a summary."""
    found, out, err = ended(start(tmp_path, *arguments))
    assert (found, says in err, "Traceback" in err, out) == (code, True, False, "")
    assert not (tmp_path / "r.json").exists()


def test_the_kept_session_is_forgotten_by_a_broker_that_is_not_ours(
    tmp_path: Path, start_mosquitto: Callable[..., Mosquitto]
) -> None:
    """After the run someone else's broker queues nothing for a bridge that will never come back."""
    broker = start_mosquitto()
    code, _, err = ended(
        start(tmp_path, "--for", "1s", "--store", "none", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    )
    assert code == 0, err
    name = f"parksim-{document(tmp_path)['run_id']}-bridge"
    until(lambda: f"as {name} (p5, c1" in broker.log(), deadline_s=5, what="the session to be thrown away")
    assert f"as {name} (p5, c0" in broker.log()


def crashed_run(tmp_path: Path, broker: Mosquitto, *, seconds: int, then: Callable[[], None]) -> dict[str, Any]:
    """Run in this process; once something is written kill the broker and call ``then``. Return the document."""
    stop = threading.Event()
    crash: list[threading.Thread] = []

    def on_open(hops: Hops) -> None:
        def strike() -> None:
            until(lambda: hops.ledger.counts().written > 50, deadline_s=30, what="the first messages")
            broker.kill()
            then()

        crash.append(threading.Thread(target=strike))
        crash[0].start()

    options = Options(
        seed=1,
        speed=60.0,
        duration_ns=seconds * SECOND,
        broker=f"mqtt://127.0.0.1:{broker.port}",
        store=f"sqlite:{tmp_path / 'park.db'}",
        patience_s=2,
    )
    result = execute(
        load_scenario(QUICKSTART), options, clock=RealClock(), stop=stop, on_open=on_open, on_snapshot=lambda _: None
    )
    crash[0].join()
    return result.document()


@pytest.mark.usefixtures("sqlite3_tool")
def test_a_broker_that_dies_for_good_ends_the_run_with_the_exact_loss(
    tmp_path: Path, start_mosquitto: Callable[..., Mosquitto]
) -> None:
    """Every message that is not in the database is counted with a reason or as unaccounted: exit code 107."""
    found = crashed_run(tmp_path, start_mosquitto(), seconds=3600, then=lambda: None)
    messages = found["messages"]
    assert found["exit_code"] == 107
    assert "the broker has taken nothing for 2 s" in found["reason"]
    assert is_balanced(messages)
    rows = sqlite_rows(tmp_path / "park.db")
    lost = messages["unaccounted"] + messages["in_flight"] + sum(messages["dropped"].values())
    assert (messages["written"], messages["scheduled"] - rows) == (rows, lost)
    assert lost > 0


@pytest.mark.usefixtures("sqlite3_tool")
def test_a_broker_that_comes_back_loses_only_what_the_result_says(
    tmp_path: Path, start_mosquitto: Callable[..., Mosquitto]
) -> None:
    """The run goes on after a crash of the broker, and what is not in the database is exactly what is reported."""
    broker = start_mosquitto()
    found = crashed_run(tmp_path, broker, seconds=300, then=broker.start)
    messages = found["messages"]
    rows = sqlite_rows(tmp_path / "park.db")
    lost = messages["unaccounted"] + messages["in_flight"] + sum(messages["dropped"].values())
    assert is_balanced(messages)
    assert (messages["written"], messages["scheduled"] - rows) == (rows, lost)
    assert found["exit_code"] == (107 if lost else 0)
    assert any("reconnects" in reason for reason in found["retries"])
