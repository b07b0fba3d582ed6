"""Sensors of the profile model follow the cycle of their machine, wait with it, and do not depend on windows."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from parks import HOUR_NS, MONDAY_NS, SECOND_NS, readings
from pydantic import ValidationError

from simulator.batch import Batch
from simulator.park.world import World
from simulator.scenario.loader import load_machine_type, shipped_types
from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Factory, Line, Machine, Scenario, Shifts, Site
from simulator.scenario.sensor import SensorType
from simulator.signals.gauge import Placed, Samples, Works
from simulator.signals.gauges import ProfileGauge
from simulator.signals.moments import Moments
from simulator.signals.profile import set_point, table
from simulator.signals.timeline import EXECUTE, STOPPED, Segment, Timeline

HELD = 11
CYCLE_NS = 100 * SECOND_NS
POINTS = [[0, 20], [0.5, 120], [0.5, 60], [1, 20]]
UNTIL_NS = MONDAY_NS + 2 * HOUR_NS


def sensor(**model: Any) -> SensorType:
    data = {"kind": "profile", "points": POINTS, "off": 5, "tau": "2s"} | model
    field = {"name": "bath_c", "unit": "Cel", "range": [-50, 300], "resolution": 0.001, "period": "1s", "model": data}
    return SensorType.model_validate(field)


@cache
def oven() -> MachineType:
    return load_machine_type(shipped_types()["cure-oven"])


# What a sensor shows in each state.


def shown(spec: SensorType, *segments: tuple[int, int, int], at_s: float) -> float:
    """What it shows so long after the start of the last of these segments: how long each, its state, s into a cycle."""
    start_ns, rows = 0, []
    for length_s, state, into_s in segments:
        rows.append(Segment(0, start_ns, state, 0, into_s * SECOND_NS, CYCLE_NS, 0, 0, 0))
        start_ns += length_s * SECOND_NS
    timeline = Timeline.build(rows, assets=1, from_ns=0, until_ns=start_ns)
    gauge = ProfileGauge([Placed(0, 0, spec, oven())], cast("Works", None))
    gauge.advance(timeline)
    at_ns = timeline.start_ns[-1:, None] + round(at_s * SECOND_NS)
    only = np.array([0])
    moments = Moments(timeline, only, only[:, None], at_ns, period_ns=SECOND_NS, load=lambda _: np.zeros((1, 1)))
    return float(gauge.values(Samples(only[:, None], only, moments, np.zeros((1, 1))), timeline)[0, 0])


RAN = ((10, STOPPED, 0), (40, EXECUTE, 0))
"""A stopped machine that then runs for 40 s: its set point has come to 100."""


@pytest.mark.parametrize(("at_s", "expected"), [(30, 80 - 4), (49.9, 119.8 - 4), (90, 28 + 1.6), (130, 80 - 4)])
def test_it_follows_the_cycle(at_s: float, expected: float) -> None:
    """With a lag of 2 s it is 4 below a rise of 2 a second and 1.6 above a fall of .8; so too in the second cycle."""
    assert shown(sensor(), (10, STOPPED, 0), (200, EXECUTE, 0), at_s=at_s) == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize(
    ("drive", "state", "expected"),
    [
        ("powered", HELD, 100),
        ("powered", STOPPED, 5),
        ("execute", HELD, 5),
        ("execute", STOPPED, 5),
        ("always", HELD, 100),
        ("always", STOPPED, 100),
    ],
)
def test_it_waits_with_its_cycle(drive: str, state: int, expected: float) -> None:
    """Once interrupted it nears the set point of that moment, or ``off``, as its drive says."""
    assert shown(sensor(drive=drive), *RAN, (60, state, 40), at_s=50) == pytest.approx(expected, abs=1e-6)


def test_it_lags_from_where_it_was() -> None:
    """At the interruption it stands 4 below its set point, a time constant later e times nearer."""
    held = (*RAN, (60, HELD, 40))
    assert shown(sensor(), *held, at_s=0) == pytest.approx(96, abs=1e-6)
    assert shown(sensor(), *held, at_s=2) == pytest.approx(100 - 4 / np.e, abs=1e-6)


def test_it_goes_on_from_where_the_cycle_was() -> None:
    """From 100, where it waited, over the rest of the rise to 120 and past the jump to 60."""
    resumed = (*RAN, (60, HELD, 40), (90, EXECUTE, 40))
    assert shown(sensor(), *resumed, at_s=0) == pytest.approx(100, abs=1e-6)
    assert shown(sensor(), *resumed, at_s=9.9) == pytest.approx(119.8 - 4, abs=0.05)
    assert shown(sensor(), *resumed, at_s=30) == pytest.approx(44 + 1.6, abs=0.05)


def test_who_waits_on_a_jump_nears_what_comes_after_it() -> None:
    """Half way through the cycle the set point jumps from 120 to 60."""
    assert shown(sensor(), (10, STOPPED, 0), (50, EXECUTE, 0), (60, HELD, 50), at_s=50) == pytest.approx(60, abs=1e-6)


def test_it_begins_the_world_where_it_would_have_settled() -> None:
    """Stopped at ``off``, waiting for its first cycle at its first point."""
    assert shown(sensor(), (10, STOPPED, 0), at_s=0) == 5
    assert shown(sensor(), (10, HELD, 0), at_s=0) == 20


@given(done=st.floats(0, 1))
def test_the_set_point_runs_in_straight_lines(done: float) -> None:
    """It is NumPy's interpolation between the points, also beside a profile that has more of them."""
    tent = [(0.0, -3.0), (0.3, 8.0), (1.0, 2.0)]
    share, value = table([tent, [(0.0, 0.0), (0.2, 1.0), (0.4, 0.0), (0.6, 1.0), (1.0, 0.0)]])
    got = set_point(np.array([done, done]), share=share, value=value)
    assert got[0] == pytest.approx(np.interp(done, [0.0, 0.3, 1.0], [-3.0, 8.0, 2.0]), abs=1e-12)


