"""The result is one versioned object with a published schema, and its verdict is fair."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from simulator.errors import ExitCode, ScenarioError
from simulator.results.addresses import without_addresses
from simulator.results.counts import Counts
from simulator.results.latency import Latency
from simulator.results.result import SCHEMA, Result, machine, schema_text, versions
from simulator.results.result_file import check_writable, write_result
from simulator.results.verdict import Audit, judge

SCHEMA_FILE = Path(__file__).parent.parent / "configs" / "result.schema.json"
CONTRACT = {
    "schema": None,
    "scenario": None,
    "seed": None,
    "started": None,
    "finished": None,
    "verdict": None,
    "exit_code": None,
    "machine": None,
    "versions": None,
    "messages": (
        "scheduled published acknowledged received written dead_lettered dropped duplicates reordered in_flight"
        " unaccounted"
    ),
    "readings": "scheduled written",
    "rates": "published_per_s received_per_s written_readings_per_s",
    "latency_ms": "lateness publish broker end_to_end",
    "thresholds": None,
    "faults": None,
    "generator": "cpu calibrated_max_per_s share_of_max",
    "park": "oee energy_kwh",
}
"""What users and tests rely on."""
HEALTHY = Counts(10, 10, 10, 10, 10, {}, {}, 0, 0, 0, 0, 40, 40)


def result(counts: Counts = HEALTHY, **changes: Any) -> Result:
    """Make the result of a run with these counts."""
    latency = Latency()
    latency.lateness.record([0, 1_000_000])
    whole: dict[str, Any] = {
        "schema": SCHEMA,
        "scenario": {"name": "shop", "sha256": "0" * 64, "text": "parksim: 1\n"},
        "seed": 7,
        "run_id": "0a1b2c3d",
        "started": "2025-03-10T00:00:00.000+00:00",
        "finished": "2025-03-10T00:01:00.000+00:00",
        "verdict": "all that was scheduled is in the store",
        "exit_code": 0,
        "reason": None,
        "simulated": {
            "start": "2025-03-10T07:00:00.000+07:00",
            "origin": "2025-03-10T05:00:00.000+07:00",
            "until": "2025-03-10T07:01:00.000+07:00",
            "speed": 1.0,
            "broker": "mosquitto",
            "store": "sqlite",
            "rows_found": 10,
            "rows_before": 0,
        },
        "machine": machine(),
        "versions": versions(),
        "messages": counts.messages(),
        "readings": counts.readings() | {"left_out": 0},
        "rates": {"published_per_s": 0.2, "received_per_s": 0.2, "written_readings_per_s": 0.7},
        "latency_ms": latency.as_ms(),
        "retries": {},
        "thresholds": [{"expression": "unaccounted == 0", "value": 0, "pass": True}],
        "faults": [{"kind": "jam", "target": "press-1", "from": "2025-03-10T07:00:05+07:00", "to": None, "cause": "x"}],
        "faults_not_listed": 0,
        "generator": {"cpu": 0.1, "calibrated_max_per_s": None, "share_of_max": None},
        "park": {
            "oee": {"park": 0.8},
            "availability": 0.9,
            "effectiveness": 0.95,
            "quality": 0.99,
            "energy_kwh": 1.5,
            "machines": 3,
            "running": 2,
            "alarms": 1,
            "pieces_good": 99,
            "pieces_bad": 1,
        },
        "dead_letters": [],
        "gaps": [],
    }
    return Result.model_validate(whole | changes)


def test_the_published_schema_is_that_of_the_code() -> None:
    """After a change, write ``schema_text()`` of simulator.results.result into the file."""
    assert schema_text() == SCHEMA_FILE.read_text()


def test_a_document_fits_the_published_schema_and_comes_back() -> None:
    """What is written validates, and reads as the same result."""
    document = result().document()
    jsonschema.validate(document, json.loads(SCHEMA_FILE.read_text()))
    assert Result.model_validate(document) == result()


def test_the_keys_that_users_rely_on_are_there() -> None:
    """Every key of the contract stands in the document."""
    document = result().document()
    missing = [key for key in CONTRACT if key not in document]
    missing += [
        f"{key}.{inner}"
        for key, names in CONTRACT.items()
        for inner in (names or "").split()
        if inner not in document[key]
    ]
    assert missing == []
    assert document["schema"] == "parksim.result/1"
    assert all(
        set(times) == {"p50", "p90", "p99", "p999", "p9999", "max", "count"}
        for times in document["latency_ms"].values()
    )


def test_an_unknown_key_is_refused() -> None:
    """A key that the schema does not know is a mistake, not an extension."""
    with pytest.raises(ValidationError, match="surprise"):
        result(surprise=1)


def test_a_result_does_not_tell_whose_machine_it_was() -> None:
    """No host name, no path of this machine."""
    text = json.dumps(result().document())
    assert socket.gethostname() not in text
    assert str(Path.home()) not in text
    assert os.getcwd() not in text  # noqa: PTH109 - the text of it


def test_a_result_is_written_whole(tmp_path: Path) -> None:
    """The file holds the document, replaces an older one, and leaves nothing beside it."""
    file = tmp_path / "r.json"
    file.write_text("older")
    write_result(result(), file)
    assert result().document() == json.loads(file.read_text())
    assert [file] == list(tmp_path.iterdir())


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o002, 0o664)])
def test_a_result_gets_the_rights_of_any_new_file(tmp_path: Path, umask: int, mode: int) -> None:
    """Whoever keeps files private, or shares them with a group, does so with the result."""
    before = os.umask(umask)
    try:
        write_result(result(), tmp_path / "r.json")
    finally:
        os.umask(before)
    assert (tmp_path / "r.json").stat().st_mode & 0o777 == mode


def test_a_link_stays_one(tmp_path: Path) -> None:
    """The file that a symbolic link names is replaced, the link is not."""
    (tmp_path / "runs").mkdir()
    link = tmp_path / "latest.json"
    link.symlink_to("runs/r.json")
    check_writable(link)
    write_result(result(), link)
    assert link.is_symlink()
    assert result().document() == json.loads((tmp_path / "runs" / "r.json").read_text())
    assert [one.name for one in (tmp_path / "runs").iterdir()] == ["r.json"]


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    """`--summary` onto a named pipe feeds whoever reads it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    check_writable(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_result(result(), pipe)
        read = os.read(reader, 1_000_000)
    finally:
        os.close(reader)
    assert result().document() == json.loads(read)
    assert pipe.is_fifo()
    assert [pipe] == list(tmp_path.iterdir())


def test_a_device_is_written_to() -> None:
    """/dev/null stays a device, whoever writes there, and a full one is told as such."""
    write_result(result(), Path(os.devnull))
    assert Path(os.devnull).is_char_device()
    with pytest.raises(ScenarioError, match="--summary /dev/full: No space left on device"):
        write_result(result(), Path("/dev/full"))


def test_where_standard_output_goes_is_not_replaced(tmp_path: Path) -> None:
    """`--summary out.txt > out.txt` adds to what was printed."""
    file = tmp_path / "out.txt"
    script = (
        "import sys; from pathlib import Path; from test_result import result;"
        "from simulator.results.result_file import write_result;"
        "print('first', flush=True); write_result(result(), Path(sys.argv[1]))"
    )
    with file.open("wb") as out:
        subprocess.run(
            [sys.executable, "-c", script, str(file)], check=True, stdout=out, cwd=Path(__file__).parent, timeout=60
        )
    first, _, rest = file.read_text().partition("\n")
    assert (first, json.loads(rest)["schema"]) == ("first", SCHEMA)


@pytest.mark.parametrize("name", ["no/such/r.json", "folder", "file/r.json", "loop"])
def test_a_place_that_cannot_be_written_is_known_before_the_run(tmp_path: Path, name: str) -> None:
    """A folder that is missing, a folder in place of the file, a file in place of a folder, a link to itself."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ScenarioError, match=f"^--summary .*{name}: .*; name a file in a folder that exists"):
        check_writable(tmp_path / name)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder", "loop"]


def test_a_result_that_cannot_be_written_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    """The old file stays, and the message names the option."""
    file = tmp_path / "r.json"
    file.mkdir()
    with pytest.raises(ScenarioError, match=r"--summary .*r\.json"):
        write_result(result(), file)
    assert [file] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "given", "code", "says"),
    [
        ({}, {}, ExitCode.PASS, "all that was scheduled is in the store"),
        ({}, {"interrupted": True}, ExitCode.INTERRUPTED, "interrupted; all that was sent is in the store"),
        ({}, {"reason": "the broker went away"}, ExitCode.OUT_OF_REACH, "ended early; all that was sent is"),
        ({"unaccounted": 2, "written": 8}, {}, ExitCode.DATA_LOSS, "data lost: 2 unaccounted of 10 messages"),
        ({"dropped": {"refused: Not authorized": 3}}, {}, ExitCode.DATA_LOSS, r"3 dropped \(refused: Not authorized\)"),
        ({"dead_lettered": {"bad line": 1}}, {}, ExitCode.DATA_LOSS, r"1 dead-lettered \(bad line\)"),
        ({"in_flight": 4}, {"reason": "the bridge failed"}, ExitCode.DATA_LOSS, "4 in flight of 10"),
        ({"unaccounted": 1}, {"interrupted": True}, ExitCode.INTERRUPTED, "interrupted; 1 unaccounted of 10"),
        ({}, {"audit": Audit(9, 0)}, ExitCode.DATA_LOSS, "^data lost: 1 written and not found in the store of 10"),
    ],
)
def test_the_verdict_follows_from_the_counts(
    changes: dict[str, Any], given: dict[str, Any], code: ExitCode, says: str
) -> None:
    """Interrupted goes before loss, loss before the reason for an early end; one sentence tells all of it."""
    verdict, exit_code = judge(
        replace(HEALTHY, **changes), **({"interrupted": False, "reason": None, "audit": Audit(10, 0)} | given)
    )
    assert code == exit_code
    assert re.search(says, verdict)


@pytest.mark.parametrize(
    ("audit", "code", "says"),
    [
        (Audit(10, 0), ExitCode.PASS, "all that was scheduled is in the store"),
        (Audit(17, 7), ExitCode.PASS, "all that was scheduled is in the store"),
        (
            Audit(16, 7),
            ExitCode.PASS,
            (
                "all that was scheduled was written; the store held 7 rows of that time already, so this could not be"
                " audited"
            ),
        ),
        (
            Audit(10, 1_000),
            ExitCode.PASS,
            (
                "all that was scheduled was written; the store held 1,000 rows of that time already,"
                " so this could not be audited"
            ),
        ),
        (
            Audit(9, 7),
            ExitCode.DATA_LOSS,
            "data lost: at least 1 written and not found in the store of 10 messages",
        ),
        (
            Audit(12, 0),
            ExitCode.PASS,
            (
                "all that was scheduled is in the store; it holds 2 rows of that time more than it confirmed: does"
                " something else write there?"
            ),
        ),
        (
            Audit(18, 7),
            ExitCode.PASS,
            (
                "all that was scheduled is in the store; it holds 1 row of that time more than it confirmed: does"
                " something else write there?"
            ),
        ),
        (
            Audit(10, None),
            ExitCode.PASS,
            (
                "all that was scheduled was written; what the store held of that time before is unknown, so this could"
                " not be audited"
            ),
        ),
        (Audit(None, None), ExitCode.PASS, "all that was scheduled was written"),
        (
            Audit(None, 0, "it does not answer"),
            ExitCode.OUT_OF_REACH,
            "all that was scheduled was written; the store could not be asked what it holds",
        ),
    ],
)
def test_nothing_is_claimed_that_the_store_does_not_prove(audit: Audit, code: ExitCode, says: str) -> None:
    """Rows that were there before could stand for lost ones: as many as both together prove, fewer do not."""
    assert judge(HEALTHY, interrupted=False, reason=None, audit=audit) == (says, code)


def test_rows_that_are_in_flight_may_be_in_the_store_already() -> None:
    """A write that timed out and went through is told beside the loss."""
    counts = replace(HEALTHY, written=6, in_flight=4)
    verdict, _ = judge(counts, interrupted=True, reason=None, audit=Audit(10, 0))
    assert verdict.startswith("interrupted; 4 in flight of 10 messages; it holds 4 rows of that time more than it")


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        (
            {},
            ExitCode.PASS,
            "nothing was scheduled: --for is shorter than the time to the first reading; run for longer",
        ),
        ({"interrupted": True}, ExitCode.INTERRUPTED, "interrupted; nothing was scheduled until then"),
        ({"reason": "no broker"}, ExitCode.OUT_OF_REACH, "ended early; nothing was scheduled until then"),
    ],
)
def test_a_run_that_sent_nothing_proves_nothing(given: dict[str, Any], code: ExitCode, says: str) -> None:
    """Nothing of nothing is not called all."""
    nothing = Counts(0, 0, 0, 0, 0, {}, {}, 0, 0, 0, 0, 0, 0)
    assert (says, code) == judge(nothing, **({"interrupted": False, "reason": None, "audit": Audit(0, 0)} | given))


def test_another_run_on_the_same_topics_is_told() -> None:
    """All of ours is there, and somebody else's messages came, too; a message on an unknown topic is another matter."""
    verdict, code = judged(foreign={"sequence number of no message of this run": 7})
    expected = (
        "all that was scheduled is in the store; another run publishes on these topics: its messages were not stored"
    )
    assert (verdict, code) == (expected, ExitCode.PASS)
    assert judged(foreign={"unknown topic": 7}) == ("all that was scheduled is in the store", ExitCode.PASS)


def judged(**changes: Any) -> tuple[str, ExitCode]:
    return judge(replace(HEALTHY, **changes), interrupted=False, reason=None, audit=Audit(10, 0))


@pytest.mark.parametrize(
    ("told", "broker", "store", "left"),
    [
        (
            "the broker has taken nothing for 30 s: mqtt://plant-7.example.com:1883: nobody listens there; start it",
            "mqtt://plant-7.example.com",
            "none",
            "the broker has taken nothing for 30 s: (address): nobody listens there; start it",
        ),
        (
            "not connected to plant7:1883 (Plant7, 10.1.2.3:1883 or [fe80::1]:1883)",
            "mqtt://anna:${P}@plant7",
            "none",
            "not connected to (address) ((address), (address) or (address))",
        ),
        (
            "store influxdb at http://db:8086, park: no answer from db",
            "auto",
            "influxdb://db/park",
            "store influxdb at (address), park: no answer from (address)",
        ),
        ("store sqlite my.db: disk full", "auto", "sqlite:my.db", "store sqlite (path): disk full"),
        (
            "cannot read /home/anna/ca.pem; 5 msg/s at 12:30:05",
            "auto",
            "none",
            "cannot read (path); 5 msg/s at 12:30:05",
        ),
    ],
)
def test_a_reason_can_be_told_without_addresses(told: str, broker: str, store: str, left: str) -> None:
    """Hosts, network addresses and paths go; everything else stays."""
    assert without_addresses(told, broker=broker, store=store) == left
