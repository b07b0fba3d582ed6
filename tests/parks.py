"""Small parks for tests of what happens and of what sensors show."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from simulator.batch import Batch
from simulator.park.world import World
from simulator.scenario.loader import Loaded, load_scenario
from simulator.scenario.schema import Scenario

CONFIGS = Path(__file__).parent.parent / "configs"
SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
MONDAY_NS = 1_741_564_800 * SECOND_NS
"""2025-03-10 00:00 UTC, 07:00 in Binh Duong."""


@cache
def quickstart() -> Loaded:
    """Return the quickstart scenario as a user loads it."""
    return load_scenario(CONFIGS / "quickstart.yaml")


def world(*, start_ns: int = MONDAY_NS, **changes: Any) -> World:
    """Return the quickstart's world with some keys of its scenario changed."""
    loaded = quickstart()
    return World(loaded.scenario.model_copy(update=changes), loaded.types, start_ns)


def factory_with(scenario: Scenario, **changes: Any) -> Scenario:
    """Return the scenario with keys of its first factory changed."""
    site = scenario.sites[0]
    factory = site.factories[0].model_copy(update=changes)
    return scenario.model_copy(update={"sites": (site.model_copy(update={"factories": (factory,)}),)})


def readings(park: World, *, until_ns: int, window_ns: int = 60 * SECOND_NS) -> Batch:
    """Return all readings until an instant as one batch."""
    return Batch.join(list(park.batches(until_ns, window_ns)))
