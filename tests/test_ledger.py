"""The ledger balances whatever happens."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.results.counts import Counts
from simulator.results.ledger import Ledger
from simulator.results.sequences import Ranges, Sequences

ASSETS = 3
EVENT = st.tuples(
    st.sampled_from(["schedule", "publish", "acknowledge", "receive", "write", "drop", "dead_letter"]),
    st.lists(st.tuples(st.integers(0, ASSETS - 1), st.integers(-1, 7)), min_size=1, max_size=12),
)


def balance(counts: Counts) -> int:
    ended = counts.written + sum(counts.dead_lettered.values()) + sum(counts.dropped.values())
    return ended + counts.in_flight + counts.unaccounted


def play(ledger: Ledger, events: list[tuple[str, list[tuple[int, int]]]]) -> tuple[set[Any], set[Any], set[Any], int]:
    """Play events into the ledger and into plain sets; return what is written, dead and dropped, and scheduled."""
    due = [4] * ASSETS
    for a in range(ASSETS):
        ledger.schedule([a] * 4, range(4), [a + 1] * 4)
    written: set[Any] = set()
    dead: set[Any] = set()
    dropped: set[Any] = set()
    for verb, pairs in events:
        asset = [a for a, _ in pairs]
        seq = [s for _, s in pairs]
        known = {(a, s) for a, s in pairs if 0 <= s < due[a]}
        if verb == "schedule":
            for a in asset:
                ledger.schedule([a], [due[a]], [a + 1])
                due[a] += 1
        elif verb == "write":
            ledger.write(asset, seq, [a + 1 for a in asset])
            written |= known
        elif verb == "drop":
            ledger.drop("refused", asset, seq)
            dropped |= known - dead - written
        elif verb == "dead_letter":
            ledger.dead_letter("bad line", asset, seq)
            dead |= known - written
        else:
            getattr(ledger, verb)(asset, seq)
        dead -= written
        dropped -= written | dead
        counts = ledger.counts()
        assert counts.scheduled == balance(counts)
        assert min(counts.unaccounted, counts.in_flight) >= 0
    return written, dead, dropped, sum(due)


@given(
    st.lists(EVENT, max_size=60),
    st.lists(st.tuples(st.integers(0, ASSETS - 1), st.integers(-1, 12)), max_size=12),
)
def test_every_message_has_exactly_one_end(events: list[Any], held: list[tuple[int, int]]) -> None:
    """For any sequence of events the books balance at every step, and the ends are those of plain sets."""
    ledger = Ledger(ASSETS)
    written, dead, dropped, scheduled = play(ledger, events)
    ledger.finish([a for a, _ in held], [s for _, s in held])
    counts = ledger.counts()
    still_open = scheduled - len(written) - len(dead) - len(dropped)
    given_out = {(a, s) for a, s in held if ledger.is_scheduled(a, s).all()}
    in_flight = len(given_out - written - dead - dropped)
    expected = (scheduled, len(written), len(dead), len(dropped), still_open - in_flight)
    assert expected == (
        counts.scheduled,
        counts.written,
        sum(counts.dead_lettered.values()),
        sum(counts.dropped.values()),
        counts.unaccounted,
    )
    assert sum(a + 1 for a, _ in written) == counts.readings_written


@given(st.lists(EVENT, max_size=60))
def test_a_ledger_without_memory_overstates_loss_and_still_balances(events: list[Any]) -> None:
    """With room for hardly any range, messages may count as lost that are not; never the other way round."""
    ledger = Ledger(ASSETS, most_ranges=3)
    written, dead, dropped, scheduled = play(ledger, events)
    ledger.finish()
    counts = ledger.counts()
    assert counts.written <= len(written)
    assert counts.unaccounted >= scheduled - len(written) - len(dead) - len(dropped)


def test_a_healthy_run_has_nothing_open() -> None:
    """What is scheduled is written, and all other columns are zero."""
    ledger = Ledger(2)
    asset, seq = [0, 1, 0, 1], [0, 0, 1, 1]
    ledger.schedule(asset, seq, [5, 5, 5, 5])
    ledger.publish(asset, seq)
    ledger.acknowledge(asset, seq)
    ledger.receive(asset, seq)
    ledger.write(asset, seq, [5, 5, 5, 5])
    ledger.finish()
    expected = Counts(4, 4, 4, 4, 4, {}, {}, 0, 0, 0, 0, 20, 20)
    assert expected == ledger.counts()


def test_only_open_messages_that_someone_holds_are_in_flight() -> None:
    """Of those that are held, written ones, redelivered ones and foreign ones hide no loss, not even a late write."""
    ledger = Ledger(1)
    ledger.schedule([0] * 8, range(8), [1] * 8)
    ledger.write([0, 0], [0, 1], [1, 1])
    ledger.dead_letter("bad line", 0, 2)
    ledger.finish([0] * 7, [0, 1, 2, 3, 3, 4, 99])
    before = ledger.counts()
    ledger.write(0, 3, 1)
    after = ledger.counts()
    assert [(one.in_flight, one.unaccounted) for one in (before, after)] == [(2, 3), (1, 3)]


def test_an_overtaken_message_is_unaccounted_while_the_run_goes_on() -> None:
    """A gap that a later message of the same asset has passed is known lost; what is last may still be on its way."""
    ledger = Ledger(2)
    ledger.schedule([0] * 5 + [1], [0, 1, 2, 3, 4, 0], [1] * 6)
    ledger.receive([0, 0], [0, 3])
    ledger.write([0, 0], [0, 3], [1, 1])
    counts = ledger.counts()
    assert (counts.unaccounted, counts.in_flight) == (2, 2)
    assert ledger.gaps() == [(0, 1, 2)]


def test_a_late_message_closes_its_gap() -> None:
    """A message that comes after a later one is reordered, and lost no more; a second copy is a duplicate."""
    ledger = Ledger(1)
    ledger.schedule([0] * 3, [0, 1, 2], [1] * 3)
    ledger.receive([0, 0], [0, 2])
    ledger.receive(0, 1)
    ledger.receive(0, 1)
    counts = ledger.counts()
    assert (counts.received, counts.reordered, counts.duplicates, counts.unaccounted) == (3, 1, 1, 0)


def test_a_dropped_message_that_arrives_counts_as_written() -> None:
    """The broker took it but its acknowledgement was lost: one message, one end."""
    ledger = Ledger(1)
    ledger.schedule(0, 0, 7)
    ledger.drop("not acknowledged in time", 0, 0)
    ledger.receive(0, 0)
    ledger.write(0, 0, 7)
    ledger.drop("not acknowledged in time", 0, 0)
    ledger.finish()
    counts = ledger.counts()
    assert (counts.dropped, counts.written, counts.readings_written, counts.unaccounted) == ({}, 1, 7, 0)


def test_messages_that_were_never_scheduled_stay_out_of_the_balance() -> None:
    """Somebody else's message on our topic is counted as foreign and nowhere else."""
    ledger = Ledger(1)
    ledger.schedule(0, 0, 1)
    ledger.receive([0, 0], [0, 17])
    ledger.foreign("unknown topic", 2)
    counts = ledger.counts()
    assert (counts.received, counts.unaccounted) == (1, 0)
    assert counts.foreign == {"sequence number of no message of this run": 1, "unknown topic": 2}


