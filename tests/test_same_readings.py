"""The same scenario and seed give the same readings, however time is cut."""

from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from parks import CONFIGS, HOUR_NS, MONDAY_NS, SECOND_NS, factory_with, quickstart, readings, world

from simulator.batch import Batch
from simulator.park.world import World
from simulator.scenario.loader import load_scenario
from simulator.scenario.schema import Kpis, Machine
from simulator.signals.timeline import EXECUTE, Segment, Timeline

MINUTES = 12


def whole() -> Batch:
    return readings(world(warm_up=HOUR_NS), until_ns=MONDAY_NS + MINUTES * 60 * SECOND_NS)


WHOLE = whole()


def same(one: Batch, other: Batch) -> bool:
    """Compare bit for bit."""
    return all(
        getattr(one, column).tobytes() == getattr(other, column).tobytes() for column in ("time_ns", "sensor", "value")
    )


@settings(deadline=None, max_examples=15)
@given(window_ns=st.integers(20, 900_000).map(lambda ms: ms * 1_000_000))
@example(window_ns=1 * SECOND_NS)
@example(window_ns=1_001_000_000)
@example(window_ns=HOUR_NS)
def test_the_length_of_the_window_changes_nothing(window_ns: int) -> None:
    """Windows from 20 ms to an hour give the same bits."""
    until = MONDAY_NS + (30 * SECOND_NS if window_ns < SECOND_NS else MINUTES * 60 * SECOND_NS)
    got = readings(world(warm_up=HOUR_NS), until_ns=until, window_ns=window_ns)
    rows = int(np.searchsorted(WHOLE.time_ns, until))
    assert same(got, Batch(WHOLE.time_ns[:rows], WHOLE.sensor[:rows], WHOLE.value[:rows]))


@settings(deadline=None, max_examples=15)
@given(later_ms=st.integers(1, MINUTES * 60_000 - 1))
@example(later_ms=60_000)
def test_the_start_of_the_window_changes_nothing(later_ms: int) -> None:
    """A run that begins to read later, from the same origin, shows the same bits from there on."""
    start = MONDAY_NS + later_ms * 1_000_000
    late = world(start_ns=start, warm_up=HOUR_NS + later_ms * 1_000_000)
    got = readings(late, until_ns=MONDAY_NS + MINUTES * 60 * SECOND_NS)
    rows = slice(int(np.searchsorted(WHOLE.time_ns, start)), None)
    assert same(got, Batch(WHOLE.time_ns[rows], WHOLE.sensor[rows], WHOLE.value[rows]))


def test_a_park_that_lived_on_unseen_shows_what_it_would_have_shown() -> None:
    """After a long warm-up the first reading comes later; from there on the bits are those of a run from the origin."""
    later_ns = MONDAY_NS + 97 * SECOND_NS
    park = world(warm_up=HOUR_NS)
    park.start_later(later_ns)
    got = readings(park, until_ns=MONDAY_NS + MINUTES * 60 * SECOND_NS)
    rows = slice(int(np.searchsorted(WHOLE.time_ns, later_ns)), None)
    assert park.origin_ns == MONDAY_NS - HOUR_NS
    assert same(got, Batch(WHOLE.time_ns[rows], WHOLE.sensor[rows], WHOLE.value[rows]))


def test_another_seed_gives_other_readings() -> None:
    """Sameness is not because nothing is random."""
    other = readings(world(warm_up=HOUR_NS, seed=1), until_ns=MONDAY_NS + 60 * SECOND_NS)
    assert other.value.tobytes() != WHOLE.value[: len(other)].tobytes()


def test_batches_are_sorted_by_time_then_sensor_without_repeats() -> None:
    """The contract of a Batch, and every time is a whole millisecond."""
    key = list(zip(WHOLE.time_ns.tolist(), WHOLE.sensor.tolist(), strict=True))
    assert key == sorted(set(key))
    assert int((WHOLE.time_ns % 1_000_000).sum()) == 0


