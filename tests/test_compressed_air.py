"""Compressed air: the pressure obeys its equation, compressors their thresholds, and any instant stands by itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad, solve_ivp

from simulator.signals.compressed_air import Air, Compressor, cascade, integrated, leak_m3_min_bar, moved

SECOND_NS, MINUTE_NS, HOUR_NS = 1_000_000_000, 60_000_000_000, 3_600_000_000_000
START_NS = 1_767_225_600_000_000_000
ONE = (Compressor("one", 20.0),)


def seconds(*values: float) -> NDArray[np.int64]:
    return START_NS + np.rint(np.array(values) * SECOND_NS).astype(np.int64)


def test_without_leaks_the_cycle_is_a_sawtooth() -> None:
    """20 m³/min against 12 in 5 m³: .7 bar up in .7 * 5 / (1.013 * 8) min = 25.9 s, down in 17.3 s."""
    rise_s, fall_s = 0.7 * 5 / (1.013 * 8) * 60, 0.7 * 5 / (1.013 * 12) * 60
    air = Air(5.0, ONE, demand_m3_min=12.0, leak_m3_min_bar=0.0)
    stretch = air.stretch(START_NS, pressure_bar=6.8)
    assert stretch.period_ns / SECOND_NS == pytest.approx(rise_s + fall_s, abs=0.002)
    at = seconds(0, rise_s / 2, rise_s, rise_s + fall_s / 2, 100 * (rise_s + fall_s) + rise_s / 2)
    assert stretch.pressure_bar(at) == pytest.approx([6.8, 7.15, 7.5, 7.15, 7.15], abs=0.01)
    assert stretch.loaded(at)[[1, 3], 0].tolist() == [True, False]


@settings(deadline=None, max_examples=40)
@given(demand=st.floats(0, 25), leak_share=st.floats(0, 1), first=st.floats(0.5, 9), minutes=st.floats(0.01, 3))
def test_the_pressure_solves_the_equation(demand: float, leak_share: float, first: float, minutes: float) -> None:
    """Before the first switch it is what a numerical solver finds, within 1e-6 bar."""
    leak = leak_m3_min_bar(leak_share, demand_m3_min=demand)
    compressor = Compressor("one", 20.0, load_bar=0.2, unload_bar=50.0)
    stretch = Air(9.0, (compressor,), demand, leak).stretch(START_NS, pressure_bar=first, loaded=frozenset({"one"}))

    def slope(_: float, bar: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1.013 * (20.0 - demand - leak * (bar + 1.013)) / 9.0

    expected = solve_ivp(slope, (0, minutes), [first], rtol=1e-10, atol=1e-10).y[0, -1]
    at = seconds(minutes * 60)
    if expected > 0:
        exact = minutes * 60 - (at[0] - START_NS) / SECOND_NS
        assert stretch.pressure_bar(at)[0] == pytest.approx(expected, abs=1e-6 + abs(exact))


def by_small_steps(air: Air, first: float, loaded: set[str], *, step_s: float, steps: int) -> NDArray[np.float64]:
    """The same net, simulated the plain way: pressure after each step."""
    bar, pressures = first, np.empty(steps)
    for i in range(steps):
        for one in air.compressors:
            if bar <= one.load_bar:
                loaded.add(one.name)
            elif bar >= one.unload_bar:
                loaded.discard(one.name)
        supply = sum(one.flow_m3_min for one in air.compressors if one.name in loaded)
        flow = supply - air.demand_m3_min - air.leak_m3_min_bar * (bar + 1.013)
        bar = max(bar + 1.013 * flow / air.volume_m3 * step_s / 60, 0.0)
        pressures[i] = bar
    return pressures


@pytest.mark.parametrize(("demand", "first"), [(4.0, 8.5), (11.0, 6.0), (18.0, 7.2), (27.0, 7.0), (33.0, 7.0)])
def test_a_cascade_does_what_small_steps_do(demand: float, first: float) -> None:
    """Three compressors of 10 m³/min with leaks follow four minutes simulated in steps of 2 ms, within .02 bar."""
    air = Air(12.0, cascade([10.0, 10.0, 10.0]), demand, leak_m3_min_bar(0.1, demand_m3_min=demand))
    expected = by_small_steps(air, first, set(), step_s=0.002, steps=120_000)
    at = START_NS + np.arange(1, 120_001) * 2_000_000
    got = air.stretch(START_NS, pressure_bar=first).pressure_bar(at)
    assert np.abs(got - expected).max() < 0.02


def test_a_cascade_in_use_switches_all_its_machines() -> None:
    """A demand of 18 m³/min keeps one compressor of 10 loaded and lets another cycle; one more stays unloaded."""
    stretch = Air(12.0, cascade([10.0] * 3), 18.0, 0.0).stretch(START_NS, pressure_bar=7.0)
    loaded = stretch.loaded(START_NS + np.arange(600, 4200) * SECOND_NS)
    assert loaded.sum(axis=1).mean() == pytest.approx(1.8, abs=0.02)


@settings(deadline=None, max_examples=60)
@given(demand=st.floats(0.5, 19), leak_share=st.floats(0, 0.4), volume=st.floats(1, 50), first=st.floats(6.8, 7.5))
def test_what_is_delivered_is_used(demand: float, leak_share: float, volume: float, first: float) -> None:
    """Over a period a compressor delivers what demand and leaks take, within .01 of its 20 m³/min."""
    leak = leak_m3_min_bar(leak_share, demand_m3_min=demand)
    stretch = Air(volume, ONE, demand, leak).stretch(START_NS, pressure_bar=first)
    if stretch.period_ns == 0:
        assert demand + leak * (7.5 + 1.013) >= 20.0
        return
    grid = START_NS + stretch.lead_ns + ((np.arange(20_000) + 0.5) / 20_000 * stretch.period_ns).astype(np.int64)
    used = demand + leak * (stretch.pressure_bar(grid).mean() + 1.013)
    assert stretch.loaded(grid)[:, 0].mean() * 20.0 == pytest.approx(used, abs=0.01)


@settings(deadline=None, max_examples=60)
@given(demand=st.floats(0, 45), leak_share=st.floats(0, 0.4), first=st.floats(0, 10), seed=st.integers(0, 99))
@example(demand=7e-161, leak_share=7e-161, first=0.0, seed=0)
def test_the_pressure_never_jumps_and_never_leaves_its_band(
    demand: float, leak_share: float, first: float, seed: int
) -> None:
    """It moves no faster than the flows allow, stays at or above 0, and comes back below the highest threshold."""
    leak = leak_m3_min_bar(leak_share, demand_m3_min=demand)
    loaded = frozenset(np.random.default_rng(seed).choice(["compressor-1", "compressor-2"], 1).tolist())
    air = Air(10.0, cascade([20.0, 10.0]), demand, leak)
    bar = air.stretch(START_NS, pressure_bar=first, loaded=loaded).pressure_bar(
        START_NS + np.arange(200_000) * 10_000_000
    )
    fastest = 1.013 * max(30.0, demand + leak * 11.1) / 10.0 / 6_000
    assert np.abs(np.diff(bar)).max() <= fastest * 1.2 + 1e-12
    assert bar.min() >= 0.0
    assert bar.max() <= max(7.5, first) + fastest


def test_too_much_demand_empties_the_receiver() -> None:
    """Pressure falls to 0 and stays there, with the compressor loaded; the fall through 5 bar is foretold."""
    stretch = Air(5.0, ONE, demand_m3_min=25.0, leak_m3_min_bar=0.0).stretch(START_NS, pressure_bar=7.0)
    expected_s = 0.2 * 5 / (1.013 * 25) * 60 + 1.8 * 5 / (1.013 * 5) * 60
    reached = stretch.next_at(5.0, after_ns=START_NS)
    assert reached is not None
    assert (reached - START_NS) / SECOND_NS == pytest.approx(expected_s, abs=0.002)
    assert stretch.pressure_bar(np.array([reached, START_NS + HOUR_NS])) == pytest.approx([5.0, 0.0], abs=1e-3)
    assert stretch.loaded_at(START_NS + HOUR_NS) == {"one"}
    assert stretch.next_at(6.0, after_ns=reached) is None
    assert len(stretch.switches_ns(START_NS, START_NS + HOUR_NS)) == 1


@pytest.mark.parametrize("bar", [6.9, 7.2, 7.5])
def test_a_crossing_is_foretold_again_and_again(bar: float) -> None:
    """Each pressure that is named next is the pressure that is there, period after period."""
    stretch = Air(5.0, ONE, 12.0, 0.3).stretch(START_NS, pressure_bar=6.5)
    now = START_NS
    for _ in range(9):
        later = stretch.next_at(bar, after_ns=now)
        assert later is not None
        assert later > now
        assert stretch.pressure_bar(np.array([later]))[0] == pytest.approx(bar, abs=1e-3)
        now = later


def test_power_is_that_of_the_formula() -> None:
    """20 m³/min draw 132 kW at 7 bar, 6 % more a bar above, and 33 kW unloaded."""
    stretch = Air(5.0, ONE, 12.0, 0.0).stretch(START_NS, pressure_bar=7.0, loaded=frozenset({"one"}))
    half_bar_s = 0.5 * 5 / (1.013 * 8) * 60
    power = stretch.power_kw(seconds(0, half_bar_s - 0.01, half_bar_s + 0.01))[:, 0]
    assert power == pytest.approx([132.0, 132.0 * 1.03, 33.0], rel=1e-4)


@pytest.mark.parametrize("leak", [0.0, 1e-9, 0.4])
def test_energy_is_the_integral_of_power(leak: float) -> None:
    """Two hours of three compressors, against a sum in steps of 20 ms, within 1e-4."""
    stretch = Air(12.0, cascade([10.0] * 3), 14.0, leak).stretch(START_NS, pressure_bar=5.0)
    at = START_NS + np.arange(360_000) * 20_000_000
    summed = stretch.power_kw(at + 10_000_000).sum(axis=0) * 0.02 / 3600
    begin, end = stretch.energy_kwh(np.array([START_NS, START_NS + 2 * HOUR_NS]))
    assert begin.tolist() == [0.0, 0.0, 0.0]
    assert end == pytest.approx(summed, rel=1e-4)


@pytest.mark.parametrize("lag", [0.0, 1e-6, 0.003, 0.0099, 0.0101, 0.3, 4.0, 40.0])
def test_the_mean_pressure_is_exact_however_slow_the_leak(lag: float) -> None:
    """Bar minutes over 5 minutes against a numerical integral, on both sides of where the closed form takes over."""
    decay = lag / 5.0
    expected, _ = quad(lambda t: float(moved(np.array(7.0), np.array(-0.1), np.array(t), decay)), 0, 5, epsabs=1e-12)
    got = integrated(np.array([7.0]), np.array([-0.1]), np.array([5.0]), decay)
    assert got[0] == pytest.approx(expected, abs=1e-9)


def test_windows_share_no_switch_and_lose_none() -> None:
    """A window holds the switch at its first instant and not the one at its end."""
    stretch = Air(8.0, cascade([10.0, 10.0]), 13.0, 0.2).stretch(START_NS, pressure_bar=7.0)
    whole = stretch.switches_ns(START_NS, START_NS + 600 * SECOND_NS)
    cuts = [START_NS, *whole[1::3].tolist(), START_NS + 600 * SECOND_NS]
    parts = [stretch.switches_ns(low, high) for low, high in pairwise(cuts)]
    assert len(whole) == 10
    assert np.concatenate(parts).tolist() == whole.tolist()


def test_leaks_cost_what_they_take() -> None:
    """Leaks of 25 % of the demand raise the loaded share from .50 to .625 at 7 bar."""
    leak = leak_m3_min_bar(0.25, demand_m3_min=10.0)
    air = Air(500.0, (Compressor("one", 20.0, 6.99, 7.01),), 10.0, leak)
    loaded = air.stretch(START_NS, pressure_bar=7.0).loaded(START_NS + np.arange(100_000) * SECOND_NS)
    assert loaded.mean() == pytest.approx(0.625, abs=0.005)


@settings(deadline=None, max_examples=60)
@given(from_s=st.floats(0, 4000), length_s=st.floats(0, 900), first=st.sampled_from([3.0, 7.0, 9.0]))
def test_switches_are_where_the_load_changes(from_s: float, length_s: float, first: float) -> None:
    """In any window: each switch changes who is loaded, at its own millisecond, and nothing changes in between."""
    stretch = Air(8.0, cascade([10.0, 10.0]), 13.0, 0.2).stretch(START_NS, pressure_bar=first)
    low, high = seconds(from_s)[0], seconds(from_s + length_s)[0]
    switches = stretch.switches_ns(int(low), int(high))
    assert np.array_equal(switches, np.unique(switches[(switches >= low) & (switches < high)]))
    assert np.all((switches - START_NS) % 1_000_000 == 0)
    before, after = stretch.loaded(switches - 1), stretch.loaded(switches)
    assert np.all(np.any(before != after, axis=1))
    edges = np.concatenate(([low], switches, [high]))
    grid = low + np.arange(997) * (high - low) // 997
    owner = edges[np.searchsorted(edges, grid, side="right") - 1]
    assert np.array_equal(stretch.loaded(grid), stretch.loaded(owner))


def test_any_instant_stands_by_itself() -> None:
    """Pressure, power and energy are the same bits alone, in a window, and in one that begins elsewhere."""
    stretch = Air(8.0, cascade([10.0, 10.0]), 13.0, 0.2).stretch(START_NS, pressure_bar=7.0)
    at = START_NS + np.arange(1, 5_000) * 777_000_000
    for read in (stretch.pressure_bar, stretch.power_kw, stretch.energy_kwh):
        whole = read(at)
        assert read(at[1_234:]).tobytes() == whole[1_234:].tobytes()
        alone = np.concatenate([read(at[i : i + 1]) for i in range(0, 4_999, 97)])
        assert alone.tobytes() == whole[::97].tobytes()


def test_without_compressors_the_pressure_falls() -> None:
    """All of them failed: the receiver empties, nothing switches and nothing draws power."""
    stretch = Air(5.0, (), 3.0, 0.1).stretch(START_NS, pressure_bar=7.0)
    bar = stretch.pressure_bar(seconds(0, 60, 3600))
    assert (bar[0], bar[1] < 6.5, bar[2]) == (7.0, True, 0.0)
    assert stretch.switches_ns(START_NS, START_NS + HOUR_NS).tolist() == []
    assert stretch.energy_kwh(seconds(3600)).sum() == 0.0


def test_a_stretch_goes_on_where_the_last_one_ended() -> None:
    """A compressor fails: the next stretch begins with the pressure there was and without it."""
    air = Air(8.0, cascade([10.0, 10.0]), 13.0, 0.2)
    first = air.stretch(START_NS, pressure_bar=7.0)
    now = START_NS + HOUR_NS
    bar = float(first.pressure_bar(np.array([now]))[0])
    after = Air(8.0, air.compressors[1:], 13.0, 0.2).stretch(now, pressure_bar=bar, loaded=first.loaded_at(now))
    later = np.array([now, now + HOUR_NS])
    assert after.pressure_bar(later)[0] == bar
    assert after.pressure_bar(later)[1] < 3.0
