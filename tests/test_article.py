"""What the article names shows in telemetry: every field of the table in docs/park.md speaks in the region."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest
from parks import CONFIGS, HOUR_NS, MONDAY_NS, SECOND_NS

from simulator.park.world import World
from simulator.scenario.loader import load_scenario

ROWS = [
    line.split("|")[1:-1]
    for line in (CONFIGS.parent / "docs" / "park.md").read_text(encoding="utf-8").splitlines()
    if re.search(r"`[a-z0-9-]+\.[a-z0-9_]+`", line) and line.startswith("|")
]
NINE_NS = MONDAY_NS + 2 * HOUR_NS
"""Monday 09:00 in Binh Duong: offices are open."""


@cache
def spoken() -> set[tuple[str, str]]:
    """Return kind and field of everything that the region says in half an hour."""
    loaded = load_scenario(CONFIGS / "binh-duong.yaml")
    world = World(loaded.scenario, loaded.types, NINE_NS)
    said = np.zeros(len(world.catalog), dtype=bool)
    for batch in world.batches(NINE_NS + HOUR_NS // 2, 300 * SECOND_NS):
        said[batch.sensor[np.isfinite(batch.value)]] = True
    return {
        (asset.kind, sensor.name)
        for asset in world.catalog.assets
        for i, sensor in enumerate(asset.sensors)
        if said[asset.first_sensor + i]
    }


def test_the_table_has_all_that_the_article_names() -> None:
    """Sixteen rows, each with telemetry."""
    assert len(ROWS) == 16


@pytest.mark.parametrize("row", ROWS, ids=[row[0].strip() for row in ROWS])
def test_what_the_article_names_is_heard(row: list[str]) -> None:
    """Each field of a row has been told by somebody in the region within half an hour."""
    fields = re.findall(r"`([a-z0-9-]+)\.([a-z0-9_]+)`", row[2])
    assert fields
    assert [field for field in fields if field not in spoken()] == []
