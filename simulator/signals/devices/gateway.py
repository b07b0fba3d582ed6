"""Gateways: what of the messages of those they serve leaves when, and what waits meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.fault import NetworkFault
from simulator.scenario.roles.gateway import Gateway
from simulator.signals.devices.link import LinkDevice
from simulator.signals.relay import Passage, Relay
from simulator.signals.streams import Stream
from simulator.signals.timeline import Timeline
from simulator.signals.transit import Transit
from simulator.signals.way import Way

__all__ = ["GatewayDevice"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
SECOND_NS = 1_000_000_000
NONE: Ints = np.empty(0, dtype=np.int64)


class GatewayDevice(LinkDevice):
    """A gateway. Its buffer is empty at the first instant that is read: what came before is not sent."""

    def __init__(self, role: Gateway, way: Way, beyond: Sequence[LinkDevice], carried: Sequence[int]) -> None:
        super().__init__(role, way, beyond)
        self.carried = tuple(carried)
        """Numbers of the assets whose messages leave through it, its own among them."""
        self.transit = Transit()
        self._relay = Relay(
            room=role.buffer,
            space_ns=SECOND_NS // role.flush_per_s,
            newest_first=role.order == "newest_first",
        )
        self.passage = Passage(0, NONE, NONE, NONE, NONE, NONE, 0, 0)
        """What became of messages in the window."""
        self._waiting = NONE
        self._sizes = NONE
        """Numbers of those that wait, and their bytes."""
        self._window = (0, 0)

    def befall(self, fault: NetworkFault, from_ns: int, to_ns: int, stream: Stream) -> None:
        """Take in a fault that is scheduled; ``stream`` gives its random numbers."""
        super().befall(fault, from_ns, to_ns, stream)
        self.transit.befall(fault, from_ns, to_ns, stream)

    def advance(self, timeline: Timeline) -> None:
        """Begin a window without messages."""
        super().advance(timeline)
        self._window = timeline.from_ns, timeline.until_ns

    def carry(self, arrived_ns: Ints, size: Ints) -> None:
        """Take in the messages of the window, in their order, with their bytes."""
        change_ns, is_open = self.way.open.steps(*self._window)
        passage = self._relay.advance(arrived_ns, change_ns, is_open > 0, self._window[1])
        known = np.concatenate((self._waiting, passage.first + np.arange(len(arrived_ns))))
        sizes = np.concatenate((self._sizes, size))
        order = np.argsort(passage.left_ns, kind="stable")
        leaving = np.searchsorted(known, passage.left)
        self.carry_on(passage.left_ns[order], sizes[leaving][order])
        stays = np.ones(len(known), dtype=bool)
        stays[leaving] = False
        stays[np.searchsorted(known, passage.dropped)] = False
        self._waiting, self._sizes, self.passage = known[stays], sizes[stays], passage

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return one of its quantities; its buffer and its clock go on while it is shut."""
        if shows == "clock_offset":
            return self.transit.offset_ms(time_ns)
        if shows in {"buffer_depth", "dropped"}:
            count = self.passage.depth if shows == "buffer_depth" else self.passage.drops
            return count(time_ns).astype(np.float64)
        return super().values(shows, time_ns)
