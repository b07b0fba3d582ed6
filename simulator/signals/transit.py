"""What a faulty gateway does to messages: it dates them wrong, sends some twice, and lets some be overtaken.

All of it is a pure function of the instant and of the number of a message at its gateway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.fault import ClockSkew, Duplicates, NetworkFault, Reorder
from simulator.signals.distortion import uniform_at
from simulator.signals.streams import Stream

__all__ = ["Transit"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Spell:
    """A fault of a gateway, from when to when it is in force, and its random numbers."""

    fault: NetworkFault
    from_ns: int
    to_ns: int
    stream: Stream

    def covers(self, time_ns: Ints) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (time_ns >= self.from_ns) & (time_ns < self.to_ns)
        return found

    def picked(self, number: Ints, time_ns: Ints, *, chance: float, within: int) -> tuple[Ints, Ints]:
        """Return the places of the messages that chance picks, and for each a delay of whole ms up to ``within``."""
        here = np.flatnonzero(self.covers(time_ns))
        here = here[np.argsort(number[here], kind="stable")]
        # two numbers per message: whether, and how much
        draws = uniform_at(self.stream, np.repeat(2 * number[here], 2) + np.tile([0, 1], len(here))).reshape(-1, 2)
        hit = draws[:, 0] < chance
        return here[hit], np.ceil(draws[hit, 1] * (within // MS)).astype(np.int64).clip(1) * MS


class Transit:
    """The faults of one gateway; several of a kind add up."""

    def __init__(self) -> None:
        self._skews: list[tuple[Spell, ClockSkew]] = []
        self._copies: list[tuple[Spell, Duplicates]] = []
        self._delays: list[tuple[Spell, Reorder]] = []

    def befall(self, fault: NetworkFault, from_ns: int, to_ns: int, stream: Stream) -> None:
        """Take in a fault that is scheduled."""
        spell = Spell(fault, from_ns, to_ns, stream)
        match fault:
            case ClockSkew():
                self._skews.append((spell, fault))
            case Duplicates():
                self._copies.append((spell, fault))
            case Reorder():
                self._delays.append((spell, fault))

    @property
    def is_sound(self) -> bool:
        """Whether nothing ever befalls it."""
        return not (self._skews or self._copies or self._delays)

    @property
    def dates_wrong(self) -> bool:
        """Whether its clock is off at any time."""
        return bool(self._skews)

    def offset_ms(self, time_ns: Ints) -> Floats:
        """Return by how much its clock is ahead, float64[N]."""
        offset = np.zeros(len(time_ns))
        for spell, fault in self._skews:
            gained_ms = (time_ns - spell.from_ns) / MS * (fault.ppm / 1e6)
            offset += np.where(spell.covers(time_ns), fault.offset_ms + gained_ms, 0.0)
        return offset

    def extremes_ms(self) -> tuple[float, float]:
        """Return the most by which its clock is behind and ahead at any time, the first at most 0."""
        behind = ahead = 0.0
        for spell, fault in self._skews:
            ends = fault.offset_ms, fault.offset_ms + (spell.to_ns - spell.from_ns) / MS * (fault.ppm / 1e6)
            behind, ahead = behind + min(0.0, *ends), ahead + max(0.0, *ends)
        return behind, ahead

    def delays(self, number: Ints, left_ns: Ints) -> Ints:
        """Return by how much longer each message takes, int64[N]; 0 for most."""
        late = np.zeros(len(number), dtype=np.int64)
        for spell, fault in self._delays:
            place, delay_ns = spell.picked(number, left_ns, chance=fault.chance, within=fault.within)
            late[place] += delay_ns
        return late

    def copies(self, number: Ints, left_ns: Ints) -> tuple[Ints, Ints]:
        """Return the places of messages that are sent again, and by how much later."""
        found = [
            spell.picked(number, left_ns, chance=fault.chance, within=fault.within) for spell, fault in self._copies
        ]
        none: Ints = np.empty(0, dtype=np.int64)
        return np.concatenate([none, *(one[0] for one in found)]), np.concatenate([none, *(one[1] for one in found)])
