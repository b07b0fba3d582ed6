"""Every scenario that comes along loads and runs for a simulated minute; a whole park lives through a day."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from parks import CONFIGS, HOUR_NS, MONDAY_NS, SECOND_NS

from simulator.batch import Batch
from simulator.clock import RealClock
from simulator.park.packml import NEXT, State
from simulator.park.world import World
from simulator.run.execute import execute
from simulator.run.options import Options
from simulator.scenario.loader import load_scenario
from simulator.signals.devices.air import AirDevice

pytestmark = pytest.mark.no_cover  # whole parks: tracing doubles their time and finds no line that others miss
SCENARIOS = sorted(CONFIGS.glob("*.yaml"))


def test_there_are_scenarios() -> None:
    """The list below is not empty by mistake."""
    assert {file.stem for file in SCENARIOS} >= {"quickstart", "vsip2a", "wiring-devices"}


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_a_minute_of_each_scenario_is_all_in_the_store(file: Path, tmp_path: Path) -> None:
    """One simulated minute through the broker in memory into SQLite: all written, nothing unaccounted.

    Of the scenario that is made for load it is two seconds, ten thousand messages.
    """
    loaded = load_scenario(file)
    assert loaded.warnings == ()
    seconds = 2 if file.stem == "throughput" else 60
    options = Options(
        seed=loaded.scenario.seed,
        speed=None,
        duration_ns=seconds * SECOND_NS,
        broker="memory",
        store=f"sqlite:{tmp_path / 'minute.db'}",
    )
    result = execute(
        loaded, options, clock=RealClock(), stop=threading.Event(), on_open=lambda _: None, on_snapshot=lambda _: None
    )
    assert result.exit_code == 0, result.verdict
    assert result.messages.unaccounted == 0
    assert result.messages.written == result.messages.scheduled == result.simulated.rows_found
    assert result.messages.written > 60


MIDNIGHT_NS = MONDAY_NS - 7 * HOUR_NS
"""Monday 00:00 in Binh Duong."""
QUARTER_NS = HOUR_NS // 4
WAYS = {(before.value, after.value) for before in State for after in NEXT[before]}


class Day:
    """A day of vsip2a in windows of a quarter of an hour, and what was seen of it."""

    def __init__(self) -> None:
        loaded = load_scenario(CONFIGS / "vsip2a.yaml")
        self.site = loaded.scenario.sites[0]
        self.world = World(loaded.scenario, loaded.types, MIDNIGHT_NS)
        sensors = self.world.catalog.sensors
        self.assets = self.world.park.measured.assets
        self.counts = np.array([sensor.monotonic for sensor in sensors])
        self.states = np.array([sensor.name == "state" for sensor in sensors])
        self.last = np.full(len(sensors), np.nan)
        self.readings = self.not_finite = self.fallen = 0
        self.ways: set[tuple[float, float]] = set()
        self.shown: list[NDArray[np.float64]] = []
        """What each sensor showed last at the end of each quarter."""
        self.told_ns: list[int] = []
        """When the register of the substation told it."""
        self.sun: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        for batch in self.world.batches(MIDNIGHT_NS + 24 * HOUR_NS, QUARTER_NS):
            self.take(batch)

    def take(self, batch: Batch) -> None:
        self.readings += len(batch)
        self.not_finite += int((~np.isfinite(batch.value)).sum())
        before, after = self.moves(batch, self.counts)
        self.fallen += int((after < before).sum())
        before, after = self.moves(batch, self.states)
        moved = before != after
        self.ways |= set(zip(before[moved].tolist(), after[moved].tolist(), strict=True))
        self.last[batch.sensor] = batch.value
        self.shown.append(self.last.copy())
        self.told_ns.append(int(batch.time_ns[batch.sensor == self.number("substation", "energy_kwh")][-1]))
        mine = batch.sensor == self.number("roofs", "power_kw")
        self.sun.append((batch.time_ns[mine], batch.value[mine]))

    def moves(self, batch: Batch, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Every reading of the chosen sensors, and the one before it."""
        rows = np.flatnonzero(chosen[batch.sensor])
        rows = rows[np.argsort(batch.sensor[rows], kind="stable")]
        sensor, after = batch.sensor[rows], batch.value[rows]
        before = np.roll(after, 1)
        first = np.diff(sensor, prepend=-1) != 0
        before[first] = self.last[sensor[first]]
        known = np.isfinite(before)
        return before[known], after[known]

    def number(self, machine: str, name: str) -> int:
        (asset,) = [one for one in self.assets if one.path[-1] == machine and one.path[2] == "utilities"]
        return asset.first_sensor + [sensor.name for sensor in asset.sensors].index(name)

    def kwh(self, numbers: Sequence[int]) -> NDArray[np.float64]:
        """What some registers together count in each quarter but the first."""
        return np.diff(np.array(self.shown)[:, numbers].sum(axis=1))

    def sun_kwh(self) -> NDArray[np.float64]:
        """What the panels feed in in each quarter but the first; they hold their power for a minute."""
        time_ns, kw = (np.concatenate(column) for column in zip(*self.sun, strict=True))
        minute, first = np.unique((time_ns - MIDNIGHT_NS) // (60 * SECOND_NS), return_index=True)
        assert (minute == np.arange(24 * 60)).all()
        fed_in = np.cumsum(np.append(0.0, kw[first])) / 60
        return np.diff(np.interp((np.array(self.told_ns) - MIDNIGHT_NS) / (60 * SECOND_NS), np.arange(1441), fed_in))


@pytest.fixture(scope="module")
def day() -> Day:
    return Day()


def test_a_day_of_a_whole_park_has_no_holes(day: Day) -> None:
    """More than a hundred million readings, each of them a number, and every sensor speaks."""
    assert day.readings > 100_000_000
    assert day.not_finite == 0
    measured = sum(len(asset.sensors) for asset in day.assets)
    # A batch may take longer than a day: what is measured once per batch can be silent.
    assert np.isfinite(day.last[:measured]).mean() > 0.99


def test_counters_of_a_whole_park_never_fall(day: Day) -> None:
    """Pieces and kilowatt hours of every machine, all day."""
    assert day.counts.sum() > 1_000
    assert day.fallen == 0


def test_states_of_a_whole_park_obey_packml(day: Day) -> None:
    """No machine and no system shows a way that PackML does not know; most ways are gone."""
    assert day.ways <= WAYS
    assert len(day.ways) > 15


def test_a_whole_park_is_an_average_plant(day: Day) -> None:
    """OEE over all machines: 55-75 %."""
    oee = day.world.kpis()["oee"]
    assert oee is not None
    assert 0.55 <= oee <= 0.75


def test_feeders_count_what_their_tenants_do(day: Day) -> None:
    """2 % more than the registers behind it: within .3 % in every quarter of an hour, within .01 % over the day.

    Registers tell up to a second apart, in which a shift may begin; and those of machines show hundredths, which at
    night, when little is used, matters more: n differences of rounded numbers add up to within .03 √n kWh (7 sigma).
    """
    tenant_of = {one.name: one.serves[0] for one in day.site.systems if one.type == "tenant-meter"}
    assert set(tenant_of.values()) == {one.name for one in day.site.factories}
    feeders = [system for system in day.site.systems if system.type == "feeder-22kv" and system.serves[0] in tenant_of]
    for feeder in feeders:
        tenants = [tenant_of[name] for name in feeder.serves]
        behind = [
            asset.first_sensor + [sensor.name for sensor in asset.sensors].index("energy_kwh")
            for asset in day.assets
            if asset.path[2] in tenants
        ]
        counted = day.kwh([day.number(feeder.name, "energy_kwh")])
        assert counted == pytest.approx(1.02 * day.kwh(behind), rel=3e-3, abs=0.03 * len(behind) ** 0.5)
        assert counted.sum() == pytest.approx(1.02 * day.kwh(behind).sum(), rel=1e-4)


def test_the_substation_takes_what_the_sun_does_not_give(day: Day) -> None:
    """In every quarter: feeders less panels, and .8 % of it lost, within .2 % of what feeders and panels carry.

    Registers tell up to a second apart; where the flow turns within a quarter, losses are not those of its sum.
    """
    feeders, sun = day.kwh([day.number(f"feeder-{i}", "energy_kwh") for i in range(1, 7)]), day.sun_kwh()
    net = feeders - sun
    taken = day.kwh([day.number("substation", "energy_kwh")])
    apart = np.abs(taken - net - 0.008 * np.abs(net))
    assert (apart / (feeders + sun)).max() < 2e-3
    assert sun.sum() > 5_000


def test_utilities_of_a_whole_park_are_plausible(day: Day) -> None:
    """Compressed air takes about a tenth of the park's electricity, and the chillers a good deal less.

    Leaks at low maturity are a fifth to a third of the air that the day takes.
    """
    machines = sum(day.kwh([day.number(f"feeder-{i}", "energy_kwh")]).sum() for i in range(1, 6))
    air, chillers, boiler = (day.kwh([day.number(name, "energy_kwh")]).sum() for name in ("air", "chillers", "boiler"))
    assert 0.07 < air / (machines + air + chillers + boiler) < 0.13
    assert 0.01 < chillers / machines < 0.08
    station = next(
        device for asset, device in day.world.park.surroundings.devices.items() if day.assets[asset].path[-1] == "air"
    )
    assert isinstance(station, AirDevice)
    assert 0.2 < station.leak_share < 0.33
