"""The result is one versioned object with a published schema, and its verdict is fair."""

from __future__ import annotations

import json
import os
import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from simulator.errors import ExitCode, ScenarioError
from simulator.results.histogram import Latency
from simulator.results.ledger import Counts
from simulator.results.result import SCHEMA, Result, machine, schema_text, versions, write_result
from simulator.results.verdict import judge

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
            "until": "2025-03-10T07:01:00.000+07:00",
            "speed": 1.0,
            "broker": "mosquitto",
            "store": "sqlite",
            "rows_found": 10,
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
    assert all(set(times) == {"p50", "p90", "p99", "p999", "max", "count"} for times in document["latency_ms"].values())


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
        ({}, {"rows_found": 9}, ExitCode.DATA_LOSS, "1 written and not found in the store"),
        ({}, {"rows_found": 11}, ExitCode.PASS, "all that was scheduled"),
    ],
)
def test_the_verdict_follows_from_the_counts(
    changes: dict[str, Any], given: dict[str, Any], code: ExitCode, says: str
) -> None:
    """Interrupted goes before loss, loss before the reason for an early end; one sentence tells all of it."""
    verdict, exit_code = judge(
        replace(HEALTHY, **changes), **({"interrupted": False, "reason": None, "rows_found": None} | given)
    )
    assert code == exit_code
    assert re.search(says, verdict)
