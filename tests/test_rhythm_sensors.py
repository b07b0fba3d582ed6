"""Sensors that follow the hours, the weekday and the weather: hand values, exact lags, and no trace of windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from parks import HOUR_NS
from regions import HEAD, MIDNIGHT_NS, Shown, loaded, midnight_world

from simulator.errors import ScenarioError
from simulator.park.world import World
from simulator.scenario.climate import load_climate
from simulator.scenario.loader import Loaded
from simulator.scenario.machine_type import MachineType
from simulator.scenario.sensor import Noise, RhythmModel, SensorType
from simulator.signals.sky import Sky

TOWN = """\
  - name: town
    province: dong-nai
    systems: [{name: shop, type: retail}]
"""
FIVE_MIN = "5m"


def rhythm(**keys: object) -> RhythmModel:
    """A model as a user writes it."""
    return RhythmModel.model_validate({"kind": "rhythm", **keys})


def town(folder: Path, *models: RhythmModel, noise: Noise | None = None) -> tuple[Loaded, dict[str, MachineType]]:
    """A shop whose only sensors are the given ones, called s0, s1 and so on, once a minute."""
    scenario = loaded(folder, HEAD + TOWN)
    sensors = tuple(
        SensorType.model_validate(
            {
                "name": f"s{i}",
                "unit": "1",
                "range": (-1e6, 1e6),
                "resolution": "1e-9",
                "period": "60s",
                "model": model,
                "noise": noise,
            }
        )
        for i, model in enumerate(models)
    )
    spec = scenario.types["retail"].model_copy(update={"sensors": sensors})
    return scenario, scenario.types | {"retail": spec}


def shown(folder: Path, *models: RhythmModel, hours: float = 24, window_ns: int = HOUR_NS, **keys: Noise) -> Shown:
    return Shown(midnight_world(*town(folder, *models, **keys)), hours, window_ns)


def hours_of(time_ns: np.ndarray) -> np.ndarray:
    return (time_ns - MIDNIGHT_NS) / HOUR_NS


def test_it_runs_in_lines_through_the_hours(tmp_path: Path) -> None:
    """[0, 1] to [12, 3], a jump to 5, then to [24, 1]: each minute of a Monday as by hand."""
    at, value = shown(tmp_path, rhythm(day=[(0, 1), (12, 3), (12, 5), (24, 1)])).of("shop", "s0")
    hour = hours_of(at)
    assert value == pytest.approx(np.where(hour < 12, 1 + hour / 6, 5 - (hour - 12) / 3), abs=1e-8)


def test_each_sensor_has_its_own_points(tmp_path: Path) -> None:
    """Three sensors side by side, the middle one with other points: none of them sees those of its neighbours."""
    flat, steep = rhythm(day=[(0, 7), (24, 7)]), rhythm(day=[(0, 0), (24, 24)])
    one = shown(tmp_path, flat, steep, flat)
    assert set(one.values("shop", "s0")[0]) == set(one.values("shop", "s2")[0]) == {7.0}
    at, value = one.of("shop", "s1")
    assert value == pytest.approx(hours_of(at), abs=1e-8)


def test_saturdays_and_sundays_have_a_factor(tmp_path: Path) -> None:
    """From Monday: five days at 10, Saturday 5, Sunday 1."""
    at, value = shown(tmp_path, rhythm(day=[(0, 10), (24, 10)], saturday=0.5, sunday=0.1), hours=168).of("shop", "s0")
    day = (hours_of(at) // 24).astype(int)
    assert [float(value[day == number].mean()) for number in range(7)] == pytest.approx([10] * 5 + [5, 1])


def test_the_weather_multiplies_and_adds(tmp_path: Path) -> None:
    """10 times the factor of the light plus what the heat adds, by the sky of the site; beyond the points as there."""
    model = rhythm(
        day=[(0, 10), (24, 10)],
        times={"irradiance": [(0, 1), (100, 0.2)]},
        plus={"temperature": [(20, 0), (30, 5)], "pm25": [(0, 0), (100, 1)]},
    )
    at, value = shown(tmp_path, model).of("shop", "s0")
    sky = Sky(load_climate("ho-chi-minh-city"), seed=4, site="town")
    now = sky.weather.at(at)
    light = 1 - 0.8 * np.clip(now.ghi_w_m2 / 100, 0, 1)
    heat = 5 * np.clip((now.temperature_c - 20) / 10, 0, 1)
    dust = np.clip(sky.air.pm25_ug_m3(at) / 100, 0, 1)
    assert value == pytest.approx(10 * light + heat + dust, abs=1e-8)
    assert np.ptp(light) == pytest.approx(0.8)


def test_a_lag_follows_a_ramp_by_its_time_constant(tmp_path: Path) -> None:
    """Behind a line that rises by 6 an hour it lags 6 τ in the long run; with τ = 30 min that is 3, from 0 on 3 e^-t/τ.

    The corner at midnight lies on a knot, so the answer is exact.
    """
    at, value = shown(tmp_path, rhythm(day=[(0, 0), (24, 144)], tau="30m"), hours=12).of("shop", "s0")
    hour = hours_of(at)
    assert value == pytest.approx(6 * hour - 3 + 3 * np.exp(-hour / 0.5), abs=1e-6)


@pytest.mark.parametrize("window_s", [7, 61, 1_811])
def test_windows_leave_no_trace(tmp_path: Path, window_s: int) -> None:
    """Lags, weather and noise, two hours: the same bits in windows of an hour and in others."""
    models = (
        rhythm(day=[(0, 1), (12, 9), (24, 1)], tau="17m", plus={"temperature": [(20, 0), (35, 9)]}),
        rhythm(day=[(0, 4), (24, 5)], relative=True),
    )
    noise = Noise(sigma=0.1, tau=FIVE_MIN)
    one, other = (
        shown(tmp_path, *models, hours=2, window_ns=ns, noise=noise) for ns in (HOUR_NS, window_s * 1_000_000_000)
    )
    assert one.batch.value.tobytes() == other.batch.value.tobytes()
    assert one.batch.time_ns.tobytes() == other.batch.time_ns.tobytes()


def test_a_later_start_shows_the_same(tmp_path: Path) -> None:
    """From the same origin, an hour of warm-up more: the same bits from there on."""
    scenario, types = town(tmp_path, rhythm(day=[(0, 1), (12, 9), (24, 1)], tau="40m"))
    late = World(scenario.scenario.model_copy(update={"warm_up": HOUR_NS}), types, MIDNIGHT_NS + HOUR_NS)
    _, value = Shown(late, 1).of("shop", "s0")
    at, whole = Shown(midnight_world(scenario, types), 2).of("shop", "s0")
    assert whole[at >= MIDNIGHT_NS + HOUR_NS].tobytes() == value.tobytes()


def test_relative_noise_leaves_nothing_at_nothing(tmp_path: Path) -> None:
    """Zero until noon, then 100 with a tenth of scatter whose mean is 100 within 2 %, over ten afternoons."""
    model = rhythm(day=[(0, 0), (12, 0), (12, 100), (24, 100)], relative=True)
    at, value = shown(tmp_path, model, hours=240, noise=Noise(sigma=0.1, tau=FIVE_MIN)).of("shop", "s0")
    afternoon = hours_of(at) % 24 >= 12
    assert value[~afternoon].max() == 0
    assert value[afternoon].mean() == pytest.approx(100, rel=0.02)
    assert np.log(value[afternoon]).std() == pytest.approx(0.1, rel=0.05)


def test_what_is_out_of_order_shows_so(tmp_path: Path) -> None:
    """Broken down until three o'clock: `off` until then, the line once it works; who states none shows the line."""
    scenario, types = town(tmp_path, rhythm(day=[(0, 5), (24, 5)], off=-1), rhythm(day=[(0, 5), (24, 5)]))
    world = midnight_world(scenario, types)
    world.park.machines[0].break_down(MIDNIGHT_NS + 3 * HOUR_NS)
    one = Shown(world, 4)
    at, value = one.of("shop", "s0")
    hour = hours_of(at)
    assert set(value[hour < 3]) == {-1.0}
    assert set(value[hour > 3.1]) == {5.0}
    assert set(one.values("shop", "s1")[0]) == {5.0}


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("day: [[0, 1], [12, 2]]", "day: runs from hour 0 to 12, but must run from 0 to 24"),
        ("day: [[0, 1], [9, 2], [8, 2], [24, 1]]", "day: hour 8 comes after 9"),
        ("day: [[0, 1], [24, 1]], times: {rain: [[5, 1], [5, 2]]}", "times: rain 5 comes after 5, but must rise"),
        ("day: [[0, 1], [24, 1]], plus: {temprature: [[5, 1], [6, 2]]}", "plus.temprature"),
        ("day: [[0, 1], [24, 1]], tau: 0s", "tau: '0s' is too small"),
    ],
)
def test_a_mistake_in_a_rhythm_is_told_with_its_place(tmp_path: Path, keys: str, told: str) -> None:
    """Hours that do not make a day, weather that does not rise or does not exist."""
    text = f"""\
machine_types:
  - name: odd
    title: An odd one
    source: a test
    cycle: 10s
    pieces: 1
    first_pass_yield: 1
    motor: {{rated_kw: 1, execute_load: 0.5, idle_load: 0.1}}
    sensors:
      - {{name: x, unit: "1", range: [0, 9], resolution: 1, period: 60s, model: {{kind: rhythm, {keys}}}}}
"""
    with pytest.raises(ScenarioError) as refused:
        loaded(tmp_path, HEAD.replace("sites:\n", text + "sites:\n") + TOWN)
    assert told in str(refused.value)
    assert "region.yaml:13:" in str(refused.value)


def test_a_machine_can_have_one(tmp_path: Path) -> None:
    """A machine type of one's own measures the light in its hall, by the sky of its site."""
    text = """\
machine_types:
  - name: lathe
    title: A lathe
    source: a test
    cycle: 10s
    pieces: 1
    first_pass_yield: 1
    motor: {rated_kw: 1, execute_load: 0.5, idle_load: 0.1}
    sensors:
      - {name: hall_lx, unit: lx, range: [0, 9000], resolution: 1, period: 60s,
         model: {kind: rhythm, day: [[0, 300], [24, 300]], plus: {irradiance: [[0, 0], [1000, 500]]}}}
"""
    town_with = (
        TOWN + "    factories: [{name: shop-floor, lines: [{name: turn, machines: [{name: l, type: lathe}]}]}]\n"
    )
    one = Shown(midnight_world(loaded(tmp_path, HEAD.replace("sites:\n", text + "sites:\n") + town_with)), 24)
    at, value = one.of("turn/l", "hall_lx")
    sky = Sky(load_climate("ho-chi-minh-city"), seed=4, site="town")
    assert value == pytest.approx(300 + sky.weather.at(at).ghi_w_m2 / 2, abs=0.51)
