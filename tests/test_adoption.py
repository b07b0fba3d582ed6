"""Adoption: how tenants climb after Bass, and how their new sensors begin to speak."""

from __future__ import annotations

import numpy as np
import pytest
from parks import HOUR_NS, MONDAY_NS
from shops import park_of, shop, side_by_side, types
from watched import bulletins

from simulator.park.world import World
from simulator.scenario.adoption import YEAR_NS, Adoption, climbs
from simulator.scenario.fitting import schedule
from simulator.scenario.maturity import at_band, band_of


def bass(years: np.ndarray, *, p: float, q: float) -> np.ndarray:
    """Return the share that has adopted: (1 - e^-(p+q)t) / (1 + q/p e^-(p+q)t)."""
    decay = np.exp(-(p + q) * years)
    return (1.0 - decay) / (1.0 + q / p * decay)


def test_many_tenants_follow_the_curve_of_bass() -> None:
    """2,000 tenants at one band, p .02 and q .35: the share that has climbed is Bass's within .05 over 25 years."""
    tenants = {f"t{number}": 4 for number in range(2_000)}
    found = climbs(Adoption(), tenants, seed=3, site="park")
    years = np.array([climb.after_ns / YEAR_NS for climb in found])
    at = np.arange(1.0, 26.0)
    share = np.searchsorted(years, at) / 2_000
    assert share == pytest.approx(bass(at, p=0.02, q=0.35), abs=0.05)
    assert len(found) == 2_000


def test_nobody_leads_nobody_follows() -> None:
    """Without innovators nothing begins; with them alone the curve is a plain exponential, within 4 deviations."""
    tenants = {f"t{number}": 4 for number in range(1_000)}
    assert climbs(Adoption(p=0.0), tenants, seed=1, site="park") == []
    years = [climb.after_ns / YEAR_NS for climb in climbs(Adoption(p=0.2, q=0.0), tenants, seed=1, site="park")]
    assert np.mean(years) == pytest.approx(5.0, rel=4 / np.sqrt(1_000))


def test_pilots_go_first_and_change_nothing_else() -> None:
    """The named ones are first, in their order; when somebody climbs is as it was."""
    tenants = {f"t{number}": 2 for number in range(30)}
    plain = climbs(Adoption(), tenants, seed=5, site="park")
    piloted = climbs(Adoption(pilots=("t17", "t3")), tenants, seed=5, site="park")
    assert [climb.tenant for climb in piloted if climb.band == 3][:2] == ["t17", "t3"]
    first_steps = [[climb.after_ns for climb in one if climb.band == 3][:2] for one in (plain, piloted)]
    assert first_steps[0] == first_steps[1]


def test_each_tenant_climbs_step_by_step() -> None:
    """From band 0 everybody comes to 5, one band after the other; who is at 5 stays."""
    found = climbs(Adoption(p=0.5), {"a": 0, "b": 5, "c": 3}, seed=2, site="park", within_ns=1_000 * YEAR_NS)
    assert [climb.band for climb in found if climb.tenant == "a"] == [1, 2, 3, 4, 5]
    assert {climb.tenant for climb in found} == {"a", "c"}
    assert [climb.after_ns for climb in found] == sorted(climb.after_ns for climb in found)


def test_the_schedule_ends_a_year_after_the_start() -> None:
    """The catalogue has no sensor that could not be heard within the year."""
    scenario = park_of(
        *(shop(side_by_side("cnc-mill", 1), name=f"f{i}", maturity=1) for i in range(40)), adoption={"p": 1}
    )
    found = schedule(scenario, scenario.sites[0])
    assert len(found) > 0
    assert max(climb.after_ns for climb in found) <= YEAR_NS


def climbing(before: int) -> tuple[World, int]:
    """Return a world from a Monday on whose only factory climbs one band within hours, and when."""
    factory = shop(side_by_side("stamping-press", 2), maturity=before)
    # Faster than a user may have it: 800 a year is once in eleven hours.
    soon = Adoption.model_construct(p=800.0, q=0.0, pilots=("shop",))
    for seed in range(100):
        scenario = park_of(factory, adoption=soon, truth=False, seed=seed)
        hours = [climb.after_ns / HOUR_NS for climb in schedule(scenario, scenario.sites[0])]
        if 2 < hours[0] < 6 and (len(hours) == 1 or hours[1] > hours[0] + 2):
            return World(scenario, types(), MONDAY_NS), MONDAY_NS + round(hours[0] * HOUR_NS)
    raise AssertionError


def heard(world: World, until_ns: int) -> dict[str, np.ndarray]:
    """Return the instants at which each sensor of the first machine spoke."""
    (batch,) = world.batches(until_ns, until_ns - MONDAY_NS)
    asset = world.catalog.assets[0]
    return {
        sensor.name: batch.time_ns[batch.sensor == number]
        for number, sensor in enumerate(asset.sensors, asset.first_sensor)
    }


@pytest.mark.parametrize("before", [1, 3])
def test_new_sensors_begin_to_speak_when_the_band_is_reached(before: int) -> None:
    """Before, those of the old band at its interval; from then on those of the new one at its own."""
    world, climbs_ns = climbing(before)
    spoke = heard(world, climbs_ns + HOUR_NS)
    spec = types()["stamping-press"]
    old, new = ({sensor.name: sensor for sensor in at_band(spec, band).sensors} for band in (before, before + 1))
    for name in new:
        early, late = spoke[name][spoke[name] < climbs_ns], spoke[name][spoke[name] >= climbs_ns]
        assert (len(early) > 0) == (name in old) or not new[name].period
        assert len(late) > 0
        if new[name].period and name != "state":
            assert np.diff(late).min() == new[name].period
            if name in old:
                assert np.diff(early).min() == old[name].period


def test_the_band_is_told() -> None:
    """Band, coverage and pilot on the topic of the factory; failures are rarer from then on."""
    world, climbs_ns = climbing(2)
    (asset,) = bulletins(world)
    (batch,) = world.batches(climbs_ns + HOUR_NS, climbs_ns + HOUR_NS - MONDAY_NS)
    told = {
        sensor.name: batch.value[batch.sensor == number]
        for number, sensor in enumerate(asset.sensors, asset.first_sensor)
    }
    assert (asset.path[-1], list(told)) == ("_people", ["band", "coverage_pct", "pilot"])
    assert (told["band"][0], told["band"][-1], set(told["pilot"])) == (2.0, 3.0, {1.0})
    shares = [100 * len(at_band(types()["stamping-press"], band).sensors) for band in (2, 3)]
    whole = len(types()["stamping-press"].sensors)
    assert [told["coverage_pct"][0], told["coverage_pct"][-1]] == pytest.approx([s / whole for s in shares], abs=0.05)
    machine = world.park.machines[0]
    assert machine.unnoticed_ns == band_of(3).unnoticed
    assert machine.upkeep is not None
    assert machine.upkeep.policy == band_of(3).maintenance
