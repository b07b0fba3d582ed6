"""A buffer that is too small for its machines is refused, for they would wait for each other for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario_texts import park

from simulator.errors import ScenarioError
from simulator.park.world import World
from simulator.scenario.loader import load_scenario

HOUR_NS = 3_600_000_000_000
MONDAY_NS = 1_741_564_800_000_000_000


def written(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    file = tmp_path / "park.yaml"
    file.write_text(park(*changes), encoding="utf-8")
    return file


def test_the_capacity_must_hold_two_of_the_largest_cycles(tmp_path: Path) -> None:
    """The packer takes two parts for each of four pieces: 8 a cycle, so 15 is refused, with its place."""
    with pytest.raises(ScenarioError) as refused:
        load_scenario(written(tmp_path, ("capacity: 1k", "capacity: 15")))
    (told,) = refused.value.problems
    assert "buffers[0].capacity: 15 is too small, must be at least 16: room for two cycles of packer, 8 pieces" in told


def test_so_must_the_room_between_machines_in_series(tmp_path: Path) -> None:
    """Presses of four pieces a cycle in series need room for eight between them."""
    series = ("- {name: packer, type: press}", "- {name: a, type: press}\n              - {name: b, type: press}")
    flow = ("takes: {parts: 2}", "takes: {parts: 2}\n            flow: series\n            between: 7")
    with pytest.raises(ScenarioError) as refused:
        load_scenario(written(tmp_path, series, flow))
    (told,) = refused.value.problems
    assert "lines[1].between: 7 is too small, must be at least 8" in told


def test_with_the_least_that_is_allowed_parts_still_flow(tmp_path: Path) -> None:
    """With room for two cycles and a stock in between, both sides go on for a day."""
    loaded = load_scenario(written(tmp_path, ("capacity: 1k", "capacity: 16, initial: 5")))
    world = World(loaded.scenario, loaded.types, MONDAY_NS)
    produced = []
    for hour in (2, 4, 6):
        world.skip(MONDAY_NS + hour * HOUR_NS)
        for machine in world.park.machines:
            machine.settle()
        produced.append(world.park.machines[-1].processed)
    assert produced[0] > 100
    assert produced[2] - produced[1] > 100
