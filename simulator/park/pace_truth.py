"""The truth about the pace of a run: when it was made faster or slower and when it paused, on ``ENTERPRISE/_truth``."""

from __future__ import annotations

from bisect import bisect_left, insort_right

import numpy as np

from simulator.batch import Asset, Batch, Sensor
from simulator.park.annex import beside
from simulator.park.truth import LEVEL
from simulator.scenario.fault import Cause
from simulator.scenario.pace import FASTEST
from simulator.scenario.schema import Scenario
from simulator.signals.timeline import Timeline

__all__ = ["PaceTruth", "pace_asset"]

MS = 1_000_000
KIND = "pace"
SENSORS = (
    Sensor("cause", "1", decimals=0, low=0, high=255, period_ns=0),
    Sensor("paused", "1", decimals=0, low=0, high=1, period_ns=0),
    Sensor("speed", "1", decimals=6, low=0, high=FASTEST, period_ns=0),
)
"""Code of the cause, as in the truth about faults; 1 at the beginning of a pause, else 0; the speed from then on, 0 in
a pause and when one is over, after which it is as it was."""


def pace_asset(scenario: Scenario) -> Asset:
    """Return the asset that tells it."""
    return beside((scenario.enterprise,), LEVEL, KIND, SENSORS, scenario.sites[0].province)


class PaceTruth:
    """Tells of each change of pace; two of one instant are told a millisecond apart."""

    def __init__(self, asset: Asset | None) -> None:
        """Without an asset nothing is told."""
        self._asset = asset
        self._dated: set[int] = set()
        self._waiting: list[tuple[int, tuple[float, float, float]]] = []

    def change(self, at_ns: int, cause: Cause, *, speed: float | None) -> None:
        """Note that the speed becomes another one at an instant; None: a pause, which is over at the same instant."""
        if speed is not None:
            self._say(at_ns, (cause, 0, round(speed, SENSORS[-1].decimals)))
            return
        self._say(at_ns, (cause, 1, 0))
        self._say(at_ns, (cause, 0, 0))

    def _say(self, at_ns: int, values: tuple[float, float, float]) -> None:
        if self._asset is None:
            return
        while at_ns in self._dated:
            at_ns += MS
        self._dated.add(at_ns)
        insort_right(self._waiting, (at_ns, values))

    def read(self, timeline: Timeline) -> Batch:
        """Return the messages dated before the end of a window that were not read yet."""
        ready = bisect_left(self._waiting, timeline.until_ns, key=lambda one: one[0])
        told, self._waiting = self._waiting[:ready], self._waiting[ready:]
        if not told or self._asset is None:
            return Batch.empty(timeline.until_ns)
        first = self._asset.first_sensor
        return Batch(
            np.repeat(np.array([at_ns for at_ns, _ in told], dtype=np.int64), len(SENSORS)),
            np.tile(np.arange(first, first + len(SENSORS), dtype=np.int32), len(told)),
            np.array([values for _, values in told], dtype=np.float64).ravel(),
            timeline.until_ns,
        )

    def skip(self, timeline: Timeline) -> None:
        """Let messages go by that are dated before the end of a window."""
        self.read(timeline)