def test_a_change_on_the_very_instant_of_a_sample_is_one_reading() -> None:
    """A state sensor that is due when the state changes speaks once, and shows the new state."""
    park = world(warm_up=HOUR_NS)
    asset = park.catalog.assets[0]
    tick = MONDAY_NS + asset.phase_ns + 5 * SECOND_NS
    now = Segment(0, MONDAY_NS - HOUR_NS, EXECUTE, 0, 0, 18 * SECOND_NS, 0, 0, 0)
    others = [now._replace(asset=number) for number in range(1, len(park.park.machines))]
    timeline = Timeline.build(
        [now, *others, now._replace(start_ns=tick, state=10)],
        assets=len(park.park.machines),
        from_ns=MONDAY_NS,
        until_ns=MONDAY_NS + 10 * SECOND_NS,
    )
    park._bank.advance(timeline)
    batch = park._bank.read(timeline)
    shown = batch.value[(batch.time_ns == tick) & (batch.sensor == asset.first_sensor)]
    assert shown.tolist() == [10.0]


def test_windows_do_not_matter_across_shifts_and_blocks_of_noise() -> None:
    """A day and a half of a two-shift shop, with borders of shifts, epochs and blocks: the same bits in any windows."""
    shifts = (
        quickstart().scenario.sites[0].factories[0].shifts.model_copy(update={"hours": ("06:00-14:00", "15:00-22:30")})
    )
    scenario = factory_with(quickstart().scenario, shifts=shifts)
    digests = set()
    for window_ns in (613 * SECOND_NS, 7 * HOUR_NS):
        digest = hashlib.sha256()
        for batch in World(scenario, quickstart().types, MONDAY_NS).batches(MONDAY_NS + 36 * HOUR_NS, window_ns):
            # Row by row, so that the bytes do not tell where one batch ends and the next begins.
            rows = np.column_stack((batch.time_ns, batch.sensor.astype(np.int64), batch.value.view(np.int64)))
            digest.update(rows.tobytes())
        digests.add(digest.hexdigest())
    assert len(digests) == 1


def test_an_unrelated_machine_changes_nothing() -> None:
    """A machine with an odd period joins the park; the others show the same bits as before."""
    odd = quickstart().types["device-test"]
    sensors = tuple(s.model_copy(update={"period": 1_500_000_000} if s.period else {}) for s in odd.sensors)
    types = dict(quickstart().types) | {"odd": odd.model_copy(update={"name": "odd", "sensors": sensors})}
    lines = quickstart().scenario.sites[0].factories[0].lines
    extra = lines[0].model_copy(update={"name": "zz", "gives": None, "machines": (Machine(name="odd", type="odd"),)})
    joined = World(factory_with(quickstart().scenario, lines=(*lines, extra)), types, MONDAY_NS)
    got = readings(joined, until_ns=MONDAY_NS + 60 * SECOND_NS)
    before = readings(world(truth=False, kpis=Kpis(levels=())), until_ns=MONDAY_NS + 60 * SECOND_NS)
    known = got.sensor < joined.park.measured.assets[-1].first_sensor
    assert same(Batch(got.time_ns[known], got.sensor[known], got.value[known]), before)


def test_windows_in_which_some_assets_say_nothing_change_nothing() -> None:
    """A park of many types in windows shorter than most periods: each row stays with the noise that is its own."""
    loaded = load_scenario(CONFIGS / "bad-day.yaml")
    scenario = loaded.scenario.model_copy(update={"warm_up": 0})
    until_ns = MONDAY_NS + 300 * SECOND_NS
    long, short = (
        readings(World(scenario, loaded.types, MONDAY_NS), until_ns=until_ns, window_ns=window_ns)
        for window_ns in (60 * SECOND_NS, 7_300_000_000)
    )
    assert same(long, short)
