"""What the machines of a world did, written down as it happens."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from simulator.batch import Asset
from simulator.park.packml import NEXT, State
from simulator.park.world import World
from simulator.signals.timeline import Segment

__all__ = ["Trace", "bulletins", "trace"]


class Trace:
    """The states of every asset by time."""

    def __init__(self, states: list[int]) -> None:
        self._at: list[list[int]] = [[0] for _ in states]
        self._state: list[list[State]] = [[State(one)] for one in states]

    def note(self, segment: Segment) -> None:
        self._at[segment.asset].append(segment.start_ns)
        self._state[segment.asset].append(State(segment.state))

    def state(self, asset: int, at_ns: int) -> State:
        """Return the state in force at an instant."""
        return self._state[asset][bisect_right(self._at[asset], at_ns) - 1]

    def in_state(self, asset: int, state: State, from_ns: int, until_ns: int) -> int:
        """Return how long an asset was in a state within a span, ns; the last state known goes on."""
        starts, states = self._at[asset], self._state[asset]
        ends = [*starts[1:], until_ns]
        spans = zip(starts, ends, states, strict=True)
        return sum(max(min(e, until_ns) - max(s, from_ns), 0) for s, e, one in spans if one is state)

    def states(self, asset: int) -> list[State]:
        """Return the states that an asset came through."""
        return self._state[asset]

    def count(self, asset: int, state: State) -> int:
        """Return how often an asset came into a state."""
        return sum(one is state for one in self._state[asset][1:])

    def lengths(self, asset: int, state: State) -> list[int]:
        """Return how long each stay of an asset in a state lasted, those that were over, ns."""
        starts, states = self._at[asset], self._state[asset]
        return [
            end - begin for (begin, end), one in zip(pairwise(starts), states, strict=False) if one is state and begin
        ]

    def entered(self, asset: int, state: State, *, before_ns: int = 2**62, after_ns: int = 0) -> int:
        """Return when a state was entered: the last time before an instant, or the first after one."""
        times = [
            at
            for at, one in zip(self._at[asset], self._state[asset], strict=True)
            if one is state and after_ns < at < before_ns
        ]
        return times[0] if after_ns else times[-1]

    def illegal(self) -> list[tuple[State, State]]:
        """Return the changes that PackML does not know."""
        pairs = [pair for states in self._state for pair in pairwise(states)]
        return [(one, other) for one, other in pairs if other not in NEXT[one]]


def bulletins(world: World) -> list[Asset]:
    """Return the assets that tell of people."""
    return [asset for asset in world.catalog.assets if asset.path[-1] == "_people"]


def trace(world: World) -> Trace:
    """Watch all machines from now on."""
    seen = Trace([machine.state for machine in world.park.machines])
    world.watch(seen.note)
    return seen
