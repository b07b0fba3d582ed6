"""The truth: which fault begins and ends where and when, for the labels of a data set and for the result of a run.

Each machine that a fault can befall has an asset of its own, ``<topic>/_truth``, of kind ``truth``, that speaks once at
the start of a fault and once at its end. Two events of a machine at one instant are two messages: the later of them is
dated a millisecond later, or as much as it takes; ``from_ms`` and ``to_ms`` are never moved.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import simpy

from simulator.batch import Batch, Catalog, Sensor
from simulator.park.annex import beside, extended
from simulator.scenario.fault import CODES, Cause
from simulator.signals.timeline import Timeline

__all__ = ["KIND", "LISTED", "SENSORS", "Happening", "Truth", "with_truth"]

MS = 1_000_000
LEVEL = "_truth"
"""No machine can have this name, so no topic of one can clash."""
KIND = "truth"
LISTED = 1_000
"""Faults of each cause that a result lists; those that come later are counted."""
DECIMALS = 6


def number(name: str, *, low: float, high: float, unit: str = "1", decimals: int = 0) -> Sensor:
    return Sensor(name, unit, decimals=decimals, low=low, high=high, period_ns=0)


SENSORS = (
    number("fault", low=0, high=255),
    number("active", low=0, high=1),
    number("cause", low=0, high=255),
    number("from_ms", low=0, high=1e13, unit="ms"),
    number("to_ms", low=0, high=1e13, unit="ms"),
    number("sensor", low=-1, high=10_000),
    number("stop", low=-1, high=10_000),
    number("parameter", low=-1e9, high=1e9, decimals=DECIMALS),
)
"""Code of the kind; 1 at the start and 0 at the end; code of the cause; from when; to when, 0 while that is unknown;
number of the sensor within its asset, -1 for the machine; number of the stop within the machine type, -1 for others;
the fault's number, such as the factor of a slow machine, 0 if it has none."""


@dataclass(slots=True)
class Happening:
    """One fault of one machine or sensor. Instants are nanoseconds since the Unix epoch."""

    kind: str
    asset: int
    cause: Cause
    from_ns: int
    to_ns: int | None = None
    """None while it is unknown; for a scheduled fault it is known from the start."""
    sensor: int = -1
    stop: int = -1
    parameter: float = 0.0

    def values(self, *, active: bool) -> tuple[float, ...]:
        """Return the readings of a message, in the order of ``SENSORS``."""
        bounded = min(max(self.parameter, SENSORS[-1].low), SENSORS[-1].high)
        return (
            CODES[self.kind],
            int(active),
            int(self.cause),
            self.from_ns // MS,
            (self.to_ns or 0) // MS,
            self.sensor,
            self.stop,
            round(bounded * 10**DECIMALS) / 10**DECIMALS,
        )


@dataclass(slots=True)
class Told:
    """What a result tells of the faults of one cause: the first of them, and how many more there were."""

    first: list[Happening] = field(default_factory=list)
    more: int = 0


class Truth:
    """Keeps the record of a park's faults.

    ``asset_of`` gives the number of the truth asset of each asset that has one, in ``catalog``.
    """

    def __init__(self, env: simpy.Environment, catalog: Catalog, asset_of: Sequence[int], *, start_ns: int) -> None:
        self._env = env
        self._catalog = catalog
        self._asset_of = asset_of
        self._start_ns = start_ns
        self._dated: dict[int, int] = {}
        self._waiting: deque[tuple[int, int, tuple[float, ...]]] = deque()
        self._told = {cause: Told() for cause in Cause}
        self._open: dict[int, Happening] = {}

    def begin(self, happening: Happening) -> Happening:
        """Note that a fault begins now."""
        self._open[id(happening)] = happening
        self._say(happening, active=True)
        return happening

    def end(self, happening: Happening) -> None:
        """Note that a fault ends now."""
        happening.to_ns = int(self._env.now)
        del self._open[id(happening)]
        self._say(happening, active=False)
        if happening.to_ns > self._start_ns:
            told = self._told[happening.cause]
            if len(told.first) < LISTED:
                told.first.append(happening)
            else:
                told.more += 1

    def _say(self, happening: Happening, *, active: bool) -> None:
        asset = self._asset_of[happening.asset]
        if asset < 0:
            return
        at_ns = max(int(self._env.now), self._dated.get(asset, 0) + MS)
        self._dated[asset] = at_ns
        self._waiting.append((at_ns, self._catalog.assets[asset].first_sensor, happening.values(active=active)))

    def read(self, timeline: Timeline) -> Batch:
        """Return the messages dated before the end of a window that were not read yet."""
        until_ns = timeline.until_ns
        # Messages wait in the order of what happened; one that was moved may have to wait for the next window.
        waiting = sorted(self._waiting)
        ready = bisect_left(waiting, until_ns, key=lambda one: one[0])
        self._waiting = deque(waiting[ready:])
        if not ready:
            return Batch.empty(until_ns)
        fields = np.arange(len(SENSORS))
        time_ns = np.repeat(np.array([one[0] for one in waiting[:ready]], dtype=np.int64), len(SENSORS))
        sensor = np.concatenate([one[1] + fields for one in waiting[:ready]]).astype(np.int32)
        value = np.array([one[2] for one in waiting[:ready]], dtype=np.float64).ravel()
        return Batch(time_ns, sensor, value, until_ns)

    def skip(self, timeline: Timeline) -> None:
        """Let messages go by that are dated before the end of a window."""
        self.read(timeline)

    def happened(self, before_ns: int) -> tuple[list[Happening], int]:
        """Return the faults in force between the start and an instant, and how many of them are not listed.

        In order of their beginning; one that ends later, or not yet, has no end.
        """
        found = [one for told in self._told.values() for one in told.first] + list(self._open.values())[:LISTED]
        mine = [one for one in found if one.from_ns < before_ns]
        cut = [one if one.to_ns is not None and one.to_ns < before_ns else replace(one, to_ns=None) for one in mine]
        more = sum(told.more for told in self._told.values()) + max(len(self._open) - LISTED, 0)
        return sorted(cut, key=lambda one: (one.from_ns, one.asset, one.sensor)), more


def with_truth(measured: Catalog, befallen: Collection[int]) -> tuple[Catalog, list[int]]:
    """Return the catalogue with the truth of these assets at its end, and the truth asset of each asset or -1."""
    owners = sorted(befallen)
    asset_of = [-1] * len(measured.assets)
    for number, owner in enumerate(owners, len(measured.assets)):
        asset_of[owner] = number
    mine = (measured.assets[owner] for owner in owners)
    return extended(measured, (beside(one.path, LEVEL, KIND, SENSORS, one.tags["province"]) for one in mine)), asset_of
