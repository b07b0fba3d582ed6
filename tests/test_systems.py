"""Systems of a site: what stations, panels and feeders show follows from the sky and from the machines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from parks import CONFIGS, HOUR_NS, MONDAY_NS, SECOND_NS, readings

from simulator.batch import Batch
from simulator.errors import ScenarioError
from simulator.park.world import World
from simulator.scenario.climate import load_climate
from simulator.scenario.loader import Loaded, load_scenario, load_system_type, shipped_systems
from simulator.signals.sky import Sky

SYSTEMS = """\
    systems:
      - {name: station, type: weather-station}
      - {name: roofs, type: pv-plant}
      - {name: feeder-1, type: feeder-22kv, serves: [wiring-devices]}
      - {name: grid, type: substation-110kv, serves: [feeder-1, roofs]}

messaging:
"""
UNTIL_NS = MONDAY_NS + 12 * HOUR_NS


def supplied(folder: Path, systems: str = SYSTEMS) -> Loaded:
    file = folder / "supplied.yaml"
    text = (CONFIGS / "quickstart.yaml").read_text(encoding="utf-8")
    assert text.count("messaging:\n") == 1
    file.write_text(text.replace("messaging:\n", systems), encoding="utf-8")
    return load_scenario(file)


class Shown:
    """Twelve hours of a quickstart with systems."""

    def __init__(self, loaded: Loaded) -> None:
        self.world = World(loaded.scenario, loaded.types, MONDAY_NS)
        self.batch = readings(self.world, until_ns=UNTIL_NS, window_ns=600 * SECOND_NS)

    def of(self, topic_end: str, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        (asset,) = [a for a in self.world.catalog.assets if a.topic.endswith(f"/{topic_end}")]
        number = asset.first_sensor + [sensor.name for sensor in asset.sensors].index(name)
        rows = self.batch.sensor == number
        return self.batch.time_ns[rows], self.batch.value[rows]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return Shown(supplied(tmp_path_factory.mktemp("supplied")))


def test_a_feeder_counts_what_the_machines_behind_it_count_plus_losses(shown: Shown) -> None:
    """At every tick: the rise of the register at the head is 1.02 times the rise of those behind it.

    Machines tick at instants of their own; between two ticks a register rises evenly but for changes of state, so the
    sum is known within a few watt hours.
    """
    at, kwh = shown.of("feeder-1", "energy_kwh")
    behind = np.zeros(len(at))
    for asset in shown.world.catalog.assets[:14]:
        times, register = shown.of("/".join(asset.path[3:]), "energy_kwh")
        behind += np.interp(at, times, register)
    inside = slice(2, -2)
    assert (kwh[inside] - kwh[2]) == pytest.approx(1.02 * (behind[inside] - behind[2]), abs=0.2)
    assert kwh[-1] - kwh[0] > 500


def test_the_substation_takes_the_feeder_less_what_the_sun_gives(shown: Shown) -> None:
    """In calm seconds: power of the grid = (feeder - panels) and .8 % of it lost, whichever way it flows."""
    at, grid_kw = shown.of("grid", "power_kw")
    feeder_at, feeder_kw = shown.of("feeder-1", "power_kw")
    sun_at, sun_kw = shown.of("roofs", "power_kw")
    # Power is constant between changes; compare where nothing changes from one second to the next.
    calm = np.flatnonzero(np.diff(feeder_kw) == 0)[10:-10]
    instants = feeder_at[calm]
    mine = np.searchsorted(at, instants)
    net = feeder_kw[calm] - sun_kw[np.searchsorted(sun_at, instants, side="right") - 1]
    near_minute = (instants % (60 * SECOND_NS) < 11 * SECOND_NS) | (instants % (60 * SECOND_NS) > 58 * SECOND_NS)
    wanted = net + 0.008 * np.abs(net)
    # Panels show tenths of a kilowatt. Within a second one machine may stop and its twin start: that looks calm.
    apart = np.abs(grid_kw[mine] - wanted)[~near_minute]
    assert (apart < 0.12).mean() > 0.999
    assert (grid_kw < 0).any()
    assert (grid_kw > 0).any()


def test_the_registers_of_the_tariff_add_up(shown: Shown) -> None:
    """Normal, off-peak and peak together are the whole register at every minute; each counts in its hours only."""
    at, whole = shown.of("feeder-1", "energy_kwh")
    parts = [shown.of("feeder-1", f"energy_{name}_kwh") for name in ("normal", "off_peak", "peak")]
    minutes = parts[0][0]
    total = sum(values for _, values in parts)
    assert total == pytest.approx(whole[np.searchsorted(at, minutes)], abs=0.002)
    # Monday 07:00 to 19:00 in Binh Duong, by the hours of 2025: peak from 9:30 and from 17:00, no off-peak.
    assert parts[1][1].max() == 0
    local_h = (minutes - MONDAY_NS) / HOUR_NS + 7
    rising = np.diff(parts[2][1]) > 0
    in_peak = ((local_h >= 9.5) & (local_h < 11.5)) | ((local_h >= 17) & (local_h < 20))
    assert (rising == in_peak[:-1])[(np.diff(in_peak.astype(int)) == 0)].all()


def test_the_station_shows_the_sky(shown: Shown) -> None:
    """Irradiance at the station is the sky's to the watt, and temperature within the noise of the instrument."""
    scenario = supplied_scenario_sky()
    at, irradiance = shown.of("station", "irradiance_w_m2")
    sky = scenario.weather.at(at)
    assert irradiance == pytest.approx(sky.ghi_w_m2, abs=0.5001)
    assert shown.of("station", "air_c")[1] == pytest.approx(sky.temperature_c, abs=0.4)


