"""The scoreboard: key figures of each machine, line, factory and site and of the park, told on topics of their own.

``<topic>/_kpi`` speaks at whole multiples of a time after each local midnight, and at the midnight that ends the day,
so that the last message of a day has the figures of it all. Figures without a number are left out: a ratio whose
divisor is still nothing, such as the availability of a factory that was not open yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Asset, Batch
from simulator.park.accounts import Accounts
from simulator.park.groups import Group, Groups, mean_of
from simulator.park.kpi import SENSORS, Work, figures
from simulator.scenario.quantities import instant_ns
from simulator.signals.timeline import Timeline

__all__ = ["Days", "Scoreboard"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
AT_ONCE = 60
"""Instants that are evaluated together: it bounds the memory of a long window."""
DECIMALS = np.array([sensor.decimals for sensor in SENSORS])
HIGH = np.array([sensor.high for sensor in SENSORS])


@dataclass(frozen=True)
class Days:
    """Local days. Instants are nanoseconds since the Unix epoch."""

    zone: ZoneInfo

    def midnight(self, day: date) -> int:
        """Return when a day begins."""
        return instant_ns(datetime.combine(day, time(), self.zone))

    def day_of(self, at_ns: int) -> date:
        """Return the day that an instant lies in."""
        return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).astimezone(self.zone).date()

    def touching(self, from_ns: int, until_ns: int) -> Iterator[tuple[int, int]]:
        """Yield from when to when each day lasts that has an instant from the one to before the other.

        A day has the midnight that ends it, and not the one that it begins with.
        """
        day = self.day_of(from_ns - 1)
        while (begins_ns := self.midnight(day)) < until_ns:
            day += timedelta(days=1)
            yield begins_ns, self.midnight(day)


class Scoreboard:
    """Tells the figures of groups; ``assets`` are those that speak for them, in the same order."""

    def __init__(
        self, accounts: Accounts, groups: Sequence[Group], *, every_ns: int, zone: str, assets: Sequence[Asset]
    ) -> None:
        self._accounts = accounts
        self._groups = Groups(groups)
        self._every_ns = every_ns
        self._days = Days(ZoneInfo(zone))
        first = np.array([asset.first_sensor for asset in assets], dtype=np.int64)
        self._number = first[:, None] + np.arange(len(SENSORS))
        self._added = [
            (asset.first_sensor + number, figure, group.devices)
            for group, asset in zip(groups, assets, strict=True)
            for number, figure in enumerate(group.added.values(), len(SENSORS))
        ]
        self._at_midnight = self._groups.add_up(accounts.nothing())

    def skip(self, timeline: Timeline) -> None:
        """Note what was done before the day."""
        for _ in self._through(timeline):
            pass

    def read(self, timeline: Timeline) -> Batch:
        """Return the figures that are due in a window."""
        parts = [
            self._told(at_ns, since)
            for begins_ns, ends_ns, since in self._through(timeline)
            for at_ns in self._due(begins_ns, ends_ns, timeline)
        ]
        return replace(Batch.join(parts), until_ns=timeline.until_ns)

    def _through(self, timeline: Timeline) -> Iterator[tuple[int, int, Work]]:
        """Yield the days of a window: from when, to when, and what was done before each."""
        if not self._number.size:
            return
        for begins_ns, ends_ns in self._days.touching(timeline.from_ns, timeline.until_ns):
            if begins_ns >= timeline.from_ns:
                self._at_midnight = self._done(np.array([begins_ns]))
            yield begins_ns, ends_ns, self._at_midnight

    def _due(self, begins_ns: int, ends_ns: int, timeline: Timeline) -> Iterator[Ints]:
        """Yield the instants of a day in a window at which figures are told, some at a time."""
        instants = np.append(np.arange(begins_ns + self._every_ns, ends_ns, self._every_ns), ends_ns)
        mine = instants[(instants >= timeline.from_ns) & (instants < timeline.until_ns)]
        for low in range(0, len(mine), AT_ONCE):
            yield mine[low : low + AT_ONCE]

    def _done(self, time_ns: Ints) -> Work:
        return self._groups.add_up(self._accounts.at(time_ns))

    def _told(self, time_ns: Ints, at_midnight: Work) -> Batch:
        done = self._done(time_ns)
        today = done.since(at_midnight)
        value = rounded(np.moveaxis(figures(today, self._groups.finished(today), done), 0, -1), DECIMALS, HIGH)
        at_ns = np.broadcast_to(time_ns[:, None, None], value.shape)
        number = np.broadcast_to(self._number, value.shape)
        parts = [(at_ns.ravel(), number.ravel(), value.ravel())]
        for sensor, figure, devices in self._added:
            shown = rounded(mean_of(devices, figure.name, time_ns), figure.decimals, figure.high)
            parts.append((time_ns, np.full(len(time_ns), sensor), shown))
        time, sensors, values = (np.concatenate(column) for column in zip(*parts, strict=True))
        known = np.isfinite(values)
        return Batch(time[known], sensors[known].astype(np.int32), values[known])


def rounded(value: Floats, decimals: Ints | int, high: Floats | float) -> Floats:
    """Round and bound a figure like any reading, so that each copy of it is the same decimal."""
    scale = np.power(10.0, decimals)
    return np.rint(np.clip(value, 0.0, high) * scale) / scale
