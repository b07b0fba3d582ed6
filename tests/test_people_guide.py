"""The scenario of docs/people.md loads, and does what the page says of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from parks import HOUR_NS
from watched import bulletins, trace

from simulator.park.packml import State
from simulator.park.world import World
from simulator.scenario.loader import Loaded, load_scenario
from simulator.scenario.quantities import instant_ns

PAGE = (Path(__file__).parent.parent / "docs" / "people.md").read_text()


def guided(folder: Path) -> Loaded:
    file = folder / "people.yaml"
    file.write_text(PAGE.split("```yaml\n")[1].split("```")[0])
    return load_scenario(file)


def test_a_morning_of_the_scenario(tmp_path: Path) -> None:
    """It loads without a warning; at lunch moulding machines run on; both factories tell what the page lists."""
    loaded = guided(tmp_path)
    assert loaded.warnings == ()
    start_ns = instant_ns(datetime.fromisoformat("2026-02-09T06:00+07:00"))
    world = World(loaded.scenario, loaded.types, start_ns)
    seen = trace(world)
    told = {asset.path[2]: asset for asset in bulletins(world)}
    batches = list(world.batches(start_ns + 8 * HOUR_NS, HOUR_NS))
    assert {name for asset in told.values() for name in (sensor.name for sensor in asset.sensors)} == fields()
    assert all((batch.sensor == told["metal"].first_sensor).sum() == 60 for batch in batches)
    noon = start_ns + 6 * HOUR_NS
    assert sum(seen.in_state(asset, State.EXECUTE, noon, noon + HOUR_NS) for asset in range(8, 12)) > HOUR_NS // 2


def test_tet_of_the_scenario(tmp_path: Path) -> None:
    """Closed from 14 to 22 February; on the 23rd four of six mills and one of two presses have people."""
    loaded = guided(tmp_path)
    start_ns = instant_ns(datetime.fromisoformat("2026-02-23T00:00+07:00"))
    world = World(loaded.scenario, loaded.types, start_ns)
    seen = trace(world)
    world.skip(start_ns + 14 * HOUR_NS)
    ran = [seen.in_state(asset, State.EXECUTE, start_ns, start_ns + 14 * HOUR_NS) > 0 for asset in range(8)]
    assert ran == [True, True, True, True, False, False, True, False]


def fields() -> set[str]:
    """Return the fields that the page explains: those between backticks in its last section."""
    section = PAGE.split("## What is told")[1].split("| means |")[1]
    named = {word for word in section.split("`")[1::2] if word.isidentifier()}
    return named - {"maturity", "people"}
