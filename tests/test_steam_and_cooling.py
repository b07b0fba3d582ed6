"""A boiler and a chiller plant: they follow what is taken, and without them those who need them stop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from parks import HOUR_NS, MONDAY_NS
from supplied import AT, FACTORY, Seen, site

from simulator.errors import ScenarioError
from simulator.park.packml import State
from simulator.scenario.climate import load_climate
from simulator.scenario.loader import Loaded, load_system_type, shipped_systems
from simulator.scenario.machine_type import Uses
from simulator.signals.cooling import cop, part_load
from simulator.signals.device import Device
from simulator.signals.devices.chiller import ChillerDevice
from simulator.signals.reservoir import Reservoir
from simulator.signals.sky import Sky

BOILER = f"{{name: boiler, type: steam-boiler, serves: [{FACTORY}]}}"
CHILLERS = f"{{name: chillers, type: chiller-plant, serves: [{FACTORY}]}}"
OUT = "{{kind: breakdown, at: 10m, for: 20m, target: {}}}"


def steamy(loaded: Loaded, *, kg_h: float = 1200.0) -> Loaded:
    """Let the presses of the quickstart use steam."""
    press = loaded.types["injection-moulding"]
    loaded.types["injection-moulding"] = press.model_copy(
        update={"uses": Uses.model_construct(air_m3_min=0.0, steam_kg_h=kg_h, cooling_kw=0.0, idle=0.1, source="")}
    )
    return loaded


@pytest.fixture(scope="module")
def steam(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    fault = OUT.format(f"{AT}/steam-boiler/boiler")
    return Seen(steamy(site(tmp_path_factory.mktemp("steam"), BOILER, faults=(fault,))), minutes=60)


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    fault = OUT.format(f"{AT}/chiller-plant/chillers")
    return Seen(site(tmp_path_factory.mktemp("cold"), CHILLERS, faults=(fault,)), minutes=60)


# Steam.


def test_steam_holds_its_pressure_and_follows_demand(steam: Seen) -> None:
    """8 bar within .5 while the boiler works; steam is the presses' use, fuel a fixed share of it."""
    minutes, bar = steam.of("boiler", "steam_bar")
    well = minutes < 10
    assert bar[well] == pytest.approx(8, abs=0.5)
    steam_kg_h, fuel = steam.of("boiler", "steam_kg_h")[1], steam.of("boiler", "fuel_kg_h")[1]
    assert 2_000 < steam_kg_h[well].mean() < 6 * 1200
    assert fuel[well].mean() == pytest.approx(0.12 * steam_kg_h[well].mean(), rel=0.03)


def test_a_boiler_that_fails_stops_those_who_need_steam(steam: Seen) -> None:
    """Its water gives steam for some minutes; below 5 bar presses are held, and go on at 6.5 bar. Others run on."""
    told = steam.told("no_steam")
    presses = [asset for asset in steam.makers() if steam.world.park.machines[asset].spec.uses.steam_kg_h]
    assert len(told) == len(presses) == 6
    begun, ended = told[0][1], told[0][2]
    assert ended is not None
    # 150 kg for each of 3 bar, at 3 to 7 t/h.
    assert 10 + 60 * 450 / 7200 < begun < 10 + 60 * 450 / 3000
    assert steam.at("boiler", "steam_bar", begun) == pytest.approx(5, abs=0.6)
    assert ended > 30
    for asset in presses:
        assert not [at for at, s in steam.states(asset) if begun + 0.1 < at < ended and s == State.EXECUTE]
    others = [asset for asset in steam.makers() if asset not in presses]
    assert any(s == State.EXECUTE for asset in others for at, s in steam.states(asset) if begun < at < ended)
    assert steam.at("boiler", "steam_kg_h", 15) < 200


def test_the_stack_shows_what_burns(steam: Seen) -> None:
    """Dust, SO2, NOx and CO near their means while it burns; none, and the oxygen of air, while it does not."""
    for name, mean in (("dust", 60), ("so2", 180), ("nox", 220), ("co", 120)):
        minutes, value = steam.of("boiler", f"{name}_mg_nm3")
        assert 0.4 * mean < value[minutes < 10].mean() < 2 * mean
        assert (value[(minutes > 11) & (minutes < 30)] == 0).all()
    minutes, o2 = steam.of("boiler", "flue_o2_pct")
    assert 4 < o2[minutes < 10].mean() < 8
    assert o2[(minutes > 11) & (minutes < 30)] == pytest.approx(21, abs=0.5)


def test_a_boiler_that_is_too_small_lets_the_pressure_fall(tmp_path: Path) -> None:
    """14 t/h against 10: the pressure sinks at (14 - 10)/.15 bar/h until some of them wait; it never breaks down."""
    seen = Seen(steamy(site(tmp_path, BOILER), kg_h=2_600), minutes=30)
    _, bar = seen.of("boiler", "steam_bar")
    assert bar.min() < 5.5
    assert seen.told("no_steam") or bar.min() > 4.5
    assert seen.of("boiler", "steam_kg_h")[1].max() < 10_300


