"""What sensors show is what happens."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from parks import HOUR_NS, MONDAY_NS, SECOND_NS, readings, world

from simulator.park.packml import NEXT, State
from simulator.signals.timeline import Segment

UNTIL_NS = MONDAY_NS + 4 * HOUR_NS
HUNDREDTH_S = 0.01


class Shown:
    """Four hours of the quickstart, by asset and sensor name, and the segments that the park recorded."""

    def __init__(self) -> None:
        self.world = world()
        self.segments: list[Segment] = []
        self.world.watch(self.segments.append)
        self.batch = readings(self.world, until_ns=UNTIL_NS)

    def of(self, asset: int, name: str) -> tuple[np.ndarray, np.ndarray]:
        catalog = self.world.catalog
        number = catalog.assets[asset].first_sensor + [s.name for s in catalog.assets[asset].sensors].index(name)
        rows = self.batch.sensor == number
        return self.batch.time_ns[rows], self.batch.value[rows]

    def changes(self, asset: int) -> list[tuple[int, int]]:
        return [(s.start_ns, int(s.state)) for s in self.segments if s.asset == asset]


@pytest.fixture(scope="module")
def shown() -> Shown:
    """Run once for all tests of this file."""
    return Shown()


def test_state_changes_exactly_when_the_park_says_so(shown: Shown) -> None:
    """Every change is shown at its instant, and between changes the state shown is the one in force."""
    for asset in range(len(shown.world.park.machines)):
        time_ns, state = shown.of(asset, "state")
        moved = np.flatnonzero(np.diff(state)) + 1
        seen = list(zip(time_ns[moved].tolist(), state[moved].astype(int).tolist(), strict=True))
        assert seen == [change for change in shown.changes(asset) if change[0] > time_ns[0]]


def test_every_trace_obeys_packml(shown: Shown) -> None:
    """No machine shows a way that PackML does not know."""
    for asset in range(len(shown.world.park.machines)):
        states = [State(int(code)) for _, code in shown.changes(asset)]
        assert all(after in NEXT[before] for before, after in pairwise(states))


def test_counters_never_fall_and_good_plus_bad_is_processed(shown: Shown) -> None:
    """Counters are monotonic; on every tick good + bad = cycles x pieces; energy grows."""
    for asset, machine in enumerate(shown.world.park.machines):
        counts = {name: shown.of(asset, name)[1] for name in ("cycle_count", "good_count", "bad_count", "energy_kwh")}
        assert all((np.diff(values) >= 0).all() for values in counts.values())
        assert (counts["good_count"] + counts["bad_count"] == counts["cycle_count"] * machine.spec.pieces).all()
        assert counts["energy_kwh"][-1] > counts["energy_kwh"][0]


def test_each_counted_cycle_has_its_process_values(shown: Shown) -> None:
    """As many cushions are shown as the cycle counter rises, between two of its ticks."""
    time_ns, count = shown.of(0, "cycle_count")
    ends, _ = shown.of(0, "cushion_mm")
    between = ((ends > time_ns[0]) & (ends <= time_ns[-1])).sum()
    assert between == count[-1] - count[0]


def test_energy_is_the_integral_of_power(shown: Shown) -> None:
    """The register agrees with the mean of the power meter within 1 %: the meter has noise, the register has none."""
    time_ns, kwh = shown.of(0, "energy_kwh")
    at, kw = shown.of(0, "power_kw")
    mean_kw = kw[(at >= time_ns[0]) & (at < time_ns[-1])].mean()
    hours = (time_ns[-1] - time_ns[0]) / HOUR_NS
    assert kwh[-1] - kwh[0] == pytest.approx(mean_kw * hours, rel=0.01)


def test_power_falls_when_the_machine_stops_making_parts(shown: Shown) -> None:
    """A held press draws its idle power, far below the mean in Execute."""
    for asset in range(6):
        state_ns, state = shown.of(asset, "state")
        at, kw = shown.of(asset, "power_kw")
        in_force = state[np.searchsorted(state_ns, at, side="right") - 1]
        if (in_force == State.HELD).sum() > 30:
            assert kw[in_force == State.HELD].mean() < 0.6 * kw[in_force == State.EXECUTE].mean()
            return
    pytest.fail("no press was held in four hours: choose another seed")


def test_values_lie_in_range_and_on_the_grid_of_their_resolution(shown: Shown) -> None:
    """Every reading is a decimal that its instrument can show."""
    sensors = shown.world.catalog.sensors
    for number, sensor in enumerate(sensors):
        values = shown.batch.value[shown.batch.sensor == number]
        assert ((values >= sensor.low) & (values <= sensor.high)).all(), sensor.name
        assert (values == np.round(values, sensor.decimals)).all(), sensor.name


def test_samples_come_at_their_period(shown: Shown) -> None:
    """A 10 s sensor speaks every 10 s, on the grid of its asset."""
    time_ns, _ = shown.of(3, "oil_c")
    assert set(np.diff(time_ns).tolist()) == {10 * SECOND_NS}
    assert (time_ns[0] - shown.world.catalog.assets[3].phase_ns) % (10 * SECOND_NS) == 0


def test_an_interrupted_cycle_took_as_long_as_it_took(shown: Shown) -> None:
    """Cycle times are the distances between cycle ends; a stop in the midst of a cycle makes it longer than 18 s."""
    for asset in range(6):
        ends, took_s = shown.of(asset, "cycle_time_s")
        # A cycle that was interrupted by the end of one run goes on in the next, so ends follow each other exactly,
        # unless the machine stood still between two whole cycles.
        apart = np.diff(ends) / SECOND_NS
        assert (took_s[1:] <= apart + HUNDREDTH_S).all()
        assert np.isclose(took_s[1:], apart, atol=HUNDREDTH_S).mean() > 0.97
    assert took_s.max() > 60
