"""Maturity bands: which sensors speak and how often, how seldom machines fail, and how soon somebody comes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from parks import HOUR_NS, MONDAY_NS, SECOND_NS
from shops import DAY_NS, breaker, park_of, shop, side_by_side, types
from watched import Trace, trace

from simulator.park.packml import State
from simulator.park.stops import BearingLife
from simulator.park.upkeep import Upkeep, zone_c_wear
from simulator.park.world import World
from simulator.scenario.machine_type import Bearing, MachineType, Repair
from simulator.scenario.maturity import BANDS, at_band, band_of, load_bands
from simulator.signals.streams import Stream
from simulator.signals.vibration import GROWTH

MINUTE_NS = 60 * SECOND_NS
COVERAGE = (0.05, 0.15, 0.35, 0.60, 0.85, 0.95)
INTERVAL_S = (300, 300, 60, 10, 1, 1)
FAILURES = (1.0, 1.0, 0.75, 0.6, 0.4, 0.3)
UNNOTICED_S = (1800, 1800, 600, 120, 10, 1)
EVERY = pytest.mark.parametrize("band", range(BANDS))


@EVERY
def test_bands_have_their_published_figures(band: int) -> None:
    """DOMAIN.md, section 4, table of bands."""
    one = band_of(band)
    assert (one.coverage, one.interval / SECOND_NS, one.failures, one.unnoticed / SECOND_NS) == (
        COVERAGE[band],
        INTERVAL_S[band],
        FAILURES[band],
        UNNOTICED_S[band],
    )
    assert load_bands().source


@EVERY
def test_a_band_has_its_share_of_the_sensors(band: int) -> None:
    """Of every machine type, rounded to whole sensors; the state always; a higher band only adds."""
    for spec in types().values():
        names = [sensor.name for sensor in at_band(spec, band).sensors]
        assert len(names) == max(round(COVERAGE[band] * len(spec.sensors)), 1)
        assert "state" in names
        assert names == [sensor.name for sensor in spec.sensors if sensor.name in names]
        if band:
            assert {sensor.name for sensor in at_band(spec, band - 1).sensors} <= set(names)


def test_what_a_controller_keeps_comes_first() -> None:
    """A mill of band 1 tells its state and its counters; at band 2 it has registers, power and its vibration."""
    mill = types()["cnc-mill"]
    assert {s.name for s in at_band(mill, 1).sensors} == {
        "state",
        "cycle_count",
        "good_count",
        "bad_count",
        "energy_kwh",
    }
    assert {"power_kw", "cycle_time_s", "spindle_vibration_mm_s"} <= {s.name for s in at_band(mill, 2).sensors}


@EVERY
def test_no_sensor_speaks_more_often_than_its_band(band: int) -> None:
    """An hour of a press: samples at the interval of the band or the type's own, cycles as seldom."""
    world = World(park_of(shop(side_by_side("stamping-press", 1), maturity=band), truth=False), types(), MONDAY_NS)
    (batch,) = world.batches(MONDAY_NS + HOUR_NS, HOUR_NS)
    asset = world.catalog.assets[0]
    native = {sensor.name: sensor for sensor in types()["stamping-press"].sensors}
    heard = Counter(batch.sensor.tolist())
    for number, sensor in enumerate(asset.sensors, asset.first_sensor):
        own_s = (native[sensor.name].period or native[sensor.name].every * 1_500_000_000) / SECOND_NS
        most = 3600 / max(own_s, INTERVAL_S[band])
        if sensor.name != "state":
            assert heard[number] <= most + 1
            assert heard[number] >= (most - 1 if sensor.period_ns else 0)
    changes = world.park.machines[0]
    assert changes.spec.sensors[0].model.changes is (band >= 2)


def test_changes_of_state_are_told_at_once_from_band_two() -> None:
    """Below, a reading every five minutes is all there is."""
    off_grid = []
    for band in (1, 2):
        scenario = park_of(shop(side_by_side("stamping-press", 1), maturity=band), truth=False)
        world = World(scenario, types(), MONDAY_NS)
        (batch,) = world.batches(MONDAY_NS + 3 * HOUR_NS, 3 * HOUR_NS)
        asset = world.catalog.assets[0]
        states = batch.time_ns[batch.sensor == 0]
        off_grid.append(int(((states - asset.phase_ns) % asset.sensors[0].period_ns != 0).sum()))
    assert off_grid[0] == 0
    assert off_grid[1] > 4


