"""Reporters: means over five minutes, in a queue that leads over a line to the authority.

A record is made at each whole five minutes and sent at once while the line is up; what had to wait follows at one
record a minute, oldest first. What is said in a minute is held for it, so a sensor that is read once a minute tells
each record once. A value that a record does not have is no reading.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.limits import Finding, Permit
from simulator.scenario.roles.reporter import RECORD_NS, Reporter
from simulator.signals.device import BROKEN, MEASURING, Device, Figure, Track
from simulator.signals.minutes import Minutes
from simulator.signals.supply import MINUTE_NS, marks
from simulator.signals.timeline import Timeline

__all__ = ["AirReporterDevice", "ReporterDevice", "WaterReporterDevice"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
DAY_RECORDS = 288
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Record:
    """Five minutes: when they began, means and status by parameter, and how many values break a limit."""

    from_ns: int
    value: tuple[float, ...]
    """NaN where there is none."""
    status: tuple[int, ...]
    exceeded: int

    @property
    def valid(self) -> int:
        """How many values it has."""
        return sum(status == MEASURING for status in self.status)


class ReporterDevice(Device):
    """One reporter. ``sources`` gives the device behind each parameter; ``online`` is 1 while the line is up."""

    figures: ClassVar[tuple[Figure, ...]] = (Figure("completeness", "%", 1, 100.0),)

    def __init__(
        self,
        role: Reporter,
        asset: int,
        *,
        permit: Permit,
        sources: Mapping[str, Device],
        online: Track,
        origin_ns: int,
    ) -> None:
        self._role, self._asset = role, asset
        self._permit, self._online = permit, online
        self._sources = [(name, sources[name]) for name in role.parameters]
        self._values: list[list[float]] = []
        self._statuses: list[list[int]] = []
        self._waiting: deque[Record] = deque()
        # Valid values that have arrived, by five minutes: the last day of them.
        self._arrived: dict[int, int] = {}
        self._due: deque[int] = deque(maxlen=DAY_RECORDS)
        self._began_ns = -(-origin_ns // RECORD_NS) * RECORD_NS
        self._missing = self._exceedances = self._checked = 0
        self._minutes = Minutes(origin_ns // MINUTE_NS * MINUTE_NS, **self._said(None, 0, online=1.0))

    def advance(self, timeline: Timeline) -> None:
        """Gather the minutes of the window, make records and send them."""
        minute_ns = marks(timeline, MINUTE_NS)
        if not len(minute_ns):
            return
        value = np.column_stack([source.values(shows, minute_ns) for shows, source in self._sources]).tolist()
        status = np.column_stack([source.status(shows, minute_ns) for shows, source in self._sources]).tolist()
        working = timeline.executes(self._asset, minute_ns).tolist()
        online = self._online.at(minute_ns).tolist()
        said = []
        for i, now_ns in enumerate(minute_ns.tolist()):
            if now_ns % RECORD_NS == 0 and now_ns > self._began_ns:
                self._make(now_ns - RECORD_NS, working=working[i])
            if now_ns >= self._began_ns and working[i]:
                self._values.append(value[i])
                self._statuses.append(status[i])
            sends = working[i] and online[i] and self._waiting
            said.append(self._said(self._waiting.popleft() if sends else None, now_ns, online=online[i]))
        self._minutes.add(minute_ns, **{key: np.array([one[key] for one in said]) for key in said[0]})

    def _make(self, from_ns: int, *, working: bool) -> None:
        """Make the record of the five minutes that are over; one who is out makes none."""
        values, statuses = self._values, self._statuses
        self._values, self._statuses = [], []
        self._due.append(from_ns)
        if not working or not values:
            self._missing += 1
            return
        means, overall, exceeded = [], [], 0
        for column, name in enumerate(self._role.parameters):
            said = [row[column] for row in statuses]
            valid = [row[column] for row, status in zip(values, said, strict=True) if status == MEASURING]
            if len(valid) < self._role.least_minutes:
                # Whatever else there was most of; minutes without any are as good as broken ones.
                others = [status for status in said if status != MEASURING] or [BROKEN]
                overall.append(max(sorted(others), key=others.count))
                means.append(np.nan)
                continue
            mean = sum(valid) / len(valid)
            overall.append(MEASURING)
            means.append(mean)
            finding = self._permit.exceedances(name, np.array([mean]))[0]
            exceeded += int(finding == Finding.EXCEEDED)
            self._checked += int(finding in {Finding.OK, Finding.EXCEEDED})
        self._exceedances += exceeded
        self._waiting.append(Record(from_ns, tuple(means), tuple(overall), exceeded))
        if len(self._waiting) > self._role.keeps:
            self._waiting.popleft()
            self._missing += 1

    def _said(self, record: Record | None, now_ns: int, *, online: float) -> dict[str, float]:
        """Return all that is said in a minute."""
        said = dict.fromkeys(("from", "late", "exceeded"), np.nan)
        for name in self._role.parameters:
            said[name] = said[f"{name}_status"] = np.nan
        if record is not None:
            late = now_ns - (record.from_ns + RECORD_NS) >= self._role.late_after
            said |= {"from": record.from_ns / SECOND_NS, "late": float(late), "exceeded": float(record.exceeded)}
            for name, value, status in zip(self._role.parameters, record.value, record.status, strict=True):
                said[name], said[f"{name}_status"] = value, float(status)
            self._arrived[record.from_ns] = record.valid
        return said | {
            "waiting": float(len(self._waiting)),
            "missing": float(self._missing),
            "exceedances": float(self._exceedances),
            "completeness": 100.0 * self._completeness(),
            "compliance": 100.0 * (1.0 - self._exceedances / self._checked) if self._checked else np.nan,
            "online": online,
        }

    def _completeness(self) -> float:
        """Return the share of the values due over the last day that have arrived and are valid; 1 before any was."""
        if not self._due:
            return 1.0
        for from_ns in [one for one in self._arrived if one < self._due[0]]:
            del self._arrived[from_ns]
        return sum(self._arrived.values()) / (len(self._due) * len(self._sources))

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return what is said in the minute of each instant; NaN where it says nothing."""
        return self._minutes.at("compliance" if shows.endswith("_compliance") else shows, time_ns)


class WaterReporterDevice(ReporterDevice):
    """A reporter of wastewater."""

    figures: ClassVar[tuple[Figure, ...]] = (Figure("water_compliance", "%", 2, 100.0), *ReporterDevice.figures)


class AirReporterDevice(ReporterDevice):
    """A reporter of flue gas."""

    figures: ClassVar[tuple[Figure, ...]] = (Figure("air_compliance", "%", 2, 100.0), *ReporterDevice.figures)
