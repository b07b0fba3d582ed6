"""Store and forward: the closed form is that of a gateway which handles one message after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.signals.relay import Passage, Relay

SPACE = 10
END = 1_000


class Seen(NamedTuple):
    """What became of every message, and how many waited at some instants."""

    left: dict[int, int]
    dropped: dict[int, int]
    depth: list[int]


def slowly(arrivals: Sequence[int], shut: Sequence[tuple[int, int]], *, room: int, newest_first: bool) -> Seen:
    """Handle instant after instant, and within one: the way, then arrivals, then departures."""
    waiting: deque[int] = deque()
    left, dropped, depth = {}, {}, []
    ready: int | None = None
    was_open, number = True, 0
    for now in range(END):
        is_open = not any(start <= now < end for start, end in shut)
        if not is_open:
            ready = None
        elif not was_open and waiting:
            ready = now
        was_open = is_open
        while number < len(arrivals) and arrivals[number] == now:
            passes = is_open and (ready is None or newest_first or (not waiting and now >= ready))
            if passes:
                left[number] = now
                ready = ready if newest_first else None
            else:
                waiting.append(number)
                if len(waiting) > room:
                    dropped[waiting.popleft()] = now
            number += 1
        if ready is not None and now >= ready and waiting:
            left[waiting.pop() if newest_first else waiting.popleft()] = now
            ready = now + SPACE
            if newest_first and not waiting:
                ready = None
        depth.append(len(waiting))
    return Seen(left, dropped, depth)


def at_once(
    arrivals: Sequence[int], shut: Sequence[tuple[int, int]], *, room: int, newest_first: bool, cuts: Sequence[int]
) -> Seen:
    relay = Relay(room=room, space_ns=SPACE, newest_first=newest_first)
    left: dict[int, int] = {}
    dropped: dict[int, int] = {}
    depth: list[int] = []
    at = np.array(arrivals, dtype=np.int64)
    for low, high in pairwise([0, *sorted({cut for cut in cuts if 0 < cut < END}), END]):
        marks = sorted({low, *(t for span in shut for t in span if low < t < high)})
        opens = np.array([not any(a <= t < b for a, b in shut) for t in marks])
        passage = relay.advance(at[(at >= low) & (at < high)], np.array(marks, dtype=np.int64), opens, high)
        left |= dict(zip(passage.left.tolist(), passage.left_ns.tolist(), strict=True))
        dropped |= dict(zip(passage.dropped.tolist(), passage.dropped_ns.tolist(), strict=True))
        depth += passage.depth(np.arange(low, high)).tolist()
        assert int(passage.drops(np.array([high - 1]))[0]) == len(dropped)
    return Seen(left, dropped, depth)


SPANS = st.lists(st.tuples(st.integers(1, END - 1), st.integers(1, 300)), max_size=4).map(
    lambda spans: [(start, min(start + length, END)) for start, length in spans]
)


@given(
    arrivals=st.lists(st.integers(0, END - 1), max_size=120).map(sorted),
    shut=SPANS,
    room=st.integers(1, 12),
    newest_first=st.booleans(),
    cuts=st.lists(st.integers(1, END - 1), max_size=5),
)
@example(arrivals=[*range(0, 900, 3)], shut=[(100, 400)], room=5, newest_first=False, cuts=[250, 405, 411])
@example(arrivals=[*range(0, 900, 30)], shut=[(100, 400)], room=50, newest_first=False, cuts=[460])
@example(arrivals=[*range(0, 900, 9)], shut=[(100, 200), (230, 260)], room=9, newest_first=True, cuts=[230])
def test_the_closed_form_is_the_gateway_that_goes_step_by_step(
    *, arrivals: list[int], shut: list[tuple[int, int]], room: int, newest_first: bool, cuts: list[int]
) -> None:
    """Whoever leaves, is dropped or waits, and when: the same, in any windows."""
    expected = slowly(arrivals, shut, room=room, newest_first=newest_first)
    assert at_once(arrivals, shut, room=room, newest_first=newest_first, cuts=cuts) == expected


def outage(arrived: Sequence[int], *, room: int = 100, newest_first: bool = False) -> Passage:
    """A way that is shut from 100 to 200."""
    relay = Relay(room=room, space_ns=SPACE, newest_first=newest_first)
    return relay.advance(
        np.array(arrived, dtype=np.int64), np.array([0, 100, 200]), np.array([True, False, True]), until_ns=END
    )


def test_without_an_outage_everything_leaves_at_its_own_instant() -> None:
    """Also many at one instant: the limit is for what waited."""
    relay = Relay(room=1, space_ns=SPACE, newest_first=False)
    passage = relay.advance(np.array([5, 5, 5, 6]), np.array([0]), np.array([True]), until_ns=END)
    assert (passage.left.tolist(), passage.left_ns.tolist()) == ([0, 1, 2, 3], [5, 5, 5, 6])
    assert passage.depth(np.array([4, 5, 6])).tolist() == [0, 0, 0]


def test_what_waited_leaves_in_order_with_space_and_new_ones_queue_behind() -> None:
    """Three waited; one that comes meanwhile is the fourth; one that comes when all have left passes at once."""
    passage = outage([110, 120, 130, 215, 240, 241])
    assert passage.left.tolist() == [0, 1, 2, 3, 4, 5]
    assert passage.left_ns.tolist() == [200, 210, 220, 230, 240, 241]


def test_newest_first_lets_new_ones_pass() -> None:
    """The backlog leaves from its young end, whatever comes."""
    passage = outage([110, 120, 130, 215], newest_first=True)
    assert dict(zip(passage.left.tolist(), passage.left_ns.tolist(), strict=True)) == {3: 215, 2: 200, 1: 210, 0: 220}


def test_the_oldest_is_dropped_when_a_newer_one_finds_no_room() -> None:
    """Of five messages and room for two the first three go, each at the arrival that took its place."""
    passage = outage([110, 120, 130, 140, 150], room=2)
    assert (passage.dropped.tolist(), passage.dropped_ns.tolist()) == ([0, 1, 2], [130, 140, 150])
    assert (passage.left.tolist(), passage.left_ns.tolist()) == ([3, 4], [200, 210])
    assert passage.depth(np.array([99, 119, 199, 200, 210])).tolist() == [0, 1, 2, 1, 0]


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_second_outage_keeps_what_was_left_of_the_first(*, newest_first: bool) -> None:
    """Two of four leave between the outages; the others after the second, with what came meanwhile."""
    relay = Relay(room=9, space_ns=SPACE, newest_first=newest_first)
    passage = relay.advance(
        np.array([110, 120, 130, 140, 230]),
        np.array([0, 100, 200, 220, 300]),
        np.array([True, False, True, False, True]),
        until_ns=END,
    )
    order = [3, 2, 4, 1, 0] if newest_first else [0, 1, 2, 3, 4]
    assert passage.left.tolist() == order
    assert passage.left_ns.tolist() == [200, 210, 300, 310, 320]
