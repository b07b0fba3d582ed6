"""Racks: shares of the work of their data centre, read all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.roles.rack import Rack
from simulator.signals.device import Device
from simulator.signals.timeline import EXECUTE, Timeline

__all__ = ["Hall", "RackDevice"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class RackDevice(Device):
    """One rack. ``share`` and ``warmth`` are standard normal numbers of its own."""

    def __init__(self, role: Rack, asset: int, *, share: float, warmth: float) -> None:
        self.role = role
        self.asset = asset
        self.weight = float(np.exp(role.uneven * share))
        self.warmer_c = role.inlet_spread_c * warmth

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return what it shows as one of its hall."""
        assert self.place is not None, "a rack that no data centre serves is refused at the door"
        hall, member = self.place
        return hall.values_of(shows, np.full(len(time_ns), member), time_ns)


class Hall:
    """The racks of a data centre.

    ``it_kw`` and ``inlet_c`` give its IT power and its air at instants. Work is spread over the racks in fixed shares,
    which add up to all of it; a rack that is not at work shows none.
    """

    def __init__(
        self, racks: Sequence[RackDevice], *, it_kw: Callable[[Ints], Floats], inlet_c: Callable[[Ints], Floats]
    ) -> None:
        self._it_kw, self._inlet_c = it_kw, inlet_c
        weight = np.array([rack.weight for rack in racks])
        self._share = weight / weight.sum() if racks else weight
        self._asset = np.array([rack.asset for rack in racks], dtype=np.int64)
        self._warmer_c = np.array([rack.warmer_c for rack in racks])
        self._rated_kw = np.array([rack.role.rated_kw for rack in racks])
        self._rise_c = np.array([rack.role.rise_c for rack in racks])
        self._timeline: Timeline | None = None
        for member, rack in enumerate(racks):
            rack.place = (self, member)

    def advance(self, timeline: Timeline) -> None:
        """Take in the next window."""
        self._timeline = timeline

    def values_of(self, shows: str, member: Ints, time_ns: Ints) -> Floats:
        """Return a quantity of racks at instants, float64[N]."""
        inlet_c: Floats = self._inlet_c(time_ns) + self._warmer_c[member]
        if shows == "inlet":
            return inlet_c
        assert self._timeline is not None
        at_work = self._timeline.state[self._timeline.at(self._asset[member], time_ns)] == EXECUTE
        load = np.where(at_work, self._it_kw(time_ns) * self._share[member], 0.0)
        share = np.minimum(load / self._rated_kw[member], 1.0)
        shown: dict[str, Floats] = {
            "load": load,
            "work": 100.0 * share,
            "outlet": inlet_c + self._rise_c[member] * share,
        }
        return shown[shows]
