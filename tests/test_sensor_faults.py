"""Broken sensors: each kind of fault turns true readings into what it says, at its sensor, while it lasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest
from faulty import MINUTE_NS, Lived, fault
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from parks import MONDAY_NS, SECOND_NS

from simulator.park.packml import State
from simulator.signals.distortion import drift, quantised, spikes, uniform_at
from simulator.signals.streams import Stream

FROM_NS, TO_NS = MONDAY_NS + 10 * MINUTE_NS, MONDAY_NS + 20 * MINUTE_NS
MINUTES = 25


@cache
def true() -> Lived:
    """The park in which no sensor is broken; the faults of sensors change nothing of what happens."""
    return Lived(minutes=MINUTES)


def broken(kind: str, sensor: str, **parameters: float) -> Lived:
    """Return the park in which a sensor of the second press is broken from minute 10 to minute 20."""
    return Lived(fault(kind, f"press-2/{sensor}", at="10m", lasts="10m", **parameters), minutes=MINUTES)


def both(lived: Lived, sensor: str) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return time, true and shown values of the second press's sensor while its fault lasts.

    Before and after, the two are the same bits.
    """
    time_ns, value = true().of("press-2", sensor)
    shown_ns, shown = lived.of("press-2", sensor)
    assert time_ns.tolist() == shown_ns.tolist()
    within = (time_ns >= FROM_NS) & (time_ns < TO_NS)
    assert value[~within].tobytes() == shown[~within].tobytes()
    return time_ns[within], value[within], shown[within]


@pytest.mark.parametrize("sensor", ["oil_c", "power_kw", "vibration_mm_s", "cushion_mm", "cycle_count", "energy_kwh"])
def test_a_stuck_sensor_repeats_its_last_reading(sensor: str) -> None:
    """The last one at or before the beginning, of every kind of sensor, until the end."""
    lived = broken("stuck", sensor)
    time_ns, value = true().of("press-2", sensor)
    last = value[np.searchsorted(time_ns, FROM_NS, side="right") - 1]
    at_ns, _, shown = both(lived, sensor)
    assert len(at_ns) >= 20
    assert set(shown.tolist()) == {last}


def test_a_stuck_state_is_that_of_the_beginning() -> None:
    """The machine breaks down, and its state sensor goes on showing what was before."""
    lived = Lived(
        fault("stuck", "press-5/state", at="11m", lasts="9m"), fault("breakdown", "press-5", at="12m", lasts="5m")
    )
    time_ns, state = lived.of("press-5", "state")
    within = (time_ns >= MONDAY_NS + 11 * MINUTE_NS) & (time_ns < TO_NS)
    assert set(state[within].tolist()) == {State.EXECUTE}
    assert any(code == State.ABORTED for _, code in lived.changes("press-5"))


@settings(deadline=None, max_examples=8)
@given(at_ms=st.integers(0, 20 * 60_000))
def test_a_sensor_may_stick_at_any_instant(at_ms: int) -> None:
    """Wherever the beginning falls between two readings, the last one is held."""
    begin = MONDAY_NS + at_ms * 1_000_000
    instant = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=begin // 1_000_000)).isoformat()
    names = ("barrel_1_c", "power_kw", "cushion_mm")
    lived = Lived(*(fault("stuck", f"press-2/{name}", at=instant, lasts="3m") for name in names), minutes=MINUTES)
    for name in names:
        time_ns, value = true().of("press-2", name)
        shown = lived.of("press-2", name)[1]
        within = (time_ns >= begin) & (time_ns < begin + 3 * MINUTE_NS)
        before = value[time_ns <= begin]
        if len(before):
            assert set(shown[within].tolist()) <= {before[-1]}


