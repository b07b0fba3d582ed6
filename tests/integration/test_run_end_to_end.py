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
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from servers import InfluxDB1, Mosquitto, VictoriaMetrics, until

from simulator.clock import RealClock
from simulator.results.snapshot import Snapshot
from simulator.run import execute as run_module
from simulator.run.execute import execute
from simulator.run.hops import Hops
from simulator.run.options import Options
from simulator.scenario.loader import load_scenario

PARKSIM = Path(sys.executable).parent / "parksim"
QUICKSTART = Path(__file__).parent.parent.parent / "configs" / "quickstart.yaml"
KINDS = ("injection-moulding", "device-assembly", "device-test", "truth", "kpi")
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
    # Key figures are told at full minutes, and 20 s may hold none.
    assert_complete(tmp_path, rows=sum(one["values"][0][1] for series in counted for one in series))


def test_two_runs_of_the_same_time_into_influxdb_are_not_mixed_up(tmp_path: Path, influxdb1: InfluxDB1) -> None:
    """Beside the rows of another seed all of ours are found; over those of the same one nothing can be claimed."""
    fixed = tmp_path / "fixed.yaml"
    text, count = re.subn(
        r"^start: now\b", 'start: "2025-03-10T07:00:00+07:00"', QUICKSTART.read_text(), flags=re.MULTILINE
    )
    # Key figures are told at the same instants whatever the seed: one run's would replace another's.
    fixed.write_text(text.replace("messaging:\n", "kpis: {levels: []}\n\nmessaging:\n"))
    assert count == 1
    found = []
    for seed, seconds in ((1, 20), (2, 20), (2, 40)):
        options = Options(
            seed=seed,
            speed=None,
            duration_ns=seconds * SECOND,
            broker="memory",
            store=f"influxdb://127.0.0.1:{influxdb1.port}/twice?create=true",
        )
        result = execute(
            load_scenario(fixed),
            options,
            clock=RealClock(),
            stop=threading.Event(),
            on_open=lambda _: None,
            on_snapshot=lambda _: None,
        )
        found.append(result.document())
    before, after = ([one["simulated"][key] for one in found] for key in ("rows_before", "rows_found"))
    assert [one["exit_code"] for one in found] == [0, 0, 0]
    assert before == [0, after[0], after[1]]
    assert after[0] == found[0]["messages"]["written"] < after[1] < after[2]
    # another seed speaks at other milliseconds, so as many rows as both together are all there
    proven = "all that was scheduled is in the store"
    doubtful = f"was written; the store held {after[1]} rows of that time already, so this could not be audited"
    assert [one["verdict"] for one in found] == [proven, proven, f"all that was scheduled {doubtful}"]