def test_a_store_falls_and_fills_in_straight_lines() -> None:
    """10 units, 2 per unit of level, so 5 up: down 1 an hour, met to the millisecond; then up at the spare capacity."""
    store = Reservoir(size=2.0, top=5.0)
    store.begin(0, demand=6.0, capacity=4.0)
    assert store.next_at(2.5, after_ns=0) == 5 * HOUR_NS // 2
    assert store.next_at(6.0, after_ns=0) is None
    store.begin(2 * HOUR_NS, demand=1.0, capacity=4.0)
    at = np.array([0, 1, 2, 3, 10]) * HOUR_NS
    assert store.level(at) == pytest.approx([5, 4, 3, 4.5, 5])
    assert store.given(at) == pytest.approx([4, 4, 4, 4, 1])
    store.forget(2 * HOUR_NS)
    assert store.level(at[2:]) == pytest.approx([3, 4.5, 5])


# Cooling.


def test_chilled_water_leaves_at_7_and_comes_back_warmer(cold: Seen) -> None:
    """7 degrees out, 12 to 15 back; flow times rise is the heat, 4.19 kJ/kg; the power is heat over COP and pumps."""
    minutes, supply = cold.of("chillers", "supply_c")
    well = minutes < 9
    assert supply[well] == pytest.approx(7, abs=0.5)
    back = cold.of("chillers", "return_c")[1]
    assert (back[well] > 11.4).all()
    assert (back[well] < 15.6).all()
    heat, flow = cold.of("chillers", "heat_kw")[1], cold.of("chillers", "flow_m3_h")[1]
    assert heat[well].mean() == pytest.approx((flow * (back - supply) * 4.186 / 3.6)[well].mean(), rel=0.03)
    kw, ratio = cold.of("chillers", "power_kw")[1], cold.of("chillers", "cop")[1]
    assert kw[well].mean() == pytest.approx(heat[well].mean() * (1 / ratio[:9].mean() + 0.03), rel=0.03)


def test_without_chillers_the_loop_warms_and_moulds_get_too_warm(cold: Seen) -> None:
    """The supply passes 14 degrees some minutes later, presses are held until it is at 10 again; assembly runs on."""
    told = cold.told("no_cooling")
    begun, ended = told[0][1], told[0][2]
    assert ended is not None
    assert len(told) == 6
    assert {one[0].rsplit("/", 1)[1].rsplit("-", 1)[0] for one in told} == {"press"}
    assert 12 < begun < 28
    assert 30 < ended < 50
    assert cold.at("chillers", "supply_c", begun + 0.2) == pytest.approx(14, abs=0.6)
    minutes, kw = cold.of("chillers", "power_kw")
    assert (kw[(minutes >= 10) & (minutes < 30)] == 0).all()
    assert (cold.of("chillers", "cop")[1][12:28] == 0).all()


class Hall(Device):
    """A data hall as a chiller plant sees it."""

    cools = True
    rated_cooling_kw = 1000.0

    def cooling_kw(self, minute_ns: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        return np.full(len(minute_ns), 700.0)


def plant(*cooled: Device, unit_kw: float = 500.0) -> ChillerDevice:
    role = load_system_type(shipped_systems()["chiller-plant"]).role
    loop = Reservoir(size=10.0, top=20.0)
    loop.begin(0, demand=300.0 + sum(one.rated_cooling_kw for one in cooled), capacity=3 * unit_kw)
    sky = Sky(load_climate("ho-chi-minh-city"), seed=1, site="vsip2a")
    return ChillerDevice(role, loop, cooled, sky, unit_kw=unit_kw)  # type: ignore[arg-type]


def test_a_hot_day_lowers_the_cop() -> None:
    """Over a year of hours at one load: the COP is the formula's, falls with the wet bulb, and the power rises."""
    one = plant()
    at = MONDAY_NS + np.arange(24 * 365) * HOUR_NS
    wet, ratio = one.values("wet_bulb", at), one.values("cop", at)
    assert ratio == pytest.approx(cop(wet, part_load(np.full(len(at), 300 / 1500), installed=3)))
    assert np.corrcoef(wet, ratio)[0, 1] < -0.999
    hot, cool = wet.argmax(), wet.argmin()
    assert ratio[hot] < 0.9 * ratio[cool]
    watts = one.watts(at)
    assert watts[hot] > watts[cool]
    assert watts[hot] == pytest.approx(300e3 / ratio[hot] + 0.03 * 300e3, abs=1)


def test_a_plant_carries_the_heat_of_devices_as_it_is() -> None:
    """300 kW of machines and 700 kW of a hall that could give off 1,000."""
    at = np.array([MONDAY_NS, MONDAY_NS + HOUR_NS])
    assert plant(Hall()).values("heat", at).tolist() == [1000, 1000]


@pytest.mark.parametrize(
    ("kind", "key", "value", "sentence"),
    [
        ("steam-boiler", "hold_below_bar: 5", "hold_below_bar: 7", "must rise"),
        ("steam-boiler", "so2: {mean: 180, sigma: 40}", "so2: {mean: -1, sigma: 40}", "mean"),
        ("chiller-plant", "go_below_c: 10", "go_below_c: 16", "must rise"),
        ("chiller-plant", "rise_c: [5, 8]", "rise_c: [8, 5]", "not fall"),
    ],
)
def test_a_plant_that_cannot_be_is_refused(tmp_path: Path, kind: str, key: str, value: str, sentence: str) -> None:
    """Thresholds that contradict each other, or gases below nothing."""
    text = shipped_systems()[kind].read_text(encoding="utf-8")
    assert key in text
    file = tmp_path / "plant.yaml"
    file.write_text(text.replace(key, value), encoding="utf-8")
    with pytest.raises(ScenarioError, match=sentence):
        load_system_type(file)
