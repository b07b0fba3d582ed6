"""A site with everything on it, and faults of every kind, shows the same bits however time is cut."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from parks import MONDAY_NS, SECOND_NS, readings
from supplied import AT, FACTORY, MINUTE_NS, site

from simulator.batch import Batch
from simulator.park.world import World
from simulator.scenario.loader import Loaded
from simulator.scenario.machine_type import Uses

SYSTEMS = (
    f"{{name: meter, type: tenant-meter, serves: [{FACTORY}]}}",
    "{name: roofs, type: pv-plant}",
    "{name: feeder, type: feeder-22kv, serves: [meter, office]}",
    "{name: plants, type: feeder-22kv, serves: [air, boiler, chillers]}",
    "{name: grid, type: substation-110kv, serves: [feeder, plants, roofs]}",
    f"{{name: air, type: compressor-station, serves: [{FACTORY}]}}",
    f"{{name: boiler, type: steam-boiler, serves: [{FACTORY}]}}",
    f"{{name: chillers, type: chiller-plant, serves: [{FACTORY}]}}",
    "{name: office, type: office-building}",
)
FAULTS = (
    f"{{kind: air_leak, at: 1m, for: 6m, m3_min: 20, target: {AT}/compressor-station/air}}",
    f"{{kind: power_dip, at: 8m, for: 700ms, depth: 0.5, target: {AT}/substation-110kv/grid}}",
    f"{{kind: breakdown, at: 14m, for: 90s, target: {AT}/feeder-22kv/plants}}",
    f"{{kind: breakdown, at: 18m, for: 1m, target: {AT}/substation-110kv/grid}}",
)
UNTIL_NS = MONDAY_NS + 24 * MINUTE_NS


@cache
def everything() -> Loaded:
    with TemporaryDirectory() as folder:
        loaded = site(Path(folder), *SYSTEMS, faults=FAULTS, edit=("warm_up: 2h", "warm_up: 10m"))
    press = loaded.types["injection-moulding"]
    uses = Uses.model_construct(air_m3_min=0.3, steam_kg_h=500.0, cooling_kw=12.0, idle=0.2, source="")
    loaded.types["injection-moulding"] = press.model_copy(update={"uses": uses, "ride_through": 20 * SECOND_NS})
    return loaded


def park(*, later_ns: int = 0) -> World:
    loaded = everything()
    scenario = loaded.scenario
    # Faults are written from the start on, so they have to come that much earlier.
    faults = tuple(
        one.model_copy(update={"at": one.at - later_ns}) for one in scenario.faults if isinstance(one.at, int)
    )
    changes = {"warm_up": scenario.warm_up + later_ns, "faults": faults}
    return World(scenario.model_copy(update=changes), loaded.types, MONDAY_NS + later_ns)


@cache
def whole() -> Batch:
    return readings(park(), until_ns=UNTIL_NS, window_ns=24 * MINUTE_NS)


def same(one: Batch, other: Batch) -> bool:
    return all(
        getattr(one, column).tobytes() == getattr(other, column).tobytes() for column in ("time_ns", "sensor", "value")
    )


def test_there_is_something_to_see() -> None:
    """Each of the faults has consequences in these minutes."""
    world = park()
    readings(world, until_ns=UNTIL_NS, window_ns=24 * MINUTE_NS)
    kinds = {one.kind for one in world.faults(UNTIL_NS)[0] if one.cause == "consequence"}
    assert kinds >= {"low_air", "power_dip", "power_loss"}


@settings(deadline=None, max_examples=3)
@given(window_ns=st.integers(20_000, 700_000).map(lambda ms: ms * 1_000_000))
@example(window_ns=21_001_000_000)
def test_the_length_of_the_window_changes_nothing(window_ns: int) -> None:
    """Windows from 20 s to 12 minutes."""
    assert same(readings(park(), until_ns=UNTIL_NS, window_ns=window_ns), whole())


@settings(deadline=None, max_examples=2)
@given(later_ms=st.integers(1, 23 * 60_000))
@example(later_ms=8 * 60_000 + 300)
@example(later_ms=18 * 60_000 + 30_000)
def test_the_start_of_the_window_changes_nothing(later_ms: int) -> None:
    """A run that begins to read later, in the midst of a dip or of an outage too, shows the same bits from there on."""
    start_ns = MONDAY_NS + later_ms * 1_000_000
    got = readings(park(later_ns=start_ns - MONDAY_NS), until_ns=UNTIL_NS)
    full = whole()
    rows = slice(int(np.searchsorted(full.time_ns, start_ns)), None)
    assert same(got, Batch(full.time_ns[rows], full.sensor[rows], full.value[rows]))
