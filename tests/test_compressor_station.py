"""A compressed-air station: who takes air lowers its pressure, and low pressure slows and stops who takes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from parks import MONDAY_NS
from supplied import AT, FACTORY, Seen, site

from simulator.errors import ScenarioError
from simulator.park.packml import State
from simulator.scenario.loader import load_system_type, shipped_systems
from simulator.validate.compressed_air import compressed_air
from simulator.validate.observed import observe
from simulator.validate.published import published

STATION = f"{{name: air, type: compressor-station, serves: [{FACTORY}]}}"
FEEDER = "{name: feeder, type: feeder-22kv, serves: [air]}"
PRESS = "moulding/press-1"


def leak(m3_min: float) -> str:
    return f"{{kind: air_leak, at: 10m, for: 20m, m3_min: {m3_min:g}, target: {AT}/compressor-station/air}}"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return Seen(site(tmp_path_factory.mktemp("sound"), STATION, FEEDER), minutes=60)


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return Seen(site(tmp_path_factory.mktemp("leaking"), STATION, FEEDER, faults=(leak(0.8),)), minutes=60)


@pytest.fixture(scope="module")
def burst(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return Seen(site(tmp_path_factory.mktemp("burst"), STATION, FEEDER, faults=(leak(50),)), minutes=60)


def test_pressure_stays_in_the_band_of_its_compressors(sound: Seen) -> None:
    """Between 6.5 and 7.5 bar, up and down; as many compressors are loaded as it takes; nobody is slow."""
    _, bar = sound.of("air", "pressure_bar")
    assert 6.4 < bar.min() < bar.max() < 7.6
    assert np.ptp(bar) > 0.2
    _, loaded = sound.of("air", "loaded_count")
    assert len(set(loaded)) > 1
    assert not sound.told("low_air")


def test_what_is_delivered_is_what_is_used_and_lost(sound: Seen) -> None:
    """Mean flow of an hour: the machines' use by their states and a quarter of the whole leaking, within 5 %."""
    _, flow = sound.of("air", "flow_m3_min")
    machines = sound.world.park.machines
    used = 0.0
    for asset in sound.makers():
        uses = machines[asset].spec.uses
        _, state = sound.of("/".join(sound.world.park.measured.assets[asset].path[3:]), "state")
        busy = (state == State.EXECUTE).mean()
        waits = ((state != State.EXECUTE) & (state != State.STOPPED)).mean()
        used += uses.air_m3_min * (busy + uses.idle * waits)
    most = sum(machines[asset].spec.uses.air_m3_min for asset in sound.makers())
    # A quarter of the air at .6 of the most: a third of that is lost at 7 bar.
    leaks = 0.6 * most / 3 * (sound.of("air", "pressure_bar")[1].mean() + 1.013) / 8.013
    assert flow.mean() == pytest.approx(used + leaks, rel=0.05)
    assert 0.2 < leaks / flow.mean() < 0.35


def test_power_follows_the_compressors_and_the_feeder_counts_it(sound: Seen) -> None:
    """6.6 kW per loaded m3/min and a quarter of that unloaded, within 6 %; the feeder's register is 2 % more."""
    _, kw = sound.of("air", "power_kw")
    _, flow = sound.of("air", "flow_m3_min")
    unit = sound.world.park.surroundings.devices[len(sound.world.park.machines) - 2].latest.air.compressors  # type: ignore[attr-defined]
    rated = sum(one.flow_m3_min for one in unit)
    assert kw.mean() == pytest.approx(6.6 * (flow.mean() + 0.25 * (rated - flow.mean())), rel=0.06)
    kwh = [sound.of(name, "energy_kwh")[1] for name in ("air", "feeder")]
    assert kwh[1][-1] - kwh[1][0] == pytest.approx(1.02 * (kwh[0][-1] - kwh[0][0]), rel=0.01)


def test_low_pressure_slows_those_who_use_air(leaking: Seen) -> None:
    """A leak takes the pressure below 5.5 bar; cycles of presses take 1.25 times as long until it is mended."""
    told = leaking.told("low_air")
    assert {one[0].split("/")[1] for one in told} == {FACTORY}
    assert len(told) == len(leaking.makers())
    begun, ended = told[0][1], told[0][2]
    assert {one[3] for one in told} == {"consequence"}
    assert ended is not None
    assert 10 < begun < 20
    assert 30 < ended < 45
    assert leaking.at("air", "pressure_bar", begun) == pytest.approx(5.5, abs=0.1)
    assert not leaking.told("no_air")
    for number in range(1, 7):
        minutes, took = leaking.of(f"moulding/press-{number}", "cycle_time_s")
        slow = (minutes > begun + 1) & (minutes < ended)
        if slow.any():
            assert took[slow].min() == pytest.approx(1.25 * took[minutes < begun].min())
        assert took[minutes > ended + 1].min() == pytest.approx(took[minutes < begun].min())


