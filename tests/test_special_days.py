"""What makes a scenario special happens in it: the chain of faults of the bad day, the silence of Tet and the ramp."""

from __future__ import annotations

from datetime import datetime
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from parks import CONFIGS, HOUR_NS, SECOND_NS
from watched import trace

from simulator.bench.generate import start_of
from simulator.park.packml import State
from simulator.park.world import World
from simulator.scenario.fault import CODES, Cause
from simulator.scenario.loader import load_scenario

pytestmark = pytest.mark.no_cover  # whole parks: tracing doubles their time and finds no line that others miss
MS = 1_000_000
WINDOW_NS = 1_800 * SECOND_NS
DAY_NS = 24 * HOUR_NS
Shown = dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]


class BadDay:
    """The 24 hours of ``bad-day``: some sensors, the truth, and the states of all machines."""

    def __init__(self) -> None:
        loaded = load_scenario(CONFIGS / "bad-day.yaml")
        self.scenario = loaded.scenario
        self.begin_ns = start_of(loaded.scenario)
        world = World(loaded.scenario, loaded.types, self.begin_ns)
        self.states = trace(world)
        self.assets = {asset.topic: number for number, asset in enumerate(world.park.measured.assets)}
        names = {
            asset.first_sensor + place: f"{asset.topic}/{sensor.name}"
            for asset in world.catalog.assets
            for place, sensor in enumerate(asset.sensors)
            if asset.path[-1] in {"_truth", "works", "air"}
        }
        wanted = np.array(sorted(names))
        parts: dict[str, list[tuple[NDArray[np.int64], NDArray[np.float64]]]] = {name: [] for name in names.values()}
        for batch in world.batches(self.begin_ns + DAY_NS, WINDOW_NS):
            rows = np.flatnonzero(np.isin(batch.sensor, wanted))
            for sensor in np.unique(batch.sensor[rows]).tolist():
                mine = rows[batch.sensor[rows] == sensor]
                parts[names[sensor]].append((batch.time_ns[mine], batch.value[mine]))
        self.shown: Shown = {
            name: (np.concatenate([at for at, _ in found]), np.concatenate([value for _, value in found]))
            for name, found in parts.items()
            if found
        }

    def hours(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the hours since midnight and the readings of one sensor."""
        at, value = self.shown[f"binh-duong/vsip2a/{name}"]
        return (at - self.begin_ns) / HOUR_NS, value

    def told(self, kind: str, *, active: int, at_ns: int) -> int:
        """Return of how many targets the truth says that an ordered fault begins or ends at an instant.

        A second event of an asset at one instant is told a millisecond later, as rows of a database need.
        """
        found = 0
        for name, (at, code) in self.shown.items():
            if name.endswith("/_truth/fault"):
                place = name.removesuffix("fault")
                rows = (np.abs(at - at_ns) < 2 * MS) & (code == CODES[kind])
                rows &= self.shown[place + "active"][1] == active
                found += int((rows & (self.shown[place + "cause"][1] == Cause.SCHEDULED)).sum())
        return found


@cache
def bad_day() -> BadDay:
    return BadDay()


ORDERED = load_scenario(CONFIGS / "bad-day.yaml").scenario.faults


@pytest.mark.parametrize("number", range(len(ORDERED)))
def test_each_fault_of_the_bad_day_is_told_with_both_ends(number: int) -> None:
    """The truth has its beginning and its end, at the instants that the file says."""
    day, fault = bad_day(), ORDERED[number]
    begin, end = fault.span_ns(day.begin_ns)
    assert day.told(fault.kind, active=1, at_ns=begin) >= 1
    assert day.told(fault.kind, active=0, at_ns=end) >= 1


def test_the_blowers_of_the_night_break_the_limit_in_the_morning() -> None:
    """NH4-N is well below 9.9 mg/L when all blowers fail at 02:10, above it before noon, and still in the afternoon."""
    hour, nh4 = bad_day().hours("water/wastewater-plant/works/nh4_n_mg_l")
    assert nh4[hour < 3].max() < 7
    assert 6 < hour[nh4 > 9.9][0] < 12
    assert nh4[(hour > 13) & (hour < 18)].min() > 9.9


def test_the_hose_costs_pressure_and_only_while_it_leaks() -> None:
    """Air falls below 4 bar after 09:05 and is back at noon."""
    hour, bar = bad_day().hours("utilities/compressor-station/air/pressure_bar")
    assert bar[(hour > 7) & (hour < 9)].min() > 5.5
    assert bar[(hour > 9.1) & (hour < 10.3)].min() < 4
    assert bar[(hour > 12) & (hour < 13)].min() > 5.5


def test_the_dip_of_400_ms_aborts_machines_at_once() -> None:
    """At 13:45 some thirty machines are running one second before and aborting, aborted or clearing one after."""
    day = bad_day()
    dip = day.begin_ns + 13 * HOUR_NS + 2_700 * SECOND_NS
    lost = {State.ABORTING, State.ABORTED, State.CLEARING}
    runs = [a for a in day.assets.values() if day.states.state(a, dip - SECOND_NS) not in lost]
    assert sum(day.states.state(asset, dip + SECOND_NS) in lost for asset in runs) >= 30


def hours_of_work(date: str) -> float:
    """Return the hours in Execute of all machines of the plants of ``tet`` during one day, its start at 00:00."""
    loaded = load_scenario(CONFIGS / "tet.yaml")
    begin = int(datetime.fromisoformat(f"{date}T00:00:00+07:00").timestamp()) * SECOND_NS
    world = World(loaded.scenario, loaded.types, begin)
    states = trace(world)
    for _ in world.batches(begin + DAY_NS, WINDOW_NS):
        pass
    machines = [number for number, machine in enumerate(world.park.machines) if not machine.spec.runs_for_a_site]
    return sum(states.in_state(one, State.EXECUTE, begin, begin + DAY_NS) for one in machines) / HOUR_NS


def test_tet_is_silent_and_those_who_come_back_are_few_at_first() -> None:
    """Tuesdays: as ever before Tet, nothing on the new year, then some six posts of ten, and three weeks later most."""
    before, new_year, return_, later = (
        hours_of_work(date) for date in ("2026-02-10", "2026-02-17", "2026-02-24", "2026-03-10")
    )
    assert new_year == 0
    assert 0.3 * before < return_ < 0.8 * before
    assert later > 0.85 * before
