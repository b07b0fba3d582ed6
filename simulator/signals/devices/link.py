"""Links of a network: how quick, how sure and how full they are, through to the end of the way that carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Moments:
    """What all quantities of a link at some instants follow from; its sensors are read at the same ones."""

    time_ns: Ints
    carriers: Sequence[tuple[Flags, LinkDevice]]
    """Which of those beyond carries when."""
    detour: Flags
    width: Floats
    """Mbit/s that it carries."""
    flooded: Floats
    offered: Floats
    """Mbit/s of the park and of floods."""
    queue_ms: Floats
    shown: dict[str, Floats] = field(default_factory=dict)
    """What was asked for already."""


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
        self._moments: dict[bytes, Moments] = {}

    def befall(self, fault: NetworkFault, from_ns: int, to_ns: int, stream: Stream) -> None:
        """Take in a fault that is scheduled; ``stream`` gives its random numbers."""
        if isinstance(fault, Flood):
            self._floods.append((from_ns, to_ns, fault.mbit_s))

    def advance(self, timeline: Timeline) -> None:
        """Keep of what passed the last second before the window."""
        recent = [(at_ns > timeline.from_ns - SECOND_NS, at_ns, size) for at_ns, size in self._passed]
        self._passed = [(at_ns[late], size[late]) for late, at_ns, size in recent if late.any()]
        self._counted = None
        self._moments.clear()

    def carry_on(self, at_ns: Ints, size: Ints) -> None:
        """Take in messages that pass at rising instants of the window, with their bytes, and hand them on."""
        if not len(at_ns):
            return
        self._passed.append((at_ns, size))
        self._counted = None
        self._moments.clear()
        for mine, other in self._carriers(at_ns):
            other.carry_on(at_ns[mine], size[mine])

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return one of its quantities; while it is shut nothing flows, and probes do not come back."""
        if shows == "availability":
            return 100.0 * self.way.available(time_ns)
        is_open = self.way.open.at(time_ns) > 0
        if shows == "connected":
            return is_open.astype(np.float64)
        moments = self._at(time_ns)
        if shows not in moments.shown:
            shut = {"latency": self.role.timeout_ms, "loss": 100.0}.get(shows, 0.0)
            open_value = self._open_value(shows, moments)
            moments.shown[shows] = open_value if is_open.all() else np.where(is_open, open_value, shut)
        return moments.shown[shows]

    def _open_value(self, shows: str, at: Moments) -> Floats:
        match shows:
            case "latency":
                own = self.role.latency_ms + at.queue_ms + np.where(at.detour, self.role.detour_ms, 0.0)
                return np.asarray(own + self._further("latency", at))
            case "jitter":
                return np.asarray(np.hypot(self.role.jitter_ms + UNEVEN * at.queue_ms, self._further("jitter", at)))
            case "loss":
                fits = 1.0 / np.maximum(at.offered / at.width, 1.0)
                arrives = (1.0 - self.role.loss_pct / 100.0) * fits * (1.0 - self._further("loss", at) / 100.0)
                return np.asarray(100.0 * (1.0 - arrives))
            case "throughput":
                return np.asarray(np.minimum(at.offered, at.width))
            case "use":
                return np.asarray(100.0 * np.minimum(at.offered / at.width, 1.0))
            case "capacity":
                # What floods leave, here and beyond.
                own = np.maximum(at.width - at.flooded, 0.0)
                return np.asarray(np.minimum(own, self._further("capacity", at, last=np.inf)))
        message = f"a link does not show {shows}"
        raise KeyError(message)

    def _at(self, time_ns: Ints) -> Moments:
        key = time_ns.tobytes()
        if key not in self._moments:
            detour = self.way.choice.at(time_ns) > 0
            width = self.role.mbit_s * np.where(detour, self.role.detour_share, 1.0)
            flooded = self._flooded(time_ns)
            offered = self._passing(time_ns) + flooded
            use = offered / width
            waits = PACKET_MBIT / width * 1000.0 * use / np.maximum(1.0 - use, 1e-9)
            queue_ms = np.minimum(waits, FULL_QUEUE_MS)
            self._moments[key] = Moments(time_ns, self._carriers(time_ns), detour, width, flooded, offered, queue_ms)
        return self._moments[key]

    def _flooded(self, time_ns: Ints) -> Floats:
        flooded: Floats = np.zeros(len(time_ns))
        for from_ns, to_ns, mbit_s in self._floods:
            flooded += np.where((time_ns >= from_ns) & (time_ns < to_ns), mbit_s, 0.0)
        return flooded

    def _passing(self, time_ns: Ints) -> Floats:
        """Return Mbit/s of the park: what passed within the last second."""
        if self._counted is None:
            at_ns = np.concatenate([NONE, *(at_ns for at_ns, _ in self._passed)])
            size = np.concatenate([NONE, *(size for _, size in self._passed)])
            order = np.argsort(at_ns, kind="stable")
            self._counted = at_ns[order], np.concatenate(([0], np.cumsum(size[order])))
        at_ns, summed = self._counted
        last = np.searchsorted(at_ns, time_ns, side="right")
        first = np.searchsorted(at_ns, time_ns - SECOND_NS, side="right")
        return (summed[last] - summed[first]) * 8 / 1e6

    def _further(self, shows: str, at: Moments, *, last: float = 0.0) -> Floats:
        """Return a quantity of whatever carries beyond, ``last`` if this is the end of the way."""
        if len(at.carriers) == 1 and at.carriers[0][0].all():
            return at.carriers[0][1].values(shows, at.time_ns)
        found = np.full(len(at.time_ns), last)
        for mine, other in at.carriers:
            found[mine] = other.values(shows, at.time_ns[mine])
        return found

    def _carriers(self, time_ns: Ints) -> list[tuple[Flags, LinkDevice]]:
        """Return at which instants each of those beyond carries."""
        if not self._beyond:
            return []
        choice = self.way.choice.at(time_ns)
        carried = [(choice == place, other) for place, other in enumerate(self._beyond)]
        return [(mine, other) for mine, other in carried if mine.any()]
