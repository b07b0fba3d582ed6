"""Ways through a network: what works, what is open to the world, and which of several ways carries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.signals.device import Track

__all__ = ["Way"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
MS = 1_000_000


class Way:
    """A part of a network and what it leads to: open while it works and one of the ways beyond is open.

    The first of them that is open carries. The park tells it when the part fails and when it works again; it tells
    those that lead through it. ``track`` makes tracks, ``now_ns`` is the instant.
    """

    def __init__(self, beyond: Sequence[Way], *, track: Callable[[float], Track], now_ns: Callable[[], int]) -> None:
        self.open = track(1.0)
        """1 while anything gets through, else 0."""
        self.choice = track(0.0)
        """Which of the ways beyond carries; 0 if there are none, and while none is open."""
        self._up_ms = track(0.0)
        self._since_ms = track(float(now_ns() // MS))
        self._origin_ms = now_ns() // MS
        self._now_ns = now_ns
        self._beyond = tuple(beyond)
        self._works = True
        self._watchers: list[Callable[[], None]] = []
        for one in beyond:
            one.watch(self._look)

    def watch(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` whenever it opens or shuts."""
        self._watchers.append(changed)

    def set_working(self, works: bool) -> None:  # noqa: FBT001 - what is set is what the name says
        """The part fails, or works again."""
        self._works = works
        self._look()

    def available(self, time_ns: Ints) -> Floats:
        """Return the share of time since the world began in which it was open."""
        passed_ms = np.maximum(time_ns // MS - self._origin_ms, 1)
        up_ms = self._up_ms.at(time_ns) + self.open.at(time_ns) * (time_ns // MS - self._since_ms.at(time_ns))
        return np.where(time_ns // MS > self._origin_ms, up_ms / passed_ms, 1.0)

    def _look(self) -> None:
        carries = next((place for place, one in enumerate(self._beyond) if one.open.value), None)
        self.choice.set(carries or 0)
        is_open = self._works and (carries is not None or not self._beyond)
        if is_open == bool(self.open.value):
            return
        now_ms = self._now_ns() // MS
        if not is_open:
            self._up_ms.add(now_ms - self._since_ms.value)
        self._since_ms.set(now_ms)
        self.open.set(is_open)
        for changed in self._watchers:
            changed()
