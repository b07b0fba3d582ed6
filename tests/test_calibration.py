"""The wiring-device plant against its published output."""

import pytest
from parks import CONFIGS

from simulator.park.world import World
from simulator.scenario.loader import load_scenario
from simulator.scenario.quantities import instant_ns

DAY_NS = 86_400_000_000_000
WORKING_DAYS_A_YEAR = 300


def test_yearly_output_is_the_published_one() -> None:
    """53 M devices and 13 M breakers a year (VietnamPlus 108090), within 10 %: twelve working days scaled to 300.

    The two weeks begin after Tet; the scatter of a week's output is below 1 %.
    """
    loaded = load_scenario(CONFIGS / "wiring-devices.yaml")
    assert loaded.scenario.start != "now"
    start_ns = instant_ns(loaded.scenario.start) + 63 * DAY_NS
    park = World(loaded.scenario, loaded.types, start_ns)
    for day in range(1, 15):
        park.skip(start_ns + day * DAY_NS)
    testers = {"device-assembly": 0, "breaker-assembly": 0}
    for asset, machine in zip(park.park.measured.assets, park.park.machines, strict=True):
        if machine.spec.name == "device-test":
            testers[asset.path[3].rsplit("-", 1)[0]] += machine.good
    yearly = {line: good * WORKING_DAYS_A_YEAR / 12 for line, good in testers.items()}
    assert yearly["device-assembly"] == pytest.approx(53e6, rel=0.1)
    assert yearly["breaker-assembly"] == pytest.approx(13e6, rel=0.1)


def test_the_plant_works_three_hundred_days() -> None:
    """The calendar of the scenario opens 300 days of 16 hours in its year."""
    loaded = load_scenario(CONFIGS / "wiring-devices.yaml")
    assert loaded.scenario.start != "now"
    start_ns = instant_ns(loaded.scenario.start)
    calendar = World(loaded.scenario, loaded.types, start_ns).park.plants[0].calendar
    open_ns = calendar.open_ns(start_ns + 364 * DAY_NS) - calendar.open_ns(start_ns)
    assert open_ns / 3_600_000_000_000 / 16 == WORKING_DAYS_A_YEAR
