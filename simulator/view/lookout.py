"""The machines that somebody looks at one by one, and what their sensors showed of late."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

from simulator.batch import Catalog
from simulator.results.snapshot import Readings

__all__ = ["MOST_MACHINES", "Lookout"]

MS = 1_000_000
MOST_MACHINES = 8
"""That are looked at together: those that were asked for last."""
MOST_POINTS = 600
"""Of each sensor."""
LOOKED_AT_S = 30.0
"""After which nobody looks any more who has not asked again."""


class Lookout:
    """Keeps points for whoever asks, and forgets them when nobody does. Used by one thread at a time."""

    def __init__(self, catalog: Catalog, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._catalog = catalog
        self._monotonic_s = monotonic_s
        self._asked_s: dict[int, float] = {}
        """Assets, those asked for last at the end, and when that was."""
        self._points: dict[int, deque[tuple[int, float]]] = {}
        """Of each sensor of theirs: simulated time in ms since the Unix epoch, and value."""

    def look_at(self, asset: int) -> list[list[tuple[int, float]]]:
        """Return the points of each sensor of an asset, and have more of them kept for a while."""
        self._asked_s.pop(asset, None)
        self._asked_s[asset] = self._monotonic_s()
        self._forget()
        return [list(self._points.get(number, ())) for number in self._sensors(asset)]

    def looked_at(self) -> tuple[int, ...]:
        """Return the assets that are asked for, in the order of the catalogue."""
        self._forget()
        return tuple(sorted(self._asked_s))

    def note(self, readings: Iterable[Readings]) -> None:
        """Keep what was read of those that are asked for."""
        self._forget()
        kept = {number for asset in self._asked_s for number in self._sensors(asset)}
        for time_ns, sensor, value in readings:
            for at_ns, number, shown in zip(time_ns.tolist(), sensor.tolist(), value.tolist(), strict=True):
                if number in kept:
                    self._points.setdefault(number, deque(maxlen=MOST_POINTS)).append((at_ns // MS, shown))

    def _sensors(self, asset: int) -> range:
        found = self._catalog.assets[asset]
        return range(found.first_sensor, found.first_sensor + len(found.sensors))

    def _forget(self) -> None:
        now_s = self._monotonic_s()
        late = [one for one, asked_s in self._asked_s.items() if now_s - asked_s > LOOKED_AT_S]
        for asset in {*late, *list(self._asked_s)[:-MOST_MACHINES]}:
            del self._asked_s[asset]
            for number in self._sensors(asset):
                self._points.pop(number, None)
