"""A buffer foresees when it runs short, and calls those who wait at the right instant."""

from __future__ import annotations

import numpy as np
import pytest
import simpy
from numpy.typing import NDArray

from simulator.park.buffer import Buffer


class Hand:
    """Somebody who takes or gives one lot per cycle, and notes when the buffer calls."""

    def __init__(self, env: simpy.Environment, buffer: Buffer, pieces: int, cycle_ns: int, *, gives: bool) -> None:
        self.env, self.buffer, self.pieces, self.cycle_ns, self.gives = env, buffer, pieces, cycle_ns, gives
        self.since = self.done = 0
        self.working = False
        self.calls: list[tuple[str, int]] = []

    def start(self) -> bool:
        begin = self.buffer.start_giving if self.gives else self.buffer.start_taking
        if begin(self, self.pieces):
            self.since, self.done, self.working = int(self.env.now), 0, True
            self.buffer.started()
        return self.working

    def settle(self) -> None:
        if self.working:
            new = (int(self.env.now) - self.since) // self.cycle_ns - self.done
            self.done += new
            (self.buffer.put if self.gives else self.buffer.take)(new * self.pieces)

    def into_cycle_ns(self) -> int:
        return (int(self.env.now) - self.since) % self.cycle_ns if self.working else 0

    def is_executing(self) -> bool:
        return self.working

    def is_making(self) -> bool:
        return self.working and int(self.env.now) > self.since

    def good_ahead(self, cycles: int) -> NDArray[np.int64]:
        return np.full(cycles, self.pieces)

    def wait_for(self) -> None:
        self.calls.append(("wait", int(self.env.now)))
        self.working = False

    def go_on(self) -> None:
        self.calls.append(("go on", int(self.env.now)))
        # As a process does, it starts after the buffer has finished looking.
        self.env.timeout(0).callbacks.append(lambda _: self.start())


def scene(*, capacity: int, initial: int) -> tuple[simpy.Environment, Buffer]:
    env = simpy.Environment()
    return env, Buffer(env, "parts", capacity=capacity, initial=initial)


def test_a_taker_stops_when_the_next_cycle_cannot_be_fed() -> None:
    """10 pieces at 3 a cycle of 100 ns feed three cycles: at 300 one piece is left, and the taker waits."""
    env, buffer = scene(capacity=100, initial=10)
    taker = Hand(env, buffer, 3, 100, gives=False)
    taker.start()
    env.run(until=1_000)
    assert (taker.calls, buffer.level) == ([("wait", 300)], 1)


def test_a_giver_stops_when_the_next_cycle_would_not_fit() -> None:
    """Room for 10 at 4 a cycle: at 200 two are free, and the giver waits."""
    env, buffer = scene(capacity=100, initial=90)
    giver = Hand(env, buffer, 4, 100, gives=True)
    giver.start()
    env.run(until=1_000)
    assert (giver.calls, buffer.level) == ([("wait", 200)], 98)


def test_who_waits_goes_on_as_soon_as_a_tenth_is_there() -> None:
    """An empty buffer of 100, filled with 4 a cycle of 100 ns, holds 10 pieces at 300: then, and no later."""
    env, buffer = scene(capacity=100, initial=0)
    giver, taker = Hand(env, buffer, 4, 100, gives=True), Hand(env, buffer, 1, 1_000_000, gives=False)
    assert not taker.start()
    giver.start()
    env.run(until=1_000)
    assert taker.calls == [("go on", 300)]


@pytest.mark.parametrize("initial", [0, 5, 50])
def test_a_slower_supply_never_drives_the_level_below_zero(initial: int) -> None:
    """Two takers outrun one giver for long; the level stays within bounds at every call, which settle() checks."""
    env, buffer = scene(capacity=60, initial=initial)
    hands = [
        Hand(env, buffer, 5, 170, gives=True),
        Hand(env, buffer, 2, 70, gives=False),
        Hand(env, buffer, 3, 110, gives=False),
    ]
    for hand in hands:
        hand.start()
    for at in range(50, 20_000, 50):
        env.run(until=at)
        buffer.settle()
    assert sum(len(hand.calls) for hand in hands[1:]) > 20
    assert hands[0].calls == []


def test_few_events_while_there_is_plenty() -> None:
    """Ten thousand cycles out of a full store need a handful of looks, not thousands."""
    env, buffer = scene(capacity=100_000, initial=50_000)
    looks = 0
    settle = buffer.settle

    def counted() -> None:
        nonlocal looks
        looks += 1
        settle()

    buffer.settle = counted  # type: ignore[method-assign]
    Hand(env, buffer, 3, 100, gives=False).start()
    env.run(until=1_000_000)
    assert looks < 10


def test_a_user_with_very_long_cycles_hides_nobody_who_is_quicker() -> None:
    """Room for 1,100 at 1 a cycle of 100 ns fills at 110,000; that an oven will take 600 at 1,000,000 changes nothing.

    The oven's only end lies far past what is laid out of the quick one.
    """
    env, buffer = scene(capacity=2_000, initial=900)
    giver, oven = Hand(env, buffer, 1, 100, gives=True), Hand(env, buffer, 600, 1_000_000, gives=False)
    oven.start()
    giver.start()
    for at in range(1_000, 200_000, 1_000):
        env.run(until=at)
        buffer.settle()
    assert giver.calls == [("wait", 110_000)]
