"""The guide to machine types of one's own tells the truth: its example runs, and its table of models is whole."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from parks import CONFIGS, HOUR_NS, readings

from simulator.batch import Batch
from simulator.park.world import World
from simulator.plan import plan
from simulator.scenario.loader import Loaded, load_scenario
from simulator.scenario.quantities import instant_ns
from simulator.scenario.sensor import Model

GUIDE = (CONFIGS.parent / "docs" / "machine-types.md").read_text(encoding="utf-8")
FURNACES = 2


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """The example, as a user would save it."""
    (text,) = re.findall(r"^```yaml\n(.*?)^```", GUIDE, flags=re.DOTALL | re.MULTILINE)
    file: Path = tmp_path_factory.mktemp("guide") / "annealing.yaml"
    file.write_text(text, encoding="utf-8")
    return load_scenario(file)


class Hour:
    """An hour of the example."""

    def __init__(self, loaded: Loaded) -> None:
        start = loaded.scenario.start
        assert start != "now"
        start_ns = instant_ns(start)
        self.world = World(loaded.scenario, loaded.types, start_ns)
        self.batch: Batch = readings(self.world, until_ns=start_ns + HOUR_NS)


@pytest.fixture(scope="module")
def hour(loaded: Loaded) -> Hour:
    return Hour(loaded)


def test_the_example_has_no_mistake(loaded: Loaded) -> None:
    """It loads without a warning, and its plan counts a press and two furnaces."""
    assert loaded.warnings == ()
    assert plan(loaded).assets == 1 + FURNACES


def test_every_sensor_of_the_new_machine_speaks_within_an_hour(hour: Hour) -> None:
    """On the grid or once a charge, and within its range."""
    furnaces = [asset for asset in hour.world.park.measured.assets if asset.kind == "annealing-furnace"]
    assert len(furnaces) == FURNACES
    for asset in furnaces:
        for number, sensor in enumerate(asset.sensors, asset.first_sensor):
            values = hour.batch.value[hour.batch.sensor == number]
            assert len(values) >= 1, sensor.name
            assert values.min() >= sensor.low
            assert values.max() <= sensor.high


def test_the_furnaces_of_the_example_anneal(hour: Hour) -> None:
    """Within the hour each reaches its 520 degrees, and comes down for the next charge; charges are made."""
    for asset in (one for one in hour.world.park.measured.assets if one.kind == "annealing-furnace"):
        names = [sensor.name for sensor in asset.sensors]
        chamber = hour.batch.value[hour.batch.sensor == asset.first_sensor + names.index("chamber_c")]
        assert chamber.max() == pytest.approx(520, abs=5)
        assert chamber.min() < 250
        charges = hour.batch.value[hour.batch.sensor == asset.first_sensor + names.index("cycle_count")]
        assert np.diff(charges).sum() >= 1


@cache
def kinds() -> set[str]:
    """The kinds of model that a scenario may name."""
    union, _ = get_args(Model)
    return {get_args(model.model_fields["kind"].annotation)[0] for model in get_args(union)}


def test_the_guide_names_every_model() -> None:
    """Each kind has its line, or stands among those of systems; none is told that does not exist."""
    told = set(re.findall(r"^\| `(\w+)` \|", GUIDE, flags=re.MULTILINE))
    (systems,) = re.findall(r"^(`[^\n]*) are for what a site runs", GUIDE, flags=re.MULTILINE)
    told |= set(re.findall(r"`(\w+)`", systems))
    assert told == kinds()
