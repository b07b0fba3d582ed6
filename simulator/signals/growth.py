"""Growth: sensors that are silent, or speak less often, until their factory climbs to another maturity band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Catalog
from simulator.scenario.sensor import SensorType, StateModel

__all__ = ["Era", "Growth"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Era(NamedTuple):
    """What an asset shows before an instant, nanoseconds since the Unix epoch."""

    until_ns: int
    sensors: Mapping[str, SensorType]
    """By name; the others are silent."""


class Growth:
    """Which readings of a catalogue exist. Columns of rules are per era, from the first, and sensor: [K, S]."""

    def __init__(self, catalog: Catalog, eras: Mapping[int, Sequence[Era]]) -> None:
        """``eras``: by asset, in order of time; after the last of them all its sensors speak."""
        shape = (max((len(one) for one in eras.values()), default=0), len(catalog))
        self._until_ns = np.full(shape, np.iinfo(np.int64).min)
        self._period_ns = np.zeros(shape, dtype=np.int64)
        self._every = np.zeros(shape, dtype=np.int64)
        self._tells = np.zeros(shape, dtype=bool)
        self._native_ns = np.array([sensor.period_ns for sensor in catalog.sensors], dtype=np.int64)
        self._phase_ns = np.array([asset.phase_ns for asset in catalog.assets], dtype=np.int64)[catalog.asset_of]
        for asset, stages in eras.items():
            first = catalog.assets[asset].first_sensor
            for k, era in enumerate(stages):
                for number, sensor in enumerate(catalog.assets[asset].sensors, first):
                    self._until_ns[k, number] = era.until_ns
                    known = era.sensors.get(sensor.name)
                    if known is not None:
                        self._period_ns[k, number] = known.period or 0
                        self._every[k, number] = known.every
                        self._tells[k, number] = isinstance(known.model, StateModel) and known.model.changes

    def may_change(self, sensor: Ints, from_ns: int) -> Mask:
        """Say of which sensors some readings may not exist from an instant on, bool[N]."""
        latest_ns = self._until_ns.max(axis=0, initial=np.iinfo(np.int64).min)
        return np.asarray(latest_ns[sensor] > from_ns)

    def samples(self, sensor: Ints, time_ns: Ints) -> Mask:
        """Say which samples of a grid exist: the first of the grid in each interval of the era, bool[N]."""
        keep = np.ones(len(sensor), dtype=bool)
        since_ns = time_ns - self._phase_ns[sensor]
        for rows, period_ns in self._rules(self._period_ns, sensor, time_ns):
            speaks = period_ns > 0
            slow_ns = np.maximum(period_ns, 1)
            before_ns = since_ns[rows] - self._native_ns[sensor[rows]]
            keep[rows] = speaks & (since_ns[rows] // slow_ns != before_ns // slow_ns)
        return keep

    def changes(self, sensor: Ints, time_ns: Ints) -> Mask:
        """Say which changes of state are told, bool[N]."""
        keep = np.ones(len(sensor), dtype=bool)
        for rows, tells in self._rules(self._tells, sensor, time_ns):
            keep[rows] = tells
        return keep

    def cycles(self, sensor: Ints, time_ns: Ints, number: Ints) -> Mask:
        """Say which cycles are measured, bool[N]."""
        keep = np.ones(len(sensor), dtype=bool)
        for rows, every in self._rules(self._every, sensor, time_ns):
            keep[rows] = (every > 0) & (number[rows] % np.maximum(every, 1) == 0)
        return keep

    def _rules(self, column: NDArray[np.generic], sensor: Ints, time_ns: Ints) -> list[tuple[Ints, Ints]]:
        """Return the rows that lie in each era, and the rule that holds for each of them."""
        found = []
        open_ = np.ones(len(sensor), dtype=bool)
        for k in range(len(self._until_ns)):
            rows = np.flatnonzero(open_ & (time_ns < self._until_ns[k, sensor]))
            open_[rows] = False
            found.append((rows, column[k, sensor[rows]]))
        return found
