"""A bridge with several lanes loses nothing, keeps the order of each asset, and is seen as one."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from plants import BUSY, CATALOG, FIRST, Answers, Plant, Shelf, numbers_of
from presses import rows_of

from simulator.clock import SECOND_NS, FakeClock, RealClock
from simulator.errors import StoreError
from simulator.ingest.dead_letters import DeadLetters

ROWS = rows_of(CATALOG, 100)


def test_both_lanes_have_assets() -> None:
    """Else the tests of this file would show nothing."""
    assert 0 < len(FIRST) < len(CATALOG.assets)


def test_two_threads_write_everything_once_and_in_order() -> None:
    """In small batches while it is published: each asset's rows come to the store in the order of their numbers."""
    store = Shelf()
    plant = Plant(store, RealClock(), window=7)
    plant.bridge.start()
    for first in range(0, len(ROWS), 50):
        plant.publish(ROWS[first : first + 50])
    assert plant.bridge.drain(30.0)
    plant.bridge.close()
    plant.bridge.close()
    counts = plant.ledger.counts()
    assert {asset: list(range(100)) for asset in range(len(CATALOG.assets))} == numbers_of(store.rows)
    assert (counts.written, counts.duplicates, counts.reordered, counts.unaccounted) == (600, 0, 0, 0)
    assert (plant.bridge.failure, plant.bridge.take_stock()) == (None, ([], []))
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("bridge")] == []


def test_a_lane_goes_on_while_another_one_waits_for_the_store() -> None:
    """A write of the first lane takes until the second has brought all it has: with one lane it would never end."""
    the_others_are_done = threading.Event()
    written = 0

    def slow_for_the_first(assets: set[int]) -> None:
        nonlocal written
        if assets <= FIRST:
            assert the_others_are_done.wait(30)
            return
        written += len(assets)  # of each asset a row at a time
        if written == 100 * (len(CATALOG.assets) - len(FIRST)):
            the_others_are_done.set()

    store = Shelf(slow_for_the_first)
    plant = Plant(store, RealClock(), window=1)
    plant.bridge.start()
    plant.publish(ROWS)
    assert plant.bridge.drain(60.0)
    plant.bridge.close()
    assert (plant.bridge.failure, plant.ledger.counts().written) == (None, 600)


@pytest.mark.parametrize("late", [0, 1])
def test_what_the_store_puts_off_for_one_lane_is_not_lost(late: int) -> None:
    """The other lane is not held up, what waits is told of the whole bridge, and in the end all of it is written."""
    store, clock = Shelf(Answers(*([BUSY] * 3 if lane == late else [] for lane in range(2)))), FakeClock()
    plant = Plant(store, clock)
    plant.publish(ROWS)
    bridge = plant.bridge
    bridge.step()
    waiting = [row for row in ROWS if (row.asset in FIRST) == (late == 0)]
    clock.advance(2 * SECOND_NS)
    assert (bridge.backlog, len(store.rows)) == (len(waiting), 600 - len(waiting))
    assert {CATALOG.assets[row.asset].topic: 100 for row in waiting} == bridge.left()
    assert (bridge.trouble, bridge.stuck_s(), bridge.is_idle()) == ("slow down", 2.0, False)
    assert sorted(zip(*bridge.take_stock(), strict=True)) == sorted((row.asset, row.seq) for row in waiting)
    assert bridge.drain(600.0)  # for longer than a quiet broker is listened to
    assert (bridge.backlog, bridge.trouble, bridge.stuck_s(), bridge.is_idle()) == (0, None, 0.0, True)
    assert bridge.retries == Counter({"store asked to wait": 3})
    assert numbers_of(store.rows) == numbers_of(ROWS)
    assert plant.ledger.counts().unaccounted == 0


def test_the_trouble_of_the_lane_that_waits_longest_is_told() -> None:
    """It is what a run may end on."""
    gone = StoreError("nobody listens", retryable=True)
    store, clock = Shelf(Answers([BUSY] * 9, [gone] * 9)), FakeClock()
    plant = Plant(store, clock)
    plant.publish([row for row in ROWS if row.asset not in FIRST])
    plant.bridge.step()
    clock.advance(SECOND_NS)
    plant.publish([row for row in ROWS if row.asset in FIRST])
    plant.bridge.step()
    assert plant.bridge.trouble == "nobody listens"
    assert plant.bridge.retries == Counter({"store out of reach": 2, "store asked to wait": 1})


def test_the_stock_is_that_of_every_lane_and_its_session() -> None:
    """What each has in hand and what waits behind it: with that in flight, nothing is unaccounted."""
    plant = Plant(Shelf(Answers([BUSY] * 9, [BUSY] * 9)), FakeClock())
    plant.publish(ROWS[:300])
    plant.bridge.step()
    plant.publish(ROWS[300:])
    assert not plant.bridge.drain(5.0)
    plant.bridge.close()
    plant.ledger.finish(*plant.bridge.take_stock())
    counts = plant.ledger.counts()
    assert (plant.bridge.backlog, counts.received, counts.in_flight, counts.unaccounted) == (300, 600, 600, 0)


def test_a_lane_that_breaks_does_not_take_the_other_with_it() -> None:
    """The failure is kept for the run to end on; the other lane writes what it has, and the drain ends."""
    bug = RuntimeError("a defect")
    plant = Plant(Shelf(Answers([bug])), RealClock())
    plant.publish(ROWS)
    plant.bridge.start()
    assert not plant.bridge.drain(3_600.0)
    plant.bridge.close()
    plant.ledger.finish(*plant.bridge.take_stock())
    counts = plant.ledger.counts()
    assert plant.bridge.failure is bug
    assert (counts.written, counts.in_flight) == (600 - 100 * len(FIRST), 100 * len(FIRST))


def test_a_bridge_is_idle_when_the_broker_hears_all_its_lanes() -> None:
    """One that is cut off may have a lot to tell: no message is lost yet that it has not seen."""
    plant = Plant(Shelf(), FakeClock())
    before = plant.bridge.is_idle()
    with plant.broker.change:
        plant.broker.connect("two", window=1)  # takes its name over
    assert (before, plant.bridge.is_idle()) == (True, False)


def test_dead_letters_of_all_lanes_are_in_one_place() -> None:
    """They are counted together, and the first of them are shown, whoever found them."""
    plant = Plant(Shelf(), FakeClock())
    plant.say(*((asset.topic, b"poison") for asset in CATALOG.assets))
    plant.bridge.step()
    assert plant.bridge.dead_letters.counts == Counter({"no JSON": 6})
    assert {asset.topic for asset in CATALOG.assets} == {one.topic for one in plant.bridge.dead_letters.kept}


def test_no_dead_letter_is_forgotten_when_two_lanes_find_one_at_once() -> None:
    """The second comes while the first is being counted."""
    letters = DeadLetters()
    second = threading.Thread(target=letters.add, args=("no JSON", "", "t", b""))

    class Watched(Counter[str]):
        def __missing__(self, key: str) -> int:
            if second.ident is None:
                second.start()
                second.join(0.2)  # through at once if nothing holds it up, and then it counts from zero as well
            return 0

    letters.counts = Watched()
    letters.add("no JSON", "", "t", b"")
    second.join()
    assert (len(letters), len(letters.kept)) == (2, 2)
