"""Devices: what the systems of a site show beside their state, and tracks, which the park writes and devices read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.signals.timeline import Timeline

__all__ = ["BROKEN", "CALIBRATING", "MEASURING", "Crowd", "Device", "Figure", "Track", "TrackDevice"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


MEASURING, CALIBRATING, BROKEN = 0, 1, 2
"""What an analyser says of itself: the codes of official records, Circular 10/2021/TT-BTNMT [M]."""


class Track:
    """A quantity that stays until something happens: set by the park as it happens, read by sensors afterwards.

    Instants are nanoseconds since the Unix epoch; ``now`` tells the one at which a value is set.
    """

    def __init__(self, now: Callable[[], int], initial: float) -> None:
        self._now = now
        self._time_ns = [now()]
        self._value = [float(initial)]

    @property
    def value(self) -> float:
        """What it is now."""
        return self._value[-1]

    def set(self, value: float) -> None:
        """Change it now; the last of several changes at one instant counts."""
        now_ns = self._now()
        if now_ns == self._time_ns[-1]:
            self._value[-1] = float(value)
        elif value != self._value[-1]:
            self._time_ns.append(now_ns)
            self._value.append(float(value))

    def add(self, change: float) -> None:
        """Change it by so much now."""
        self.set(self.value + change)

    def forget(self, before_ns: int) -> None:
        """Forget what nobody asks for any more: all changes but the one in force at an instant and those after it."""
        first = max(bisect_right(self._time_ns, before_ns) - 1, 0)
        del self._time_ns[:first], self._value[:first]

    def at(self, time_ns: Ints) -> Floats:
        """Return the value in force at each instant, float64[N]; a change is in force at its own instant."""
        if len(self._value) == 1:
            return np.full(len(time_ns), self._value[0])
        step = np.searchsorted(np.array(self._time_ns), time_ns, side="right") - 1
        return np.array(self._value)[np.maximum(step, 0)]

    def steps(self, from_ns: int, until_ns: int) -> tuple[Ints, Floats]:
        """Return since when it has been what in [from, until): int64[K], float64[K], the first at ``from_ns``."""
        time_ns, value = np.array(self._time_ns, dtype=np.int64), np.array(self._value)
        first = max(int(np.searchsorted(time_ns, from_ns, side="right")) - 1, 0)
        last = max(int(np.searchsorted(time_ns, until_ns, side="left")), first + 1)
        return np.maximum(time_ns[first:last], from_ns), value[first:last]


class Figure(NamedTuple):
    """A key figure that devices add to those of their site: a quantity of theirs, from 0 to ``high``."""

    name: str
    """What ``values`` calls it, and the field of the message."""
    unit: str
    decimals: int
    high: float


class Crowd(Protocol):
    """Many devices of a kind that are read at once, such as the racks of a hall."""

    def values_of(self, shows: str, member: Ints, time_ns: Ints) -> Floats:
        """Return a quantity of members at instants of the window, one member per instant, float64[N]."""


class Device:
    """What a system shows. Windows follow each other; ``values`` and ``watts`` are asked for the last one only."""

    draws: ClassVar[bool] = False
    """Whether it takes electric power beyond what its motor does."""
    feeds: ClassVar[bool] = False
    """Whether it gives that power instead: then ``watts`` are below zero, and its meter counts what it gives."""
    figures: ClassVar[tuple[Figure, ...]] = ()
    """What it adds to the key figures of its site: told there and in the result, as the mean of all devices that have
    a figure of this name. Where ``values`` gives no number, it has none at that instant."""
    cools: ClassVar[bool] = False
    """Whether it gives heat to chilled water where a chiller plant serves it."""
    rated_cooling_kw: float = 0.0
    """The most heat that it gives off."""
    place: tuple[Crowd, int] | None = None
    """The crowd that it is read with, and its number there."""
    follows: ClassVar[bool] = False
    """Whether what it shows depends on the messages of the window, which are known once all else is."""

    def advance(self, timeline: Timeline) -> None:
        """Take in the timeline of the next window; what it keeps must not depend on how time is cut."""

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return one of its quantities at rising instants of the window, float64[N]; where it says nothing, NaN."""
        raise NotImplementedError

    def status(self, shows: str, time_ns: Ints) -> Ints:
        """Return what the analyser of a quantity says of itself, int64[N]: it is MEASURING, CALIBRATING or BROKEN."""
        return np.full(len(time_ns), MEASURING, dtype=np.int64)

    def watts(self, minute_ns: Ints) -> Ints:
        """Return what it draws in the minutes that begin at some instants, whole W, int64[N]; its power is held."""
        raise NotImplementedError

    def cooling_kw(self, minute_ns: Ints) -> Floats:
        """Return the heat that it gives off in the minutes that begin at some instants, kW, float64[N]."""
        raise NotImplementedError


class TrackDevice(Device):
    """A device whose quantities are tracks, shown as they are."""

    def __init__(self, tracks: Mapping[str, Track]) -> None:
        self.tracks = tracks

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return the track of that name."""
        return self.tracks[shows].at(time_ns)
