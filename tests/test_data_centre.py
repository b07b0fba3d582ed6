"""Data centres: PUE from load and weather, ingest from the park's own readings, air, battery, racks and meters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from parks import HOUR_NS, SECOND_NS
from pydantic import ValidationError
from services import HALL, OFFICE, RECORDS, SHOP, WORKS, Seen, noiseless, services, types_with

from simulator.scenario.adoption import Adoption
from simulator.scenario.climate import load_climate
from simulator.scenario.fitting import schedule
from simulator.scenario.roles.data_centre import Cooling
from simulator.signals.sky import Sky

MINUTE_NS = 60 * SECOND_NS
CENTRE = "      - {name: centre, type: data-centre, area: data}\n"
FLAT = {"kw_per_1000_per_s": 0.0, "saturday": 1.0, "sunday": 1.0}


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Three hours of a shop and everything else, on quiet sensors."""
    loaded = services(tmp_path_factory.mktemp("hall"), HALL + WORKS + RECORDS + OFFICE, factories=SHOP)
    return Seen(loaded, noiseless(loaded.types), hours=3, window_s=600)


@pytest.mark.parametrize(("share", "published"), [(0.3, 1.47), (0.6, 1.38), (0.9, 1.36)])
def test_pue_is_the_published_one(tmp_path: Path, share: float, published: float) -> None:
    """Within 1 % at a wet bulb of 25 °C; over the day it rises by .005 to .007 per degree, as 1.08/COP does."""
    loaded = services(tmp_path, CENTRE)
    types = types_with(loaded, "data-centre", day=((0.0, share), (24.0, share)), **FLAT)
    seen = Seen(loaded, types, hours=48, window_s=7200)
    at, pue = seen.of("centre", "pue")
    sky = Sky(load_climate("ho-chi-minh-city"), seed=5, site="vsip2a")
    wet_bulb = sky.weather.at(at // MINUTE_NS * MINUTE_NS).wet_bulb_c
    near = np.abs(wet_bulb - 25.0) < 0.1
    assert near.sum() > 20
    assert pue[near].mean() == pytest.approx(published, rel=0.01)
    assert 0.005 < np.polyfit(wet_bulb, pue, 1)[0] < 0.007
    assert np.corrcoef(wet_bulb, pue)[0, 1] > 0.99


def assert_takes_in_all(seen: Seen) -> None:
    """The rate of each minute is that of the batches in the minute before, without records, truth and key figures."""
    at, ingest = seen.of("centre", "ingest_per_s")
    sensors = np.ones(len(seen.world.catalog), dtype=bool)
    for asset in seen.world.catalog.assets:
        if asset.kind == "water-reporter":
            sensors[asset.first_sensor : asset.first_sensor + len(asset.sensors)] = False
    sensors[len(seen.world.park.measured) :] = False
    told = seen.batch.time_ns[sensors[seen.batch.sensor]]
    minutes = np.arange(seen.start_ns, seen.until_ns + 1, MINUTE_NS)
    counted = np.diff(np.searchsorted(told, minutes))
    # The first minutes have no whole minute before them, and the centre itself takes a while to start.
    later = at >= seen.start_ns + 2 * MINUTE_NS
    assert ingest[later] == pytest.approx(counted[(at[later] - seen.start_ns) // MINUTE_NS - 1] / 60, abs=0.00501)
    assert len(set(counted.tolist())) > 5


def test_it_takes_in_what_the_park_says(hall: Seen) -> None:
    """Samples, changes of state and values of cycles are counted as they are said."""
    assert_takes_in_all(hall)


@pytest.mark.parametrize("maturity", [1, 3])
def test_it_takes_in_what_a_growing_factory_says(tmp_path: Path, maturity: int) -> None:
    """Where few sensors speak, seldom, and for one cycle in many; then, an hour or so later, more of them."""
    loaded = services(tmp_path, CENTRE, factories=SHOP)
    (site,) = loaded.scenario.sites
    factory = site.factories[0].model_copy(update={"maturity": maturity})
    for seed in range(100):
        soon = Adoption.model_construct(p=2_000.0, q=0.0, pilots=("brackets",))
        grown = site.model_copy(update={"factories": (factory,), "adoption": soon})
        scenario = loaded.scenario.model_copy(update={"sites": (grown,), "seed": seed})
        climbs = [climb.after_ns / HOUR_NS for climb in schedule(scenario, grown)]
        if 1 < climbs[0] < 2:
            break
    seen = Seen(replace(loaded, scenario=scenario), loaded.types, hours=3, window_s=700)
    assert_takes_in_all(seen)
    at, ingest = seen.of("centre", "ingest_per_s")
    hours = seen.hours(at)
    assert ingest[(hours > climbs[0] + 0.1)].mean() > 1.05 * ingest[(hours > 0.1) & (hours < climbs[0])].mean()


def test_it_takes_in_what_is_measured_of_one_cycle_in_seven(tmp_path: Path) -> None:
    """Sensors that measure some cycles only are counted for those."""
    loaded = services(tmp_path, CENTRE, factories=SHOP)
    press = loaded.types["stamping-press"]
    sensors = tuple(one if one.period else one.model_copy(update={"every": 7}) for one in press.sensors)
    types = loaded.types | {press.name: press.model_copy(update={"sensors": sensors})}
    assert_takes_in_all(Seen(loaded, types, hours=1, window_s=700))


def test_its_store_grows_by_each_reading(hall: Seen) -> None:
    """24 bytes each from the second minute on, when the centre has started; the disks fill with them."""
    at, gb = hall.of("centre", "storage_gb")
    _, ingest = hall.of("centre", "ingest_per_s")
    every = hall.of("centre", "ingest_per_s")[0]
    minute = np.unique(every // MINUTE_NS, return_index=True)[1][1:]
    assert (gb[-1] - gb[0]) * 1e9 == pytest.approx(24 * 60 * ingest[minute][1:].sum(), abs=2e6)
    assert hall.of("centre", "disk_used_pct")[1] == pytest.approx(gb / 5000, abs=0.0006)
    assert len(at) == 180


def test_readings_take_power(tmp_path: Path, hall: Seen) -> None:
    """6 kW of IT for each thousand readings a second, on top of the other work of the hour."""
    loaded = services(tmp_path, HALL + WORKS + RECORDS + OFFICE, factories=SHOP)
    idle = Seen(loaded, types_with(loaded, "data-centre", kw_per_1000_per_s=0.0), hours=0.5, window_s=600)
    at, kw = hall.of("centre", "it_kw")
    without = idle.of("centre", "it_kw")[1]
    ingest_at, ingest = hall.of("centre", "ingest_per_s")
    later = slice(120, 1700)
    rate = ingest[np.searchsorted(ingest_at // MINUTE_NS, at[later] // MINUTE_NS)]
    assert kw[later] - without[later] == pytest.approx(6 * rate / 1000, abs=0.11)
    assert rate.min() > 20


def test_racks_share_the_it_power(hall: Seen) -> None:
    """Once all are started, their power adds up to the centre's, minute for minute; they warm the air."""
    at, it_kw = hall.of("centre", "it_kw")
    racks = [hall.of(f"rack-{i}", "power_kw") for i in range(1, 31)]
    minute = hall.start_ns // MINUTE_NS + np.arange(2, 179)
    total = sum(kw[np.searchsorted(time_ns // MINUTE_NS, minute)] for time_ns, kw in racks)
    assert total == pytest.approx(it_kw[np.searchsorted(at // MINUTE_NS, minute)], abs=0.2)
    assert len({round(kw[-1], 2) for _, kw in racks}) > 25
    warmer = hall.of("rack-1", "outlet_c")[1][5:] - hall.of("rack-1", "inlet_c")[1][5:]
    assert warmer == pytest.approx(24 * hall.of("rack-1", "work_pct")[1][5:] / 100, abs=0.12)


def test_the_feeder_counts_the_whole_site(hall: Seen) -> None:
    """PUE times IT power is what the site draws, and 1.02 times its register what the feeder's has risen by."""
    at, kw = hall.of("centre", "power_kw")
    it_at, it_kw = hall.of("centre", "it_kw")
    pue_at, pue = hall.of("centre", "pue")
    later = slice(12, None)
    facility = it_kw[np.searchsorted(it_at, at[later], side="right") - 1]
    facility = facility * pue[np.searchsorted(pue_at // MINUTE_NS, at[later] // MINUTE_NS)]
    assert kw[later] == pytest.approx(facility, rel=0.002)
    feeder_at, feeder = hall.of("feeder", "energy_kwh")
    own_at, own = hall.of("centre", "energy_kwh")
    inside = (feeder_at > own_at[1]) & (feeder_at < own_at[-1])
    rise = feeder[inside] - feeder[inside][0]
    behind = np.interp(feeder_at[inside], own_at, own)
    assert rise == pytest.approx(1.02 * (behind - behind[0]), abs=0.2)
    assert rise[-1] > 2000


def test_air_handlers_that_fail_let_the_air_warm(tmp_path: Path) -> None:
    """Two of four broken: 7 degrees more with 20 minutes, and back again once they work."""
    faults = "  - {kind: breakdown, target: vsip2a/data/crah-unit/crah-*, at: 1h, for: 1h}\n"
    loaded = services(tmp_path, HALL.replace("count: 4", "count: 1"), faults=faults.replace("crah-*", "crah"))
    seen = Seen(loaded, noiseless(loaded.types), hours=5)
    at, inlet = seen.of("centre", "inlet_c")
    hours = seen.hours(at)
    assert inlet[hours < 1] == pytest.approx(24.0)
    broken = (hours > 1) & (hours < 2)
    assert inlet[broken] == pytest.approx(38 - 14 * np.exp(-(hours[broken] - 1) * 3), abs=0.051)
    # It is mended, cleared and started within some minutes.
    state_at, state = seen.of("crah", "state")
    again = seen.hours(state_at[(state == 6) & (seen.hours(state_at) > 2)])[0]
    assert 2 < again < 2.05
    peak = 38 - 14 * np.exp(-(again - 1) * 3)
    after = hours > again
    assert inlet[after] == pytest.approx(24 + (peak - 24) * np.exp(-(hours[after] - again) * 3), abs=0.051)


def test_a_share_of_the_air_handlers_is_a_share_of_the_warmth(tmp_path: Path) -> None:
    """One of four broken for long: 24 + 14/4 degrees."""
    faults = "  - {kind: breakdown, target: vsip2a/data/crah-unit/crah-3, at: 10m, for: 5h}\n"
    loaded = services(tmp_path, HALL, faults=faults)
    seen = Seen(loaded, noiseless(loaded.types), hours=4)
    assert seen.of("centre", "inlet_c")[1][-1] == pytest.approx(27.5, abs=0.051)


def test_the_battery_carries_the_servers_over_a_short_outage(tmp_path: Path) -> None:
    """Five minutes without the feeder: half of ten minutes gone, work goes on, nothing is drawn, then it charges."""
    faults = "  - {kind: breakdown, target: vsip2a/utilities/feeder-22kv/feeder, at: 30m, for: 5m}\n"
    loaded = services(tmp_path, HALL, faults=faults)
    seen = Seen(loaded, noiseless(loaded.types), hours=4)
    at, charge = seen.of("centre", "battery_pct")
    hours = seen.hours(at)
    dark = (hours > 0.5) & (hours < 0.5 + 5 / 60)
    assert charge[dark] == pytest.approx(100 - (hours[dark] - 0.5) * 600, abs=0.06)
    assert charge[(hours > 3.9)] == pytest.approx(100.0)
    charging = np.flatnonzero((hours > 0.7) & (hours < 2))
    rise = charge[charging] - charge[charging[0]]
    assert rise == pytest.approx(25 * (hours[charging] - hours[charging[0]]), abs=0.11)
    assert seen.of("centre", "it_kw")[1][300:].min() > 600
    power_at, kw = seen.of("centre", "power_kw")
    power_h = seen.hours(power_at)
    assert kw[(power_h > 0.52) & (power_h < 0.58)].max() == 0
    # It charges with what the rated power over ten minutes needs over four hours, 66.7 kW.
    plain = Seen(services(tmp_path, HALL), noiseless(loaded.types), hours=1).of("centre", "power_kw")
    more = kw[np.searchsorted(power_at, plain[0])] - plain[1]
    assert more[seen.hours(plain[0]) > 0.7] == pytest.approx(1600 * 10 / 240, abs=0.3)


def test_a_long_outage_puts_the_servers_out(tmp_path: Path) -> None:
    """After ten minutes the battery is empty, the centre aborts, takes nothing in; with power it comes back."""
    faults = "  - {kind: breakdown, target: vsip2a/utilities/feeder-22kv/feeder, at: 30m, for: 40m}\n"
    loaded = services(tmp_path, HALL, faults=faults)
    seen = Seen(loaded, noiseless(loaded.types), hours=1.5)
    at, kw = seen.of("centre", "it_kw")
    minutes = seen.hours(at) * 60
    assert kw[(minutes > 31) & (minutes < 39.9)].min() > 600
    assert kw[(minutes > 40.1) & (minutes < 70)].max() == 0
    assert kw[minutes > 75].min() > 600
    for name in ("ingest_per_s", "battery_pct"):
        time_ns, value = seen.of("centre", name)
        out = (seen.hours(time_ns) * 60 > 40.1) & (seen.hours(time_ns) * 60 < 70)
        assert value[out].max() == 0


def test_a_second_outage_finds_the_battery_half_empty(tmp_path: Path) -> None:
    """Five minutes, some of charging, and again: it is empty four minutes or so into the second outage."""
    feeder = "  - {{kind: breakdown, target: vsip2a/utilities/feeder-22kv/feeder, at: {}m, for: {}m}}\n"
    loaded = services(tmp_path, HALL, faults=feeder.format(30, 5) + feeder.format(42, 8))
    seen = Seen(loaded, noiseless(loaded.types), hours=1.5)
    at, kw = seen.of("centre", "it_kw")
    minutes = seen.hours(at) * 60
    assert kw[(minutes > 31) & (minutes < 45)].min() > 600
    assert kw[(minutes > 47.5) & (minutes < 50)].max() == 0
    assert kw[minutes > 54].min() > 600


def test_a_chiller_plant_carries_its_heat_and_draws_its_power(tmp_path: Path) -> None:
    """With a plant the centre leaves out 1.08/COP of its IT power; the plant carries 1.08 times the IT power."""
    plant = "      - {name: plant, type: chiller-plant, serves: [centre], area: data}\n"
    with_plant = services(tmp_path, HALL + plant)
    chilled = Seen(with_plant, noiseless(with_plant.types), hours=1)
    alone = Seen(services(tmp_path, HALL), noiseless(with_plant.types), hours=1)
    at, it_kw = chilled.of("centre", "it_kw")
    heat_at, heat_kw = chilled.of("plant", "heat_kw")
    later = chilled.hours(heat_at) > 0.1
    it_then = it_kw[np.searchsorted(at // MINUTE_NS, heat_at[later] // MINUTE_NS)]
    assert heat_kw[later] == pytest.approx(1.08 * it_then, rel=0.002)
    power_at, less = chilled.of("centre", "power_kw")
    _, whole = alone.of("centre", "power_kw")
    calm = chilled.hours(power_at) > 0.1
    its_it = it_kw[np.searchsorted(at // MINUTE_NS, power_at[calm] // MINUTE_NS)]
    chillers = (whole - less)[calm] / its_it
    # The wet bulb is 25 or so, and the COP between 4.8 and 6.2.
    assert ((chillers > 1.08 / 6.2) & (chillers < 1.08 / 4.8)).all()


def test_without_its_chiller_plant_the_air_warms(tmp_path: Path) -> None:
    """Water that nobody cools takes no heat: 14 degrees more in the end."""
    plant = "      - {name: plant, type: chiller-plant, serves: [centre], area: data}\n"
    faults = "  - {kind: breakdown, target: vsip2a/data/chiller-plant/plant, at: 10m, for: 3h}\n"
    loaded = services(tmp_path, HALL + plant, faults=faults)
    seen = Seen(loaded, noiseless(loaded.types), hours=3)
    at, inlet = seen.of("centre", "inlet_c")
    assert inlet[seen.hours(at) < 10 / 60] == pytest.approx(24.0)
    assert inlet[-1] == pytest.approx(38.0, abs=0.1)


def test_a_role_that_cannot_be_is_refused() -> None:
    """Water that comes back no warmer than it went."""
    with pytest.raises(ValidationError, match=r"return_c\(=7\) must be more than supply_c\(=7\)"):
        Cooling(return_c=7.0)