def lived(spec: MachineType, count: int, until_ns: int, **factory: Any) -> tuple[World, Trace]:
    """Let machines of a type live from a Monday on."""
    world = World(
        park_of(shop(side_by_side(spec.name, count), crew=900, **factory)), types() | {spec.name: spec}, MONDAY_NS
    )
    seen = trace(world)
    world.skip(until_ns)
    return world, seen


@pytest.mark.parametrize("band", [0, 2, 3, 4, 5])
def test_machines_fail_as_seldom_as_their_band_has_it(band: int) -> None:
    """Failures per running hour of 60 machines in a day are those of the type times the factor, within 4 deviations."""
    world, seen = lived(breaker(mtbf="2h"), 60, MONDAY_NS + DAY_NS, maturity=band)
    for machine in world.park.machines:
        machine.settle()
    ran_h = sum(machine.in_state_ns[State.EXECUTE] for machine in world.park.machines) / HOUR_NS
    failures = sum(seen.count(asset, State.ABORTED) for asset in range(60))
    expected = FAILURES[band] * ran_h / 2.0
    assert failures == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_jams_are_as_many_as_ever() -> None:
    """Maturity spares breakdowns; what operators clear themselves comes as the type says."""
    jam = {"by": "operator", "becomes": "held", "mtbf": "1h"}
    counts = []
    for band in (None, 5):
        _, seen = lived(breaker(**jam), 30, MONDAY_NS + 12 * HOUR_NS, maturity=band)
        counts.append(sum(seen.count(asset, State.HELD) for asset in range(30)))
    assert counts[1] == pytest.approx(counts[0], abs=6 * np.sqrt(counts[0]))


@pytest.mark.parametrize(("band", "delay_s"), [(1, 1800), (2, 600), (3, 120), (5, 1)])
def test_nobody_comes_before_a_fault_is_noticed(band: int, delay_s: int) -> None:
    """Without an operator the mean stay in Aborted is the repair plus the delay of the band, within 4 errors."""
    spec = breaker(mtbf="1h", repair=Repair(mean="5m", cv=0.0)).model_copy(update={"attended": False})
    _, seen = lived(spec, 60, MONDAY_NS + 12 * HOUR_NS, maturity=band)
    lengths_s = np.array([ns / SECOND_NS for asset in range(60) for ns in seen.lengths(asset, State.ABORTED)])
    assert len(lengths_s) > 100
    assert lengths_s.mean() - 300 == pytest.approx(delay_s, rel=4 * 0.5 / np.sqrt(len(lengths_s)))


def test_an_operator_calls_at_once() -> None:
    """A fault of an attended machine waits for nobody to notice, whatever the band."""
    _, seen = lived(breaker(repair=Repair(mean="5m", cv=0.0)), 20, MONDAY_NS + 6 * HOUR_NS, maturity=0)
    lengths = [ns for asset in range(20) for ns in seen.lengths(asset, State.ABORTED)]
    assert set(lengths) == {5 * MINUTE_NS}


# Maintenance.


def worn(band: int, *, hours: int = 24 * 20, count: int = 30) -> tuple[World, Trace, list[Upkeep]]:
    """Let machines live whose bearings wear out in some days, and that have no other reason to stop."""
    bearing = Bearing(l10="60h", shape=6, warning="24h", repair=Repair(mean="4h", cv=0.2))
    spec = breaker("wearing").model_copy(update={"stops": (), "bearing": bearing, "attended": False})
    shifts = {"hours": ("06:00-14:00", "14:00-22:00")}
    world, seen = lived(spec, count, MONDAY_NS + hours * HOUR_NS, maturity=band, shifts=shifts)
    return world, seen, [machine.upkeep for machine in world.park.machines if machine.upkeep is not None]


def test_run_to_failure_runs_to_failure() -> None:
    """Band 1 replaces no bearing that still turns, and does nothing by plan."""
    _, seen, plans = worn(1)
    assert sum(plan.bearings + plan.jobs for plan in plans) == 0
    assert sum(seen.count(asset, State.ABORTED) for asset in range(30)) > 30


@pytest.mark.parametrize("band", [4, 5])
def test_condition_and_prediction_replace_bearings_in_time(band: int) -> None:
    """Bands 4 and 5 let no bearing fail: a machine stops for it if there is no gap in time."""
    _, seen, plans = worn(band)
    assert sum(seen.count(asset, State.ABORTED) for asset in range(30)) == 0
    assert sum(plan.bearings for plan in plans) > 30


