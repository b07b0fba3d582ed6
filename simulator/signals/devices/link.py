"""Links of a network: how quick, how sure and how full they are, through to the end of the way that carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.fault import Flood, NetworkFault
from simulator.scenario.roles.link import Carrier
from simulator.signals.device import Device
from simulator.signals.streams import Stream
from simulator.signals.timeline import Timeline
from simulator.signals.way import Way

__all__ = ["LinkDevice"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
SECOND_NS = 1_000_000_000
PACKET_MBIT = 1_500 * 8 / 1e6
"""A packet that waits for others to be sent is as long as Ethernet allows."""
FULL_QUEUE_MS = 200.0
"""What waits in front of a link that is offered more than it carries: a fifth of a second [E]."""
UNEVEN = 0.25
"""Jitter as a share of the time in the queue [E]."""
NONE: Ints = np.empty(0, dtype=np.int64)


class LinkDevice(Device):
    """A link, and what it leads to.

    Its queue is that of a single server (M/M/1): a packet waits use/(1 - use) times as long as it takes to be sent;
    offered more than it carries, the queue is full and the rest is lost. Messages of the park count in the second in
    which they pass, with the bytes of their packets.
    """

    follows: ClassVar[bool] = True

    def __init__(self, role: Carrier, way: Way, beyond: Sequence[LinkDevice]) -> None:
        self.role = role
        self.way = way
        self._beyond = tuple(beyond)
        self._floods: list[tuple[int, int, float]] = []
        self._passed: list[tuple[Ints, Ints]] = []
        self._counted: tuple[Ints, Ints] | None = None

    def befall(self, fault: NetworkFault, from_ns: int, to_ns: int, stream: Stream) -> None:
        """Take in a fault that is scheduled; ``stream`` gives its random numbers."""
        if isinstance(fault, Flood):
            self._floods.append((from_ns, to_ns, fault.mbit_s))

    def advance(self, timeline: Timeline) -> None:
        """Keep of what passed the last second before the window."""
        recent = [(at_ns > timeline.from_ns - SECOND_NS, at_ns, size) for at_ns, size in self._passed]
        self._passed = [(at_ns[late], size[late]) for late, at_ns, size in recent if late.any()]
        self._counted = None

    def carry_on(self, at_ns: Ints, size: Ints) -> None:
        """Take in messages that pass at rising instants of the window, with their bytes, and hand them on."""
        if not len(at_ns):
            return
        self._passed.append((at_ns, size))
        self._counted = None
        for mine, other in self._carriers(at_ns):
            other.carry_on(at_ns[mine], size[mine])

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return one of its quantities; while it is shut nothing flows, and probes do not come back."""
        if shows == "availability":
            return 100.0 * self.way.available(time_ns)
        is_open = self.way.open.at(time_ns) > 0
        if shows == "connected":
            return is_open.astype(np.float64)
        shut = {"latency": self.role.timeout_ms, "loss": 100.0}.get(shows, 0.0)
        measures = {
            "latency": self._latency,
            "jitter": self._jitter,
            "loss": self._loss,
            "throughput": self._throughput,
            "use": self._use,
            "capacity": self._capacity,
        }
        shown: Floats = np.where(is_open, measures[shows](time_ns), shut)
        return shown

    def _latency(self, time_ns: Ints) -> Floats:
        own = self.role.latency_ms + self._queue_ms(time_ns)
        own = own + np.where(self.way.choice.at(time_ns) > 0, self.role.detour_ms, 0.0)
        return np.asarray(own + self._further("latency", time_ns))

    def _jitter(self, time_ns: Ints) -> Floats:
        own = self.role.jitter_ms + UNEVEN * self._queue_ms(time_ns)
        return np.asarray(np.hypot(own, self._further("jitter", time_ns)))

    def _loss(self, time_ns: Ints) -> Floats:
        fits = 1.0 / np.maximum(self._offered(time_ns) / self._width(time_ns), 1.0)
        arrives = (1.0 - self.role.loss_pct / 100.0) * fits * (1.0 - self._further("loss", time_ns) / 100.0)
        return np.asarray(100.0 * (1.0 - arrives))

    def _throughput(self, time_ns: Ints) -> Floats:
        return np.minimum(self._offered(time_ns), self._width(time_ns))

    def _use(self, time_ns: Ints) -> Floats:
        return np.asarray(100.0 * self._throughput(time_ns) / self._width(time_ns))

    def _capacity(self, time_ns: Ints) -> Floats:
        """What floods leave, here and beyond."""
        own = np.maximum(self._width(time_ns) - self._flooded(time_ns), 0.0)
        return np.minimum(own, self._further("capacity", time_ns, last=np.inf))

    def _width(self, time_ns: Ints) -> Floats:
        share = np.where(self.way.choice.at(time_ns) > 0, self.role.detour_share, 1.0)
        return np.asarray(self.role.mbit_s * share)

    def _flooded(self, time_ns: Ints) -> Floats:
        flooded = np.zeros(len(time_ns))
        for from_ns, to_ns, mbit_s in self._floods:
            flooded += np.where((time_ns >= from_ns) & (time_ns < to_ns), mbit_s, 0.0)
        return flooded

    def _offered(self, time_ns: Ints) -> Floats:
        """Return Mbit/s of the park and of floods; what passed within the last second counts."""
        if self._counted is None:
            at_ns = np.concatenate([NONE, *(at_ns for at_ns, _ in self._passed)])
            size = np.concatenate([NONE, *(size for _, size in self._passed)])
            order = np.argsort(at_ns, kind="stable")
            self._counted = at_ns[order], np.concatenate(([0], np.cumsum(size[order])))
        at_ns, summed = self._counted
        last = np.searchsorted(at_ns, time_ns, side="right")
        first = np.searchsorted(at_ns, time_ns - SECOND_NS, side="right")
        return (summed[last] - summed[first]) * 8 / 1e6 + self._flooded(time_ns)

    def _queue_ms(self, time_ns: Ints) -> Floats:
        width = self._width(time_ns)
        use = self._offered(time_ns) / width
        waits = PACKET_MBIT / width * 1000.0 * use / np.maximum(1.0 - use, 1e-9)
        return np.minimum(waits, FULL_QUEUE_MS)

    def _further(self, shows: str, time_ns: Ints, *, last: float = 0.0) -> Floats:
        """Return a quantity of whatever carries beyond, ``last`` if this is the end of the way."""
        found = np.full(len(time_ns), last)
        for mine, other in self._carriers(time_ns):
            found[mine] = other.values(shows, time_ns[mine])
        return found

    def _carriers(self, time_ns: Ints) -> list[tuple[Flags, LinkDevice]]:
        """Return at which instants each of those beyond carries."""
        if not self._beyond:
            return []
        choice = self.way.choice.at(time_ns)
        carried = [(choice == place, other) for place, other in enumerate(self._beyond)]
        return [(mine, other) for mine, other in carried if mine.any()]