def test_a_sensor_that_sticks_when_the_world_begins_shows_its_first_reading() -> None:
    """There is none before it."""
    stuck, calm = Lived(fault("stuck", "press-2/oil_c", at="0s", lasts="1h"), warm_up=0), Lived(warm_up=0)
    assert set(stuck.of("press-2", "oil_c")[1].tolist()) == {calm.of("press-2", "oil_c")[1][0]}


def test_a_fault_holds_at_its_first_instant_and_not_at_its_last() -> None:
    """From a reading's very instant to another's: the first is gone, the other is there."""
    time_ns = true().of("press-2", "oil_c")[0]
    begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(time_ns[50]) // 1_000_000)
    lived = Lived(fault("gap", "press-2/oil_c", at=begin.isoformat(), lasts="30s"), minutes=MINUTES)
    assert np.setdiff1d(time_ns, lived.of("press-2", "oil_c")[0]).tolist() == time_ns[50:53].tolist()


def test_a_drifting_sensor_is_off_by_more_and_more() -> None:
    """24 degrees an hour are 0.4 a minute, within a step of the resolution (0.1); afterwards it is right again."""
    time_ns, value, shown = both(broken("drift", "oil_c", per_hour=24), "oil_c")
    expected = 24 * (time_ns - FROM_NS) / (3600 * SECOND_NS)
    assert shown - value == pytest.approx(expected, abs=0.1 + 1e-9)
    assert (shown - value)[-1] > 3.5


def test_an_offset_is_the_same_all_the_time() -> None:
    """Whole steps of the resolution move every reading by exactly as much."""
    _, value, shown = both(broken("offset", "oil_c", by=-2.5), "oil_c")
    assert shown - value == pytest.approx(-2.5, abs=1e-9)


def test_spikes_are_single_readings() -> None:
    """Of 600 readings 20 % are 20 kW too high, within four standard errors; all others are true."""
    _, value, shown = both(broken("spike", "power_kw", chance=0.2, height=20), "power_kw")
    spiked = shown != value
    assert (shown - value)[spiked] == pytest.approx(20, abs=1e-6)
    assert len(value) == 600
    assert spiked.mean() == pytest.approx(0.2, abs=4 * np.sqrt(0.2 * 0.8 / 600))


def test_spikes_befall_sensors_per_cycle_too() -> None:
    """A chance of 1 hits every reading."""
    _, value, shown = both(broken("spike", "cushion_mm", chance=1, height=-2), "cushion_mm")
    assert shown - value == pytest.approx(-2, abs=1e-6)


def test_two_spike_faults_hit_different_readings() -> None:
    """Each has random numbers of its own: with a chance of a half each, a quarter is hit twice, within 4 sigma."""
    one = fault("spike", "press-2/power_kw", at="10m", lasts="10m", chance=0.5, height=30)
    _, value, shown = both(Lived(one, one, minutes=MINUTES), "power_kw")
    twice = np.isclose(shown - value, 60)
    assert twice.mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / len(value)))


def test_a_quantised_sensor_shows_coarse_steps() -> None:
    """Every reading is a multiple of the step, and at most half a step and half a resolution off."""
    _, value, shown = both(broken("quantised", "power_kw", step=5), "power_kw")
    assert np.unique(shown % 5).tolist() == [0.0]
    assert np.abs(shown - value).max() <= 2.5 + 0.05


@pytest.mark.parametrize("sensor", ["power_kw", "state", "good_count", "cycle_time_s"])
def test_a_silent_sensor_says_nothing(sensor: str) -> None:
    """No reading from the beginning to before the end, and every other reading of the park is there."""
    lived = broken("gap", sensor)
    time_ns, _ = lived.of("press-2", sensor)
    assert not ((time_ns >= FROM_NS) & (time_ns < TO_NS)).any()
    gone = true().of("press-2", sensor)[0]
    missing = int(((gone >= FROM_NS) & (gone < TO_NS)).sum())
    assert len(lived.batch) - 8 * sum(1 for _ in lived.truth()) == (
        len(true().batch) - 8 * sum(1 for _ in true().truth()) - missing
    )
    assert missing > 0


