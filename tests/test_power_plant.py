"""Power plants feed in what the hour asks and the heat allows, burn gas for it, and feed in nothing once they trip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from parks import HOUR_NS
from regions import HEAD, MIDNIGHT_NS, Shown, changed, loaded, midnight_world

from simulator.scenario.climate import load_climate
from simulator.signals.rhythm import Rhythm
from simulator.signals.sky import Sky

PHU_MY = """\
  - name: phu-my
    province: ba-ria-vung-tau
    systems:
      - {name: block, type: gas-power-plant}
      - {name: office, type: office-building}
      - {name: feeder, type: feeder-22kv, serves: [block, office]}
"""
MINUTE_NS = 60_000_000_000


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    scenario = loaded(tmp_path_factory.mktemp("phu-my"), HEAD + PHU_MY)
    types = changed(scenario.types, "gas-power-plant", fails=False, rated_kw=30_000.0)
    return Shown(midnight_world(scenario, changed(types, "office-building", fails=False)), 24, HOUR_NS)


def test_it_gives_its_share_less_the_heat(day: Shown) -> None:
    """30 MW times the share of the hour, .6 % less for each degree above 15, held for a minute."""
    at, kw = day.of("block", "power_kw")
    minute = at // MINUTE_NS * MINUTE_NS
    sky = Sky(load_climate("ho-chi-minh-city"), seed=4, site="phu-my")
    role = day.world.park.machines[0].spec.role  # type: ignore[attr-defined]
    share = Rhythm.of(role, utc_offset_ns=7 * HOUR_NS).at(minute)
    expected = 30_000 * share * (1 - 0.006 * (sky.weather.at(minute).temperature_c - 15))
    settled = at > MIDNIGHT_NS + 2 * MINUTE_NS
    assert kw[settled] == pytest.approx(expected[settled], abs=0.51)
    assert kw[settled].min() > 0.5 * 30_000


def test_its_register_counts_what_it_gives(day: Shown) -> None:
    """It rises by the mean of the power times a day; the feeder before it counts the opposite, and the office."""
    (kw,), (kwh,) = day.values("block", "power_kw"), day.values("block", "energy_kwh")
    assert kwh[-1] == pytest.approx(kw.mean() * 24, rel=2e-3)
    assert (np.diff(kwh) >= 0).all()
    (office,) = day.values("office", "energy_kwh")
    (feeder,) = day.values("feeder", "energy_kwh")
    # 2 % of what flows is lost, whichever way.
    assert feeder[-1] == pytest.approx(0.98 * (office[-1] - kwh[-1]), rel=2e-3)


def test_what_it_feeds_in_is_no_use_of_the_park(day: Shown) -> None:
    """The energy of the park is what the office took."""
    (office,) = day.values("office", "energy_kwh")
    assert day.world.kpis()["energy_kwh"] == pytest.approx(office[-1], rel=2e-3)


def test_fuel_and_carbon_follow_from_power_and_efficiency(day: Shown) -> None:
    """At each minute: gas times 10 kWh/m3 times the efficiency is the power; .202 t of CO2 for each MWh of gas."""
    at, gas = day.of("block", "gas_m3_h")
    efficiency, co2 = day.values("block", "efficiency_pct", "co2_t_h")
    power_at, kw = day.of("block", "power_kw")
    now = kw[np.searchsorted(power_at, at)]
    settled = slice(3, None)
    assert (gas * 10 * efficiency / 100)[settled] == pytest.approx(now[settled], rel=2e-3)
    assert co2[settled] == pytest.approx(gas[settled] * 10 * 0.202 / 1000, abs=0.01)
    assert 50 < efficiency[settled].min() < efficiency[settled].max() <= 55


def test_a_plant_that_trips_gives_nothing(tmp_path: Path) -> None:
    """Down from two to four: no power, no gas, the exhaust cools."""
    scenario = loaded(tmp_path, HEAD + PHU_MY)
    world = midnight_world(scenario, changed(scenario.types, "gas-power-plant", fails=False))
    world.skip(MIDNIGHT_NS + 2 * HOUR_NS)
    world.park.machines[0].break_down(MIDNIGHT_NS + 4 * HOUR_NS)
    one = Shown(world, 6, HOUR_NS)
    at, kw = one.of("block", "power_kw")
    hour = (at - MIDNIGHT_NS) / HOUR_NS
    assert set(kw[(hour > 2.05) & (hour < 4)]) == {0.0}
    assert kw[hour > 4.1].min() > 100_000
    gas_at, gas = one.of("block", "gas_m3_h")
    assert set(gas[((gas_at - MIDNIGHT_NS) / HOUR_NS > 2.05) & ((gas_at - MIDNIGHT_NS) / HOUR_NS < 4)]) == {0.0}
    (exhaust,) = one.values("block", "exhaust_c")
    assert exhaust.min() < 100


def test_a_plant_that_takes_power_is_refused(tmp_path: Path) -> None:
    """Shares above one or below nothing are no dispatch."""
    scenario = loaded(tmp_path, HEAD + PHU_MY)
    role = scenario.types["gas-power-plant"].role  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"share 1\.2 at hour 8, but must be 0 to 1"):
        type(role).model_validate(role.model_dump() | {"day": ((0, 1), (8, 1.2), (24, 1))})
