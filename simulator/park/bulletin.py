"""Bulletins: what a factory tells of its people and of its maturity, once a minute, on ``<factory>/_people``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.batch import Asset, Batch, Sensor
from simulator.park.annex import beside
from simulator.signals.device import Track
from simulator.signals.streams import Stream
from simulator.signals.timeline import Timeline

__all__ = ["Bulletin", "Bulletins"]

MS = 1_000_000
PERIOD_NS = 60_000 * MS
LEVEL = "_people"
KIND = "people"


def figure(name: str, unit: str, high: float, *, decimals: int = 0, monotonic: bool = False) -> Sensor:
    return Sensor(name, unit, decimals=decimals, low=0, high=high, period_ns=PERIOD_NS, monotonic=monotonic)


FIGURES = (
    figure("heads", "1", 1e6),
    figure("heads_present", "1", 1e6),
    figure("team", "1", 99),
    figure("staffing_pct", "%", 100, decimals=1),
    figure("skill", "1", 1, decimals=3),
    figure("crew_skill", "1", 1, decimals=3),
    figure("mttr_min", "min", 1e6, decimals=1),
    figure("repairs", "1", 1e9, monotonic=True),
    figure("left_30d_pct", "%", 100, decimals=2),
    figure("training_h", "h", 1e9, decimals=1, monotonic=True),
    figure("overtime_month_h", "h", 1_000, decimals=1),
    figure("overtime_year_h", "h", 10_000, decimals=1),
    figure("band", "1", 5),
    figure("coverage_pct", "%", 100, decimals=1),
    figure("pilot", "1", 1),
)
"""On the payroll; at work now, trainees left out; number of the team on duty, from 1, or 0; share of the posts that are
filled; mean skill of all, and of the crew; mean hands-on time of the last 20 repairs by the crew; repairs so far; share
of people who left in 30 days; hours of training so far, over all people; overtime per head in this month and this year,
of the team that has most; maturity band; share of the sensors of its machine types that speak; whether it is a pilot of
its site."""


@dataclass(frozen=True)
class Bulletin:
    """The figures of one factory, as tracks by name; those it has of ``FIGURES``."""

    path: tuple[str, ...]
    """Enterprise, site and factory."""
    province: str
    tracks: Mapping[str, Track]
    phase_ns: int

    @classmethod
    def of(cls, path: tuple[str, ...], province: str, tracks: Mapping[str, Track], *, seed: int) -> Bulletin:
        """Return the bulletin of a factory, which speaks at a second of the minute that is its own."""
        phase_ms = int(Stream(seed, *path, LEVEL, "phase").epoch(0).integers(PERIOD_NS // MS))
        return cls(path, province, tracks, phase_ms * MS)

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """What it tells, in the order of ``FIGURES``."""
        return tuple(sensor for sensor in FIGURES if sensor.name in self.tracks)

    @property
    def asset(self) -> Asset:
        """The asset that tells it; its first sensor is numbered in the catalogue."""
        return beside(self.path, LEVEL, KIND, self.sensors, self.province)


class Bulletins:
    """Reads out the bulletins of a park: ``first_sensors`` are the numbers of their first sensors."""

    def __init__(self, bulletins: Sequence[Bulletin], first_sensors: Sequence[int]) -> None:
        self._bulletins = tuple(zip(bulletins, first_sensors, strict=True))

    def read(self, timeline: Timeline) -> Batch:
        """Return the messages of a window, not sorted."""
        parts = [self._told(bulletin, first, timeline) for bulletin, first in self._bulletins]
        return Batch.join(parts) if parts else Batch.empty(timeline.until_ns)

    def skip(self, timeline: Timeline) -> None:
        """Nothing waits to be told: figures stand in their tracks."""

    def _told(self, bulletin: Bulletin, first: int, timeline: Timeline) -> Batch:
        low = -((bulletin.phase_ns - timeline.from_ns) // PERIOD_NS)
        high = -((bulletin.phase_ns - timeline.until_ns) // PERIOD_NS)
        time_ns = bulletin.phase_ns + np.arange(low, high, dtype=np.int64) * PERIOD_NS
        sensors = bulletin.sensors
        values = np.empty((len(time_ns), len(sensors)))
        for column, sensor in enumerate(sensors):
            scale = 10.0**sensor.decimals
            shown = np.clip(bulletin.tracks[sensor.name].at(time_ns), sensor.low, sensor.high)
            values[:, column] = np.rint(shown * scale) / scale
        number = np.tile(np.arange(first, first + len(sensors), dtype=np.int32), len(time_ns))
        return Batch(np.repeat(time_ns, len(sensors)), number, values.ravel(), timeline.until_ns)
