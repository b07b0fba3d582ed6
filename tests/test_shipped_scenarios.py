"""Every scenario that comes along loads, and runs for a simulated minute."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from parks import CONFIGS, SECOND_NS

from simulator.clock import RealClock
from simulator.run.execute import execute
from simulator.run.hops import Options
from simulator.scenario.loader import load_scenario

SCENARIOS = sorted(CONFIGS.glob("*.yaml"))


def test_there_are_scenarios() -> None:
    """The list below is not empty by mistake."""
    assert {file.stem for file in SCENARIOS} >= {"quickstart", "wiring-devices"}


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_a_minute_of_each_scenario_is_all_in_the_store(file: Path, tmp_path: Path) -> None:
    """One simulated minute through the broker in memory into SQLite: all written, nothing unaccounted."""
    loaded = load_scenario(file)
    assert loaded.warnings == ()
    options = Options(
        seed=loaded.scenario.seed,
        speed=None,
        duration_ns=60 * SECOND_NS,
        broker="memory",
        store=f"sqlite:{tmp_path / 'minute.db'}",
    )
    result = execute(
        loaded, options, clock=RealClock(), stop=threading.Event(), on_open=lambda _: None, on_snapshot=lambda _: None
    )
    assert result.exit_code == 0, result.verdict
    assert result.messages.unaccounted == 0
    assert result.messages.written == result.messages.scheduled == result.simulated.rows_found
    assert result.messages.written > 60
