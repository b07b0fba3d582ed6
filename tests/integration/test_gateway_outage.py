"""A gateway that is cut off for a while, as a user runs it: a real broker, a real database, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from networks import GATEWAY, fault, text

PARKSIM = Path(sys.executable).parent / "parksim"


@pytest.mark.parametrize("broker", ["embedded"])
def test_an_outage_through_a_real_broker(tmp_path: Path, broker: str) -> None:
    """Half of six minutes the gateway is down; some messages come twice; every one is a row in the end."""
    scenario = tmp_path / "cut.yaml"
    twice = fault("duplicates", GATEWAY, "0s", "6m", chance=0.05)
    scenario.write_text(text(fault("breakdown", GATEWAY, "1m", "3m"), twice))
    command = [str(PARKSIM), "run", str(scenario), "--for", "6m", "--speed", "max", "--broker", broker]
    done = subprocess.run(
        [*command, "--view", "none", "--summary", "r.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads((tmp_path / "r.json").read_text())
    messages, gateways = result["messages"], result["gateways"]
    assert messages["scheduled"] == messages["written"] == result["simulated"]["rows_found"]
    assert (messages["dropped"], messages["in_flight"], messages["unaccounted"]) == ({}, 0, 0)
    assert gateways["waited_ms"]["count"] > 2_000
    assert gateways["waited_ms"]["max"] > 180_000
    assert messages["duplicates"] >= gateways["sent_again"] > 100
    assert "left late" in done.stdout