def test_the_credit_is_what_queues_between_broker_and_store() -> None:
    """Handed over and not written, without those that are known lost or refused."""
    ledger = Ledger(1)
    ledger.schedule([0] * 10, range(10), [1] * 10)
    ledger.publish([0] * 10, range(10))
    ledger.drop("refused", 0, 9)
    ledger.receive([0, 0, 0], [0, 1, 4])
    ledger.write([0, 0], [0, 1], [1, 1])
    assert ledger.unwritten() == 10 - 2 - 2 - 1


def test_a_ledger_with_room_for_one_range_keeps_the_last_drop() -> None:
    """The oldest range is forgotten, its messages are open again, and the newest one keeps its reason."""
    ledger = Ledger(1, most_ranges=1)
    ledger.schedule([0] * 5, range(5), [1] * 5)
    ledger.drop("refused", [0, 0, 0], [0, 2, 4])
    ledger.finish()
    counts = ledger.counts()
    assert (counts.dropped, counts.unaccounted) == ({"refused": 1}, 4)


def test_ten_thousand_drops_in_a_row_are_one_range() -> None:
    """Memory follows the number of interruptions, not the number of messages."""
    ranges = Ranges()
    for value in range(10_000):
        ranges.add(value)
    assert (len(ranges), ranges.size) == (1, 10_000)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30))), st.sets(st.integers(0, 30)))
