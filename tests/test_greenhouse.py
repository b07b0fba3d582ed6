"""Greenhouses are watered by the light, and depend on nothing but the instant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from parks import HOUR_NS, SECOND_NS
from regions import HEAD, MIDNIGHT_NS, Shown, loaded, midnight_world

from simulator.scenario.climate import load_climate
from simulator.scenario.loader import load_system_type, shipped_systems
from simulator.scenario.roles.greenhouse import Greenhouse
from simulator.signals.devices.greenhouse import GreenhouseDevice
from simulator.signals.sky import Sky

FARM = """\
  - name: farm
    province: dong-nai
    systems: [{name: house, type: greenhouse}]
"""
DAY_MIN = 1440
MINUTE_NS = 60 * SECOND_NS
LIGHT = 1_200_000


@pytest.fixture(scope="module")
def sky() -> Sky:
    return Sky(load_climate("ho-chi-minh-city"), seed=4, site="farm")


def house(sky: Sky, **changes: float) -> GreenhouseDevice:
    role = load_system_type(shipped_systems()["greenhouse"]).role
    assert isinstance(role, Greenhouse)
    return GreenhouseDevice(role.model_copy(update=changes), sky)


def minutes(days: int, from_day: int = 0) -> np.ndarray:
    return MIDNIGHT_NS + (from_day * DAY_MIN + np.arange(days * DAY_MIN)) * MINUTE_NS


def test_it_is_watered_once_at_six_and_then_by_the_light(sky: Sky) -> None:
    """Over a week: each day one watering, and one more for each 1.2 MJ/m2 after six o'clock."""
    for day in range(7):
        at = minutes(1, day)
        count = house(sky).values("waterings", at)
        light = np.cumsum(60 * sky.weather.at(at).ghi_w_m2)
        assert count[: 6 * 60].max() == 0
        assert count[6 * 60] == 1
        assert count[-1] == 1 + (light[-1] - light[6 * 60]) // LIGHT
        assert 4 < count[-1] < 25


def test_what_the_morning_gave_is_still_in_the_soil(sky: Sky) -> None:
    """First watered at ten: until then the soil is as dry as the light since the last ten o'clock made it."""
    device = house(sky, first_hour=10.0)
    day, before = minutes(1, 3), minutes(1, 2)
    count = device.values("waterings", day)
    assert (count[599], count[600]) == (0, 1)
    light = np.cumsum(60 * sky.weather.at(day).ghi_w_m2)
    assert count[-1] == 1 + (light[-1] - light[600]) // LIGHT
    evening = np.cumsum(60 * sky.weather.at(before).ghi_w_m2)
    left = (evening[-1] - evening[600]) % LIGHT / LIGHT
    assert device.values("soil_pct", day[:300]) == pytest.approx(72 - 9 * left)


def test_the_valve_is_open_for_eight_minutes_each_time(sky: Sky) -> None:
    """Minutes with water: eight for each watering that does not overlap the next."""
    device = house(sky)
    at = minutes(1)
    valve, count, flow = (device.values(name, at) for name in ("valve", "waterings", "flow"))
    assert valve.sum() == 8 * count[-1]
    assert (flow == 180 * valve).all()
    opens = np.flatnonzero(np.diff(valve, prepend=0) > 0)
    assert (np.diff(count, prepend=0)[opens] == 1).all()


def test_plants_drink_and_the_soil_never_jumps(sky: Sky) -> None:
    """Between 63 and 72 % of water; it falls slowly and rises while the valve is open; salt goes the other way."""
    device = house(sky)
    at = minutes(3)
    soil, ec, valve = (device.values(name, at) for name in ("soil_pct", "ec", "valve"))
    assert 62.99 <= soil.min() < 65
    assert soil.max() <= 72
    change = np.diff(soil)
    assert change[valve[1:] == 0].max() < 1e-9
    # In eight minutes at most the whole drop of 9 %.
    assert np.abs(change).max() <= 9 / 8 + 1e-9
    assert (ec - 2.4) / 0.5 == pytest.approx((72 - soil) / 9)


def test_it_depends_on_the_instant_alone(sky: Sky) -> None:
    """Asked backwards, one by one, and by another device: the same bits."""
    at = minutes(4)[::97]
    together = house(sky).values("soil_pct", at)
    other = house(sky)
    alone = np.array([other.values("soil_pct", at[i : i + 1])[0] for i in range(len(at) - 1, -1, -1)])[::-1]
    assert together.tobytes() == alone.tobytes()


def test_a_day_in_a_greenhouse_looks_like_one(tmp_path: Path) -> None:
    """Air is warmer than outside in the sun, carbon dioxide is high at dawn and low at noon, the pump draws power."""
    one = Shown(midnight_world(loaded(tmp_path, HEAD + FARM)), 24, HOUR_NS)
    at, air = one.of("house", "air_c")
    hour = (at - MIDNIGHT_NS) / HOUR_NS
    outside = Sky(load_climate("ho-chi-minh-city"), seed=4, site="farm").weather.at(at)
    noon = (hour > 11) & (hour < 15)
    assert 1 < (air - outside.temperature_c)[noon].mean() < 7
    co2, valve, kw = one.values("house", "co2_ppm", "valve", "power_kw")
    assert co2[(hour > 4) & (hour < 6)].mean() > 1.4 * co2[noon].mean()
    assert kw[1:] == pytest.approx(np.where(valve == 1, 9.5, 4.0)[1:])