# In a park.


def ovens() -> Scenario:
    """Two ovens with batches of a quarter of an hour, and a break at half past seven."""
    shifts = Shifts(hours=("06:00-07:30", "07:45-22:00"))
    line = Line(name="cure", machines=(Machine(name="oven", type="cure-oven", count=2, cycle="15m"),))
    factory = Factory(name="plant", shifts=shifts, lines=(line,))
    sites = (Site(name="park", province="here", factories=(factory,)),)
    return Scenario(parksim=1, name="ovens", sites=sites)


def world(start_ns: int = MONDAY_NS) -> World:
    scenario = ovens()
    return World(
        scenario.model_copy(update={"warm_up": HOUR_NS + start_ns - MONDAY_NS}), {"cure-oven": oven()}, start_ns
    )


@cache
def whole() -> Batch:
    return readings(world(), until_ns=UNTIL_NS)


def columns(batch: Batch, rows: slice = slice(None)) -> list[bytes]:
    return [getattr(batch, name)[rows].tobytes() for name in ("time_ns", "sensor", "value")]


@settings(deadline=None, max_examples=8)
@given(window_ns=st.integers(5_000, 900_000).map(lambda ms: ms * 1_000_000), later_ms=st.integers(0, 7_100_000))
@example(window_ns=HOUR_NS, later_ms=0)
def test_neither_window_nor_start_changes_a_bit(window_ns: int, later_ms: int) -> None:
    """Two ovens over two hours, a break included: the same bits in any windows, and from any start onwards."""
    start_ns = MONDAY_NS + later_ms * 1_000_000
    got = readings(world(start_ns), until_ns=UNTIL_NS, window_ns=window_ns)
    assert columns(got) == columns(whole(), slice(int(np.searchsorted(whole().time_ns, start_ns)), None))


def of(name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    catalog = world().catalog
    number = [one.name for one in catalog.sensors].index(name)
    rows = whole().sensor == number
    return whole().time_ns[rows], whole().value[rows]


def test_an_oven_heats_soaks_and_cools_with_each_batch() -> None:
    """Towards 175 degrees and back: each batch makes the top of the chamber rise and fall."""
    _, celsius = of("chamber_top_c")
    _, batches = of("cycle_count")
    crossings = np.flatnonzero((celsius[:-1] < 145) & (celsius[1:] >= 145))
    assert celsius.max() > 160
    assert celsius.min() < 120
    assert len(crossings) == pytest.approx(batches[-1] - batches[0], abs=2)


# Mistakes.


@pytest.mark.parametrize(
    ("points", "told"),
    [
        ([[0, 1], [0.9, 1]], "from share 0 to 0.9, but must run from 0 to 1"),
        ([[0, 1], [0.6, 1], [0.4, 2], [1, 1]], "share 0.4 comes after 0.6"),
        ([[0, 1]], "at least 2"),
        ([[0, 1], [1.5, 1]], "less than or equal to 1"),
    ],
)
def test_points_that_make_no_cycle_are_refused(points: list[list[float]], told: str) -> None:
    """They must run from 0 to 1 and not fall."""
    with pytest.raises(ValidationError, match=told):
        sensor(points=points)