def test_ranges_are_a_set(steps: list[tuple[bool, int]], other: set[int]) -> None:
    """Ranges hold what a set holds, and never touch one another."""
    ranges, plain = Ranges(), set[int]()
    for add, value in steps:
        if add:
            assert (value not in plain) == ranges.add(value)
            plain.add(value)
        else:
            assert (value in plain) == ranges.remove(value)
            plain.discard(value)
    theirs = Ranges()
    for value in other:
        theirs.add(value)
    assert plain == {v for first, last in ranges for v in range(first, last)}
    assert (len(plain), len(plain & other)) == (ranges.size, ranges.common(theirs))
    edges = [edge for pair in ranges for edge in pair]
    assert sorted(set(edges)) == edges


@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_blocks_and_single_numbers_are_the_same(rng: random.Random, block: int) -> None:
    """However arrivals are cut into blocks, the same numbers are new."""
    pairs = [(rng.randrange(3), rng.randrange(12)) for _ in range(60)]
    if rng.random() < 0.5:
        pairs.sort(key=lambda pair: pair[1])
    whole, single = Sequences(3), Sequences(3)
    found: list[bool] = []
    for at in range(0, len(pairs), block):
        asset, seq = np.array(pairs[at : at + block], np.int64).T
        found += whole.add(asset, seq).tolist()
    one_by_one = [bool(single.add(np.array([a]), np.array([s]))[0]) for a, s in pairs]
    assert one_by_one == found
    assert len(set(pairs)) == whole.unique == single.unique
    assert (single.duplicates, single.reordered) == (whole.duplicates, whole.reordered)
    assert len(pairs) - whole.unique == whole.duplicates


def test_a_message_of_ours_is_known_by_its_mark_as_long_as_that_is_kept() -> None:
    """Another mark is another run's message; past the bound nothing is known, and nothing is refused."""
    ledger = Ledger(1 << 13)
    numbers = np.arange(100)
    ledger.schedule(np.zeros(100, int), numbers, np.ones(100, int), numbers + 1000)
    ledger.schedule([1], [0], [1])
    assert ledger.is_marked([0, 0, 0], [99, 99, 36], [1099, 1098, 1037]).tolist() == [True, False, False]
    assert ledger.is_marked([0, 0, 1], [35, 0, 0], [7, 7, 7]).tolist() == [True, True, True]


def test_what_is_new_and_what_is_written_is_told() -> None:
    """The first time of a message is told from the others, in the order of the question, with a hole in between."""
    ledger = Ledger(2)
    ledger.schedule([0, 0, 0, 1], [0, 1, 2, 0], [1, 1, 1, 1])
    assert ledger.receive([0, 0, 0, 1], [0, 0, 9, 0]).tolist() == [True, False, False, True]
    assert ledger.write([0, 0, 0], [2, 2, 0], [1, 1, 1]).tolist() == [True, False, True]
    assert ledger.is_written([0, 0, 0, 1], [2, 1, 0, 0]).tolist() == [True, False, True, False]
