"""Yield, defects and DPMO are those of the pieces that were made."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from parks import CONFIGS, HOUR_NS, MONDAY_NS, SECOND_NS, readings

from simulator.park.world import World
from simulator.scenario.loader import load_scenario
from simulator.scenario.machine_type import MachineType
from simulator.scenario.sensor import SensorType, ShareModel

pytestmark = pytest.mark.no_cover  # whole parks: tracing doubles their time and finds no line that others miss
HOURS = 3
OVER = 125
SITES = 8
Series = dict[int, float]


@cache
def fab(*, over: int = OVER, first_pass_yield: float = 0.985, window_s: int = 1_800) -> list[dict[str, Series]]:
    """Return what the final testers of the semiconductor back-end show in some hours, by sensor and instant."""
    loaded = load_scenario(CONFIGS / "semiconductor-fab.yaml")
    tester = loaded.types["final-test"]
    assert isinstance(tester, MachineType)
    sensors = tuple(looking_back(sensor, over) for sensor in tester.sensors)
    changed = tester.model_copy(update={"sensors": sensors, "first_pass_yield": first_pass_yield})
    scenario = loaded.scenario.model_copy(update={"warm_up": 0, "faults": ()})
    world = World(scenario, {**loaded.types, "final-test": changed}, MONDAY_NS)
    batch = readings(world, until_ns=MONDAY_NS + HOURS * HOUR_NS, window_ns=window_s * SECOND_NS)
    order = np.argsort(batch.sensor, kind="stable")
    sensor, at, value = batch.sensor[order], batch.time_ns[order], batch.value[order]

    def series(number: int) -> Series:
        rows = slice(*np.searchsorted(sensor, [number, number + 1]))
        return dict(zip(at[rows].tolist(), value[rows].tolist(), strict=True))

    found = []
    for asset, machine in zip(world.park.measured.assets, world.park.machines, strict=True):
        if machine.spec.name == "final-test":
            names = [one.name for one in asset.sensors]
            wanted = ("cycle_count", "good_count", "yield_pct")
            found.append({name: series(asset.first_sensor + names.index(name)) for name in wanted})
    return found


def looking_back(sensor: SensorType, over: int) -> SensorType:
    if not isinstance(sensor.model, ShareModel):
        return sensor
    return sensor.model_copy(update={"model": sensor.model.model_copy(update={"over": over})})


def shown(testers: list[dict[str, Series]], name: str) -> NDArray[np.float64]:
    return np.concatenate([np.array(list(one[name].values())) for one in testers])


def test_yield_is_the_difference_of_the_counters() -> None:
    """Wherever 125 cycles lie between two readings, the yield is the good pieces between them, to its resolution."""
    compared = 0
    for one in fab():
        instants = {count: at for at, count in one["cycle_count"].items()}
        for at, percent in one["yield_pct"].items():
            before = instants.get(one["cycle_count"].get(at, np.nan) - OVER)
            if before is not None:
                good = one["good_count"][at] - one["good_count"][before]
                assert percent == pytest.approx(100 * good / (OVER * SITES), abs=0.0051)
                compared += 1
    assert compared > 50


def test_looking_back_further_than_there_are_cycles() -> None:
    """Then it is the share of all pieces made, and nothing is bad before the first."""
    compared = 0
    for one in fab(over=4096):
        for at, percent in one["yield_pct"].items():
            if at in one["cycle_count"] and one["cycle_count"][at] < 4096:
                made = SITES * one["cycle_count"][at]
                assert percent == pytest.approx(100 * one["good_count"][at] / made if made else 100, abs=0.0051)
                compared += 1
    assert compared > 50


def test_a_worse_machine_shows_it() -> None:
    """With half of the pieces bad, half is what the yield nears."""
    assert shown(fab(first_pass_yield=0.5), "yield_pct")[-100:].mean() == pytest.approx(50, abs=3)


def test_yield_does_not_depend_on_how_time_is_cut() -> None:
    """Windows of seven minutes and of half an hour show the same."""
    assert fab(window_s=420) == fab()