def test_a_distorted_reading_is_still_one_that_the_instrument_can_show() -> None:
    """Far out of range it is the end of the range, and always a multiple of the resolution."""
    for by, wanted in ((1e6, "high"), (-1e6, "low")):
        lived = broken("offset", "oil_c", by=by)
        sensor = next(s for s in lived.world.catalog.assets[1].sensors if s.name == "oil_c")
        assert set(both(lived, "oil_c")[2].tolist()) == {getattr(sensor, wanted)}
    _, _, shown = both(broken("drift", "oil_c", per_hour=3.3333), "oil_c")
    assert (shown == np.round(shown, 1)).all()


def test_faults_of_one_sensor_act_in_the_order_of_the_scenario() -> None:
    """Coarse steps and then an offset is not the same as the offset first; a stuck sensor holds what came before it."""
    steps = fault("quantised", "press-2/oil_c", at="10m", lasts="10m", step=10)
    shift = fault("offset", "press-2/oil_c", at="5m", lasts="15m", by=3)
    stuck = fault("stuck", "press-2/oil_c", at="10m", lasts="10m")
    shown = {}
    for name, order in {
        "steps, shift": (steps, shift),
        "shift, steps": (shift, steps),
        "shift, stuck": (shift, stuck),
        "stuck, shift": (stuck, shift),
    }.items():
        time_ns, value = Lived(*order, minutes=MINUTES).of("press-2", "oil_c")
        shown[name] = value[(time_ns >= FROM_NS) & (time_ns < TO_NS)]
    assert set((shown["steps, shift"] % 10).tolist()) == {3.0}
    assert set((shown["shift, steps"] % 10).tolist()) == {0.0}
    time_ns, value = true().of("press-2", "oil_c")
    last = value[np.searchsorted(time_ns, FROM_NS, side="right") - 1]
    # Whether the offset is held or is added to what is held, it is there once.
    for name in ("shift, stuck", "stuck, shift"):
        assert shown[name] == pytest.approx(last + 3, abs=1e-9)


def test_faults_of_sensors_change_nothing_else() -> None:
    """Everything that the fault does not name shows the same bits, and the park lives the same life."""
    lived = Lived(
        fault("drift", "press-2/oil_c", at="10m", lasts="10m", per_hour=9),
        fault("stuck", "press-*/power_kw", at="10m", lasts="10m"),
        minutes=MINUTES,
    )
    assert lived.segments == true().segments
    for sensor in ("state", "barrel_1_c", "cushion_mm", "cycle_count"):
        for one, other in zip(lived.of("press-2", sensor), true().of("press-2", sensor), strict=True):
            assert one.tobytes() == other.tobytes()


# The formulas.


def test_the_formulas_do_what_they_say() -> None:
    """A drift of 6 an hour is 0.1 a minute; 7.4 in steps of 5 is 5; numbers below the chance are spikes."""
    value = np.array([7.4, 7.6, -1.0])
    minutes = np.array([0, 1, 60]) * MINUTE_NS
    assert drift(value, since_ns=minutes, per_hour=6.0) == pytest.approx([7.4, 7.7, 5.0])
    assert quantised(value, step=5.0).tolist() == [5.0, 10.0, -0.0]
    assert spikes(value, np.array([0.0, 0.3, 0.299]), chance=0.3, height=10.0).tolist() == [17.4, 7.6, 9.0]


def test_the_numbers_of_readings_have_random_access() -> None:
    """A reading has the same random number whichever others are asked for."""
    stream, index = Stream(7, "press", "spike"), np.arange(1_000, 2_000)
    everything = uniform_at(stream, index)
    assert uniform_at(stream, index[300:700:3]).tolist() == everything[300:700:3].tolist()
    assert everything.mean() == pytest.approx(0.5, abs=4 / np.sqrt(12 * 1_000))