def test_prediction_uses_bearings_longer_than_zone_c() -> None:
    """Of one bearing, zone C leaves 16 % of the warning time unused, prediction 10 %, and both stop in time."""
    spec = types()["cnc-mill"]
    assert spec.bearing is not None
    warning = spec.bearing.warning
    unused = {}
    for band in (4, 5):
        life = BearingLife(spec.bearing, Stream(1, "m"))
        maintenance = band_of(band).maintenance.model_copy(update={"every": 10**18})
        plan = Upkeep(maintenance, spec, life, Stream(1, "upkeep"), now_ns=0, ran_ns=0)
        ages = [life.life_ns - share * warning // 1_000 for share in range(1_000)]
        due = [plan.is_due(0, 0, age) for age in ages]
        stops = [plan.patience_ns(0, 0, age) <= 0 for age in ages]
        unused[band] = (due.index(False) / 1_000, stops.index(False) / 1_000)
    assert unused[4] == pytest.approx((1.0 - zone_c_wear(spec), (1.0 - zone_c_wear(spec)) / 2.0), abs=0.002)
    assert unused[5] == pytest.approx((0.1, 0.05), abs=0.002)


def test_usage_replaces_at_the_rated_life() -> None:
    """Band 3 replaces each bearing after its L10: a tenth of them fail before, and not more than two tenths."""
    _, seen, plans = worn(3, hours=24 * 25)
    failed = sum(seen.count(asset, State.ABORTED) for asset in range(30))
    replaced = sum(plan.bearings for plan in plans)
    assert 0.03 < failed / (failed + replaced) < 0.2


def test_zone_c_is_where_the_standard_has_it() -> None:
    """A mill of 0.72 mm/s comes to 2.8 mm/s at the wear that its vibration gives; a press begins nearer to it."""
    mill, press = types()["cnc-mill"], types()["stamping-press"]
    healthy = 0.9 * (0.6 + 0.4 * mill.motor.execute_load)
    assert healthy * np.exp(GROWTH * zone_c_wear(mill)) == pytest.approx(2.8)
    assert 0.0 < zone_c_wear(press) < zone_c_wear(mill) < 1.0


def test_planned_jobs_are_done_in_closed_time() -> None:
    """A shop that closes at night does its calendar jobs then: no machine stands for them in a shift."""
    spec = breaker("steady", mtbf="90000h")
    shifts = {"hours": ("06:00-14:00", "14:00-22:00")}
    world, seen = lived(spec, 20, MONDAY_NS + 35 * DAY_NS, maturity=2, shifts=shifts)
    jobs = [machine.upkeep.jobs for machine in world.park.machines if machine.upkeep is not None]
    assert min(jobs) >= 1
    assert max(jobs) <= 2
    # It starts when the world begins and each morning, and at no other time.
    assert {seen.count(asset, State.STARTING) for asset in range(20)} == {36}


def test_a_job_that_waits_too_long_stops_the_machine() -> None:
    """Round the clock there is no gap; a quarter of the interval late the machine stops for its job, and goes on."""
    world, seen = lived(breaker("steady", mtbf="90000h"), 10, MONDAY_NS + 40 * DAY_NS, maturity=2)
    assert all(machine.upkeep is not None and machine.upkeep.jobs >= 1 for machine in world.park.machines)
    stops = [seen.count(asset, State.STOPPING) for asset in range(10)]
    assert min(stops) >= 1
    assert max(stops) <= 2
    assert seen.illegal() == []


def test_a_machine_that_is_woken_stops_for_its_job_as_soon_as_any() -> None:
    """A mill that is roused in the midst of its work does not take that for a new beginning."""
    scenario = park_of(shop(side_by_side("steady", 1)))
    stopped = []
    for roused in (False, True):
        world = World(scenario, types() | {"steady": breaker("steady", mtbf="90000h")}, MONDAY_NS)
        seen = trace(world)
        (machine,) = world.park.machines
        policy = band_of(3).maintenance.model_copy(update={"every": 10 * HOUR_NS})
        machine.upkeep = Upkeep(policy, machine.spec, None, Stream(1, "upkeep"), now_ns=MONDAY_NS, ran_ns=0)
        world.skip(MONDAY_NS + HOUR_NS)
        if roused:
            machine.man(manned=True)
        world.skip(MONDAY_NS + 14 * HOUR_NS)
        stopped.append(seen.entered(0, State.STOPPING, before_ns=MONDAY_NS + 14 * HOUR_NS))
    assert stopped[0] == stopped[1]


def test_a_faulty_plan_is_refused() -> None:
    """A policy with jobs needs to know when and how long."""
    policy = band_of(2).maintenance
    with pytest.raises(ValueError, match="takes both"):
        type(policy)(kind="calendar")