def test_hardly_any_pressure_stops_those_who_use_air(burst: Seen) -> None:
    """A burst pipe: below 4 bar whoever runs is held, none makes parts, and all go on once there is pressure again."""
    told = burst.told("no_air")
    assert len(told) == len(burst.makers())
    begun, ended = told[0][1], told[0][2]
    assert ended is not None
    assert 10 < begun < 12
    assert burst.at("air", "pressure_bar", 29) < 1
    for asset in burst.makers():
        states = burst.states(asset)
        assert not [at for at, state in states if begun + 0.1 < at < ended and state == State.EXECUTE]
    held = [
        asset
        for asset in burst.makers()
        if State.HELD in [s for at, s in burst.states(asset) if begun < at < begun + 1]
    ]
    assert len(held) > 5
    running = [asset for asset in burst.makers() if State.EXECUTE in [s for at, s in burst.states(asset) if at > ended]]
    assert len(running) >= len(burst.makers()) - 2


def test_a_station_without_power_stands(tmp_path: Path) -> None:
    """When its feeder trips nothing is loaded, nothing drawn, the air is as damp as the day, and pressure falls."""
    trip = f"{{kind: breakdown, at: 10m, for: 10m, target: {AT}/feeder-22kv/feeder}}"
    seen = Seen(site(tmp_path, STATION, FEEDER, faults=(trip,)), minutes=30)
    minutes, kw = seen.of("air", "power_kw")
    assert (kw[(minutes >= 10) & (minutes < 20)] == 0).all()
    assert seen.at("air", "loaded_count", 15) == 0
    assert seen.at("air", "pressure_bar", 11) > seen.at("air", "pressure_bar", 12)
    assert seen.at("air", "dew_point_c", 15) > 20 > seen.at("air", "dew_point_c", 9)
    # The machines have power, but no air.
    assert seen.told("no_air")
    assert seen.at("air", "pressure_bar", 29) > 4.5


def test_a_compressor_that_fails_is_missing_until_it_is_mended(tmp_path: Path) -> None:
    """With a failure each two hours or so one compressor after the other is down, told with its number."""
    loaded = site(tmp_path, STATION)
    spec = loaded.types["compressor-station"]
    role = spec.role  # type: ignore[attr-defined]
    often = role.failures.model_copy(update={"mtbf": 7_200_000_000_000})
    loaded.types["compressor-station"] = spec.model_copy(update={"role": role.model_copy(update={"failures": often})})
    seen = Seen(loaded, minutes=240)
    told = seen.told("compressor")
    assert len(told) > 2
    assert {one[3] for one in told} == {"by itself"}
    minutes, loaded_count = seen.of("air", "loaded_count")
    down = np.zeros(len(minutes))
    for _, from_m, to_m, _ in told:
        down += (minutes >= from_m) & (minutes < (to_m or 1e9))
    assert (loaded_count + down).max() <= 4
    assert down.max() >= 1


def test_a_net_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """Machines are slow before they stop, and both lie below the band of the last compressor."""
    text = shipped_systems()["compressor-station"].read_text(encoding="utf-8")
    for key, value, sentence in (
        ("stop_below_bar: 4 ", "stop_below_bar: 5.6 ", "machines are slow before they stop"),
        ("slow_below_bar: 5.5", "slow_below_bar: 6.4", "the last compressor loads hardly above that"),
        ("leaks: 0.25", "leaks: 1.5", "leaks"),
    ):
        assert key in text
        file = tmp_path / "net.yaml"
        file.write_text(text.replace(key, value), encoding="utf-8")
        with pytest.raises(ScenarioError, match=sentence):
            load_system_type(file)


def test_validate_judges_leaks_and_tells_a_small_station(tmp_path: Path) -> None:
    """A station for 14 machines is no plant's: its share of electricity is told, its leaks are judged, and within."""
    loaded = site(tmp_path, STATION)
    seen = observe(loaded.scenario, loaded.types, start_ns=MONDAY_NS, days=1, told=lambda _: None)
    share, leaks = compressed_air(seen, published().air)
    assert share.verdict == "for information"
    assert 0.02 < share.ours < 0.2
    assert leaks.verdict == "within"
    assert 0.15 < leaks.ours < 0.3
