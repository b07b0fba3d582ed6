"""Roles of systems: what they give is shown, what they take is counted, and nothing depends on how time is cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from parks import CONFIGS, HOUR_NS, MONDAY_NS, SECOND_NS, readings

from simulator.errors import ScenarioError
from simulator.park.world import World
from simulator.scenario.loader import Loaded, load_scenario
from simulator.signals.device import Track
from simulator.signals.rhythm import Rhythm

SYSTEMS = """\
    systems:
      - {name: tower, type: office-building, area: city}
      - {name: feeder-1, type: feeder-22kv, serves: [wiring-devices, tower]}

messaging:
"""
FEEDER = "- {{name: {}, type: feeder-22kv, serves: [wiring-devices]}}"
UTC_7_NS = 7 * HOUR_NS


def housed(folder: Path, systems: str = SYSTEMS) -> Loaded:
    file = folder / "housed.yaml"
    text = (CONFIGS / "quickstart.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("messaging:\n", systems), encoding="utf-8")
    return load_scenario(file)


def test_an_office_draws_what_the_hours_and_the_heat_say_and_the_feeder_counts_it(tmp_path: Path) -> None:
    """The feeder's register rises by 1.02 times what office and machines count; power is held for a minute."""
    loaded = housed(tmp_path)
    world = World(loaded.scenario, loaded.types, MONDAY_NS)
    batch = readings(world, until_ns=MONDAY_NS + 6 * HOUR_NS, window_ns=600 * SECOND_NS)

    def of(end: str, name: str) -> tuple[np.ndarray, np.ndarray]:
        (asset,) = [a for a in world.catalog.assets if a.topic.endswith(end)]
        rows = batch.sensor == asset.first_sensor + [s.name for s in asset.sensors].index(name)
        return batch.time_ns[rows], batch.value[rows]

    at, kw = of("/city/office-building/tower", "power_kw")
    at_energy, kwh = of("/city/office-building/tower", "energy_kwh")
    assert at.tolist() == at_energy.tolist()
    hours = np.diff(at) / HOUR_NS
    assert np.diff(kwh) == pytest.approx(kw[:-1] * hours, rel=0.05, abs=0.3)
    feeder_at, feeder_kwh = of("/feeder-1", "energy_kwh")
    machines = np.zeros(len(feeder_at))
    for asset in world.catalog.assets[:14]:
        times, register = of(asset.topic, "energy_kwh")
        machines += np.interp(feeder_at, times, register)
    office = np.interp(feeder_at, at_energy, kwh)
    inside = slice(60, -60)
    counted = 1.02 * ((machines + office)[inside] - (machines + office)[60])
    assert feeder_kwh[inside] - feeder_kwh[60] == pytest.approx(counted, abs=0.6)
    assert kwh[-1] - kwh[0] > 800


@pytest.mark.parametrize("window_s", [7, 61, 3_600])
def test_what_a_device_shows_does_not_depend_on_windows(tmp_path: Path, window_s: int) -> None:
    """An hour read at once and in pieces is the same, bit for bit."""
    loaded = housed(tmp_path)
    found = []
    for window_ns in (600 * SECOND_NS, window_s * SECOND_NS):
        world = World(loaded.scenario, loaded.types, MONDAY_NS)
        found.append(readings(world, until_ns=MONDAY_NS + HOUR_NS, window_ns=window_ns))
    assert np.array_equal(found[0].value, found[1].value)
    assert np.array_equal(found[0].time_ns, found[1].time_ns)


@pytest.mark.parametrize(
    ("systems", "place"),
    [
        ("- {name: a, type: office-building, serves: [wiring-devices]}", "gives nothing to others"),
        (f"{FEEDER.format('a')}\n      {FEEDER.format('b')}", "'wiring-devices' is supplied with power by 'a' already"),
        ("- {name: a, type: office-building, area: wiring-devices}", "is where systems of the site stand"),
    ],
)
def test_a_system_that_cannot_be_is_told_with_its_place(tmp_path: Path, systems: str, place: str) -> None:
    """Who gives nothing serves nobody; nobody is supplied twice with the same; areas have one use."""
    with pytest.raises(ScenarioError) as refused:
        housed(tmp_path, f"    systems:\n      {systems}\n\nmessaging:\n")
    assert place in str(refused.value)
    assert "housed.yaml:" in str(refused.value)


def test_a_rhythm_runs_in_lines_through_the_hours_with_jumps_and_weekends() -> None:
    """[0, 1] to [12, 3], a jump to 5, then to [24, 1]; Saturdays half, Sundays a tenth. 1970-01-01 was a Thursday."""
    rhythm = Rhythm([(0, 1.0), (12, 3.0), (12, 5.0), (24, 1.0)], saturday=0.5, sunday=0.1, utc_offset_ns=UTC_7_NS)
    hours = np.array([0, 6, 12, 18, 48 + 6, 72 + 6])
    value = rhythm.at(hours * HOUR_NS - UTC_7_NS)
    assert value == pytest.approx([1, 2, 5, 3, 1, 0.2])


def test_a_track_keeps_what_is_asked_for() -> None:
    """Changes are in force at their own instant; what lies before the oldest one that is kept is forgotten."""
    clock = [0]
    track = Track(lambda: clock[0], 1.0)
    for now, value in ((10, 2.0), (10, 3.0), (20, 3.0), (30, 4.0)):
        clock[0] = now
        track.set(value)
    assert track.at(np.array([0, 9, 10, 29, 30, 99])).tolist() == [1, 1, 3, 3, 4, 4]
    time_ns, value = track.steps(5, 30)
    assert (time_ns.tolist(), value.tolist()) == ([5, 10], [1.0, 3.0])
    track.forget(15)
    time_ns, value = track.steps(15, 31)
    assert (time_ns.tolist(), value.tolist()) == ([15, 30], [3.0, 4.0])