def supplied_scenario_sky() -> Sky:
    return Sky(load_climate("ho-chi-minh-city"), seed=2011, site="vsip2a")


def test_panels_give_nothing_at_night(shown: Shown) -> None:
    """After 18:30 in March there is no sun, and before noon there is some."""
    at, kw = shown.of("roofs", "power_kw")
    local_h = (at - MONDAY_NS) / HOUR_NS + 7
    assert kw[local_h > 18.5].max() == 0
    assert kw[(local_h > 10) & (local_h < 12)].min() > 100


def test_windows_do_not_change_what_systems_show(tmp_path: Path, shown: Shown) -> None:
    """An hour in windows of 7.3 s gives the bits that windows of ten minutes give."""
    loaded = supplied(tmp_path)
    until_ns = MONDAY_NS + HOUR_NS // 4
    other = readings(World(loaded.scenario, loaded.types, MONDAY_NS), until_ns=until_ns, window_ns=7_300_000_000)
    rows = int(np.searchsorted(shown.batch.time_ns, until_ns))
    first = Batch(shown.batch.time_ns[:rows], shown.batch.sensor[:rows], shown.batch.value[:rows])
    for column in ("time_ns", "sensor", "value"):
        assert getattr(other, column).tobytes() == getattr(first, column).tobytes()


def test_systems_are_no_machines_in_the_key_figures(shown: Shown) -> None:
    """OEE and the count of machines are those of the factory."""
    kpis = shown.world.kpis()
    assert kpis["machines"] == 14
    assert kpis["effectiveness"] is not None
    assert kpis["effectiveness"] > 0.98


@pytest.mark.parametrize(
    ("systems", "told"),
    [
        ("- {name: a, type: feeder-22kw, serves: [wiring-devices]}", "'feeder-22kw' is no system type"),
        ("- {name: a, type: feeder-22kv, serves: [wiring-device]}", "'wiring-device' is no factory or system"),
        ("- {name: wiring-devices, type: pv-plant}", "'wiring-devices' is the name of something else here"),
        ("- {name: a, type: feeder-22kv, serves: [a]}", "systems supply each other in a circle"),
    ],
)
def test_a_mistake_in_systems_is_told_with_its_place(tmp_path: Path, systems: str, told: str) -> None:
    """Unknown types, unknown or taken names and circles are refused, with line and column."""
    with pytest.raises(ScenarioError) as refused:
        supplied(tmp_path, f"    systems:\n      {systems}\n\nmessaging:\n")
    (problem,) = refused.value.problems
    assert told in problem
    assert problem.startswith("supplied.yaml:") or "/supplied.yaml:" in problem


def test_who_is_supplied_twice_is_told(tmp_path: Path) -> None:
    """A factory behind two feeders would be billed twice."""
    text = "".join(f"      - {{name: f{i}, type: feeder-22kv, serves: [wiring-devices]}}\n" for i in (1, 2))
    with pytest.raises(ScenarioError, match="'wiring-devices' is supplied with power by 'f1' already"):
        supplied(tmp_path, f"    systems:\n{text}\nmessaging:\n")


@pytest.mark.parametrize("name", sorted(shipped_systems()))
def test_every_system_type_loads(name: str) -> None:
    """The shipped files are valid, and bear their own names."""
    assert load_system_type(shipped_systems()[name]).name == name
