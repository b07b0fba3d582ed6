"""Segments as columns: which is in force, and which cycles end when."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.signals.timeline import EXECUTE, Segment, Timeline

HELD = 11


def segment(asset: int, start_ns: int, state: int, *, cycles: int = 0, into_ns: int = 0, cycle_ns: int = 10) -> Segment:
    return Segment(asset, start_ns, state, cycles, into_ns, cycle_ns, start_ns, 0, 0)


def timeline(*segments: Segment, from_ns: int = 100, until_ns: int = 200, assets: int = 2) -> Timeline:
    return Timeline.build(segments, assets=assets, from_ns=from_ns, until_ns=until_ns)


TWO = timeline(
    segment(0, 40, EXECUTE), segment(1, 0, HELD), segment(0, 130, HELD, cycles=9), segment(1, 100, EXECUTE, into_ns=4)
)


def test_a_change_is_in_force_at_its_own_instant() -> None:
    """Just before the change the old state is in force, and at it the new one, even at the start of the window."""
    asset = np.array([0, 0, 0, 1])
    found = TWO.at(asset, np.array([100, 129, 130, 100]))
    assert TWO.state[found].tolist() == [EXECUTE, EXECUTE, HELD, EXECUTE]


@given(
    changes=st.lists(st.tuples(st.integers(0, 3), st.integers(100, 199)), max_size=12),
    order=st.permutations([0, 1, 2, 3]),
    first_ns=st.integers(100, 120),
    every_ns=st.integers(1, 40),
)
def test_many_instants_of_an_asset_find_what_single_ones_do(
    changes: list[tuple[int, int]], order: list[int], first_ns: int, every_ns: int
) -> None:
    """Rising instants of assets in any order, and any changes, give the segments that single instants do."""
    began = [segment(asset, 0, EXECUTE) for asset in range(4)]
    happened = timeline(*began, *(segment(a, at, HELD) for a, at in sorted(changes, key=lambda c: c[1])), assets=4)
    asset = np.array(order)
    time_ns = np.arange(first_ns, 200, every_ns) + np.zeros((4, 1), dtype=np.int64)
    one_by_one = happened.at(np.repeat(asset, time_ns.shape[1]), time_ns.ravel())
    assert happened.at_each(asset, time_ns).ravel().tolist() == one_by_one.tolist()


def test_a_long_window_takes_memory_for_instants_and_changes_and_not_for_their_product() -> None:
    """Ten thousand changes among as many instants: some hundred bytes for each, where a table of both takes 800 MB."""
    changes = [segment(0, 0, EXECUTE), *(segment(0, 100 + 10 * i, (HELD, EXECUTE)[i % 2]) for i in range(10_000))]
    long = timeline(*changes, until_ns=100_100, assets=1)
    time_ns = np.arange(100, 100_100, 10)[np.newaxis]
    tracemalloc.start()
    found = long.at_each(np.array([0]), time_ns)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.tolist() == [list(range(1, 10_001))]
    assert peak < 4_000_000


def test_changes_are_those_inside_the_window() -> None:
    """What began before the window is no change of it."""
    asset, time_ns, state = TWO.changes()
    assert list(zip(asset.tolist(), time_ns.tolist(), state.tolist(), strict=True)) == [
        (0, 130, HELD),
        (1, 100, EXECUTE),
    ]


def test_a_cycle_that_ends_with_its_segment_counts() -> None:
    """Asset 0 ends cycles at 100, 110, 120 and 130, the instant of its stop; asset 1 goes on with 4 of 10 done."""
    found, time_ns, number = TWO.cycle_ends()
    asset = TWO.asset[found]
    assert time_ns[asset == 0].tolist() == [100, 110, 120, 130]
    assert number[asset == 0].tolist() == [5, 6, 7, 8]
    assert time_ns[asset == 1].tolist() == [106, 116, 126, 136, 146, 156, 166, 176, 186, 196]


def test_a_stop_at_the_start_of_the_window_leaves_the_last_cycle_to_it() -> None:
    """A segment that ended exactly at the border has its last cycle in the window that begins there, once."""
    before = timeline(segment(0, 40, EXECUTE), until_ns=130, assets=1)
    after = timeline(segment(0, 40, EXECUTE), segment(0, 130, HELD, cycles=9), from_ns=130, assets=1)
    assert before.cycle_ends()[1].tolist() == [100, 110, 120]
    assert after.cycle_ends()[1].tolist() == [130]


def test_cycles_are_counted_at_their_end() -> None:
    """One nanosecond before the end a cycle does not count yet."""
    at = np.array([109, 110, 130, 199])
    found = TWO.at(np.zeros(4, dtype=np.int64), at)
    assert TWO.cycles_at(found, at).tolist() == [6, 7, 9, 9]
