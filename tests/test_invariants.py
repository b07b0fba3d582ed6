"""What must hold at every tick of a simulated day, whatever happens: conservation, counters, states, energy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from faulty import faults
from numpy.typing import NDArray
from parks import CONFIGS, HOUR_NS, MONDAY_NS, SECOND_NS, factory_with, quickstart

from simulator.batch import Asset, Batch
from simulator.park.packml import NEXT, State
from simulator.park.world import World
from simulator.scenario.loader import load_scenario
from simulator.scenario.schema import Buffer, Scenario
from simulator.signals.drives import WMS_PER_KWH
from simulator.validate.holding import holding
from simulator.validate.observed import observe

MS = 1_000_000
MIDNIGHT_NS = MONDAY_NS - 7 * HOUR_NS
WINDOW_NS = 1_800 * SECOND_NS
WAYS = {(before.value, after.value) for before in State for after in NEXT[before]}
SYSTEMS = """\
    systems:
      - {name: tower, type: office-building, area: city}
      - {name: feeder-1, type: feeder-22kv, serves: [wiring-devices, tower]}
      - {name: grid, type: substation-110kv, serves: [feeder-1]}

messaging:
"""
Ints = NDArray[np.int64]


@pytest.mark.no_cover  # tracing doubles the minute that the region takes; other tests come to the same lines
@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_laws_hold_for_a_day_of_each_scenario(file: Path) -> None:
    """Nothing appears or vanishes, no counter falls, states obey PackML, each breakdown has its label, feeders add up.

    They are looked at each hour, and buffers assert their own bounds at each event.
    """
    loaded = load_scenario(file)
    seen = observe(loaded.scenario, loaded.types, start_ns=MIDNIGHT_NS, days=1, told=lambda _: None)
    assert [(one.name, one.ours) for one in holding(seen) if one.verdict != "within"] == []


def test_machines_that_lose_their_power_are_labelled(tmp_path: Path) -> None:
    """A feeder that trips every two hours takes the shop down with it: each abort of a machine has its cause."""
    file = tmp_path / "fed.yaml"
    file.write_text((CONFIGS / "quickstart.yaml").read_text(encoding="utf-8").replace("messaging:\n", SYSTEMS))
    loaded = load_scenario(file)
    feeder = loaded.types["feeder-22kv"]
    often = tuple(stop.model_copy(update={"mtbf": 2 * HOUR_NS}) for stop in feeder.stops)
    types = {**loaded.types, "feeder-22kv": feeder.model_copy(update={"stops": often})}
    seen = observe(loaded.scenario, types, start_ns=MIDNIGHT_NS, days=1, told=lambda _: None)
    assert [(one.name, one.ours) for one in holding(seen) if one.verdict != "within"] == []
    machines = [asset for asset, machine in enumerate(seen.machines) if not machine.spec.runs_for_a_site]
    aborts = sum(int((seen.entered[asset][1] == State.ABORTING).sum()) for asset in machines)
    assert aborts > 2 * len(machines)


def tight() -> Scenario:
    """The quickstart with a buffer that is nearly always full or empty, and faults of all kinds."""
    hall = "vsip2a/wiring-devices/moulding"
    scheduled = faults(
        {"kind": "breakdown", "target": f"{hall}/press-1", "at": "1h", "for": "40m"},
        {"kind": "slow", "target": f"{hall}/press-2", "at": "2h", "for": "3h", "factor": 1.7},
        {"kind": "stop", "target": f"{hall}/press-*", "at": "6h", "for": "20m"},
        {"kind": "breakdown", "target": "vsip2a/wiring-devices/assembly-*/tester", "at": "9h", "for": "15m"},
    )
    buffers = (Buffer(name="housings", capacity=2_000, initial=0),)
    return factory_with(quickstart().scenario, buffers=buffers).model_copy(update={"faults": scheduled})


class Shown:
    """What the machines of a park show, window by window."""

    def __init__(self, world: World) -> None:
        self.assets = world.park.measured.assets
        self.pieces = [machine.spec.pieces for machine in world.park.machines]
        sensors = world.catalog.sensors
        self.counts = np.array([sensor.monotonic for sensor in sensors])
        self.states = np.array([sensor.name == "state" for sensor in sensors])
        self.last = np.full(len(sensors), np.nan)
        self.fallen = self.unsorted = self.sorted = 0
        self.ways: set[tuple[int, int]] = set()

    def take(self, batch: Batch) -> None:
        order = np.argsort(batch.sensor, kind="stable")
        sensor, after, at = batch.sensor[order], batch.value[order], batch.time_ns[order]
        before = np.roll(after, 1)
        first = np.diff(sensor, prepend=-1) != 0
        before[first] = self.last[sensor[first]]
        self.last[sensor] = after
        known = np.isfinite(before)
        self.fallen += int((known & self.counts[sensor] & (after < before)).sum())
        moved = known & self.states[sensor] & (after != before)
        self.ways |= set(zip(before[moved].astype(int).tolist(), after[moved].astype(int).tolist(), strict=True))
        for asset, pieces in zip(self.assets, self.pieces, strict=True):
            self.sort(asset, pieces, sensor, at, after)

    def sort(self, asset: Asset, pieces: int, sensor: Ints, at: Ints, value: NDArray[np.float64]) -> None:
        """Compare good, bad and all pieces where the three are told together."""
        names = [one.name for one in asset.sensors]
        if not {"good_count", "bad_count", "cycle_count"} <= set(names):
            return
        cycles, good, bad = (
            slice(*np.searchsorted(sensor, [number, number + 1]))
            for number in (
                asset.first_sensor + names.index(name) for name in ("cycle_count", "good_count", "bad_count")
            )
        )
        assert at[cycles].tolist() == at[good].tolist() == at[bad].tolist()
        self.sorted += len(at[cycles])
        self.unsorted += int((value[good] + value[bad] != pieces * value[cycles]).sum())


@pytest.mark.parametrize("which", ["tight", "metalworking"])
def test_every_reading_of_a_day_obeys(which: str) -> None:
    """Counters never fall, good and bad pieces are all pieces at each tick, and states follow each other by PackML."""
    loaded = load_scenario(CONFIGS / "metalworking.yaml") if which == "metalworking" else quickstart()
    scenario = loaded.scenario if which == "metalworking" else tight()
    world = World(scenario, loaded.types, MIDNIGHT_NS)
    shown = Shown(world)
    for batch in world.batches(MIDNIGHT_NS + 24 * HOUR_NS, WINDOW_NS):
        shown.take(batch)
    assert (shown.fallen, shown.unsorted) == (0, 0)
    assert shown.sorted > 10_000
    assert shown.ways <= WAYS
    assert len(shown.ways) > 10


def test_feeders_count_what_is_behind_them_to_the_watt_millisecond(tmp_path: Path) -> None:
    """Between any two changes: power behind is a whole number of watts, and so is the loss; their sum is counted.

    Machines, an office whose power is held for minutes, a feeder, and a substation behind which the feeder is; and each
    reading of a register is what was counted, rounded to its resolution.
    """
    file = tmp_path / "fed.yaml"
    file.write_text((CONFIGS / "quickstart.yaml").read_text(encoding="utf-8").replace("messaging:\n", SYSTEMS))
    loaded = load_scenario(file)
    world = World(loaded.scenario, loaded.types, MIDNIGHT_NS)
    bank = world._bank
    network, tallies = bank._works.network, bank.tallies
    feeders = world.park.surroundings.feeders
    assert [len(feeder.serves) for feeder in feeders] == [15, 1]
    changes = 0
    for batch in world.batches(MIDNIGHT_NS + 24 * HOUR_NS, WINDOW_NS):
        for feeder in feeders:
            steps = network.steps[feeder.asset]
            at_ns = np.append(steps.time_ns, batch.until_ns)
            spent = tallies.at(at_ns).spent_wms
            for asset, one in network.steps.items():
                spent[:, asset] = one.energy_wms(at_ns).sum(axis=1)
            lasted_ms = np.diff(at_ns) // MS
            watts, remainder = np.divmod(np.diff(spent[:, list(feeder.serves)].sum(axis=1)), lasted_ms)
            assert not remainder.any()
            lost = np.rint(np.abs(watts) * feeder.loss).astype(np.int64)
            assert np.array_equal(np.diff(spent[:, feeder.asset]), (watts + lost) * lasted_ms)
            changes += len(lasted_ms)
            asset = world.catalog.assets[feeder.asset]
            place = [sensor.name for sensor in asset.sensors].index("energy_kwh")
            rows = batch.sensor == asset.first_sensor + place
            counted = steps.energy_wms(batch.time_ns[rows]).sum(axis=1) / WMS_PER_KWH
            half_a_step = 0.5 * 10.0 ** -asset.sensors[place].decimals
            assert np.abs(batch.value[rows] - counted).max() <= half_a_step + 1e-9
    assert changes > 5_000