def test_a_frozen_database_does_not_hold_up_the_end(
    tmp_path: Path, start_influxdb1: Callable[..., InfluxDB1], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked to stop, a run says what it waits for, gives up at its deadline, and knows where its messages are."""
    monkeypatch.setattr(run_module, "SETTLED_S", 6.0)
    monkeypatch.setattr(run_module, "SNAPSHOT_S", 0.05)
    database, stop, seen = start_influxdb1(), threading.Event(), list[Snapshot]()
    asked_s = []

    def freeze(hops: Hops) -> None:
        until(lambda: hops.ledger.counts().written > 50, deadline_s=30, what="the first rows")
        database.freeze()
        until(lambda: hops.ledger.unwritten() > 50, deadline_s=30, what="messages that wait for the database")
        asked_s.append(time.monotonic())
        stop.set()

    options = Options(
        seed=1,
        speed=60.0,
        duration_ns=None,
        broker="memory",
        store=f"influxdb://127.0.0.1:{database.port}/frozen?create=true",
    )
    try:
        result = execute(
            load_scenario(QUICKSTART),
            options,
            clock=RealClock(),
            stop=stop,
            on_open=lambda hops: threading.Thread(target=freeze, args=(hops,), daemon=True).start(),
            on_snapshot=seen.append,
        )
        took_s = time.monotonic() - asked_s[0]
    finally:
        database.thaw()
    assert took_s < 20.0
    found = result.document()
    assert (found["exit_code"], found["messages"]["unaccounted"]) == (105, 0)
    assert is_balanced(found["messages"])
    assert found["messages"]["in_flight"] > 50
    assert "the store has not answered yet" in found["reason"]
    assert (found["simulated"]["rows_found"], found["simulated"]["rows_before"]) == (None, 0)
    assert found["verdict"].endswith("; the store could not be asked what it holds")
    waited = dict.fromkeys(str(one.waiting).partition(" s for ")[2] for one in seen if one.waiting)
    assert list(waited)[-3:] == [
        "what is still between broker and store",
        "the bridge to end its last write",
        "the store to count its rows",
    ]


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
        (["--view", "hologram"], 104, "there is no such view"),
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


def struck_run(tmp_path: Path, broker: Mosquitto, *, seconds: int, blow: Callable[[], None]) -> dict[str, Any]:
    """Run in this process, and call ``blow`` once something is written. Return the document."""
    stop = threading.Event()
    crash: list[threading.Thread] = []

    def on_open(hops: Hops) -> None:
        def strike() -> None:
            until(lambda: hops.ledger.counts().written > 50, deadline_s=30, what="the first messages")
            blow()

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
    broker = start_mosquitto()
    found = struck_run(tmp_path, broker, seconds=3600, blow=broker.kill)
    messages = found["messages"]
    assert found["exit_code"] == 107
    assert re.match(r"(no connection to the broker|the broker has taken nothing) for 2 s: ", found["reason"])
    assert is_balanced(messages)
    rows = sqlite_rows(tmp_path / "park.db")
    lost = messages["unaccounted"] + messages["in_flight"] + sum(messages["dropped"].values())
    assert (messages["written"], messages["scheduled"] - rows) == (rows, lost)
    assert lost > 0


@pytest.mark.parametrize("broker", ["mosquitto", "embedded"])
@pytest.mark.usefixtures("mosquitto_program")
def test_a_broker_of_our_own_that_dies_ends_the_run_at_once(tmp_path: Path, broker: str) -> None:
    """No window is full, and still nothing is waited for: the reason is how it ended, not that one should start it."""
    died_s = []

    def strike(hops: Hops) -> None:
        until(lambda: hops.ledger.counts().written > 50, deadline_s=30, what="the first messages")
        assert hops.broker._child is not None
        hops.broker._child.kill()
        died_s.append(time.monotonic())

    def on_open(hops: Hops) -> None:
        threading.Thread(target=strike, args=(hops,), daemon=True).start()

    options = Options(seed=1, speed=60.0, duration_ns=None, broker=broker, store="none", patience_s=60)
    loaded = load_scenario(QUICKSTART)
    messaging = loaded.scenario.messaging.model_copy(update={"window": 1000})
    loaded = replace(loaded, scenario=loaded.scenario.model_copy(update={"messaging": messaging}))
    found = execute(
        loaded, options, clock=RealClock(), stop=threading.Event(), on_open=on_open, on_snapshot=lambda _: None
    ).document()
    assert time.monotonic() - died_s[0] < 20.0
    assert found["exit_code"] == 107
    assert "that parksim started has ended by signal SIGKILL; its log ends: " in found["reason"]
    assert is_balanced(found["messages"])


@pytest.mark.usefixtures("sqlite3_tool")
def test_a_durable_broker_that_is_started_again_loses_nothing(
    tmp_path: Path, start_mosquitto: Callable[..., Mosquitto]
) -> None:
    """Sessions and queues are on its disk, and what it had not acknowledged is sent again: all is in the database."""
    kept = tmp_path / "kept"
    kept.mkdir()
    broker = start_mosquitto(settings={"persistence": "true", "persistence_location": f"{kept}/"})

    def restart() -> None:
        broker.stop()
        broker.start()

    found = struck_run(tmp_path, broker, seconds=300, blow=restart)
    messages = found["messages"]
    assert messages["scheduled"] == messages["written"] == sqlite_rows(tmp_path / "park.db")
    assert (found["exit_code"], found["reason"], messages["foreign"]) == (0, None, {})
    assert any("reconnects" in reason for reason in found["retries"])
