"""Key figures of a park after ISO 22400-2, of one machine or of many, over any time.

Availability is actual production time per planned busy time, APT / PBT; effectiveness is planned run time per item
times produced quantity per production time, PRI x PQ / APT; quality is GQ / PQ; OEE is their product. For several
machines the times and quantities are added up before they are divided. A cycle under way counts in PRI x PQ as far as
it has come: a burn-in of a day would else be worth nothing all day, and two days at its end.

MTBF is operating time per failure and MTTR is down time per failure, as they were observed: repairs wait for the crew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Sensor
from simulator.signals.drives import WMS_PER_KWH

__all__ = ["MS_PER_H", "SENSORS", "Work", "figures"]

Ints = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]
MS_PER_H, MS_PER_MIN, MS_PER_S = 3.6e6, 6e4, 1e3
WH_PER_KWH = 1e3


@dataclass(frozen=True)
class Work:
    """What machines did in some time: int64 arrays of one shape, such as [instants, machines]; they add up."""

    busy_ms: Ints
    """Planned busy time, PBT: open shifts, without the breaks in which a machine is held."""
    producing_ms: Ints
    """Actual production time, APT: Execute."""
    ideal_ms: Ints
    """PRI x PQ: what the cycles would have taken at the rated pace."""
    down_ms: Ints
    """Aborting, Aborted, Clearing."""
    failures: Ints
    processed: Ints
    """Pieces, of all machines: one that passes three of them counts three times."""
    good: Ints
    left_line: Ints
    """Good pieces that left their line."""
    left_factory: Ints
    """Good pieces that left their factory."""
    spent_wms: Ints
    """Energy, W ms."""

    def map(self, change: Callable[[Ints], Ints]) -> Self:
        """Return the work with each array changed alike."""
        return type(self)(*(change(getattr(self, field.name)) for field in fields(self)))

    def since(self, start: Work) -> Self:
        """Return what was done after another account of it."""
        return type(self)(*(getattr(self, one.name) - getattr(start, one.name) for one in fields(self)))

    @property
    def spoilt(self) -> Ints:
        """Bad pieces of all machines."""
        return self.processed - self.good

    @property
    def availability(self) -> Floats:
        return ratio(self.producing_ms, self.busy_ms)

    @property
    def effectiveness(self) -> Floats:
        return ratio(self.ideal_ms, self.producing_ms)

    @property
    def quality(self) -> Floats:
        return ratio(self.good, self.processed)

    @property
    def oee(self) -> Floats:
        """Nothing where nothing was made in open shifts."""
        idle = (self.busy_ms != 0) & (self.producing_ms == 0)
        return np.where(idle, 0.0, self.availability * self.effectiveness * self.quality)

    @property
    def energy_kwh(self) -> Floats:
        return self.spent_wms / WMS_PER_KWH

    @property
    def mtbf_h(self) -> Floats:
        return ratio(self.producing_ms, self.failures) / MS_PER_H

    @property
    def mttr_min(self) -> Floats:
        return ratio(self.down_ms, self.failures) / MS_PER_MIN


def ratio(part: Ints, whole: Ints) -> Floats:
    """Return part / whole; no number where there is no whole."""
    quotient: Floats = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole != 0)
    return quotient


def sensor(name: str, unit: str, high: float, *, decimals: int = 0, counts: bool = False) -> Sensor:
    return Sensor(name, unit, decimals, 0.0, high, 0, monotonic=counts)


Shown = Callable[[Work, Ints], Floats | Ints]
"""From what was done, and how many good pieces left the group that did it."""
TODAY: Mapping[Sensor, Shown] = {
    sensor("availability", "1", 1, decimals=4): lambda work, _left: work.availability,
    sensor("effectiveness", "1", 10, decimals=4): lambda work, _left: work.effectiveness,
    sensor("quality", "1", 1, decimals=4): lambda work, _left: work.quality,
    sensor("oee", "1", 10, decimals=4): lambda work, _left: work.oee,
    sensor("pbt_s", "s", 1e12, decimals=3): lambda work, _left: work.busy_ms / MS_PER_S,
    sensor("apt_s", "s", 1e12, decimals=3): lambda work, _left: work.producing_ms / MS_PER_S,
    sensor("pieces_good", "1", 1e15): lambda _work, left: left,
    sensor("pieces_bad", "1", 1e15): lambda work, _left: work.spoilt,
    sensor("energy_kwh", "kWh", 1e12, decimals=3): lambda work, _left: work.energy_kwh,
    sensor("energy_wh_per_piece", "Wh", 1e9, decimals=3): lambda work, left: (
        ratio(work.spent_wms, left) / WMS_PER_KWH * WH_PER_KWH
    ),
}
"""Since local midnight."""
TO_DATE: Mapping[Sensor, Callable[[Work], Floats | Ints]] = {
    sensor("oee_to_date", "1", 10, decimals=4): lambda work: work.oee,
    sensor("failures", "1", 1e12, counts=True): lambda work: work.failures,
    sensor("mtbf_h", "h", 1e9, decimals=2): lambda work: work.mtbf_h,
    sensor("mttr_min", "min", 1e9, decimals=2): lambda work: work.mttr_min,
}
"""Since the beginning of the world, its warm-up included."""
SENSORS = (*TODAY, *TO_DATE)


def figures(today: Work, left_today: Ints, to_date: Work) -> Floats:
    """Return float64[figures, ...] in the order of ``SENSORS``; no number where there is nothing to divide by."""
    shown = [show(today, left_today) for show in TODAY.values()]
    shown += [show(to_date) for show in TO_DATE.values()]
    return np.array(shown, dtype=np.float64)
