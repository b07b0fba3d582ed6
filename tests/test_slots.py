"""What a swarm has in flight: slots of each connection in turn, emptied in any order, never given twice."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from brokers.slots import Slots


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(0, 9)), max_size=60))
def test_packets_of_a_connection_stay_in_order(steps: list[tuple[int, bool, int]]) -> None:
    """Whatever is acknowledged in whatever order: no slot is given twice, and what is left is in order."""
    window = 3
    slots = Slots(3, window)
    left: list[list[tuple[int, int]]] = [[], [], []]  # of each connection: slot and number, in order
    for number, (device, is_put, choice) in enumerate(steps):
        one = np.array([device])
        if not is_put:
            if left[device]:
                slot, expected = left[device].pop(choice % len(left[device]))
                full, tags = slots.empty(one, np.array([slot]))
                assert (full.tolist(), tags.tolist()) == ([True], [expected])
                assert slots.empty(one, np.array([slot]))[0].tolist() == [False]
        elif slots.free(one, np.zeros(1, int))[0]:
            (slot,) = slots.give(one, np.zeros(1, int)).tolist()
            assert slot not in [taken for taken, _ in left[device]]
            slots.put(one, np.array([slot]), np.array([number]), b"%3d" % number, np.array([0, 3]))
            left[device].append((slot, number))
        else:
            assert left[device]
        assert slots.in_flight == sum(map(len, left))
        for place, held in enumerate(left):
            assert slots.packets(place) == b"".join(b"%3d" % tag for _, tag in held)
    assert len(slots._blocks) == slots.in_flight


def test_what_lies_behind_a_straggler_waits() -> None:
    """With the first slot taken still, the free ones behind it are not given: their packets would overtake."""
    slots = Slots(2, 4)
    device = np.zeros(4, int)
    put = slots.give(device, np.arange(4))
    slots.put(device, put, np.arange(4), b"abcd", np.arange(5))
    slots.empty(np.zeros(2, int), np.array([0, 2]))
    free = slots.free(np.array([0, 0, 0, 1]), np.array([0, 1, 2, 0]))
    assert free.tolist() == [True, False, False, True]


def test_slots_that_do_not_exist() -> None:
    """Identifiers out of range, 0 included, empty nothing."""
    slots = Slots(1, 4)
    assert slots.empty(np.zeros(3, int), np.array([-1, 4, 70_000]))[0].tolist() == [False] * 3
