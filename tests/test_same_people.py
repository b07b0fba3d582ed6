"""With people, breaks, Tet, maturity and adoption the readings still do not depend on how time is cut."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from parks import HOUR_NS, MONDAY_NS, SECOND_NS
from shops import DAY_NS, breaker, park_of, shop, side_by_side, types
from watched import bulletins, trace

from simulator.batch import Batch
from simulator.park.world import World
from simulator.scenario.adoption import Adoption
from simulator.scenario.schema import Buffer, Line, Machine, Scenario

LENGTH_NS = 7 * HOUR_NS
START_NS = MONDAY_NS - 24 * DAY_NS + 12 * HOUR_NS
"""Friday, 14 February 2025, 19:00: two weeks after Tet, with some posts still empty. A change of shift, midnight and a
break at night are to come."""


def everything() -> Scenario:
    """Return a small site with all that people do: two factories that state it all, and buffers between lines."""
    making = Line(name="press", gives="parts", machines=(Machine(name="one", type="stamping-press", count=2),))
    using = Line(
        name="assembly",
        flow="series",
        takes={"parts": 2},
        machines=(Machine(name="a", type="breaker"), Machine(name="b", type="cnc-mill")),
    )
    first = shop(
        making,
        using,
        name="first",
        buffers=(Buffer(name="parts", capacity=2_000, initial=500),),
        maturity=2,
        people={"skill": 0.4, "turnover": 0.9, "training": {"every": "1d", "lasts": "1d"}},
        shifts={
            "hours": ("06:00-14:00", "14:00-22:00", "22:00-06:00"),
            "breaks": {"groups": 2},
            "holidays": "vietnam",
            "tet": {"days": 14, "ramp": 20},
        },
    )
    second = shop(
        side_by_side("injection-moulding", 1),
        name="second",
        maturity=1,
        shifts={"hours": ("13:00-22:00",), "breaks": {"length": "60m", "after": "7h"}, "tet": {}},
        people={},
    )
    # So fast that both climb within hours.
    return park_of(first, second, adoption=Adoption.model_construct(p=2_000.0, q=0.0, pilots=("second",)))


KINDS = types() | {"breaker": breaker(mtbf="90m", set_up=False)}


def digest(world: World, until_ns: int, window_ns: int, *, since_ns: int = 0) -> str:
    seen = hashlib.sha256()
    for batch in world.batches(until_ns, window_ns):
        late = batch.time_ns >= since_ns
        rows = (batch.time_ns[late], batch.sensor[late].astype(np.int64), batch.value[late].view(np.int64))
        seen.update(np.column_stack(rows).tobytes())
    return seen.hexdigest()


def test_the_length_of_the_window_changes_nothing() -> None:
    """Seven hours in windows of 7 and 61 minutes and as a whole: the same bits."""
    digests = {
        digest(World(everything(), KINDS, START_NS), START_NS + LENGTH_NS, window_s * SECOND_NS)
        for window_s in (421, 3_661, 25_200)
    }
    assert len(digests) == 1


@pytest.mark.parametrize("later_s", [61, 13_217])
def test_the_start_of_the_reading_changes_nothing(later_s: int) -> None:
    """A world from the same origin that is read later shows the same bits from there on."""
    later_ns = START_NS + later_s * SECOND_NS
    whole = digest(World(everything(), KINDS, START_NS), START_NS + LENGTH_NS, HOUR_NS, since_ns=later_ns)
    late = World(everything(), KINDS, START_NS)
    late.start_later(later_ns)
    assert digest(late, START_NS + LENGTH_NS, HOUR_NS) == whole


def test_looking_at_the_park_changes_nothing() -> None:
    """Key figures settle machines; maintenance must not be due any earlier for it."""
    plain = World(everything(), KINDS, START_NS)
    watched = World(everything(), KINDS, START_NS)
    seen = hashlib.sha256()
    for batch in watched.batches(START_NS + LENGTH_NS, 617 * SECOND_NS):
        watched.kpis()
        seen.update(
            np.column_stack((batch.time_ns, batch.sensor.astype(np.int64), batch.value.view(np.int64))).tobytes()
        )
    assert digest(plain, START_NS + LENGTH_NS, HOUR_NS) == seen.hexdigest()


def test_every_trace_is_legal_and_pieces_add_up() -> None:
    """PackML knows each change of state; good and bad pieces of counters are those that cycles made."""
    world = World(everything(), KINDS, START_NS)
    seen = trace(world)
    parts = list(world.batches(START_NS + LENGTH_NS, HOUR_NS))
    assert seen.illegal() == []
    assert len({state for asset in range(5) for state in seen.states(asset)}) > 8
    batch = Batch.join(parts)
    for asset, machine in zip(world.park.measured.assets, world.park.machines, strict=True):
        numbers = {sensor.name: number for number, sensor in enumerate(asset.sensors, asset.first_sensor)}
        told = [batch.sensor == numbers[name] for name in ("good_count", "bad_count", "cycle_count")]
        # Until the factory climbs, not all of them speak.
        at_ns = np.intersect1d(np.intersect1d(*(batch.time_ns[one] for one in told[:2])), batch.time_ns[told[2]])
        good, bad, cycles = (batch.value[one][np.searchsorted(batch.time_ns[one], at_ns)] for one in told)
        assert len(at_ns) > 60
        assert (good + bad == cycles * machine.spec.pieces).all()
        assert (np.diff(good) >= 0).all()
        assert (np.diff(bad) >= 0).all()


def test_the_park_of_these_tests_does_what_people_do() -> None:
    """Both factories climb, people leave and learn, scrap changes in the midst of it, posts are empty."""
    world = World(everything(), KINDS, START_NS)
    before = [machine.book.scrap for machine in world.park.machines]
    world.skip(START_NS + LENGTH_NS)
    (batch,) = world.batches(START_NS + LENGTH_NS + HOUR_NS, HOUR_NS)
    for asset, band in zip(bulletins(world), (2, 1), strict=True):
        last = {
            sensor.name: batch.value[batch.sensor == number][-1]
            for number, sensor in enumerate(asset.sensors, asset.first_sensor)
        }
        assert last["band"] > band
        assert last["staffing_pct"] in {0.0, 70.0}
    assert before != [machine.book.scrap for machine in world.park.machines]
